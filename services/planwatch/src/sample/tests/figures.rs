//! Figures of the sample that were computed on paper, each with its arithmetic.
//!
//! The counts stand in `deploy/sample/history.jsonl`. With a baseline of 2021 and a target T for 2025 the
//! path expects E(t) = B + (T − B)·(t − 2021)/4 in a year t, and the pace is (V − B)/(E − B).

use super::{cell, on};
use indicators::{Status, Value, Verdict};

/// Value in percent, expected value, pace and status of a rate on a day.
#[track_caller]
fn rate(day: &str, unit: &str, indicator: &str, expected: (&str, Option<&str>, Option<&str>, Status)) {
    let cell = cell(&on(day), unit, indicator);
    let Some(Value::Rate { percent, .. }) = &cell.value else {
        panic!("{unit} {indicator} has no rate on {day}: {:?}", cell.value)
    };
    let found = (percent.as_str(), cell.expected.as_deref(), cell.pace.as_deref(), cell.status);
    let (value, path, pace, status) = expected;
    assert_eq!(found, (value, path, pace, Some(status)), "{unit} {indicator} on {day}");
}

#[test]
fn a_changed_target_moves_the_path_and_not_the_value() {
    // B = 104527/316738 = 33.0011 %, V(2023) = 136968/330826 = 41.4018 %.
    // T = 50: E = 33.0011 + 16.9989·2/4 = 41.5005; pace = 8.4007/8.4995 = 0.988.
    let before = ("41.40", Some("41.50"), Some("0.99"), Status::OnTrack);
    rate("2024-02-29", "di-an", "life-skills", before);
    // T = 55, effective 1 March 2024: E = 33.0011 + 21.9989·2/4 = 44.0005; pace = 8.4007/10.9995 = 0.764.
    rate("2024-03-02", "di-an", "life-skills", ("41.40", Some("44.00"), Some("0.76"), Status::AtRisk));
}

#[test]
fn a_lowered_target_of_one_unit() {
    // The title is awarded from 2022 on, so that is the baseline: B = 13493/64176 = 21.0250 %.
    // V(2023) = 15312/65070 = 23.5316 %. T = 40: E = 21.0250 + 18.9750·1/3 = 27.3500; 2.5066/6.3250 = 0.396.
    let before = ("23.53", Some("27.35"), Some("0.40"), Status::Behind);
    rate("2024-06-14", "bac-tan-uyen", "learning-citizens", before);
    // T = 30 from 15 June 2024: E = 21.0250 + 8.9750·1/3 = 24.0167; 2.5066/2.9917 = 0.838.
    let after = ("23.53", Some("24.02"), Some("0.84"), Status::AtRisk);
    rate("2024-06-16", "bac-tan-uyen", "learning-citizens", after);
}

#[test]
fn a_district_that_was_behind_and_caught_up_some_way() {
    // B = 84050/279218 = 30.1019 %. V(2023) = 103491/299097 = 34.6012 %; E = 30.1019 + 19.8981/2 = 40.0510;
    // pace = 4.4993/9.9490 = 0.452.
    rate(
        "2023-12-31",
        "ben-cat",
        "trained-workforce",
        ("34.60", Some("40.05"), Some("0.45"), Status::Behind),
    );
    // V(2024) = 131572/309561 = 42.5028 %; E = 30.1019 + 19.8981·3/4 = 45.0255; pace = 12.4009/14.9236 = 0.831.
    rate(
        "2024-12-31",
        "ben-cat",
        "trained-workforce",
        ("42.50", Some("45.03"), Some("0.83"), Status::AtRisk),
    );
}

