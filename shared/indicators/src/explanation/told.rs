//! The explanation in sentences, one step after the other, for a person with paper.

use super::conditions::{comma, names, value_words};
use super::{
    Explanation, Part, PathExplained, PeriodExplained, StateExplained, TargetExplained, VerdictExplained,
};
use crate::cell::{ReportProgress, Value, Verdict};
use events::{Mark, TargetValue, UnitId};
use plan::Names;

impl Explanation {
    /// Every step, in the order in which the figures come about.
    pub(super) fn told(&self) -> Vec<Names> {
        let mut steps = vec![self.heading()];
        steps.extend(self.degraded());
        for period in &self.periods {
            steps.extend(self.period(period));
        }
        steps.extend(self.states.iter().map(|state| self.state(state)));
        steps.push(self.value());
        steps.extend(self.targets.iter().map(target));
        if self.targets.is_empty() {
            steps.push(names("Mục tiêu: không có mục tiêu nào có hiệu lực.", "Target: none is in force."));
        }
        if let Some(path) = &self.path {
            steps.extend(path_steps(path));
        }
        for rule in &self.rules {
            steps.push(names(
                format!(
                    "Trạng thái “{}”: {} {}",
                    rule.status.name_vi(),
                    rule.asks.vi,
                    if rule.applies { "→ đúng." } else { "→ không." }
                ),
                format!(
                    "Status “{}”: {} {}",
                    rule.status.name(),
                    rule.asks.en,
                    if rule.applies { "→ yes." } else { "→ no." }
                ),
            ));
        }
        if let Some(status) = self.cell.status {
            steps.push(names(
                format!("Trạng thái là “{}”: quy tắc đầu tiên đúng quyết định.", status.name_vi()),
                format!("The status is “{}”: the first rule that applies decides.", status.name()),
            ));
        }
        steps.extend(self.verdicts.iter().map(|verdict| self.verdict(verdict)));
        steps.push(self.report());
        steps.extend(self.outlook_steps());
        steps.push(names(
            "Làm tròn: hai chữ số thập phân, nửa đơn vị làm tròn ra xa số 0, chỉ để hiển thị; mọi so sánh dùng phân số chính xác.",
            "Rounding: two places, half away from zero, for showing only; every comparison is made on exact fractions.",
        ));
        steps
    }

    fn heading(&self) -> Names {
        let cell = &self.cell;
        names(
            format!(
                "{}: {} (kế hoạch, mục {}), tính trên {}. Tại thời điểm {}, theo những gì đã biết đến {}, vị trí {}.",
                self.unit_name.vi,
                self.indicator_name.vi,
                self.paragraph,
                self.base.vi,
                cell.as_of,
                cell.known_at,
                cell.position
            ),
            format!(
                "{}: {} (plan, {}), counted over: {}. As of {}, known at {}, position {}.",
                self.unit_name.en,
                self.indicator_name.en,
                self.paragraph,
                self.base.en,
                cell.as_of,
                cell.known_at,
                cell.position
            ),
        )
    }

    fn degraded(&self) -> Option<Names> {
        let since = self.cell.degraded?.since;
        Some(names(
            format!(
                "Số liệu không đầy đủ: từ vị trí {since} có sự kiện không đọc được, nên không có trạng thái."
            ),
            format!("Degraded: events from position {since} on are set aside, so no status is given."),
        ))
    }

    fn name_of(&self, unit: &UnitId) -> Names {
        let found = self.names.iter().find(|(id, _)| id == unit);
        found.map_or_else(|| names(unit.as_str(), unit.as_str()), |(_, name)| name.clone())
    }

    /// `report 215/BC-UBND of 2024-11-20, revision 1, position 34`
    fn paper(&self, part: &Part) -> Names {
        let source = self.sources.iter().find(|source| source.position == part.position);
        let number = source.and_then(|source| source.document.as_ref()).map(|document| &document.number);
        let number = number.map_or(String::new(), |number| format!("{number} "));
        let history = if part.history { (", nhập bổ sung", ", entered as history") } else { ("", "") };
        names(
            format!(
                "báo cáo {number}ngày {}, lần {}, vị trí {}{}",
                part.document_date, part.revision, part.position, history.0
            ),
            format!(
                "report {number}of {}, revision {}, position {}{}",
                part.document_date, part.revision, part.position, history.1
            ),
        )
    }

