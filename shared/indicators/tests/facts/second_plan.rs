//! A second plan with other indicators, units, years and time zone: nothing of the first is in the code.

use crate::story::{Ask, Story, attained, given_plan, level, rate, unit};
use events::{Period, Review};
use indicators::{ReportProgress, Verdict};

fn an_binh() -> Story {
    let text = include_str!("../../../../tests/fixtures/plans/second.toml");
    given_plan(plan::file::read("second.toml", text).expect("the second plan is right"), |_, _| true)
}

#[test]
fn its_cells_are_four_of_the_province_and_two_of_each_district() {
    let story = an_binh();
    assert_eq!(story.as_of("2024-06-01").cells().len(), 4 + 2 * 2);
}

#[test]
fn its_thresholds_and_targets_are_its_own() {
    let mut story = an_binh();
    for (year, numerator) in [(2024, 600), (2025, 682), (2026, 691)] {
        story.on(&format!("{year}-10-01"));
        story.report("bac", &year.to_string(), [rate("households-online", numerator, 1_000)]);
    }
    // E(2025) = 60 + (87.5 − 60)·1/3 = 69.1666…; pace = 8.2/9.1666… = 0.8945… < 0.90.
    assert_eq!(
        story.as_of("2025-12-31").told("bac", "households-online"),
        "2025 | 682/1000=68.20 | 2027: 87.5% | 2024: 60.00 | 69.17 | 0.89 | at-risk"
    );
    // E(2026) = 60 + 27.5·2/3 = 78.3333…; pace = 9.1/18.3333… = 0.4963… < 0.50.
    assert_eq!(
        story.as_of("2026-12-31").told("bac", "households-online"),
        "2026 | 691/1000=69.10 | 2027: 87.5% | 2024: 60.00 | 78.33 | 0.50 | behind"
    );
}

#[test]
fn its_days_end_in_its_own_time_zone() {
    let mut story = an_binh();
    // Due before 1 November, Tokyo: 31 October 15:00 UTC.
    story.on("2024-10-31T14:59:59.999Z").report("bac", "2024", [rate("households-online", 1, 2)]);
    story.on("2024-10-31T15:00:00Z").report("nam", "2024", [rate("households-online", 1, 2)]);
    let view = story.as_of("2024-11-01");
    let late = |of| view.report_of(story.plan.unit(&unit(of)).unwrap(), Period(2024)).late;
    assert_eq!((late("bac"), late("nam")), (false, true));
    let province = view.report_of(story.plan.province(), Period(2024));
    assert_eq!(province.state, ReportProgress::Overdue);
    assert_eq!(province.due.as_deref(), Some("2024-11-01T00:00:00+09:00"));
}

#[test]
fn its_recognition_holds_for_a_year_after_its_own() {
    let mut story = an_binh();
    story.on("2025-10-01").report("an-binh-tinh", "2025", [attained("data-centre", true)]);
    // Certified for 2025, 12 months after it: it lapses on 1 January 2027.
    let told = |day| story.as_of(day).told("an-binh-tinh", "data-centre");
    assert_eq!(told("2026-12-31"), "2025 | yes | 2027: yes | - | - | - | achieved");
    assert_eq!(told("2027-01-01"), "2025 | lapsed | 2027: yes | - | - | - | regressing");
}

#[test]
fn its_only_review_is_its_last() {
    let mut story = an_binh();
    story.on("2027-10-01").report("bac", "2027", [level("office-level", 4)]);
    story.report("an-binh-tinh", "2027", [rate("services-online", 74, 100)]);
    let view = story.as_of("2028-01-01");
    // Half of two districts is one: 1/2 = 50 % ≥ 50 %.
    assert_eq!(
        view.told("an-binh-tinh", "offices-at-4"),
        "2027 | 1/2=50.00 needs 0 | 2027: 50% | - | - | - | achieved"
    );
    assert_eq!(view.told("bac", "offices-at-4"), "2027 | level 4 | - | - | - | - | no-target");
    assert_eq!(
        view.told("an-binh-tinh", "services-online"),
        "2027 | 74/100=74.00 | 2027: 75% | - | - | - | missed"
    );
    let verdicts = view.ask("an-binh-tinh", "services-online").verdicts;
    assert_eq!(verdicts.into_iter().collect::<Vec<_>>(), [(Review(2027), Some(Verdict::NotMet))]);
}