#[test]
fn a_corrected_report() {
    // B = 122735/402391 = 30.5014 %; E(2023) = 30.5014 + 19.4986/2 = 40.2507.
    // First 170683/417819 = 40.8509 %: pace = 10.3495/9.7493 = 1.0616.
    let before = ("40.85", Some("40.25"), Some("1.06"), Status::OnTrack);
    rate("2024-01-10", "thuan-an", "information-literacy", before);
    // Then 176114/417819 = 42.1508 %: pace = 11.6494/9.7493 = 1.1949.
    let after = ("42.15", Some("40.25"), Some("1.19"), Status::OnTrack);
    rate("2024-01-12", "thuan-an", "information-literacy", after);
}

#[test]
fn a_corrected_baseline_moves_the_path_of_later_years() {
    // The baseline of 18840/81886 was corrected to 17709/81886 = 21.6264 % in August 2022.
    // V(2022) = 24999/84419 = 29.6130 %; E = 21.6264 + 28.3736/4 = 28.7198; pace = 7.9866/7.0934 = 1.126.
    rate(
        "2022-12-31",
        "bau-bang",
        "trained-workforce",
        ("29.61", Some("28.72"), Some("1.13"), Status::OnTrack),
    );
}

#[test]
fn a_withdrawn_line_leaves_the_year_before() {
    // 6 of 10 in 2025, from 3 of 10 in 2021. In January 2026 the status speaks of 2030, and E(2025) = T = 70.
    // Pace = 30/40.
    let before = ("60.00", Some("70.00"), Some("0.75"), Status::AtRisk);
    rate("2026-01-13", "bac-tan-uyen", "community-centres-it", before);
    // Withdrawn: the latest is 5 of 10 in 2024; E(2024) = 30 + 40·3/4 = 60; pace = 20/30.
    let after = ("50.00", Some("60.00"), Some("0.67"), Status::AtRisk);
    rate("2026-01-15", "bac-tan-uyen", "community-centres-it", after);
    // The province: 61/91 of nine districts in 2025. Without that line 55/81 of eight are provisional, and
    // what counts is 2024: 52/91 = 57.1429 %. B = 32/91 = 35.1648 %; E = 35.1648 + 34.8352·3/4 = 61.2912;
    // pace = 21.9780/26.1264 = 0.841.
    let province = ("57.14", Some("61.29"), Some("0.84"), Status::AtRisk);
    rate("2026-01-15", "binh-duong", "community-centres-it", province);
    let verdict =
        |day: &str| cell(&on(day), "binh-duong", "community-centres-it").verdicts[&events::Review(2025)];
    assert_eq!(verdict("2025-12-31"), None, "the review's year has not ended");
    assert_eq!(verdict("2026-01-13"), Some(Verdict::NotMet), "61/91 = 67.03 %, 70 % was asked");
    assert_eq!(verdict("2026-01-15"), Some(Verdict::NoData), "2025 is not complete");
}

#[test]
fn a_provinces_rate_is_the_sum_over_its_districts() {
    // 2021: 81630+19258+22415+70605+18325+95642+104527+118714+12108 = 543224 of
    // 229929+72646+83011+247711+66616+318789+316738+402391+59062 = 1796893: 30.2313 %.
    // 2024: 143329+32723+30678+118066+25151+172284+156205+208621+23328 = 910385 of
    // 241850+79599+85265+274630+68220+347331+338103+425753+61566 = 1922317: 47.3587 %.
    // E = 30.2313 + 19.7687·3/4 = 45.0578; pace = 17.1274/14.8265 = 1.155.
    rate("2024-12-31", "binh-duong", "life-skills", ("47.36", Some("45.06"), Some("1.16"), Status::OnTrack));
}

#[test]
fn a_district_that_fell_below_where_it_began() {
    // B = 4580/75089 = 6.0994 %. V(2022) = 4851/75687 = 6.4093 %; E = 6.0994 + 5.9006/4 = 7.5746; 0.3099/1.4752.
    rate("2022-12-31", "phu-giao", "university-degree", ("6.41", Some("7.57"), Some("0.21"), Status::Behind));
    // V(2023) = 4592/76290 = 6.0191 %; E = 6.0994 + 5.9006/2 = 9.0497; pace = −0.0803/2.9503 = −0.027.
    let fallen = ("6.02", Some("9.05"), Some("-0.03"), Status::Regressing);
    rate("2023-12-31", "phu-giao", "university-degree", fallen);
}

