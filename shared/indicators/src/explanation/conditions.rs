//! What each rule of the status asks, with the figures put in.

use super::Explanation;
use crate::cell::{Status, TargetInForce, Value};
use plan::{Names, Ratio};

impl Explanation {
    /// What a rule asks of this cell.
    pub(crate) fn condition(
        &self,
        status: Status,
        is_rate: bool,
        thresholds: [Ratio; 2],
        earlier: Option<i16>,
    ) -> Names {
        let value = self.cell.value.as_ref().map_or_else(|| names("–", "–"), value_words);
        let target = self.cell.target.as_ref().map_or_else(|| names("–", "–"), target_words);
        let review =
            self.cell.target.as_ref().map_or(String::from("–"), |target| target.review.to_string());
        let pace = self.pace_words();
        let [on_track, at_risk] = thresholds.map(|ratio| ratio.to_string());
        match status {
            Status::NoData => names("không có số liệu nào đang có giá trị?", "no value stands?"),
            Status::NoTarget => names(
                "không có mục tiêu nào đang có hiệu lực cho ô này?",
                "no target is in force for this cell?",
            ),
            Status::Achieved => names(
                format!("giá trị {} đạt mục tiêu {}?", value.vi, target.vi),
                format!("does the value, {}, meet the target, {}?", value.en, target.en),
            ),
            Status::Missed => names(
                format!("năm cuối cùng có mục tiêu ({review}) đã kết thúc và số liệu của năm đó không đạt?"),
                format!(
                    "has the last target's year ({review}) ended, with a value of that year that does not meet it?"
                ),
            ),
            Status::Regressing if is_rate => names(
                format!("nhịp độ nhỏ hơn 0 ({}), hoặc thấp hơn lộ trình không tăng?", pace.vi),
                format!("is the pace below 0 ({}), or the value below a path that does not rise?", pace.en),
            ),
            Status::Regressing => match earlier {
                Some(year) => names(
                    format!("trước đây đã đạt, nay không còn đạt (đã đạt vào cuối năm {year})?"),
                    format!("not met now, though it was met in an earlier year (at the end of {year})?"),
                ),
                None => names(
                    "trước đây đã đạt, nay không còn đạt (không có năm nào đã đạt)?",
                    "not met now, though it was met in an earlier year (there is none)?",
                ),
            },
            Status::Pending => names("còn lại: chưa đạt", "otherwise: not met yet"),
            Status::NoBaseline => names(
                "chỉ có một kỳ số liệu và không có số gốc, hoặc không có mục tiêu của năm sau số gốc?",
                "is there a single point and no baseline, or no target after the baseline?",
            ),
            Status::OnTrack => names(
                format!(
                    "nhịp độ ≥ {} ({}), hoặc không thấp hơn lộ trình không tăng?",
                    comma(&on_track),
                    pace.vi
                ),
                format!(
                    "is the pace at least {on_track} ({}), or the value not below a path that does not rise?",
                    pace.en
                ),
            ),
            Status::AtRisk => names(
                format!("nhịp độ ≥ {} ({})?", comma(&at_risk), pace.vi),
                format!("is the pace at least {at_risk} ({})?", pace.en),
            ),
            Status::Behind => names(
                format!("còn lại: nhịp độ < {} ({})", comma(&at_risk), pace.vi),
                format!("otherwise: the pace is below {at_risk} ({})", pace.en),
            ),
        }
    }

    fn pace_words(&self) -> Names {
        match self.path.as_ref().and_then(|path| path.pace.as_ref()) {
            Some(pace) => names(
                format!("nhịp độ là {} = {}", pace.exact, comma(&pace.rounded)),
                format!("it is {} = {}", pace.exact, pace.rounded),
            ),
            None => names("không có nhịp độ", "there is none"),
        }
    }
}

pub(super) fn names(vi: impl Into<String>, en: impl Into<String>) -> Names {
    Names { vi: vi.into(), en: en.into() }
}

/// Vietnamese writes decimals with a comma.
pub(super) fn comma(decimal: &str) -> String {
    decimal.replace('.', ",")
}

pub(super) fn value_words(value: &Value) -> Names {
    match value {
        Value::Rate { numerator, denominator, percent } => names(
            format!("{numerator}/{denominator} = {} %", comma(percent)),
            format!("{numerator}/{denominator} = {percent} %"),
        ),
        Value::Level { level } => names(format!("mức độ {level}"), format!("level {level}")),
        Value::Attained { lapsed: true, .. } => {
            names("công nhận đã hết hiệu lực", "a recognition that has lapsed")
        }
        Value::Attained { attained: true, .. } => names("đạt", "yes"),
        Value::Attained { .. } => names("chưa đạt", "no"),
        Value::Share { count, of, percent, .. } => names(
            format!("{count}/{of} đơn vị = {} %", comma(percent)),
            format!("{count} of {of} units = {percent} %"),
        ),
    }
}

fn target_words(target: &TargetInForce) -> Names {
    match (target.percent, target.level, target.attained) {
        (Some(percent), ..) => names(format!("{} %", comma(&percent.to_string())), format!("{percent} %")),
        (None, Some(level), _) => names(format!("mức độ {level}"), format!("level {level}")),
        (None, None, Some(false)) => names("chưa đạt", "no"),
        (None, None, _) => names("đạt", "yes"),
    }
}