    fn period(&self, period: &PeriodExplained) -> Vec<Names> {
        let uses: Vec<Names> = period.used_for.iter().map(|word| used_for(word)).collect();
        let listed = |pick: fn(&Names) -> &str| uses.iter().map(pick).collect::<Vec<_>>().join(", ");
        let (vi, en) = (listed(|words| &words.vi), listed(|words| &words.en));
        let mut steps = Vec::new();
        let value = value_words(&period.value);
        match &period.parts[..] {
            [part] if period.missing.is_empty() && part.value == period.value => {
                let paper = self.paper(part);
                // A baseline that is derived rests on what other units reported.
                let of = match part.unit == self.cell.unit {
                    true => names(String::new(), String::new()),
                    false => {
                        let name = self.name_of(&part.unit);
                        names(format!(" của {}", name.vi), format!(" of {}", name.en))
                    }
                };
                steps.push(names(
                    format!("Kỳ {}{} ({vi}): {} ({}).", period.period, of.vi, value.vi, paper.vi),
                    format!("Period {}{} ({en}): {} ({}).", period.period, of.en, value.en, paper.en),
                ));
            }
            parts => {
                for part in parts {
                    let (name, paper) = (self.name_of(&part.unit), self.paper(part));
                    let Value::Rate { numerator, denominator, .. } = &part.value else { continue };
                    steps.push(names(
                        format!(
                            "  {}, kỳ {}: {numerator}/{denominator} ({}).",
                            name.vi, period.period, paper.vi
                        ),
                        format!(
                            "  {}, period {}: {numerator}/{denominator} ({}).",
                            name.en, period.period, paper.en
                        ),
                    ));
                }
                for unit in &period.missing {
                    let name = self.name_of(unit);
                    steps.push(names(
                        format!("  {}, kỳ {}: chưa có số liệu.", name.vi, period.period),
                        format!("  {}, period {}: no line stands.", name.en, period.period),
                    ));
                }
                let (reported, of) = (parts.len(), parts.len() + period.missing.len());
                let complete = if period.complete {
                    ("đủ", "complete")
                } else {
                    (
                        "chưa đủ, chỉ tạm tính, không xét trạng thái",
                        "not complete: provisional, carries no status",
                    )
                };
                steps.push(names(
                    format!(
                        "Kỳ {} ({vi}): tổng tử số / tổng mẫu số của {reported}/{of} đơn vị = {}; {}.",
                        period.period, value.vi, complete.0
                    ),
                    format!(
                        "Period {} ({en}): sum of numerators / sum of denominators of {reported} of {of} units = {}; {}.",
                        period.period, value.en, complete.1
                    ),
                ));
            }
        }
        steps
    }

    fn state(&self, state: &StateExplained) -> Names {
        let name = self.name_of(&state.unit);
        let Some(part) = &state.part else {
            return names(
                format!("  {}: chưa báo cáo, không tính là đạt.", name.vi),
                format!("  {}: never reported; does not count.", name.en),
            );
        };
        let (value, paper) = (value_words(&part.value), self.paper(part));
        let period = state.period.map_or(String::new(), |period| period.to_string());
        let counts = if state.counts {
            ("tính là đạt", "counts")
        } else {
            ("không tính là đạt", "does not count")
        };
        let stale = if state.stale {
            (", số liệu của kỳ cũ", ", of an older period (stale)")
        } else {
            ("", "")
        };
        let lapse = match (&state.recognised_year, &state.lapses_at) {
            (Some(year), Some(at)) => (
                format!(", công nhận năm {year}, hết hiệu lực từ {at}"),
                format!(", recognised for {year}, lapses at {at}"),
            ),
            _ => (String::new(), String::new()),
        };
        names(
            format!(
                "  {}: {} (kỳ {period}{}{}; {}) → {}.",
                name.vi, value.vi, stale.0, lapse.0, paper.vi, counts.0
            ),
            format!(
                "  {}: {} (period {period}{}{}; {}) → {}.",
                name.en, value.en, stale.1, lapse.1, paper.en, counts.1
            ),
        )
    }

