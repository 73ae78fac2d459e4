//! The words of the pages, Vietnamese first, English beside: one table for both.

use events::{Rule, Severity};

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// The province's own.
    Vietnamese,
    /// For those who do not read it.
    English,
}

impl Language {
    /// The language that is asked for; Vietnamese unless English is.
    pub fn of(asked: Option<&str>) -> Language {
        if asked == Some("en") { Language::English } else { Language::Vietnamese }
    }

    /// The other one.
    pub fn other(self) -> Language {
        match self {
            Language::Vietnamese => Language::English,
            Language::English => Language::Vietnamese,
        }
    }

    /// The query that asks for it.
    pub fn query(self) -> &'static str {
        match self {
            Language::Vietnamese => "lang=vi",
            Language::English => "lang=en",
        }
    }

    /// Its words.
    pub fn words(self) -> &'static Words {
        match self {
            Language::Vietnamese => &VIETNAMESE,
            Language::English => &ENGLISH,
        }
    }

    /// Picks one of two texts.
    pub fn pick<T>(self, vietnamese: T, english: T) -> T {
        match self {
            Language::Vietnamese => vietnamese,
            Language::English => english,
        }
    }

    /// A decimal number as it is written: with a comma in Vietnamese.
    pub fn decimal(self, number: &str) -> String {
        self.pick(number.replace('.', ","), number.to_owned())
    }

    /// A share of a hundred.
    pub fn percent(self, number: &str) -> String {
        format!("{}\u{a0}%", self.decimal(number))
    }

    /// A whole number with its thousands apart.
    pub fn count(self, number: u64) -> String {
        let digits = number.to_string();
        let mut grouped = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                grouped.push(self.pick('.', ','));
            }
            grouped.push(digit);
        }
        grouped
    }

    /// A day or an instant (RFC 3339) as people write it; anything else as it is.
    pub fn moment(self, text: &str) -> String {
        let day = |day: &str| match day.split('-').collect::<Vec<_>>().as_slice() {
            [year, month, day] => self.pick(format!("{day}/{month}/{year}"), format!("{year}-{month}-{day}")),
            _ => day.to_owned(),
        };
        match text.split_once('T') {
            Some((date, time)) => {
                let minutes: String = time.chars().take(5).collect();
                format!("{minutes} {}", day(date))
            }
            None => day(text),
        }
    }

    /// The word for a status of a cell.
    pub fn status(self, status: &str) -> &str {
        match status {
            "achieved" => self.pick("Đạt", "Achieved"),
            "on-track" => self.pick("Đúng tiến độ", "On track"),
            "at-risk" => self.pick("Có nguy cơ", "At risk"),
            "behind" => self.pick("Chậm tiến độ", "Behind"),
            "regressing" => self.pick("Thụt lùi", "Regressing"),
            "missed" => self.pick("Không đạt", "Missed"),
            "pending" => self.pick("Chưa đạt", "Pending"),
            "no-baseline" => self.pick("Chưa có số gốc", "No baseline"),
            "no-target" => self.pick("Không có mục tiêu", "No target"),
            "no-data" => self.pick("Chưa có số liệu", "No data"),
            "degraded" => self.pick("Số liệu bị lỗi", "Degraded"),
            other => other,
        }
    }

    /// The word for a unit's type.
    pub fn unit_type(self, unit_type: &str) -> &str {
        match unit_type {
            "province" => self.pick("Tỉnh", "Province"),
            "city" => self.pick("Thành phố", "City"),
            "town" => self.pick("Thị xã", "Town"),
            "district" => self.pick("Huyện", "District"),
            "reporting area" | "reporting-area" => self.pick("Khu vực báo cáo", "Reporting area"),
            other => other,
        }
    }

    /// The word for a severity.
    pub fn severity(self, severity: Severity) -> &'static str {
        match severity {
            Severity::Critical => self.pick("Nghiêm trọng", "Critical"),
            Severity::Warning => self.pick("Cảnh báo", "Warning"),
            Severity::Notice => self.pick("Lưu ý", "Notice"),
        }
    }

    /// The word for a rule.
    pub fn rule(self, rule: Rule) -> &'static str {
        match rule {
            Rule::Behind => self.pick("Chậm tiến độ", "Behind"),
            Rule::AtRisk => self.pick("Có nguy cơ", "At risk"),
            Rule::Regressing => self.pick("Thụt lùi", "Regressing"),
            Rule::Missed => self.pick("Không đạt", "Missed"),
            Rule::Overdue => self.pick("Quá hạn báo cáo", "Report overdue"),
            Rule::DataQuality => self.pick("Chất lượng số liệu", "Data quality"),
        }
    }
}

