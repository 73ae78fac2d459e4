//! Rates: baseline, path, pace and every status, in figures that a person with paper gets.
//!
//! Dĩ An's life skills, unless said otherwise: the baseline of 2021 is 20 %, the targets are 50 % for 2025 and
//! 70 % for 2030. So E(2022) = 27.5, E(2023) = 35, E(2024) = 42.5, E(2025) = 50, and 4 points a year after it.

use crate::story::{Ask, binh_duong, given, given_plan, percent, rate};
use events::Review;

/// What the cell says on a day after the given points of 10,000 were reported.
fn told(points: &[(i16, u64)], day: &str) -> String {
    let mut story = given();
    story.yearly("di-an", "life-skills", points);
    story.as_of(day).told("di-an", "life-skills")
}

#[test]
fn the_example_of_the_documents() {
    // 118,400/214,000 = 55.327…; E = 31 + (50 − 31)·3/4 = 45.25; pace = (55.327 − 31)/(45.25 − 31) = 1.707…
    let mut story = given();
    story.on("2022-03-20").document("2021-11-20").history();
    story.report("thu-dau-mot", "2021", [rate("information-literacy", 31, 100)]);
    story.on("2024-11-22").report("thu-dau-mot", "2024", [rate("information-literacy", 118_400, 214_000)]);
    assert_eq!(
        story.as_of("2024-12-31").told("thu-dau-mot", "information-literacy"),
        "2024 | 118400/214000=55.33 | 2025: 50% | 2021: 31.00 | 45.25 | 1.71 | achieved"
    );
}

#[test]
fn on_track_from_95_hundredths_of_the_pace() {
    // (34.25 − 20)/(35 − 20) = 14.25/15 = 0.95 exactly.
    assert_eq!(
        told(&[(2021, 2_000), (2023, 3_425)], "2023-12-31"),
        "2023 | 3425/10000=34.25 | 2025: 50% | 2021: 20.00 | 35.00 | 0.95 | on-track"
    );
}

#[test]
fn a_pace_that_only_rounds_to_95_hundredths_is_at_risk() {
    // 14.24/15 = 0.9493…
    assert_eq!(
        told(&[(2021, 2_000), (2023, 3_424)], "2023-12-31"),
        "2023 | 3424/10000=34.24 | 2025: 50% | 2021: 20.00 | 35.00 | 0.95 | at-risk"
    );
}

#[test]
fn at_risk_from_60_hundredths_of_the_pace() {
    // 9/15 = 0.60 exactly.
    assert_eq!(
        told(&[(2021, 2_000), (2023, 2_900)], "2023-12-31"),
        "2023 | 2900/10000=29.00 | 2025: 50% | 2021: 20.00 | 35.00 | 0.60 | at-risk"
    );
}

#[test]
fn a_pace_that_only_rounds_to_60_hundredths_is_behind() {
    // 8.99/15 = 0.5993…
    assert_eq!(
        told(&[(2021, 2_000), (2023, 2_899)], "2023-12-31"),
        "2023 | 2899/10000=28.99 | 2025: 50% | 2021: 20.00 | 35.00 | 0.60 | behind"
    );
}

#[test]
fn a_value_at_its_baseline_is_behind() {
    assert_eq!(
        told(&[(2021, 2_000), (2023, 2_000)], "2023-12-31"),
        "2023 | 2000/10000=20.00 | 2025: 50% | 2021: 20.00 | 35.00 | 0.00 | behind"
    );
}

#[test]
fn a_value_under_its_baseline_regresses_and_a_pace_that_rounds_to_zero_has_no_sign() {
    // −0.01/15 = −0.0006…
    assert_eq!(
        told(&[(2021, 2_000), (2023, 1_999)], "2023-12-31"),
        "2023 | 1999/10000=19.99 | 2025: 50% | 2021: 20.00 | 35.00 | 0.00 | regressing"
    );
    // −3/15 = −0.20.
    assert_eq!(
        told(&[(2021, 2_000), (2023, 1_700)], "2023-12-31"),
        "2023 | 1700/10000=17.00 | 2025: 50% | 2021: 20.00 | 35.00 | -0.20 | regressing"
    );
}