    fn value(&self) -> Names {
        let (Some(value), Some(period)) = (&self.cell.value, self.cell.period) else {
            return names("Giá trị: không có.", "Value: none stands.");
        };
        let words = value_words(value);
        let needed = match value {
            Value::Share { needed: Some(needed), .. } if *needed > 0 => {
                (format!(", cần thêm {needed}"), format!(", needs {needed} more"))
            }
            _ => (String::new(), String::new()),
        };
        names(
            format!("Giá trị V: {} (kỳ {period}){}.", words.vi, needed.0),
            format!("Value V: {} (period {period}){}.", words.en, needed.1),
        )
    }

    fn verdict(&self, verdict: &VerdictExplained) -> Names {
        let review = verdict.review;
        if !verdict.ended {
            return names(
                format!("Kết luận {review}: chưa có, năm {review} chưa kết thúc."),
                format!("Verdict {review}: none, the year has not ended."),
            );
        }
        if !verdict.bound {
            return names(
                format!("Kết luận {review}: không có, cuối năm {review} không có mục tiêu cho ô này."),
                format!("Verdict {review}: none, no target bound the cell at the end of {review}."),
            );
        }
        let value = verdict.value.as_ref().map_or_else(|| names("không có số liệu", "no value"), value_words);
        let units = match &verdict.units_as_of {
            Some(day) => (format!(", số đơn vị theo ngày {day}"), format!(", over the units of {day}")),
            None => (String::new(), String::new()),
        };
        let word = match verdict.verdict {
            Some(Verdict::Met) => ("đạt", "met"),
            Some(Verdict::NotMet) => ("không đạt", "not met"),
            Some(Verdict::NoData) => ("không có số liệu", "no data"),
            None => ("không có", "none"),
        };
        names(
            format!("Kết luận {review}: {}{} → {}.", value.vi, units.0, word.0),
            format!("Verdict {review}: {}{} → {}.", value.en, units.1, word.1),
        )
    }

    fn report(&self) -> Names {
        let report = &self.cell.report;
        let state = match report.state {
            ReportProgress::Received => ("đã nhận", "received"),
            ReportProgress::Awaited => ("đang chờ", "awaited"),
            ReportProgress::Overdue => ("quá hạn", "overdue"),
        };
        let due = report.due.as_ref().map_or_else(
            || ("không có hạn".to_owned(), "no deadline".to_owned()),
            |due| (format!("hạn trước {due}"), format!("due before {due}")),
        );
        let late = if report.late { (", muộn", ", late") } else { ("", "") };
        names(
            format!("Báo cáo kỳ {}: {}{}, {}.", report.period, state.0, late.0, due.0),
            format!("Report of {}: {}{}, {}.", report.period, state.1, late.1, due.1),
        )
    }

    fn outlook_steps(&self) -> Vec<Names> {
        let Some(outlook) = &self.outlook else { return Vec::new() };
        let mut steps = Vec::new();
        if let Some(needed) = &outlook.needed_per_year {
            steps.push(names(
                format!("Cần tăng {} điểm phần trăm mỗi năm để đạt mục tiêu.", comma(needed)),
                format!("Needed: {needed} percentage points per year to reach the target."),
            ));
        }
        if let Some(projection) = &outlook.projection {
            let [from, to] = projection.from;
            let clamped = if projection.clamped {
                (" (chặn trong khoảng 0–100)", " (held within 0 to 100)")
            } else {
                ("", "")
            };
            steps.push(names(
                format!(
                    "Ngoại suy, không phải dự báo: nếu tiếp tục như từ {from} đến {to} ({} điểm mỗi năm) thì năm {} là {} %{}.",
                    comma(&projection.per_year),
                    projection.review,
                    comma(&projection.percent),
                    clamped.0
                ),
                format!(
                    "An extrapolation, no forecast: going on as from {from} to {to} ({} points per year) gives {} % in {}{}.",
                    projection.per_year, projection.percent, projection.review, clamped.1
                ),
            ));
        }
        steps
    }
}

