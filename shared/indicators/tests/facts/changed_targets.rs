//! Targets over time: the latest effective one counts, a unit's own goes before the province's.

use crate::story::{Ask, PROVINCE, Story, given, percent, rate};
use events::{Mark, TargetValue};

const SKILLS: &str = "life-skills";

/// Dĩ An and Bàu Bàng with 20 % in 2021 and 35 % in 2023.
fn reported() -> Story {
    let mut story = given();
    story.on("2022-03-20");
    for of in ["di-an", "bau-bang"] {
        story.document("2021-11-20").history().report(of, "2021", [rate(SKILLS, 20, 100)]);
    }
    story.on("2023-11-20");
    for of in ["di-an", "bau-bang"] {
        story.report(of, "2023", [rate(SKILLS, 35, 100)]);
    }
    story
}

const BEFORE: &str = "2023 | 35/100=35.00 | 2025: 50% | 2021: 20.00 | 35.00 | 1.00 | on-track";
// E(2023) = 20 + (55 − 20)·2/4 = 37.5; pace = 15/17.5 = 0.857…
const WITH_55: &str = "2023 | 35/100=35.00 | 2025: 55% | 2021: 20.00 | 37.50 | 0.86 | at-risk";
// E(2023) = 20 + (60 − 20)·2/4 = 40; pace = 15/20.
const WITH_60: &str = "2023 | 35/100=35.00 | 2025: 60% | 2021: 20.00 | 40.00 | 0.75 | at-risk";

#[test]
fn a_changed_target_moves_the_path_from_its_effective_date_on() {
    let mut story = reported();
    story.on("2024-02-01").target(SKILLS, None, 2025, percent("55"), "2024-03-01");
    for of in ["di-an", "bau-bang"] {
        assert_eq!(story.as_of("2024-02-29").told(of, SKILLS), BEFORE);
        assert_eq!(story.as_of("2024-03-01").told(of, SKILLS), WITH_55);
        assert_eq!(story.as_of("2024-03-01T00:00:00+07:00").told(of, SKILLS), WITH_55);
        // It was decided on 1 February; before that nobody knew of it.
        assert_eq!(story.seen("2024-03-01", "2024-01-31").told(of, SKILLS), BEFORE);
    }
}

#[test]
fn the_latest_effective_target_counts_not_the_one_recorded_last() {
    let mut story = reported();
    story.on("2024-02-01").target(SKILLS, None, 2025, percent("60"), "2024-06-01");
    story.on("2024-02-15").target(SKILLS, None, 2025, percent("55"), "2024-03-01");
    assert_eq!(story.as_of("2024-05-31").told("di-an", SKILLS), WITH_55);
    assert_eq!(story.as_of("2024-06-01").told("di-an", SKILLS), WITH_60);
}

#[test]
fn of_two_targets_on_one_date_the_later_position_counts() {
    let mut story = reported();
    story.on("2024-02-01").target(SKILLS, None, 2025, percent("60"), "2024-03-01");
    story.target(SKILLS, None, 2025, percent("55"), "2024-03-01");
    assert_eq!(story.as_of("2024-03-01").told("di-an", SKILLS), WITH_55);
}

#[test]
fn a_units_own_target_goes_before_the_provinces_until_it_is_withdrawn() {
    let mut story = reported();
    story.on("2024-02-01").target(SKILLS, Some("di-an"), 2025, percent("55"), "2024-03-01");
    // The province's own moves later; Dĩ An keeps its own.
    story.on("2024-05-01").target(SKILLS, None, 2025, percent("60"), "2024-06-01");
    let at = |story: &Story, day: &str, of: &str| story.as_of(day).told(of, SKILLS);
    assert_eq!(at(&story, "2024-02-29", "di-an"), BEFORE);
    assert_eq!(at(&story, "2024-03-01", "di-an"), WITH_55);
    assert_eq!(at(&story, "2024-03-01", "bau-bang"), BEFORE);
    assert_eq!(at(&story, "2024-06-01", "di-an"), WITH_55);
    assert_eq!(at(&story, "2024-06-01", "bau-bang"), WITH_60);
    story.on("2024-08-01").target(SKILLS, Some("di-an"), 2025, TargetValue::Withdrawn(true), "2024-09-01");
    assert_eq!(at(&story, "2024-08-31", "di-an"), WITH_55);
    assert_eq!(at(&story, "2024-09-01", "di-an"), WITH_60);
    // And may be set again.
    story.on("2024-10-01").target(SKILLS, Some("di-an"), 2025, percent("50"), "2024-10-01");
    assert_eq!(at(&story, "2024-10-01", "di-an"), BEFORE);
}

#[test]
fn a_target_of_2030_bends_the_second_segment_only() {
    let mut story = reported();
    story.on("2024-02-01").target(SKILLS, None, 2030, percent("80"), "2024-03-01");
    assert_eq!(story.as_of("2024-03-01").told("di-an", SKILLS), BEFORE);
    story.on("2026-11-20").report("di-an", "2026", [rate(SKILLS, 55, 100)]);
    // E(2026) = 50 + (80 − 50)·1/5 = 56; pace = (55 − 20)/(56 − 20) = 35/36.
    assert_eq!(
        story.as_of("2026-12-31").told("di-an", SKILLS),
        "2026 | 55/100=55.00 | 2030: 80% | 2021: 20.00 | 56.00 | 0.97 | on-track"
    );
}

#[test]
fn a_cell_names_the_instrument_and_the_mark() {
    let mut story = reported();
    let target = story.as_of("2023-12-31").ask("di-an", SKILLS).target.unwrap();
    assert_eq!((target.instrument.as_str(), target.mark), ("1144/KH-UBND", Mark::Attain));
    let held = story.as_of("2023-12-31").ask(PROVINCE, "preschool-age-5").target.unwrap();
    assert_eq!(held.mark, Mark::Maintain);
    story.on("2024-02-01").target(SKILLS, None, 2025, percent("55"), "2024-03-01");
    let target = story.as_of("2024-03-01").ask("di-an", SKILLS).target.unwrap();
    assert_eq!((target.instrument.as_str(), target.mark), ("77/QĐ-UBND", Mark::Attain));
}

#[test]
fn a_cell_can_be_seen_with_the_targets_of_an_earlier_cut() {
    let mut story = reported();
    let cut = story.facts.head();
    story.on("2024-02-01").target(SKILLS, None, 2025, percent("55"), "2024-03-01");
    let view = story.as_of("2024-03-01");
    assert_eq!(view.told("di-an", SKILLS), WITH_55);
    assert_eq!(view.with_targets_known_at(cut).told("di-an", SKILLS), BEFORE);
}

#[test]
fn the_next_effective_date_ahead_is_known() {
    let mut story = reported();
    story.on("2024-02-01").target(SKILLS, None, 2025, percent("55"), "2024-03-01");
    let start = story.plan.calendar.start_of_day("2024-03-01".parse().unwrap());
    let before = "2024-02-10T00:00:00Z".parse().unwrap();
    assert_eq!(story.facts.effective_after(before), Some(start));
    assert_eq!(story.facts.effective_after(start), None);
}