#[test]
fn a_value_at_the_target_achieves_it_and_still_shows_path_and_pace() {
    // (50 − 20)/(42.5 − 20) = 1.333…
    assert_eq!(
        told(&[(2021, 2_000), (2024, 5_000)], "2024-12-31"),
        "2024 | 5000/10000=50.00 | 2025: 50% | 2021: 20.00 | 42.50 | 1.33 | achieved"
    );
    // 29.99/22.5 = 1.332…: one citizen in ten thousand short, and so on track only.
    assert_eq!(
        told(&[(2021, 2_000), (2024, 4_999)], "2024-12-31"),
        "2024 | 4999/10000=49.99 | 2025: 50% | 2021: 20.00 | 42.50 | 1.33 | on-track"
    );
}

#[test]
fn one_point_is_no_baseline() {
    assert_eq!(
        told(&[(2023, 3_000)], "2023-12-31"),
        "2023 | 3000/10000=30.00 | 2025: 50% | - | - | - | no-baseline"
    );
}

#[test]
fn one_point_that_meets_the_target_achieves_it() {
    assert_eq!(
        told(&[(2023, 5_100)], "2023-12-31"),
        "2023 | 5100/10000=51.00 | 2025: 50% | - | - | - | achieved"
    );
}

#[test]
fn the_value_is_held_against_its_own_period_not_against_today() {
    // The value of 2022 on the last day of 2024: E(2022) = 27.5, pace = 5/7.5 = 0.666…
    assert_eq!(
        told(&[(2021, 2_000), (2022, 2_500)], "2024-12-31"),
        "2022 | 2500/10000=25.00 | 2025: 50% | 2021: 20.00 | 27.50 | 0.67 | at-risk"
    );
}

#[test]
fn after_2025_the_path_goes_on_to_2030() {
    // E(2026) = 50 + 20·1/5 = 54; pace = (52 − 20)/(54 − 20) = 32/34 = 0.941…
    assert_eq!(
        told(&[(2021, 2_000), (2025, 5_000), (2026, 5_200)], "2026-12-31"),
        "2026 | 5200/10000=52.00 | 2030: 70% | 2021: 20.00 | 54.00 | 0.94 | at-risk"
    );
    // E(2028) = 50 + 20·3/5 = 62; pace = (62 − 20)/(62 − 20) = 1.
    assert_eq!(
        told(&[(2021, 2_000), (2028, 6_200)], "2028-12-31"),
        "2028 | 6200/10000=62.00 | 2030: 70% | 2021: 20.00 | 62.00 | 1.00 | on-track"
    );
}

#[test]
fn from_january_2026_the_status_speaks_of_2030() {
    let points = [(2021, 2_000), (2025, 5_000)];
    assert_eq!(
        told(&points, "2025-12-31"),
        "2025 | 5000/10000=50.00 | 2025: 50% | 2021: 20.00 | 50.00 | 1.00 | achieved"
    );
    // The value is still that of 2025, and E(2025) = 50 still its measure.
    assert_eq!(
        told(&points, "2026-01-01"),
        "2025 | 5000/10000=50.00 | 2030: 70% | 2021: 20.00 | 50.00 | 1.00 | on-track"
    );
}

#[test]
fn a_baseline_of_2025_or_later_has_one_segment() {
    // From 2025: E(2027) = 40 + (70 − 40)·2/5 = 52; pace = (50 − 40)/(52 − 40) = 10/12.
    assert_eq!(
        told(&[(2025, 4_000), (2027, 5_000)], "2027-12-31"),
        "2027 | 5000/10000=50.00 | 2030: 70% | 2025: 40.00 | 52.00 | 0.83 | at-risk"
    );
    // From 2026: E(2028) = 40 + 30·2/4 = 55; pace = 15/15.
    assert_eq!(
        told(&[(2026, 4_000), (2028, 5_500)], "2028-12-31"),
        "2028 | 5500/10000=55.00 | 2030: 70% | 2026: 40.00 | 55.00 | 1.00 | on-track"
    );
}

