//! What follows from entered baselines, amendments of the plan and extended deadlines.

use super::Decided;
use super::story::{Story, given_the_plan, rate};
use events::EventData;

const CELL: &str = "dong life-skills";

/// Dong began at 20 % and came to 24 % in 2022, where 27.5 % is expected: pace 4 / 7.5 = 0.53.
fn given_dong_is_behind() -> Story {
    given_the_plan()
        .on("2022-04-01")
        .report("dong", 2021, &[rate("life-skills", 20, 100)])
        .on("2022-11-20")
        .report("dong", 2022, &[rate("life-skills", 24, 100)])
        .then(CELL, &["behind raised for 2022, warning"])
}

const LOWER: [(&str, &str); 2] =
    [("alerts.behind.fires_below", "0.45"), ("alerts.behind.clears_from", "0.50")];

#[test]
fn an_alert_that_clears_because_its_bound_moved_did_not_recover() {
    given_dong_is_behind()
        .on("2022-11-22")
        .amend(&LOWER, "2022-11-22")
        .then(CELL, &["behind resolved, target-changed", "at-risk raised for 2022, notice"]);
}

#[test]
fn an_amendment_that_lies_ahead_is_decided_on_its_day() {
    let story = given_dong_is_behind().amend(&LOWER, "2022-11-25").then(CELL, &[]).on("2022-11-25");
    let amendment = story.facts.amendments()[0].event;
    let rests_on_it = |decided: &Decided| match decided {
        Decided::Resolve(resolved) => resolved.because.contains(&amendment),
        Decided::Raise(_) => false,
    };
    assert!(story.decided.iter().any(rests_on_it), "{:?}", story.decided);
    story.then(CELL, &["behind resolved, target-changed", "at-risk raised for 2022, notice"]);
}

#[test]
fn a_newer_report_does_not_hide_that_the_bound_moved() {
    // 2023: (28 − 20) / 15 = 0.53, which would still be behind by the bounds of the day it fired.
    given_dong_is_behind()
        .on("2023-11-20")
        .amend(&LOWER, "2023-11-21")
        .report("dong", 2023, &[rate("life-skills", 28, 100)])
        .then(CELL, &[])
        .on("2023-11-21")
        .then(CELL, &["behind resolved, target-changed", "at-risk raised for 2023, notice"]);
}

#[test]
fn a_baseline_that_is_entered_corrects_what_rested_on_another() {
    // From 0 % in 2021 the path is 12.5 % in 2022: 24 / 12.5 = 1.92.
    given_dong_is_behind()
        .on("2022-11-22")
        .baseline("dong", "life-skills", 2021, 0)
        .then(CELL, &["behind resolved, corrected"]);
}

#[test]
fn a_report_is_overdue_after_its_extended_deadline_only() {
    given_the_plan()
        .on("2022-11-25")
        .extend(2022, Some("tay"), "2022-12-20")
        .on("2022-12-10")
        .then("dong", &["overdue raised for 2022, warning"])
        .on("2022-12-19")
        .then("tay", &[])
        .on("2022-12-20")
        .then("tay", &["overdue raised for 2022, warning"]);
}

#[test]
fn an_overdue_report_that_may_come_later_is_resolved_as_corrected() {
    let story = given_the_plan().on("2022-12-05").then("tay", &["overdue raised for 2022, warning"]).extend(
        2022,
        None,
        "2022-12-20",
    );
    let resolved = story.decided.iter().find_map(|decided| match decided {
        Decided::Resolve(resolved) if resolved.unit.as_str() == "tay" => Some(resolved.clone()),
        Decided::Resolve(_) | Decided::Raise(_) => None,
    });
    let resolved = resolved.expect("the extension ends it");
    assert!(
        resolved.summary.en.ends_with("was extended; the report is due before 2022-12-20."),
        "{:?}",
        resolved.summary
    );
    let (_, _, extension) = story.facts.all_deadlines().next().unwrap();
    assert_eq!(resolved.because, [extension.event]);
    story
        .then("tay", &["overdue resolved, corrected"])
        .on("2022-12-21")
        .then("tay", &["overdue raised for 2022, warning"]);
}

#[test]
fn the_scope_of_a_baseline_is_its_cell_and_of_a_deadline_the_reports_it_is_of() {
    use super::Scope;
    let story =
        given_the_plan().baseline("dong", "life-skills", 2021, 0).extend(2022, Some("tay"), "2022-12-20");
    let extension = |unit: Option<&str>| {
        EventData::DeadlineExtended(events::DeadlineExtended {
            period: events::Period(2022),
            unit: unit.map(|unit| unit.parse().unwrap()),
            due_before: "2022-12-20".parse().unwrap(),
            revision: 1,
            effective: "2022-11-20".parse().unwrap(),
            instrument: "6/UBND".into(),
            reason: None,
            request_digest: None,
        })
    };
    assert_eq!(story.facts.all_deadlines().count(), 1);
    let tay = "tay".parse().unwrap();
    assert_eq!(Scope::touched_by(&story.facts, &extension(Some("tay"))), Scope::of_cell(&tay, None));
    let all = Scope::touched_by(&story.facts, &extension(None));
    assert!(!all.is_everything() && all.has_reports_of(&tay));
}
