//! Verdicts: each review year that has ended says met, not met or no data, of what stood at its end.

use crate::story::{Ask, DISTRICTS, PROVINCE, attained, given, level, percent, rate};
use indicators::Verdict::{Met, NoData, NotMet};

const SKILLS: &str = "life-skills";

#[test]
fn a_review_year_has_ended_from_the_first_of_january() {
    let mut story = given();
    story.yearly("di-an", SKILLS, &[(2021, 2_000), (2025, 4_900), (2030, 7_000)]);
    let verdicts = |day| story.as_of(day).verdicts("di-an", SKILLS);
    assert_eq!(verdicts("2025-12-31"), [None, None]);
    assert_eq!(verdicts("2026-01-01T00:00:00+07:00"), [Some(NotMet), None]);
    assert_eq!(verdicts("2030-12-31"), [Some(NotMet), None]);
    assert_eq!(verdicts("2031-01-01"), [Some(NotMet), Some(Met)]);
}

#[test]
fn not_met_in_2025_is_a_verdict_and_no_missed_status() {
    let mut story = given();
    story.yearly("di-an", SKILLS, &[(2021, 2_000), (2025, 4_900)]);
    // (49 − 20)/(50 − 20) = 0.966…
    assert_eq!(
        story.as_of("2026-01-01").told("di-an", SKILLS),
        "2025 | 4900/10000=49.00 | 2030: 70% | 2021: 20.00 | 50.00 | 0.97 | on-track"
    );
}

#[test]
fn a_rate_is_judged_by_the_value_of_that_very_period() {
    let mut story = given();
    story.yearly("di-an", SKILLS, &[(2021, 2_000), (2024, 6_000)]);
    assert_eq!(story.as_of("2026-01-01").verdicts("di-an", SKILLS), [Some(NoData), None]);
}

#[test]
fn a_state_is_judged_by_the_latest_known_of_that_year_or_before() {
    let mut story = given();
    story.on("2023-11-20").report(PROVINCE, "2023", [level("province-literacy-level", 2)]);
    story.on("2026-11-20").report(PROVINCE, "2026", [level("province-literacy-level", 1)]);
    // What is lost in 2026 changes nothing about 2025.
    let verdicts = story.as_of("2026-12-31").verdicts(PROVINCE, "province-literacy-level");
    assert_eq!(verdicts, [Some(Met), None]);
}

#[test]
fn documents_up_to_the_as_of_date_count() {
    let mut story = given();
    story.on("2026-02-15").report("di-an", "2025", [rate(SKILLS, 51, 100)]);
    assert_eq!(story.as_of("2026-02-14").verdicts("di-an", SKILLS), [Some(NoData), None]);
    assert_eq!(story.as_of("2026-02-15").verdicts("di-an", SKILLS), [Some(Met), None]);
}

#[test]
fn the_target_in_force_at_the_years_end_stands() {
    let mut story = given();
    story.yearly("di-an", SKILLS, &[(2021, 2_000), (2025, 5_200)]);
    story.on("2025-12-20").target(SKILLS, None, 2025, percent("55"), "2025-12-31");
    assert_eq!(story.as_of("2026-01-01").verdicts("di-an", SKILLS), [Some(NotMet), None]);
    // Were one recorded that takes effect after the year, it would change neither verdict nor path.
    story.on("2026-01-05").target(SKILLS, None, 2025, percent("40"), "2026-01-01");
    assert_eq!(story.as_of("2026-02-01").verdicts("di-an", SKILLS), [Some(NotMet), None]);
    // E(2025) = 55, pace = (52 − 20)/(55 − 20) = 32/35 = 0.914…
    assert_eq!(
        story.as_of("2026-02-01").told("di-an", SKILLS),
        "2025 | 5200/10000=52.00 | 2030: 70% | 2021: 20.00 | 55.00 | 0.91 | at-risk"
    );
}

#[test]
fn a_districts_own_target_is_what_its_verdict_takes() {
    let mut story = given();
    story.on("2024-03-01").target(SKILLS, Some("di-an"), 2025, percent("55"), "2024-03-01");
    story.on("2025-11-20");
    for of in ["di-an", "bau-bang"] {
        story.report(of, "2025", [rate(SKILLS, 52, 100)]);
    }
    let view = story.as_of("2026-01-01");
    assert_eq!(view.verdicts("di-an", SKILLS), [Some(NotMet), None]);
    assert_eq!(view.verdicts("bau-bang", SKILLS), [Some(Met), None]);
}

#[test]
fn a_provinces_rate_is_judged_only_if_complete() {
    let mut story = given();
    story.on("2025-11-20");
    for of in &DISTRICTS[..8] {
        story.report(of, "2025", [rate(SKILLS, 60, 100)]);
    }
    assert_eq!(story.as_of("2026-01-01").verdicts(PROVINCE, SKILLS), [Some(NoData), None]);
    story.on("2026-01-10").report(DISTRICTS[8], "2025", [rate(SKILLS, 60, 100)]);
    assert_eq!(story.as_of("2026-01-31").verdicts(PROVINCE, SKILLS), [Some(Met), None]);
}

#[test]
fn recognitions_lapse_as_at_the_years_end() {
    let mut story = given();
    story.on("2022-11-20");
    for of in &DISTRICTS[..3] {
        story.report(of, "2022", [attained("learning-district", true)]);
    }
    // Recognised for 2022 they hold through 2025 and lapse on 1 January 2026: at the end of 2025 3/9 ≥ 25 %.
    let view = story.as_of("2026-01-01");
    assert_eq!(view.verdicts(PROVINCE, "learning-districts"), [Some(Met), None]);
    assert!(view.told(PROVINCE, "learning-districts").starts_with("2022 | 0/9=0.00 needs 5 lapsed"));
    // Recognised for 2021 they would have lapsed a year before it.
    let mut story = given();
    story.on("2022-03-20");
    for of in &DISTRICTS[..3] {
        story.document("2021-11-20").history().report(of, "2021", [attained("learning-district", true)]);
    }
    assert_eq!(story.as_of("2026-01-01").verdicts(PROVINCE, "learning-districts"), [Some(NotMet), None]);
}

#[test]
fn no_verdict_where_no_target_bound_the_cell() {
    let mut story = given();
    story.on("2025-11-20").report("di-an", "2025", [level("lower-secondary-level", 2)]);
    let view = story.as_of("2031-01-01");
    // Level 3 is asked of 40 % and 50 % of the districts; level 2 of all of them, in both reviews.
    assert_eq!(view.verdicts("di-an", "districts-lower-secondary-3"), [None, None]);
    assert_eq!(view.verdicts("di-an", "districts-lower-secondary-2"), [Some(Met), Some(Met)]);
}

#[test]
fn a_districts_part_of_a_share_is_judged_in_the_review_that_bound_it() {
    let mut story = given();
    // The share of level 3 binds every district for 2025 only.
    story.target("districts-lower-secondary-3", None, 2025, percent("100"), "2024-01-01");
    story.on("2025-11-20").report("di-an", "2025", [level("lower-secondary-level", 2)]);
    let view = story.as_of("2031-01-01");
    assert_eq!(view.verdicts("di-an", "districts-lower-secondary-3"), [Some(NotMet), None]);
}
