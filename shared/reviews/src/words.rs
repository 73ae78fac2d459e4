//! The words of a document, in both languages.

use crate::language::Language;
use events::{Mark, Severity, TargetValue};
use indicators::{NotJudged, ReportProgress, TargetInForce, Verdict};
use plan::Level;

impl Language {
    pub(crate) fn yes_or_no(self, yes: bool) -> &'static str {
        if yes { self.pick("Có", "Yes") } else { self.pick("Không", "No") }
    }

    pub(crate) fn verdict(self, verdict: Option<Verdict>, not_judged: Option<NotJudged>) -> &'static str {
        match (verdict, not_judged) {
            (Some(Verdict::Met), _) => self.pick("Đạt", "Met"),
            (Some(Verdict::NotMet), _) => self.pick("Không đạt", "Not met"),
            (Some(Verdict::NoData), _) => self.pick("Không có số liệu", "No data"),
            (None, Some(NotJudged::NotRestated)) => {
                self.pick("Không đánh giá: kế hoạch không nêu lại", "Not judged: not restated")
            }
            (None, Some(NotJudged::YearNotEnded) | None) => self.pick("Chưa đánh giá", "Not judged yet"),
        }
    }

    pub(crate) fn level(self, level: u8) -> String {
        format!("{} {level}", self.pick("Mức độ", "Level"))
    }

    pub(crate) fn percent(self, percent: &str) -> String {
        format!("{}\u{a0}%", self.decimal(percent))
    }

    pub(crate) fn target(self, target: &TargetInForce) -> String {
        let value = match (target.percent, target.level, target.attained) {
            (Some(percent), _, _) => format!("≥ {}", self.percent(&percent.to_string())),
            (None, Some(level), _) => format!("≥ {}", self.level(level)),
            (None, None, Some(attained)) => self.yes_or_no(attained).to_owned(),
            (None, None, None) => String::new(),
        };
        let mark = match target.mark {
            Mark::Attain => self.pick("phấn đấu", "attain"),
            Mark::Maintain => self.pick("duy trì", "maintain"),
        };
        match target.restated {
            Some(false) => {
                format!("{value} ({mark}; {} {})", self.pick("mục tiêu năm", "target of"), target.review)
            }
            Some(true) | None => format!("{value} ({mark})"),
        }
    }

    pub(crate) fn target_value(self, value: TargetValue) -> String {
        match value {
            TargetValue::Percent(percent) => self.percent(&percent.to_string()),
            TargetValue::Level(level) => self.level(level),
            TargetValue::Attained(attained) => self.yes_or_no(attained).to_owned(),
            TargetValue::Withdrawn(_) => self.pick("Rút lại", "Withdrawn").to_owned(),
        }
    }

    pub(crate) fn report(self, state: ReportProgress, late: bool, history: bool) -> String {
        let word = match (state, late) {
            (ReportProgress::Received, false) => self.pick("Đã nhận, đúng hạn", "Received in time"),
            (ReportProgress::Received, true) => self.pick("Đã nhận, trễ hạn", "Received late"),
            (ReportProgress::Awaited, _) => self.pick("Đang chờ", "Awaited"),
            (ReportProgress::Overdue, _) => self.pick("Quá hạn", "Overdue"),
        };
        let entered = if history { self.pick(" (nhập bổ sung)", " (entered as history)") } else { "" };
        format!("{word}{entered}")
    }

    pub(crate) fn unit_level(self, level: Level) -> &'static str {
        match level {
            Level::Province => self.pick("Tỉnh", "Province"),
            Level::District => self.pick("Huyện", "District"),
        }
    }

    pub(crate) fn unit_type(self, unit_type: &str) -> &str {
        match unit_type {
            "province" => self.pick("Tỉnh", "Province"),
            "city" => self.pick("Thành phố", "City"),
            "town" => self.pick("Thị xã", "Town"),
            "district" => self.pick("Huyện", "District"),
            "reporting area" | "reporting-area" => self.pick("Khu vực báo cáo", "Reporting area"),
            other => other,
        }
    }

    pub(crate) fn change(self, change: &str) -> &str {
        match change {
            "establish" => self.pick("Thành lập", "Established"),
            "rename" => self.pick("Đổi tên", "Renamed"),
            "retype" => self.pick("Đổi loại đơn vị", "Other type"),
            "recode" => self.pick("Đổi mã", "Other code"),
            "merge" => self.pick("Sáp nhập", "Merged"),
            "split" => self.pick("Chia tách", "Split"),
            "move" => self.pick("Chuyển cấp trên", "Moved"),
            "dissolve" => self.pick("Giải thể", "Dissolved"),
            other => other,
        }
    }

    pub(crate) fn severity(self, severity: Severity) -> &'static str {
        match severity {
            Severity::Notice => self.pick("Lưu ý", "Notice"),
            Severity::Warning => self.pick("Cảnh báo", "Warning"),
            Severity::Critical => self.pick("Nghiêm trọng", "Critical"),
        }
    }

    pub(crate) fn event(self, kind: &str) -> &str {
        match kind {
            "plan-adopted" => self.pick("Ban hành kế hoạch", "Plan adopted"),
            "report-submitted" => self.pick("Báo cáo", "Report submitted"),
            "target-changed" => self.pick("Đặt mục tiêu", "Target set"),
            "unit-changed" => self.pick("Thay đổi đơn vị", "Unit changed"),
            "plan-amended" => self.pick("Sửa đổi kế hoạch", "Plan amended"),
            "deadline-extended" => self.pick("Gia hạn báo cáo", "Deadline extended"),
            other => other,
        }
    }
}