/// The fixed texts of the pages in one language.
#[derive(Debug)]
#[expect(missing_docs, reason = "each field is named for its text, which stands below in both languages")]
pub struct Words {
    pub lang: &'static str,
    pub title: &'static str,
    pub other_language: &'static str,
    pub other_lang: &'static str,
    pub skip: &'static str,
    pub sample: &'static str,
    pub sample_long: &'static str,
    pub as_of: &'static str,
    pub position: &'static str,
    pub live: &'static str,
    pub not_live: &'static str,
    pub matrix: &'static str,
    pub matrix_caption: &'static str,
    pub unit: &'static str,
    pub indicator: &'static str,
    pub overdue: &'static str,
    pub expected: &'static str,
    pub pace: &'static str,
    pub target: &'static str,
    pub baseline: &'static str,
    /// Before the units whose figures a baseline was derived from.
    pub derived_from: &'static str,
    pub period: &'static str,
    pub counts: &'static str,
    pub provisional: &'static str,
    pub lapsed: &'static str,
    pub stale: &'static str,
    pub needed: &'static str,
    pub not_applicable: &'static str,
    pub yes: &'static str,
    pub no: &'static str,
    pub level: &'static str,
    pub alerts: &'static str,
    pub alerts_caption: &'static str,
    pub no_alerts: &'static str,
    pub severity: &'static str,
    pub rule: &'static str,
    pub since: &'static str,
    pub summary: &'static str,
    pub acknowledgement: &'static str,
    pub acknowledge: &'static str,
    pub acknowledged: &'static str,
    pub note: &'static str,
    pub review_by: &'static str,
    pub all_indicators: &'static str,
    pub not_done: &'static str,
    pub trouble: &'static str,
    pub again: &'static str,
    pub sign_in: &'static str,
    pub sign_in_how: &'static str,
    pub sign_in_code_how: &'static str,
    pub sign_in_code_used: &'static str,
    pub sign_in_wrong_token: &'static str,
    pub sign_in_foreign: &'static str,
    pub token: &'static str,
    pub sign_out: &'static str,
}

static VIETNAMESE: Words = Words {
    lang: "vi",
    title: "Theo dõi kế hoạch xây dựng xã hội học tập",
    other_language: "English",
    other_lang: "en",
    skip: "Đến bảng số liệu",
    sample: "Dữ liệu mẫu",
    sample_long: "Dữ liệu mẫu: các con số dưới đây do chương trình tạo ra, không phải số liệu thật.",
    as_of: "Tính đến",
    position: "Vị trí trong nhật ký",
    live: "Đang cập nhật trực tiếp",
    not_live: "Mất kết nối, đang nối lại",
    matrix: "Tình hình thực hiện",
    matrix_caption: "Đơn vị theo chỉ tiêu: số liệu mới nhất và tình hình. Chọn một ô để xem chi tiết.",
    unit: "Đơn vị",
    indicator: "Chỉ tiêu",
    overdue: "Quá hạn báo cáo",
    expected: "Mức theo lộ trình",
    pace: "Nhịp độ",
    target: "Mục tiêu",
    baseline: "Số gốc",
    derived_from: "theo số liệu của",
    period: "Kỳ báo cáo",
    counts: "Số lượng",
    provisional: "Tạm tính",
    lapsed: "Công nhận đã hết hạn",
    stale: "Số liệu kỳ trước",
    needed: "còn thiếu",
    not_applicable: "Không áp dụng",
    yes: "Có",
    no: "Không",
    level: "Mức độ",
    alerts: "Cảnh báo đang mở",
    alerts_caption: "Các cảnh báo chưa được giải quyết, nặng nhất trước.",
    no_alerts: "Không có cảnh báo nào đang mở.",
    severity: "Mức",
    rule: "Loại",
    since: "Từ lúc",
    summary: "Nội dung",
    acknowledgement: "Tiếp nhận",
    acknowledge: "Tiếp nhận",
    acknowledged: "Đã tiếp nhận",
    note: "Ghi chú",
    review_by: "Xem lại trước ngày",
    all_indicators: "Mọi chỉ tiêu",
    not_done: "Chưa thực hiện được",
    trouble: "Hiện chưa xem được số liệu",
    again: "Thử lại",
    sign_in: "Đăng nhập",
    sign_in_how: "Mở đường dẫn đăng nhập một lần mà lệnh planwatch up đã in ra, hoặc dán mã truy cập của người vận hành (tệp operator.token trong thư mục dữ liệu).",
    sign_in_code_how: "Bấm nút để đăng nhập trên trình duyệt này. Đường dẫn này chỉ dùng được một lần.",
    sign_in_code_used: "Đường dẫn này đã được dùng hoặc không đúng. Mỗi đường dẫn chỉ dùng được một lần.",
    sign_in_wrong_token: "Mã truy cập không đúng.",
    sign_in_foreign: "Yêu cầu đến từ một trang khác nên không được nhận.",
    token: "Mã truy cập",
    sign_out: "Đăng xuất",
};

