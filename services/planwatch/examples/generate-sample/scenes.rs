//! The scenes that are set by hand: what departs from the even course, and what is no yearly report.

use super::course::{counts, rate_line};
use super::{Draws, Entry, document_number, office_hour};
use serde_json::{Value, json};

/// A line that a report does not simply give.
pub(super) enum Exception {
    /// The report does not name the measure.
    LeftOut,
    /// 0 of 0: none exist.
    NoneExist,
}

/// Rates, in ten-thousandths, that are not drawn.
pub(super) fn rate_of(unit: &str, measure: &str, year: i16) -> Option<i64> {
    Some(match (unit, measure, year) {
        // Falls below where it began, and is back a year later.
        ("bac-tan-uyen", "information-literacy", 2021) => 2_420,
        ("bac-tan-uyen", "information-literacy", 2023) => 2_210,
        ("bac-tan-uyen", "information-literacy", 2024) => 3_480,
        // Falls and stays there: regressing to this day.
        ("phu-giao", "university-degree", 2021) => 610,
        ("phu-giao", "university-degree", 2022) => 640,
        ("phu-giao", "university-degree", 2023) => 602,
        ("phu-giao", "university-degree", 2024) => 588,
        ("phu-giao", "university-degree", 2025) => 571,
        // Behind for years, then over the target of 2025.
        ("ben-cat", "trained-workforce", 2021) => 3_010,
        ("ben-cat", "trained-workforce", 2022) => 3_180,
        ("ben-cat", "trained-workforce", 2023) => 3_460,
        ("ben-cat", "trained-workforce", 2024) => 4_250,
        ("ben-cat", "trained-workforce", 2025) => 5_140,
        // On its way to 50 %; the 55 % of its own make it lag.
        ("di-an", "life-skills", 2021) => 3_300,
        ("di-an", "life-skills", 2022) => 3_730,
        ("di-an", "life-skills", 2023) => 4_140,
        ("di-an", "life-skills", 2024) => 4_620,
        ("di-an", "life-skills", 2025) => 5_380,
        // Reported just under the target of 2025, then corrected to just over it.
        ("ben-cat", "life-skills", 2025) => 4_960,
        // Already over the target of 2030.
        ("thu-dau-mot", "information-literacy", 2025) => 7_160,
        _ => return None,
    })
}

pub(super) fn exception(unit: &str, measure: &str, year: i16) -> Option<Exception> {
    match (unit, measure, year) {
        // The title is awarded from 2022 on; in Phú Giáo only from 2025.
        (_, "learning-citizens", 2021) => Some(Exception::LeftOut),
        ("phu-giao", "learning-citizens", 2022..=2024) => Some(Exception::NoneExist),
        _ => None,
    }
}

/// Literacy 0 to 2, universal primary and lower-secondary education 0 to 3.
pub(super) fn level_of(unit: &str, measure: &str, year: i16) -> u8 {
    match (measure, unit, year) {
        // The last two to come to level 2.
        ("literacy-level", "bac-tan-uyen", ..=2023) | ("literacy-level", "bau-bang", ..=2022) => 1,
        ("literacy-level", _, _) => 2,
        // A maintained level that is lost for a year.
        ("primary-level", "thuan-an", 2023) => 2,
        ("primary-level", _, _) => 3,
        // Lost in 2024, regained in 2025.
        ("lower-secondary-level", "phu-giao", 2024) => 1,
        ("lower-secondary-level", "thu-dau-mot" | "di-an", 2022..) => 3,
        ("lower-secondary-level", "thuan-an", 2024..) => 3,
        ("lower-secondary-level", "tan-uyen", 2025..) => 3,
        ("lower-secondary-level", "bac-tan-uyen" | "dau-tieng", ..=2022) => 1,
        (_, _, _) => 2,
    }
}

/// Recognitions as learning district. One of 2021 lapses on 1 January 2025: Thủ Dầu Một lets it, Dĩ An renews it.
pub(super) fn recognition(unit: &str, year: i16) -> Option<Value> {
    const MEASURE: &str = "learning-district";
    let of = |recognised: i16| {
        json!({"measure": MEASURE, "attained": true, "recognised_year": recognised.to_string(),
               "source": "dữ liệu mẫu"})
    };
    Some(match (unit, year) {
        ("thu-dau-mot", ..=2024) => of(2021),
        ("thu-dau-mot", _) => return None,
        ("di-an", ..=2023) => of(2021),
        ("di-an", _) => of(2024),
        ("thuan-an", 2023..) => of(2023),
        ("ben-cat", 2025..) => of(2025),
        _ => json!({"measure": MEASURE, "attained": false, "source": "dữ liệu mẫu"}),
    })
}

/// The one report that never came.
pub(super) fn is_missing(unit: &str, year: i16) -> bool {
    (unit, year) == ("dau-tieng", 2023)
}

/// Month and day of a report that comes after its deadline.
pub(super) fn late_day(unit: &str, year: i16) -> Option<(i64, i64)> {
    match (unit, year) {
        ("bau-bang", 2022) => Some((12, 9)),
        ("binh-duong", 2023) => Some((12, 5)),
        ("phu-giao", 2024) => Some((12, 19)),
        ("tan-uyen", 2025) => Some((12, 3)),
        _ => None,
    }
}

