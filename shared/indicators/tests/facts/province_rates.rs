//! A province's rate: the sum over its districts of one and the same period, complete or provisional.

use crate::story::{Ask, DISTRICTS, PROVINCE, given, rate, value_told, withdrawn};
use events::Period;
use indicators::Verdict;

const SKILLS: &str = "life-skills";

#[test]
fn a_sum_is_no_mean_of_percentages() {
    let mut story = given();
    // 90/100 and eight times 10/1000: (90 + 80)/(100 + 8000) = 170/8100 = 2.0987…; the mean would be 10.89.
    story.on("2023-11-20").all_report("2023", |place| {
        vec![if place == 0 { rate(SKILLS, 90, 100) } else { rate(SKILLS, 10, 1_000) }]
    });
    assert_eq!(
        story.as_of("2023-12-31").told(PROVINCE, SKILLS),
        "2023 | 170/8100=2.10 | 2025: 50% | - | - | - | no-baseline"
    );
}

#[test]
fn baseline_path_and_pace_rest_on_complete_periods() {
    let mut story = given();
    story.on("2022-11-20").all_report("2022", |_| vec![rate(SKILLS, 200, 1_000)]);
    story.on("2024-11-20").all_report("2024", |_| vec![rate(SKILLS, 300, 1_000)]);
    // B = 1800/9000 = 20 % in 2022; E(2024) = 20 + 30·2/3 = 40; pace = (30 − 20)/(40 − 20) = 0.5.
    assert_eq!(
        story.as_of("2024-12-31").told(PROVINCE, SKILLS),
        "2024 | 2700/9000=30.00 | 2025: 50% | 2022: 20.00 | 40.00 | 0.50 | behind"
    );
}

#[test]
fn an_incomplete_newer_period_stands_beside_as_provisional() {
    let mut story = given();
    story.on("2022-11-20").all_report("2022", |_| vec![rate(SKILLS, 200, 1_000)]);
    story.on("2023-11-20");
    for of in &DISTRICTS[..8] {
        story.report(of, "2023", [rate(SKILLS, 300, 1_000)]);
    }
    let cell = story.as_of("2023-12-31").ask(PROVINCE, SKILLS);
    assert_eq!(crate::story::told(&cell), "2022 | 1800/9000=20.00 | 2025: 50% | - | - | - | no-baseline");
    let provisional = cell.provisional.unwrap();
    assert_eq!(provisional.period, Period(2023));
    // 8·300/8·1000.
    assert_eq!(value_told(&provisional.value), "2400/8000=30.00");
    assert_eq!((provisional.coverage.reported, provisional.coverage.of), (8, 9));
    // The ninth report makes it complete: 2700/9000; E(2023) = 20 + 30·1/3 = 30; pace = 10/10.
    story.on("2024-01-10").report(DISTRICTS[8], "2023", [rate(SKILLS, 300, 1_000)]);
    let cell = story.as_of("2024-01-31").ask(PROVINCE, SKILLS);
    assert_eq!(
        crate::story::told(&cell),
        "2023 | 2700/9000=30.00 | 2025: 50% | 2022: 20.00 | 30.00 | 1.00 | on-track"
    );
    assert_eq!(cell.provisional, None);
}

#[test]
fn only_incomplete_periods_are_no_data() {
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [rate(SKILLS, 300, 1_000)]);
    let cell = story.as_of("2023-12-31").ask(PROVINCE, SKILLS);
    assert_eq!(crate::story::told(&cell), "- | - | 2025: 50% | - | - | - | no-data");
    let provisional = cell.provisional.unwrap();
    assert_eq!((provisional.coverage.reported, provisional.coverage.of), (1, 9));
}

#[test]
fn a_withdrawn_line_makes_a_period_incomplete_again() {
    let mut story = given();
    story.on("2023-11-20").all_report("2023", |_| vec![rate(SKILLS, 300, 1_000)]);
    story.on("2023-12-10").report("di-an", "2023", [withdrawn(SKILLS)]);
    assert_eq!(story.as_of("2023-12-09").status(PROVINCE, SKILLS), "no-baseline");
    let cell = story.as_of("2023-12-10").ask(PROVINCE, SKILLS);
    assert_eq!(cell.status.unwrap().name(), "no-data");
    assert_eq!(value_told(&cell.provisional.unwrap().value), "2400/8000=30.00");
}

#[test]
fn nothing_of_nothing_counts_as_reported_in_a_sum() {
    let mut story = given();
    // Eight times 5/10, and one district without a centre: 40/80 = 50 %, nine of nine reported.
    story.on("2023-11-20").all_report("2023", |place| {
        vec![if place == 4 {
            rate("community-centres-it", 0, 0)
        } else {
            rate("community-centres-it", 5, 10)
        }]
    });
    let cell = story.as_of("2023-12-31").ask(PROVINCE, "community-centres-it");
    assert_eq!(crate::story::told(&cell), "2023 | 40/80=50.00 | 2025: 70% | - | - | - | no-baseline");
    assert_eq!(cell.provisional, None);
}

#[test]
fn nothing_of_nothing_everywhere_is_no_data() {
    let mut story = given();
    story.on("2025-11-20").all_report("2025", |_| vec![rate("community-centres-it", 0, 0)]);
    let view = story.as_of("2026-01-01");
    assert_eq!(view.status(PROVINCE, "community-centres-it"), "no-data");
    for of in [PROVINCE, "di-an"] {
        assert_eq!(view.verdicts(of, "community-centres-it"), [Some(Verdict::NoData), None], "{of}");
    }
}

#[test]
fn an_older_incomplete_period_is_not_shown_beside_a_newer_complete_one() {
    let mut story = given();
    story.on("2022-11-20").report("di-an", "2022", [rate(SKILLS, 300, 1_000)]);
    story.on("2023-11-20").all_report("2023", |_| vec![rate(SKILLS, 300, 1_000)]);
    let cell = story.as_of("2023-12-31").ask(PROVINCE, SKILLS);
    assert_eq!((cell.period, cell.provisional), (Some(Period(2023)), None));
}

#[test]
fn a_units_own_target_does_not_move_the_provinces() {
    let mut story = given();
    story.on("2023-11-20").all_report("2023", |_| vec![rate(SKILLS, 520, 1_000)]);
    story.target(SKILLS, Some("di-an"), 2025, crate::story::percent("60"), "2023-11-21");
    let view = story.as_of("2023-12-31");
    assert_eq!(view.status(PROVINCE, SKILLS), "achieved");
    assert_eq!(view.status("bau-bang", SKILLS), "achieved");
    assert_eq!(view.told("di-an", SKILLS), "2023 | 520/1000=52.00 | 2025: 60% | - | - | - | no-baseline");
}