#[test]
fn without_a_target_for_2025_there_is_one_segment() {
    let mut story = given_plan(binh_duong(), |of, review| of != "life-skills" || review != Review(2025));
    story.yearly("di-an", "life-skills", &[(2021, 2_000), (2024, 3_000), (2027, 5_000)]);
    // E(2024) = 20 + 50·3/9 = 36.666…; pace = 10/16.666… = 0.6 exactly.
    assert_eq!(
        story.as_of("2024-12-31").told("di-an", "life-skills"),
        "2024 | 3000/10000=30.00 | 2030: 70% | 2021: 20.00 | 36.67 | 0.60 | at-risk"
    );
    // E(2027) = 20 + 50·6/9 = 53.333…; pace = 30/33.333… = 0.9 exactly.
    assert_eq!(
        story.as_of("2027-12-31").told("di-an", "life-skills"),
        "2027 | 5000/10000=50.00 | 2030: 70% | 2021: 20.00 | 53.33 | 0.90 | at-risk"
    );
}

#[test]
fn a_path_that_does_not_rise_gives_no_pace() {
    // B = 60 lies over T2025 = 50: E(2026) = 50 + 20·1/5 = 54 ≤ 60.
    assert_eq!(
        told(&[(2021, 6_000), (2026, 5_400)], "2026-12-31"),
        "2026 | 5400/10000=54.00 | 2030: 70% | 2021: 60.00 | 54.00 | - | on-track"
    );
    assert_eq!(
        told(&[(2021, 6_000), (2026, 5_399)], "2026-12-31"),
        "2026 | 5399/10000=53.99 | 2030: 70% | 2021: 60.00 | 54.00 | - | regressing"
    );
    // E(2023) = 60 − 10·2/4 = 55: a value under the path and under the target.
    assert_eq!(
        told(&[(2021, 6_000), (2023, 4_500)], "2023-12-31"),
        "2023 | 4500/10000=45.00 | 2025: 50% | 2021: 60.00 | 55.00 | - | regressing"
    );
    // Later the same path rises: E(2028) = 62, pace = (61.5 − 60)/(62 − 60) = 0.75.
    assert_eq!(
        told(&[(2021, 6_000), (2028, 6_150)], "2028-12-31"),
        "2028 | 6150/10000=61.50 | 2030: 70% | 2021: 60.00 | 62.00 | 0.75 | at-risk"
    );
}

#[test]
fn a_flat_path_gives_no_pace() {
    // B = T2025 = 50, so E(2023) = 50.
    assert_eq!(
        told(&[(2021, 5_000), (2023, 4_999)], "2023-12-31"),
        "2023 | 4999/10000=49.99 | 2025: 50% | 2021: 50.00 | 50.00 | - | regressing"
    );
}

#[test]
fn a_baseline_of_zero_is_a_baseline() {
    // E(2023) = 0 + 50·2/4 = 25; pace = 24/25 = 0.96.
    assert_eq!(
        told(&[(2021, 0), (2023, 2_400)], "2023-12-31"),
        "2023 | 2400/10000=24.00 | 2025: 50% | 2021: 0.00 | 25.00 | 0.96 | on-track"
    );
}