fn used_for(word: &str) -> Names {
    match word {
        "value" => names("giá trị", "value"),
        "baseline" => names("số gốc", "baseline"),
        "provisional" => names("tạm tính", "provisional"),
        other => match other.strip_prefix("verdict-") {
            Some(review) => names(format!("kết luận {review}"), format!("verdict {review}")),
            None => names(other, other),
        },
    }
}

fn target(target: &TargetExplained) -> Names {
    let value = match target.value {
        TargetValue::Percent(percent) => {
            names(format!("ít nhất {} %", comma(&percent.to_string())), format!("at least {percent} %"))
        }
        TargetValue::Level(level) => {
            names(format!("ít nhất mức độ {level}"), format!("at least level {level}"))
        }
        TargetValue::Attained(true) => names("đạt", "yes"),
        TargetValue::Attained(false) | TargetValue::Withdrawn(_) => names("chưa đạt", "no"),
    };
    let mark = match target.mark {
        Mark::Attain => ("phấn đấu", "to attain"),
        Mark::Maintain => ("duy trì", "to maintain"),
    };
    let own =
        if target.own { (", mục tiêu riêng của đơn vị", ", the unit's own") } else { ("", "") };
    let spoken = if target.spoken_of {
        ("; trạng thái xét theo mục tiêu này", "; the status speaks of it")
    } else {
        ("", "")
    };
    names(
        format!(
            "Mục tiêu {}: {} ({}{}), {}, hiệu lực từ {}, vị trí {}{}.",
            target.review,
            value.vi,
            mark.0,
            own.0,
            target.instrument,
            target.effective,
            target.position,
            spoken.0
        ),
        format!(
            "Target {}: {} ({}{}), {}, in force from {}, position {}{}.",
            target.review,
            value.en,
            mark.1,
            own.1,
            target.instrument,
            target.effective,
            target.position,
            spoken.1
        ),
    )
}

fn path_steps(path: &PathExplained) -> Vec<Names> {
    let corners = |vi: bool| {
        let one = |corner: &super::Corner| {
            let percent = &corner.expected.percent;
            format!("{}: {} %", corner.year, if vi { comma(percent) } else { percent.clone() })
        };
        path.corners.iter().map(one).collect::<Vec<_>>().join(" → ")
    };
    let [from, to] = &path.segment;
    let year = path.year;
    let expected = &path.expected;
    // Beyond the last corner the last target goes on; at the first one nothing has passed.
    let worked = if year >= to.year || year <= from.year {
        expected.exact.clone()
    } else {
        format!(
            "{} + ({} − {}) × {} / {} = {}",
            from.expected.exact,
            to.expected.exact,
            from.expected.exact,
            year - from.year,
            to.year - from.year,
            expected.exact
        )
    };
    let mut steps = vec![
        names(format!("Lộ trình: {}.", corners(true)), format!("Path: {}.", corners(false))),
        names(
            format!("Mức cần có E({year}) = {worked} = {} %.", comma(&expected.percent)),
            format!("Expected E({year}) = {worked} = {} %.", expected.percent),
        ),
    ];
    let (risen, rise) = (&path.risen.exact, &path.expected_rise.exact);
    steps.push(match &path.pace {
        Some(pace) => names(
            format!(
                "Nhịp độ = (V − B) / (E − B) = ({risen}) / ({rise}) = {} = {}.",
                pace.exact,
                comma(&pace.rounded)
            ),
            format!("Pace = (V − B) / (E − B) = ({risen}) / ({rise}) = {} = {}.", pace.exact, pace.rounded),
        ),
        None => names(
            format!("Nhịp độ: không có, vì lộ trình không tăng (E − B = {rise})."),
            format!("Pace: none, as the path does not rise (E − B = {rise})."),
        ),
    });
    steps
}