pub(super) fn province_lines(year: i16) -> Vec<Value> {
    const SOURCE: &str = "dữ liệu mẫu";
    // The province is at literacy level 2 once each of its districts is.
    let literacy = if year >= 2024 { 2 } else { 1 };
    let digital_universities = match year {
        2021 => 1,
        2022 => 2,
        2023 => 3,
        2024 => 5,
        _ => 6,
    };
    vec![
        json!({"measure": "province-literacy-level", "level": literacy, "source": SOURCE}),
        json!({"measure": "preschool-age-5", "attained": true, "source": SOURCE}),
        json!({"measure": "preschool-age-4", "attained": false, "source": SOURCE}),
        rate_line("digital-universities", digital_universities, 8),
        json!({"measure": "learning-province", "attained": false, "source": SOURCE}),
    ]
}

/// Targets that were changed on the way.
pub(super) fn target_changes() -> Vec<Entry> {
    let change = |day: &str, body: Value| Entry { day: day.into(), operation: "change-target", body };
    vec![
        change(
            "2024-02-26T10:20:00+07:00",
            json!({"indicator": "life-skills", "unit": "di-an", "review": "2025", "percent": "55",
                   "effective": "2024-03-01", "instrument": "MẪU-18/QĐ-UBND",
                   "reason": "Dĩ An đăng ký mục tiêu cao hơn mục tiêu chung của tỉnh (dữ liệu mẫu)"}),
        ),
        // Lowered: what was behind is on its way again, and nobody may call that a recovery.
        change(
            "2024-06-10T14:05:00+07:00",
            json!({"indicator": "learning-citizens", "unit": "bac-tan-uyen", "review": "2025", "percent": "30",
                   "effective": "2024-06-15", "instrument": "MẪU-42/QĐ-UBND",
                   "reason": "Điều chỉnh theo đề nghị của huyện (dữ liệu mẫu)"}),
        ),
    ]
}

/// What the law made of the units.
pub(super) fn unit_changes() -> Vec<Entry> {
    let retype =
        |day: String, unit: &str, unit_type: &str, effective: &str, instrument: &str, reason: &str| Entry {
            day,
            operation: "change-unit",
            body: json!({"unit": unit, "change": "retype", "type": unit_type, "effective": effective,
                     "instrument": instrument, "reason": reason}),
        };
    let mut entries = vec![
        retype(
            "2023-04-12T08:40:00+07:00".into(),
            "tan-uyen",
            "city",
            "2023-04-10",
            "725/NQ-UBTVQH15",
            "Thành lập thành phố Tân Uyên",
        ),
        retype(
            "2024-05-02T09:15:00+07:00".into(),
            "ben-cat",
            "city",
            "2024-05-01",
            "Nghị quyết thành lập thành phố Bến Cát",
            "Thành lập thành phố Bến Cát",
        ),
    ];
    let units = [
        "thu-dau-mot",
        "bau-bang",
        "dau-tieng",
        "ben-cat",
        "phu-giao",
        "tan-uyen",
        "di-an",
        "thuan-an",
        "bac-tan-uyen",
    ];
    // Recorded before the day on which it takes effect.
    entries.extend((0..).zip(units).map(|(minute, unit): (u32, _)| {
        retype(
            format!("2025-06-27T15:{:02}:00+07:00", 10 + minute),
            unit,
            "reporting area",
            "2025-07-01",
            "202/2025/QH15",
            "Không còn cấp huyện; tiếp tục báo cáo theo khu vực của kế hoạch",
        )
    }));
    entries
}

fn correction(day: (i16, i64, i64), unit: &str, period: i16, number: i64, lines: Vec<Value>) -> Entry {
    let (year, month, date) = day;
    let mut draws = Draws::of(&["correction", unit, &period.to_string(), &number.to_string()]);
    let body = json!({
        "unit": unit, "period": period.to_string(),
        "document": {"number": document_number(number), "date": format!("{year:04}-{month:02}-{date:02}")},
        "lines": lines,
    });
    Entry { day: office_hour(year, month, date, &mut draws), operation: "submit-report", body }
}

/// Reports that correct or take back what an earlier one said.
pub(super) fn corrections() -> Vec<Entry> {
    // Bàu Bàng's baseline had counted the townships only.
    let (numerator, denominator) = counts("bau-bang", "trained-workforce", 2021);
    let baseline = rate_line("trained-workforce", numerator * 94 / 100, denominator);
    // Thuận An had left two wards out.
    let (numerator, denominator) = counts("thuan-an", "information-literacy", 2023);
    let wards = rate_line("information-literacy", numerator + denominator * 13 / 1_000, denominator);
    // Bến Cát's late course certificates turn the verdict of 2025.
    let (_, denominator) = counts("ben-cat", "life-skills", 2025);
    let certificates = rate_line("life-skills", denominator * 504 / 1_000, denominator);
    let withdrawn = json!({"measure": "community-centres-it", "withdrawn": true});
    vec![
        correction((2022, 8, 16), "bau-bang", 2021, 64, vec![baseline]),
        correction((2024, 1, 11), "thuan-an", 2023, 12, vec![wards]),
        correction((2026, 1, 14), "bac-tan-uyen", 2025, 9, vec![withdrawn]),
        correction((2026, 2, 10), "ben-cat", 2025, 31, vec![certificates]),
    ]
}
