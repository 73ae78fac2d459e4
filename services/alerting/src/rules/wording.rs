//! The sentences of alerts, in Vietnamese and English, with the figures that they rest on.

use events::{Date, Percent, Period, Resolution, Review, Summary};
use indicators::{Cell, TargetInForce, UnitNow, Value};
use plan::Indicator;

/// What the sentences about one cell are made of.
pub(super) struct Words<'a> {
    vi_cell: String,
    en_cell: String,
    cell: &'a Cell,
}

/// A phrase in both languages.
struct Phrase {
    vi: String,
    en: String,
}

impl Phrase {
    fn new(vi: impl Into<String>, en: impl Into<String>) -> Phrase {
        Phrase { vi: vi.into(), en: en.into() }
    }

    fn nothing() -> Phrase {
        Phrase::new("", "")
    }
}

impl<'a> Words<'a> {
    pub(super) fn new(unit: UnitNow, indicator: &Indicator, cell: &'a Cell) -> Words<'a> {
        Words {
            vi_cell: format!("{}: {}", unit.name.vi, indicator.name.vi),
            en_cell: format!("{}: {}", unit.name.en, indicator.name.en),
            cell,
        }
    }

    /// `Dĩ An: … đạt 31,20 % (kỳ 2024), lộ trình cần 40,00 %; nhịp độ 0,45, chậm tiến độ.`
    pub(super) fn behind(&self) -> Summary {
        self.lagging(Phrase::new("chậm tiến độ", "behind"))
    }

    pub(super) fn at_risk(&self) -> Summary {
        self.lagging(Phrase::new("có nguy cơ không đạt", "at risk"))
    }

    fn lagging(&self, judgement: Phrase) -> Summary {
        let value = self.value();
        let expected = self.expected();
        let pace = self.cell.pace.as_deref().unwrap_or("");
        let target = self.target_in_brackets();
        self.sentence(Phrase::new(
            format!(
                "{}{}; nhịp độ {}, {}{}",
                value.vi,
                expected.vi,
                with_comma(pace),
                judgement.vi,
                target.vi
            ),
            format!("{}{}; pace {pace}, {}{}", value.en, expected.en, judgement.en, target.en),
        ))
    }

    pub(super) fn regressing(&self) -> Summary {
        let value = self.value();
        let target = self.target_in_brackets();
        let detail = match (&self.cell.baseline, &self.cell.expected) {
            (Some(baseline), Some(expected)) => Phrase::new(
                format!(
                    ", giảm so với mức ban đầu {} (kỳ {}), lộ trình cần {}",
                    percent_vi(&baseline.percent),
                    baseline.period,
                    percent_vi(expected)
                ),
                format!(
                    ", falling back from {} (period {}); the path expects {}",
                    percent_en(&baseline.percent),
                    baseline.period,
                    percent_en(expected)
                ),
            ),
            _ => Phrase::new(", trước đây đã đạt, nay không còn đạt", ", met before and no longer met"),
        };
        self.sentence(Phrase::new(
            format!("{}{}{}", value.vi, detail.vi, target.vi),
            format!("{}{}{}", value.en, detail.en, target.en),
        ))
    }

    pub(super) fn missed(&self, review: Review) -> Summary {
        let value = self.value();
        let target = self.cell.target.as_ref().map_or_else(Phrase::nothing, |target| {
            let wanted = target_value(target);
            Phrase::new(format!(", cần {}", wanted.vi), format!(", {} was needed", wanted.en))
        });
        self.sentence(Phrase::new(
            format!("không đạt mục tiêu năm {review}: {}{}", value.vi, target.vi),
            format!("missed the target of {review}: {}{}", value.en, target.en),
        ))
    }

    pub(super) fn resolved(&self, resolution: Resolution) -> Summary {
        let value = self.value();
        let target = self.target_in_brackets();
        let why = match resolution {
            Resolution::Recovered => Phrase::new("đã cải thiện", "recovered"),
            Resolution::TargetChanged => Phrase::new(
                "hết cảnh báo vì mục tiêu hoặc cách đánh giá thay đổi, không phải do kết quả tốt hơn",
                "cleared because the target or how it is judged changed, not because the figures got better",
            ),
            Resolution::Corrected => Phrase::new(
                "hết cảnh báo vì số liệu được đính chính hoặc rút lại",
                "cleared because figures were corrected or taken back",
            ),
            Resolution::Superseded => Phrase::new(
                "được thay bằng một cảnh báo khác của cùng chỉ tiêu",
                "replaced by another alert on the same indicator",
            ),
            Resolution::UnitDissolved => {
                Phrase::new("đơn vị không còn hoạt động", "the unit is no longer in force")
            }
        };
        self.sentence(Phrase::new(
            format!("{}; {}{}", why.vi, value.vi, target.vi),
            format!("{}; {}{}", why.en, value.en, target.en),
        ))
    }

    fn sentence(&self, phrase: Phrase) -> Summary {
        Summary {
            vi: format!("{} – {}.", self.vi_cell, phrase.vi),
            en: format!("{} – {}.", self.en_cell, phrase.en),
        }
    }

    fn value(&self) -> Phrase {
        let Some(value) = &self.cell.value else {
            return Phrase::new("không có số liệu", "no figures stand");
        };
        let shown = value_shown(value);
        match self.cell.period {
            Some(period) => {
                Phrase::new(format!("{} (kỳ {period})", shown.vi), format!("{} (period {period})", shown.en))
            }
            None => shown,
        }
    }

    fn expected(&self) -> Phrase {
        match &self.cell.expected {
            Some(expected) => Phrase::new(
                format!(", lộ trình cần {}", percent_vi(expected)),
                format!(", the path expects {}", percent_en(expected)),
            ),
            None => Phrase::nothing(),
        }
    }

    fn target_in_brackets(&self) -> Phrase {
        match &self.cell.target {
            Some(target) => {
                let wanted = target_value(target);
                Phrase::new(
                    format!(" (mục tiêu {}: {})", target.review, wanted.vi),
                    format!(" (target {}: {})", target.review, wanted.en),
                )
            }
            None => Phrase::nothing(),
        }
    }
}

fn value_shown(value: &Value) -> Phrase {
    match value {
        Value::Rate { percent, .. } => {
            Phrase::new(format!("đạt {}", percent_vi(percent)), format!("at {}", percent_en(percent)))
        }
        Value::Level { level } => Phrase::new(format!("đạt mức độ {level}"), format!("at level {level}")),
        Value::Attained { attained: true, .. } => Phrase::new("đã đạt", "attained"),
        Value::Attained { lapsed: true, .. } => {
            Phrase::new("công nhận đã hết hiệu lực", "the recognition has lapsed")
        }
        Value::Attained { .. } => Phrase::new("chưa đạt", "not attained"),
        Value::Share { count, of, needed, .. } => {
            let missing = match needed {
                Some(needed) if *needed > 0 => {
                    Phrase::new(format!(", cần thêm {needed} đơn vị"), format!(", needs {needed} more"))
                }
                Some(_) | None => Phrase::nothing(),
            };
            Phrase::new(
                format!("{count}/{of} đơn vị đạt{}", missing.vi),
                format!("{count} of {of} units have it{}", missing.en),
            )
        }
    }
}

fn target_value(target: &TargetInForce) -> Phrase {
    match (target.percent, target.level) {
        (Some(percent), _) => {
            let shown = percent_of_target(percent);
            Phrase::new(percent_vi(&shown), percent_en(&shown))
        }
        (None, Some(level)) => Phrase::new(format!("mức độ {level}"), format!("level {level}")),
        (None, None) => Phrase::new("đạt", "attained"),
    }
}

/// Targets show two places like the figures beside them.
fn percent_of_target(percent: Percent) -> String {
    format!("{}.{:02}", percent.hundredths() / 100, percent.hundredths() % 100)
}

pub(super) fn report_overdue(unit: &UnitNow, period: Period, due_before: Date) -> Summary {
    let (day, month, year) = (due_before.day(), due_before.month(), due_before.year());
    Summary {
        vi: format!(
            "{}: chưa nhận được báo cáo kỳ {period}, phải gửi trước ngày {day:02}/{month:02}/{year}.",
            unit.name.vi
        ),
        en: format!(
            "{}: the report for period {period} has not been received; it was due before {due_before}.",
            unit.name.en
        ),
    }
}

pub(super) fn report_received(unit: &UnitNow, period: Period) -> Summary {
    Summary {
        vi: format!("{}: đã nhận được báo cáo kỳ {period}.", unit.name.vi),
        en: format!("{}: the report for period {period} has been received.", unit.name.en),
    }
}

pub(super) fn report_due_later(unit: &UnitNow, period: Period, due_before: Date) -> Summary {
    let (day, month, year) = (due_before.day(), due_before.month(), due_before.year());
    Summary {
        vi: format!(
            "{}: báo cáo kỳ {period} được gia hạn, phải gửi trước ngày {day:02}/{month:02}/{year}.",
            unit.name.vi
        ),
        en: format!(
            "{}: the deadline for period {period} was extended; the report is due before {due_before}.",
            unit.name.en
        ),
    }
}

pub(super) fn report_not_owed(unit: &UnitNow, period: Period) -> Summary {
    Summary {
        vi: format!("{}: không còn phải gửi báo cáo kỳ {period}.", unit.name.vi),
        en: format!("{}: the report for period {period} is no longer owed.", unit.name.en),
    }
}

pub(super) fn unit_dissolved(unit: &UnitNow) -> Summary {
    Summary {
        vi: format!("{}: hết cảnh báo vì đơn vị không còn hoạt động.", unit.name.vi),
        en: format!("{}: cleared because the unit is no longer in force.", unit.name.en),
    }
}

/// Vietnamese writes decimals with a comma.
fn with_comma(decimal: &str) -> String {
    decimal.replace('.', ",")
}

fn percent_vi(percent: &str) -> String {
    format!("{} %", with_comma(percent))
}

fn percent_en(percent: &str) -> String {
    format!("{percent} %")
}
