//! Shares of districts: whole districts over all in force, compared in whole numbers.

use crate::story::{Ask, DISTRICTS, PROVINCE, Story, attained, given, level, percent};
use indicators::Verdict;

/// The first so many districts are recognised in a year, the others are not.
fn recognised_in(story: &mut Story, year: i16, count: usize) {
    story.on(&format!("{year}-11-20"));
    story.all_report(&year.to_string(), |place| vec![attained("learning-district", place < count)]);
}

#[test]
fn of_nine_districts_25_40_and_50_percent_are_3_4_and_5() {
    let mut story = given();
    story.on("2024-11-20").all_report("2024", |place| {
        vec![
            attained("learning-district", place < 2),
            level("lower-secondary-level", if place < 3 { 3 } else { 1 }),
        ]
    });
    let view = story.as_of("2024-12-31");
    // 2/9 = 22.22 %, ⌈2.25⌉ = 3; 3/9 = 33.33 %, ⌈3.6⌉ = 4.
    assert_eq!(
        view.told(PROVINCE, "learning-districts"),
        "2024 | 2/9=22.22 needs 1 | 2025: 25% | - | - | - | pending"
    );
    assert_eq!(
        view.told(PROVINCE, "districts-lower-secondary-3"),
        "2024 | 3/9=33.33 needs 1 | 2025: 40% | - | - | - | pending"
    );
    // ⌈0.5·9⌉ = 5 for 2030.
    let later = story.as_of("2026-06-01");
    assert_eq!(
        later.told(PROVINCE, "learning-districts"),
        "2024 | 2/9=22.22 needs 3 | 2030: 50% | - | - | - | pending"
    );
    assert_eq!(
        later.told(PROVINCE, "districts-lower-secondary-3"),
        "2024 | 3/9=33.33 needs 2 | 2030: 50% | - | - | - | pending"
    );
}

#[test]
fn three_four_and_five_of_nine_are_enough() {
    for (count, own, target, met) in [
        (3, "3/9=33.33", "25", true),
        (4, "4/9=44.44", "40", true),
        (5, "5/9=55.56", "50", true),
        // 100·3 = 300 ≥ 33.33·9 = 299.97, and 300 < 33.34·9 = 300.06.
        (3, "3/9=33.33", "33.33", true),
        (3, "3/9=33.33", "33.34", false),
        (9, "9/9=100.00", "100", true),
        (0, "0/9=0.00", "0", true),
    ] {
        let mut story = given();
        story.target("learning-districts", None, 2025, percent(target), "2024-01-01");
        recognised_in(&mut story, 2024, count);
        let needs = if met { 0 } else { 1 };
        let status = if met { "achieved" } else { "pending" };
        assert_eq!(
            story.as_of("2024-12-31").told(PROVINCE, "learning-districts"),
            format!("2024 | {own} needs {needs} | 2025: {target}% | - | - | - | {status}")
        );
    }
}

#[test]
fn with_no_district_reported_there_is_no_value() {
    let story = given();
    assert_eq!(
        story.as_of("2026-01-01").told(PROVINCE, "learning-districts"),
        "- | - | 2030: 50% | - | - | - | no-data"
    );
    let verdicts = story.as_of("2026-01-01").verdicts(PROVINCE, "learning-districts");
    assert_eq!(verdicts, [Some(Verdict::NoData), None]);
}

#[test]
fn with_one_reported_the_others_count_as_not_met() {
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [attained("learning-district", true)]);
    assert_eq!(
        story.as_of("2023-12-31").told(PROVINCE, "learning-districts"),
        "2023 | 1/9=11.11 needs 2 | 2025: 25% | - | - | - | pending"
    );
}

#[test]
fn a_district_counts_by_its_highest_period_and_is_marked_stale() {
    let mut story = given();
    story.on("2022-11-20").report("di-an", "2022", [attained("learning-district", true)]);
    story.on("2023-11-20").report("bau-bang", "2023", [attained("learning-district", true)]);
    // A correction of 2022, newer than the report for 2023, does not count before it.
    story.on("2023-12-10").report("bau-bang", "2022", [attained("learning-district", false)]);
    assert_eq!(
        story.as_of("2023-12-31").told(PROVINCE, "learning-districts"),
        "2023 | 2/9=22.22 needs 1 stale di-an | 2025: 25% | - | - | - | pending"
    );
}

#[test]
fn a_share_that_was_met_in_an_earlier_year_regresses() {
    let mut story = given();
    story.on("2022-11-20").all_report("2022", |_| vec![level("literacy-level", 2)]);
    story.on("2023-11-20").report("di-an", "2023", [level("literacy-level", 1)]);
    let stale: Vec<&str> = DISTRICTS.into_iter().filter(|of| *of != "di-an").collect();
    assert_eq!(
        story.as_of("2022-12-31").told(PROVINCE, "districts-literacy-2"),
        "2022 | 9/9=100.00 needs 0 | 2025: 100% | - | - | - | achieved"
    );
    assert_eq!(
        story.as_of("2023-12-31").told(PROVINCE, "districts-literacy-2"),
        format!("2023 | 8/9=88.89 needs 1 stale {} | 2025: 100% | - | - | - | regressing", stale.join(","))
    );
}

#[test]
fn after_2030_a_share_with_a_value_for_2030_is_missed() {
    let mut story = given();
    recognised_in(&mut story, 2030, 4);
    assert_eq!(story.as_of("2030-12-31").status(PROVINCE, "learning-districts"), "pending");
    assert_eq!(
        story.as_of("2031-01-01").told(PROVINCE, "learning-districts"),
        "2030 | 4/9=44.44 needs 1 | 2030: 50% | - | - | - | missed"
    );
}

#[test]
fn a_share_with_nothing_reported_for_2030_is_not_missed() {
    let mut story = given();
    recognised_in(&mut story, 2029, 4);
    let view = story.as_of("2031-01-01");
    assert_eq!(view.status(PROVINCE, "learning-districts"), "pending");
    assert_eq!(view.verdicts(PROVINCE, "learning-districts")[1], Some(Verdict::NotMet));
}

#[test]
fn a_withdrawn_level_does_not_count() {
    let mut story = given();
    recognised_in(&mut story, 2024, 3);
    story.on("2024-12-05").report("thu-dau-mot", "2024", [crate::story::withdrawn("learning-district")]);
    assert_eq!(
        story.as_of("2024-12-31").told(PROVINCE, "learning-districts"),
        "2024 | 2/9=22.22 needs 1 | 2025: 25% | - | - | - | pending"
    );
    assert_eq!(story.as_of("2024-12-31").status("thu-dau-mot", "learning-districts"), "no-data");
}
