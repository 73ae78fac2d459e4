//! Rates: denominators that jump, rates that move too far, figures that repeat.

use super::{Finding, FindingRule, Line};
use crate::evaluate::View;
use crate::exact::{Exact, ratio, shown_percent, whole};
use events::LineValue;
use num_traits::Signed;
use plan::Measure;

impl View<'_> {
    /// Compares each year with the one right before it; where a year is missing nothing is said.
    pub(super) fn rate_findings(&self, measure: &Measure, lines: &[Line<'_>], found: &mut Vec<Finding>) {
        for pair in lines.windows(2) {
            let [before, after] = pair else { continue };
            if after.period.year() != before.period.year() + 1 {
                continue;
            }
            let (Some(old), Some(new)) = (figures(before), figures(after)) else { continue };
            found.extend(
                [
                    self.denominator_jump(measure, before, after, old, new),
                    self.numerator_outlier(measure, before, after, old, new),
                    self.identical_figures(measure, before, after, old, new),
                ]
                .into_iter()
                .flatten(),
            );
        }
    }

    fn denominator_jump(
        &self,
        measure: &Measure,
        before: &Line<'_>,
        after: &Line<'_>,
        old: (u64, u64),
        new: (u64, u64),
    ) -> Option<Finding> {
        let rule = FindingRule::DenominatorJump;
        let bounds = rule.bounds();
        let most = bounds.most.expect("the rule has a measure");
        let change = old.1.abs_diff(new.1);
        let jumps = u128::from(change) * 100 > u128::from(most) * u128::from(old.1);
        (jumps && is_large(rule, old, new)).then(|| {
            let percent = shown_percent(&ratio(change, old.1));
            let (vi, en) = if new.1 > old.1 { ("tăng", "grew") } else { ("giảm", "shrank") };
            self.finding(rule, measure, after, vec![before.evidence(), after.evidence()], [
                format!(
                    "mẫu số {vi} {} % trong một năm, từ {} (kỳ {}) thành {} (kỳ {}).",
                    percent.replace('.', ","),
                    old.1,
                    before.period,
                    new.1,
                    after.period
                ),
                format!(
                    "the denominator {en} by {percent} % in a year, from {} (period {}) to {} (period {}).",
                    old.1, before.period, new.1, after.period
                ),
            ])
        })
    }

    fn numerator_outlier(
        &self,
        measure: &Measure,
        before: &Line<'_>,
        after: &Line<'_>,
        old: (u64, u64),
        new: (u64, u64),
    ) -> Option<Finding> {
        let rule = FindingRule::NumeratorOutlier;
        let most = rule.bounds().most.expect("the rule has a measure");
        let (was, is): (Exact, Exact) = (ratio(old.0, old.1), ratio(new.0, new.1));
        let moved = (&is - &was).abs();
        let bound = ratio(most, 1) / whole(100);
        (moved > bound && is_large(rule, old, new)).then(|| {
            let [was, is, moved] = [&was, &is, &moved].map(shown_percent);
            self.finding(rule, measure, after, vec![before.evidence(), after.evidence()], [
                format!(
                    "tỷ lệ thay đổi {} điểm phần trăm trong một năm, từ {} % (kỳ {}) thành {} % (kỳ {}).",
                    moved.replace('.', ","),
                    was.replace('.', ","),
                    before.period,
                    is.replace('.', ","),
                    after.period
                ),
                format!(
                    "the rate moved by {moved} percentage points in a year, from {was} % (period {}) to {is} % (period {}).",
                    before.period, after.period
                ),
            ])
        })
    }

    fn identical_figures(
        &self,
        measure: &Measure,
        before: &Line<'_>,
        after: &Line<'_>,
        old: (u64, u64),
        new: (u64, u64),
    ) -> Option<Finding> {
        let rule = FindingRule::IdenticalFigures;
        (old == new && is_large(rule, old, new)).then(|| {
            let evidence = vec![before.evidence(), after.evidence()];
            self.finding(
                rule,
                measure,
                after,
                evidence,
                [
                    format!("kỳ {} và kỳ {} cùng là {}/{}.", before.period, after.period, new.0, new.1),
                    format!("periods {} and {} are both {}/{}.", before.period, after.period, new.0, new.1),
                ],
            )
        })
    }
}

/// Numerator and denominator; none of other kinds of line and of nothing.
fn figures(line: &Line<'_>) -> Option<(u64, u64)> {
    match line.standing.value {
        LineValue::Rate { numerator, denominator } if denominator > 0 => Some((numerator, denominator)),
        LineValue::Rate { .. }
        | LineValue::Level { .. }
        | LineValue::Attained { .. }
        | LineValue::Withdrawn { .. } => None,
    }
}

/// Whether one of the two denominators is large enough for the rule.
fn is_large(rule: FindingRule, old: (u64, u64), new: (u64, u64)) -> bool {
    old.1.max(new.1) >= rule.bounds().least_denominator.unwrap_or(0)
}
