//! Levels and recognitions of one unit that contradict what it reported before.

use super::{Finding, FindingRule, Line};
use crate::evaluate::View;
use crate::standing::lapses_at;
use events::{LineValue, Period};
use plan::{Measure, MeasureKind};

impl View<'_> {
    /// Compares each line with the one that stands before it, however many years lie between.
    pub(super) fn state_findings(&self, measure: &Measure, lines: &[Line<'_>], found: &mut Vec<Finding>) {
        for pair in lines.windows(2) {
            let [before, after] = pair else { continue };
            let evidence = || vec![before.evidence(), after.evidence()];
            if let (LineValue::Level { level: was }, LineValue::Level { level: is }) =
                (before.standing.value, after.standing.value)
                && is < was
            {
                let sentence = [
                    format!(
                        "từ mức độ {was} (kỳ {}) xuống mức độ {is} (kỳ {}).",
                        before.period, after.period
                    ),
                    format!(
                        "fell from level {was} (period {}) to level {is} (period {}).",
                        before.period, after.period
                    ),
                ];
                found.push(self.finding(FindingRule::RegressingLevel, measure, after, evidence(), sentence));
            }
        }
        if let MeasureKind::Attained { months: Some(months) } = measure.kind {
            self.recognition_findings(measure, lines, months, found);
        }
    }

    fn recognition_findings(
        &self,
        measure: &Measure,
        lines: &[Line<'_>],
        months: u16,
        found: &mut Vec<Finding>,
    ) {
        let calendar = &self.plan().calendar;
        let rule = FindingRule::RecognitionContradiction;
        // The newest recognition named so far, with the line that names it.
        let mut newest: Option<(Period, &Line<'_>)> = None;
        for line in lines {
            let LineValue::Attained { attained, recognised_year } = line.standing.value else { continue };
            if attained {
                let year = recognised_year.unwrap_or(line.period);
                match newest {
                    Some((known, earlier)) if year < known => {
                        let sentence = [
                            format!(
                                "kỳ {} nêu công nhận năm {year}, nhưng kỳ {} đã nêu công nhận năm {known}.",
                                line.period, earlier.period
                            ),
                            format!(
                                "period {} names a recognition of {year}, but period {} had named one of {known}.",
                                line.period, earlier.period
                            ),
                        ];
                        let evidence = vec![earlier.evidence(), line.evidence()];
                        found.push(self.finding(rule, measure, line, evidence, sentence));
                    }
                    _ => newest = Some((year, line)),
                }
            } else if let Some((known, earlier)) = newest
                && lapses_at(calendar, known, months) > calendar.end_of_year(line.period.year())
            {
                let sentence = [
                    format!(
                        "kỳ {} báo chưa đạt, trong khi công nhận năm {known} (kỳ {}) còn hiệu lực.",
                        line.period, earlier.period
                    ),
                    format!(
                        "period {} says not recognised while the recognition of {known} (period {}) still holds.",
                        line.period, earlier.period
                    ),
                ];
                let evidence = vec![earlier.evidence(), line.evidence()];
                found.push(self.finding(rule, measure, line, evidence, sentence));
            }
        }
    }
}