static ENGLISH: Words = Words {
    lang: "en",
    title: "Watching the learning-society plan",
    other_language: "Tiếng Việt",
    other_lang: "vi",
    skip: "Skip to the figures",
    sample: "Sample data",
    sample_long: "Sample data: the figures below are made up by a program; none of them is real.",
    as_of: "As of",
    position: "Log position",
    live: "Live",
    not_live: "Connection lost, reconnecting",
    matrix: "State of the plan",
    matrix_caption: "Units by indicators: latest value and status. Choose a cell for its details.",
    unit: "Unit",
    indicator: "Indicator",
    overdue: "Report overdue",
    expected: "Expected",
    pace: "Pace",
    target: "Target",
    baseline: "Baseline",
    derived_from: "from the figures of",
    period: "Period",
    counts: "Count",
    provisional: "Provisional",
    lapsed: "Recognition lapsed",
    stale: "From an earlier period",
    needed: "more needed",
    not_applicable: "Not applicable",
    yes: "Yes",
    no: "No",
    level: "Level",
    alerts: "Open alerts",
    alerts_caption: "Alerts that have not been resolved, gravest first.",
    no_alerts: "No alert is open.",
    severity: "Severity",
    rule: "Rule",
    since: "Since",
    summary: "Summary",
    acknowledgement: "Acknowledgement",
    acknowledge: "Acknowledge",
    acknowledged: "Acknowledged",
    note: "Note",
    review_by: "Review by",
    all_indicators: "All indicators",
    not_done: "Not done",
    trouble: "The figures cannot be shown now",
    again: "Try again",
    sign_in: "Sign in",
    sign_in_how: "Open the one-time link that planwatch up has printed, or paste the operator's token (the file operator.token in the data directory).",
    sign_in_code_how: "Press the button to sign in on this browser. The link works once.",
    sign_in_code_used: "This link has been used or is not right. Each link works once.",
    sign_in_wrong_token: "The token is not right.",
    sign_in_foreign: "Another site sent this request, so it was not taken.",
    token: "Token",
    sign_out: "Sign out",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_days_are_written_as_in_the_language() {
        let (vi, en) = (Language::Vietnamese, Language::English);
        assert_eq!(vi.percent("55.33"), "55,33\u{a0}%");
        assert_eq!(en.percent("55.33"), "55.33\u{a0}%");
        assert_eq!(vi.count(1_118_400), "1.118.400");
        assert_eq!(en.count(999), "999");
        assert_eq!(en.count(1_000), "1,000");
        assert_eq!(vi.moment("2024-11-22T09:10:00+07:00"), "09:10 22/11/2024");
        assert_eq!(en.moment("2024-11-22T09:10:00+07:00"), "09:10 2024-11-22");
        assert_eq!(vi.moment("2024-11-22"), "22/11/2024");
    }
}
