//! Levels and yes/no: met, pending, lost, missed, and the target that goes on because 2030 does not restate it.

use crate::story::{Ask, PROVINCE, Story, attained, given, level, recognised};
use events::TargetValue;
use indicators::Verdict;

/// The province's literacy level, reported every November: period and level.
fn literacy(levels: &[(i16, u8)]) -> Story {
    let mut story = given();
    for (year, reached) in levels {
        story.on(&format!("{year}-11-20"));
        story.report(PROVINCE, &year.to_string(), [level("province-literacy-level", *reached)]);
    }
    story
}

fn told(story: &Story, day: &str) -> String {
    story.as_of(day).told(PROVINCE, "province-literacy-level")
}

#[test]
fn a_level_not_reached_yet_is_pending() {
    let story = literacy(&[(2023, 1)]);
    assert_eq!(told(&story, "2023-12-31"), "2023 | level 1 | 2025: level 2 | - | - | - | pending");
}

#[test]
fn a_level_over_the_target_meets_it() {
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [level("literacy-level", 2), level("primary-level", 3)]);
    story.report("bau-bang", "2023", [level("lower-secondary-level", 3)]);
    let view = story.as_of("2023-12-31");
    assert_eq!(view.status("di-an", "districts-literacy-2"), "achieved");
    assert_eq!(view.status("di-an", "districts-primary-3"), "achieved");
    assert_eq!(
        view.told("bau-bang", "districts-lower-secondary-2"),
        "2023 | level 3 | 2025: level 2 | - | - | - | achieved"
    );
}

#[test]
fn a_level_that_was_met_in_an_earlier_year_and_is_not_now_regresses() {
    let story = literacy(&[(2022, 2), (2023, 1)]);
    assert_eq!(told(&story, "2022-12-31"), "2022 | level 2 | 2025: level 2 | - | - | - | achieved");
    assert_eq!(told(&story, "2023-12-31"), "2023 | level 1 | 2025: level 2 | - | - | - | regressing");
}

#[test]
fn a_district_that_loses_its_level_regresses() {
    let mut story = given();
    story.on("2022-11-20").report("di-an", "2022", [level("primary-level", 3)]);
    story.on("2024-11-20").report("di-an", "2024", [level("primary-level", 2)]);
    assert_eq!(
        story.as_of("2024-12-31").told("di-an", "districts-primary-3"),
        "2024 | level 2 | 2025: level 3 | - | - | - | regressing"
    );
}

#[test]
fn a_value_corrected_within_the_same_year_was_not_met_in_an_earlier_one() {
    let mut story = given();
    story.on("2023-11-20").report(PROVINCE, "2023", [level("province-literacy-level", 2)]);
    story.on("2023-12-20").report(PROVINCE, "2023", [level("province-literacy-level", 1)]);
    assert_eq!(told(&story, "2023-12-31"), "2023 | level 1 | 2025: level 2 | - | - | - | pending");
}

#[test]
fn what_was_met_is_judged_by_what_is_known_now() {
    let mut story = literacy(&[(2022, 2), (2023, 1)]);
    story.on("2024-03-01").report(PROVINCE, "2022", [level("province-literacy-level", 1)]);
    // The correction of 2022 says that it never was met.
    assert_eq!(told(&story, "2024-02-29"), "2023 | level 1 | 2025: level 2 | - | - | - | regressing");
    assert_eq!(told(&story, "2024-03-01"), "2023 | level 1 | 2025: level 2 | - | - | - | pending");
}

#[test]
fn an_earlier_year_is_held_against_the_present_target() {
    let mut story = given();
    story.on("2022-11-20").report(PROVINCE, "2022", [level("province-literacy-level", 1)]);
    story.on("2023-11-20").report(PROVINCE, "2023", [level("province-literacy-level", 0)]);
    assert_eq!(story.as_of("2023-12-31").status(PROVINCE, "province-literacy-level"), "pending");
    // Lowered to level 1, the target was met in 2022.
    story.target("province-literacy-level", None, 2025, TargetValue::Level(1), "2023-12-15");
    assert_eq!(story.as_of("2023-12-31").status(PROVINCE, "province-literacy-level"), "regressing");
}

#[test]
fn a_later_period_counts_and_not_a_newer_document() {
    let mut story = literacy(&[(2023, 2)]);
    story.on("2024-02-01").report(PROVINCE, "2022", [level("province-literacy-level", 0)]);
    assert_eq!(told(&story, "2024-02-28"), "2023 | level 2 | 2025: level 2 | - | - | - | achieved");
}

#[test]
fn after_2030_a_level_not_reached_in_2030_is_missed() {
    let story = literacy(&[(2028, 2), (2030, 1)]);
    assert_eq!(told(&story, "2030-12-31"), "2030 | level 1 | 2030: level 2 | - | - | - | regressing");
    assert_eq!(told(&story, "2031-01-01"), "2030 | level 1 | 2030: level 2 | - | - | - | missed");
}