#[test]
fn after_2030_the_last_targets_year_is_missed_or_met() {
    // E(2030) = 70; pace = 49.99/50 = 0.9998.
    assert_eq!(
        told(&[(2021, 2_000), (2030, 6_999)], "2031-01-01"),
        "2030 | 6999/10000=69.99 | 2030: 70% | 2021: 20.00 | 70.00 | 1.00 | missed"
    );
    assert_eq!(
        told(&[(2021, 2_000), (2030, 7_000)], "2031-01-01"),
        "2030 | 7000/10000=70.00 | 2030: 70% | 2021: 20.00 | 70.00 | 1.00 | achieved"
    );
    // Missed goes before regressing: (10 − 20)/50 = −0.2.
    assert_eq!(
        told(&[(2021, 2_000), (2030, 1_000)], "2031-01-01"),
        "2030 | 1000/10000=10.00 | 2030: 70% | 2021: 20.00 | 70.00 | -0.20 | missed"
    );
    // One point is enough to miss.
    assert_eq!(
        told(&[(2030, 1_000)], "2031-01-01"),
        "2030 | 1000/10000=10.00 | 2030: 70% | - | - | - | missed"
    );
}

#[test]
fn a_target_is_not_missed_on_the_last_day_of_its_year() {
    assert_eq!(
        told(&[(2021, 2_000), (2030, 6_000)], "2030-12-31"),
        "2030 | 6000/10000=60.00 | 2030: 70% | 2021: 20.00 | 70.00 | 0.80 | at-risk"
    );
}

#[test]
fn without_a_value_for_the_last_year_nothing_is_missed() {
    // The value is that of 2029: E(2029) = 50 + 20·4/5 = 66; pace = (69 − 20)/(66 − 20) = 49/46.
    assert_eq!(
        told(&[(2021, 2_000), (2029, 6_900)], "2031-06-01"),
        "2029 | 6900/10000=69.00 | 2030: 70% | 2021: 20.00 | 66.00 | 1.07 | on-track"
    );
}

#[test]
fn a_target_that_does_not_bind_districts_leaves_them_without_one() {
    let mut plan = binh_duong();
    let of = plan.indicators.iter_mut().find(|of| of.id.as_str() == "life-skills").unwrap();
    of.binds_districts = false;
    let mut story = given_plan(plan, |_, _| true);
    story.yearly("di-an", "life-skills", &[(2021, 2_000), (2023, 3_000)]);
    assert_eq!(
        story.as_of("2023-12-31").told("di-an", "life-skills"),
        "2023 | 3000/10000=30.00 | - | 2021: 20.00 | - | - | no-target"
    );
    // One of its own binds it all the same: E(2023) = 20 + (40 − 20)·2/4 = 30.
    story.target("life-skills", Some("di-an"), 2025, percent("40"), "2023-12-01");
    assert_eq!(
        story.as_of("2023-12-31").told("di-an", "life-skills"),
        "2023 | 3000/10000=30.00 | 2025: 40% | 2021: 20.00 | 30.00 | 1.00 | on-track"
    );
}

#[test]
fn before_the_plan_no_target_is_in_force() {
    let mut story = given();
    story.on("2022-03-20").document("2022-01-15").history();
    story.report("di-an", "2021", [rate("life-skills", 2, 10)]);
    assert_eq!(
        story.as_of("2022-03-15").told("di-an", "life-skills"),
        "2021 | 2/10=20.00 | - | - | - | - | no-target"
    );
    assert_eq!(
        story.as_of("2022-03-16").told("di-an", "life-skills"),
        "2021 | 2/10=20.00 | 2025: 50% | - | - | - | no-baseline"
    );
}

#[test]
fn large_counts_stay_exact() {
    // Half of 10¹² is 500,000,000,000: one less shows as 50.00 too, and is not enough.
    for (numerator, expected) in [(500_000_000_000, "achieved"), (499_999_999_999, "no-baseline")] {
        let mut story = given();
        story.on("2023-11-20").report("di-an", "2023", [rate("life-skills", numerator, 1_000_000_000_000)]);
        let cell = story.as_of("2023-12-31").ask("di-an", "life-skills");
        assert_eq!(cell.status.unwrap().name(), expected);
        assert_eq!(
            crate::story::value_told(cell.value.as_ref().unwrap()),
            format!("{numerator}/1000000000000=50.00")
        );
    }
}