#[test]
fn nothing_of_nothing_is_no_point() {
    // 0/0 from 2022 to 2024, then 26532/73689 = 36.0054 %: one point, so there is no path yet.
    let none = cell(&on("2024-12-31"), "phu-giao", "learning-citizens");
    assert_eq!((none.value, none.status), (None, Some(Status::NoData)));
    rate("2025-12-31", "phu-giao", "learning-citizens", ("36.01", None, None, Status::NoBaseline));
}

#[test]
fn what_the_province_reports_itself() {
    // 1 of 8 in 2021, 5 of 8 in 2024. E = 12.5 + 57.5·3/4 = 55.625; pace = 50/43.125 = 1.159.
    let universities = ("62.50", Some("55.63"), Some("1.16"), Status::OnTrack);
    rate("2024-12-31", "binh-duong", "digital-universities", universities);
    // Preschool at five is not restated for 2030: the target of 2025 goes on.
    let preschool = cell(&on("2026-02-12"), "binh-duong", "preschool-age-5");
    assert_eq!(preschool.status, Some(Status::Achieved));
    assert_eq!(preschool.target.and_then(|target| target.restated), Some(false));
    let literacy = cell(&on("2023-12-31"), "binh-duong", "province-literacy-level");
    assert_eq!((literacy.value, literacy.status), (Some(Value::Level { level: 1 }), Some(Status::Pending)));
}

#[test]
fn a_share_counts_whole_districts() {
    // In 2023 Thuận An fell to primary level 2: 8 of 9, and 100 % needs one more. It was 9 of 9 the year before.
    let primary = cell(&on("2023-12-31"), "binh-duong", "districts-primary-3");
    let Some(Value::Share { count, of, percent, needed, stale, .. }) = primary.value else {
        panic!("a share")
    };
    // Dầu Tiếng's report for 2023 never came: its level is the one of 2022.
    let stale: Vec<&str> = stale.iter().map(|unit| unit.as_str()).collect();
    assert_eq!(
        (count, of, percent.as_str(), needed, stale.as_slice()),
        (8, 9, "88.89", Some(1), ["dau-tieng"].as_slice())
    );
    assert_eq!(primary.status, Some(Status::Regressing));
    // Level 3 of lower-secondary: Thủ Dầu Một, Dĩ An, Thuận An and Tân Uyên in 2025. 40 % of nine are 3.6, so 4.
    let secondary = cell(&on("2025-12-31"), "binh-duong", "districts-lower-secondary-3");
    let Some(Value::Share { count, needed, .. }) = secondary.value else { panic!("a share") };
    assert_eq!((count, needed, secondary.status), (4, Some(0), Some(Status::Achieved)));
    // From 2026 on the status speaks of 50 %: 4.5, so 5, which was never reached.
    let secondary = cell(&on("2026-01-02"), "binh-duong", "districts-lower-secondary-3");
    let Some(Value::Share { count, needed, .. }) = secondary.value else { panic!("a share") };
    assert_eq!((count, needed, secondary.status), (4, Some(1), Some(Status::Pending)));
}

#[test]
fn a_change_of_type_moves_no_figure() {
    // Tân Uyên became a city on 10 April 2023. B = 91630/359337 = 25.4997 %; V(2022) = 108933/369756 = 29.4608 %;
    // E = 25.4997 + 24.5003/4 = 31.6248; pace = 3.9611/6.1251 = 0.647.
    let figures = ("29.46", Some("31.62"), Some("0.65"), Status::AtRisk);
    rate("2023-04-09", "tan-uyen", "trained-workforce", figures);
    rate("2023-04-12", "tan-uyen", "trained-workforce", figures);
}