#[test]
fn without_a_report_for_2030_it_is_not_missed_but_the_verdict_stands() {
    let story = literacy(&[(2028, 2), (2029, 1)]);
    assert_eq!(told(&story, "2031-01-01"), "2029 | level 1 | 2030: level 2 | - | - | - | regressing");
    // The latest known of 2030 or before is level 1; for 2025 nothing of that year or before is known.
    assert_eq!(
        story.as_of("2031-01-01").verdicts(PROVINCE, "province-literacy-level"),
        [Some(Verdict::NoData), Some(Verdict::NotMet)]
    );
}

/// Universal preschool at age 5, reported every November.
fn preschool(years: &[(i16, bool)]) -> Story {
    let mut story = given();
    for (year, met) in years {
        story.on(&format!("{year}-11-20"));
        story.report(PROVINCE, &year.to_string(), [attained("preschool-age-5", *met)]);
    }
    story
}

#[test]
fn the_target_for_age_5_goes_on_after_2025() {
    let story = preschool(&[(2024, true), (2027, false)]);
    let told = |day| story.as_of(day).told(PROVINCE, "preschool-age-5");
    assert_eq!(told("2025-12-31"), "2024 | yes | 2025: yes | - | - | - | achieved");
    assert_eq!(told("2026-01-01"), "2024 | yes | 2025: yes goes on | - | - | - | achieved");
    assert_eq!(told("2027-12-31"), "2027 | no | 2025: yes goes on | - | - | - | regressing");
}

#[test]
fn what_2030_does_not_restate_is_never_missed() {
    let story = preschool(&[(2024, false), (2030, false)]);
    let view = story.as_of("2031-06-01");
    assert_eq!(view.told(PROVINCE, "preschool-age-5"), "2030 | no | 2025: yes goes on | - | - | - | pending");
    assert_eq!(view.verdicts(PROVINCE, "preschool-age-5"), [Some(Verdict::NotMet), None]);
}

#[test]
fn a_target_for_2030_set_by_an_event_restates_it() {
    let mut story = preschool(&[(2024, true)]);
    story.on("2026-02-01").target("preschool-age-5", None, 2030, TargetValue::Attained(true), "2026-03-01");
    story.on("2030-11-20").report(PROVINCE, "2030", [attained("preschool-age-5", false)]);
    let told = |day| story.as_of(day).told(PROVINCE, "preschool-age-5");
    assert_eq!(told("2026-02-28"), "2024 | yes | 2025: yes goes on | - | - | - | achieved");
    assert_eq!(told("2026-03-01"), "2024 | yes | 2030: yes | - | - | - | achieved");
    assert_eq!(told("2031-01-01"), "2030 | no | 2030: yes | - | - | - | missed");
    let verdicts = story.as_of("2031-01-01").verdicts(PROVINCE, "preschool-age-5");
    assert_eq!(verdicts, [Some(Verdict::Met), Some(Verdict::NotMet)]);
}

#[test]
fn what_has_a_target_for_2030_only_speaks_of_it_from_the_start() {
    let mut story = given();
    story.on("2023-11-20").report(PROVINCE, "2023", [attained("preschool-age-4", false)]);
    assert_eq!(
        story.as_of("2023-12-31").told(PROVINCE, "preschool-age-4"),
        "2023 | no | 2030: yes | - | - | - | pending"
    );
    // No target of 2025 bound it, so that year has no verdict.
    let verdicts = story.as_of("2031-01-01").verdicts(PROVINCE, "preschool-age-4");
    assert_eq!(verdicts, [None, Some(Verdict::NotMet)]);
}

#[test]
fn a_recognition_that_held_at_the_end_of_2030_is_lost_later_but_not_missed() {
    let mut story = given();
    story.on("2027-11-20").report(PROVINCE, "2027", [attained("learning-province", true)]);
    // Recognised for 2027, it lapses on 1 January 2031: one millisecond after the end of 2030.
    let view = story.as_of("2031-01-01");
    assert_eq!(
        view.told(PROVINCE, "learning-province"),
        "2027 | lapsed | 2030: yes | - | - | - | regressing"
    );
    assert_eq!(view.verdicts(PROVINCE, "learning-province"), [None, Some(Verdict::Met)]);
}

#[test]
fn a_line_for_2030_that_met_it_at_the_years_end_is_not_missed_when_it_lapses() {
    let mut story = given();
    story.on("2030-11-20").report(PROVINCE, "2030", [recognised("learning-province", 2027)]);
    let view = story.as_of("2031-01-01");
    assert_eq!(
        view.told(PROVINCE, "learning-province"),
        "2030 | lapsed | 2030: yes | - | - | - | regressing"
    );
    assert_eq!(view.verdicts(PROVINCE, "learning-province"), [None, Some(Verdict::Met)]);
}
