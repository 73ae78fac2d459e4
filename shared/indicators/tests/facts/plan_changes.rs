//! Baselines that are entered, amendments of the plan and extended deadlines; every figure computed by hand.

use crate::story::{Ask, DISTRICTS, Story, given, rate, recognised, told, unit};
use events::{KeyValue, Period};
use indicators::{ProposedPlans, ReportProgress, Verdict, differences};

const SKILLS: &str = "life-skills";

fn text(text: &str) -> KeyValue {
    KeyValue::Text(text.to_owned())
}

/// One report: 35 % in 2023.
fn one_report() -> Story {
    let mut story = given();
    story.yearly("di-an", SKILLS, &[(2023, 3_500)]);
    story
}

#[test]
fn one_report_after_an_entered_baseline_has_a_pace() {
    let mut story = one_report();
    assert_eq!(
        story.as_of("2024-01-01").told("di-an", SKILLS),
        "2023 | 3500/10000=35.00 | 2025: 50% | - | - | - | no-baseline"
    );
    story.on("2024-02-01").baseline("di-an", SKILLS, 2020, Some((2_000, 10_000)), "2022-05-20");
    // E(2023) = 20 + 30 · 3/5 = 38; pace = 15/18.
    let cell = story.as_of("2024-02-02").ask("di-an", SKILLS);
    assert_eq!(told(&cell), "2023 | 3500/10000=35.00 | 2025: 50% | 2020: 20.00 | 38.00 | 0.83 | at-risk");
    let baseline = cell.baseline.unwrap();
    let event = story.log.last().unwrap().event.id;
    assert_eq!((baseline.entered, baseline.event), (true, Some(event)));
    assert!(cell.because.contains(&event));
    // The series has the path from the plan's first period on: E(2021) = 26, E(2025) = 50.
    let view = story.as_of("2024-02-02");
    let plan = view.plan();
    let series = view.series(
        plan.unit(&unit("di-an")).unwrap(),
        plan.indicator(&crate::story::indicator(SKILLS)).unwrap(),
    );
    let expected: Vec<_> = series.points.iter().map(|point| point.expected.as_deref().unwrap()).collect();
    assert_eq!(
        expected,
        ["26.00", "32.00", "38.00", "44.00", "50.00", "54.00", "58.00", "62.00", "66.00", "70.00"]
    );
}

#[test]
fn an_entered_baseline_takes_the_place_of_the_earliest_reported_period() {
    let mut story = given();
    story.yearly("di-an", SKILLS, &[(2022, 3_000), (2023, 3_500)]);
    // E(2023) = 30 + 20 · 1/3 = 36.67; pace = 5/6.67.
    assert_eq!(
        story.as_of("2024-01-01").told("di-an", SKILLS),
        "2023 | 3500/10000=35.00 | 2025: 50% | 2022: 30.00 | 36.67 | 0.75 | at-risk"
    );
    story.on("2024-02-01").baseline("di-an", SKILLS, 2021, Some((2_500, 10_000)), "2022-05-20");
    // E(2023) = 25 + 25 · 2/4 = 37.5; pace = 10/12.5.
    assert_eq!(
        story.as_of("2024-02-02").told("di-an", SKILLS),
        "2023 | 3500/10000=35.00 | 2025: 50% | 2021: 25.00 | 37.50 | 0.80 | at-risk"
    );
}

#[test]
fn of_several_baselines_the_one_recorded_last_holds_until_it_is_taken_back() {
    let mut story = one_report();
    story.on("2024-06-10").baseline("di-an", SKILLS, 2021, Some((2_500, 10_000)), "2024-06-01");
    story.on("2024-07-01").baseline("di-an", SKILLS, 2020, Some((2_000, 10_000)), "2023-12-01");
    story.on("2024-08-10").baseline("di-an", SKILLS, 2020, None, "2024-08-01");
    let began = |as_of: &str, known_at: &str| {
        let cell = story.seen(as_of, known_at).ask("di-an", SKILLS);
        cell.baseline.map(|baseline| (baseline.period.year(), baseline.percent))
    };
    let of = |year: i16, percent: &str| Some((year, percent.to_owned()));
    assert_eq!(began("2024-06-09", "2024-06-09"), None, "nothing is known of it yet");
    assert_eq!(began("2024-06-20", "2024-06-20"), of(2021, "25.00"));
    assert_eq!(began("2024-07-15", "2024-07-15"), of(2020, "20.00"), "recorded last, though older on paper");
    assert_eq!(began("2024-01-15", "2024-07-15"), of(2020, "20.00"), "the other is of a later day");
    assert_eq!(began("2023-11-30", "2024-07-15"), None);
    assert_eq!(began("2024-07-31", "2024-09-01"), of(2020, "20.00"));
    assert_eq!(began("2024-08-01", "2024-09-01"), None, "taken back: one report is no baseline");
}

#[test]
fn a_value_that_is_not_later_than_the_baseline_has_no_pace() {
    for period in [2023, 2024] {
        let mut story = one_report();
        story.on("2024-12-10").baseline("di-an", SKILLS, period, Some((3_000, 10_000)), "2024-12-01");
        assert_eq!(
            story.as_of("2024-12-11").told("di-an", SKILLS),
            format!("2023 | 3500/10000=35.00 | 2025: 50% | {period}: 30.00 | - | - | no-baseline")
        );
    }
}

#[test]
fn a_baseline_is_no_value() {
    let mut story = given();
    story.on("2024-02-01").baseline("di-an", SKILLS, 2020, Some((2_000, 10_000)), "2022-05-20");
    assert_eq!(
        story.as_of("2024-02-02").told("di-an", SKILLS),
        "- | - | 2025: 50% | 2020: 20.00 | - | - | no-data"
    );
}

#[test]
fn the_province_has_a_baseline_of_its_own() {
    let mut story = given();
    story.on("2023-11-20").all_report("2023", |_| vec![rate(SKILLS, 35, 100)]);
    story.on("2024-02-01").baseline("binh-duong", SKILLS, 2020, Some((1, 5)), "2022-05-20");
    let view = story.as_of("2024-02-02");
    assert_eq!(
        view.told("binh-duong", SKILLS),
        "2023 | 315/900=35.00 | 2025: 50% | 2020: 20.00 | 38.00 | 0.83 | at-risk"
    );
    assert_eq!(view.status("di-an", SKILLS), "no-baseline", "a district does not inherit it");
}

#[test]
fn a_threshold_holds_from_its_day_on_as_far_as_it_is_known() {
    let mut story = one_report();
    story.on("2024-02-01").baseline("di-an", SKILLS, 2020, Some((2_000, 10_000)), "2022-05-20");
    story.on("2024-02-10").amend(&[("thresholds.on_track", text("0.80"))], "2024-03-01");
    // The pace is 15/18 = 0.83 all the time.
    let status = |as_of: &str, known_at: &str| story.seen(as_of, known_at).status("di-an", SKILLS);
    assert_eq!(status("2024-02-29", "2024-06-01"), "at-risk");
    assert_eq!(status("2024-03-01", "2024-06-01"), "on-track");
    assert_eq!(status("2024-02-09", "2024-02-09"), "at-risk");
    assert_eq!(story.facts.effective_after(story.facts.head_recorded_at().unwrap()).unwrap(), {
        story.plan.calendar.start_of_day("2024-03-01".parse().unwrap())
    });
}

#[test]
fn the_amendment_of_the_latest_day_holds_and_of_one_day_the_later_record() {
    let mut story = given();
    story.on("2024-02-10").amend(&[("thresholds.on_track", text("0.80"))], "2024-06-01");
    story.on("2024-02-11").amend(&[("thresholds.on_track", text("0.90"))], "2024-03-01");
    story.on("2024-02-12").amend(&[("thresholds.at_risk", text("0.50"))], "2024-03-01");
    story.on("2024-02-13").amend(&[("thresholds.at_risk", text("0.40"))], "2024-03-01");
    let thresholds = |as_of: &str, known_at: &str| {
        let thresholds = &story.seen(as_of, known_at).plan().thresholds;
        (thresholds.on_track.to_string(), thresholds.at_risk.to_string())
    };
    let pair = |on_track: &str, at_risk: &str| (on_track.to_owned(), at_risk.to_owned());
    assert_eq!(thresholds("2024-02-29", "2024-12-01"), pair("0.95", "0.60"));
    assert_eq!(thresholds("2024-03-01", "2024-12-01"), pair("0.90", "0.40"));
    assert_eq!(thresholds("2024-06-01", "2024-12-01"), pair("0.80", "0.40"));
    assert_eq!(thresholds("2024-06-01", "2024-02-10"), pair("0.80", "0.60"));
    assert_eq!(thresholds("2024-06-01", "2024-02-12"), pair("0.80", "0.50"));
    assert_eq!(thresholds("2024-03-01", "2024-02-12"), pair("0.90", "0.50"));
}

#[test]
fn a_verdict_takes_the_plan_that_was_in_force_at_the_end_of_its_year() {
    let told = |effective: &str| {
        let mut story = given();
        story.yearly("di-an", SKILLS, &[(2025, 4_000)]);
        story
            .on("2026-05-01")
            .amend(&[("indicators.life-skills.binds_districts", KeyValue::Flag(false))], effective);
        let view = story.as_of("2026-06-01");
        (view.verdicts("di-an", SKILLS)[0], view.status("di-an", SKILLS))
    };
    assert_eq!(told("2026-03-01"), (Some(Verdict::NotMet), "no-target"));
    assert_eq!(told("2025-12-31"), (None, "no-target"));
}

#[test]
fn on_whose_units_a_review_counts_is_a_decision_that_holds_whenever_it_was_taken() {
    let mut story = given();
    story.on("2025-05-20");
    for of in ["di-an", "thuan-an"] {
        story.report(of, "2025", [recognised("learning-district", 2025)]);
    }
    story.on("2025-06-20").change("bac-tan-uyen", events::UnitChange::Dissolve, "2025-07-01");
    story.on("2026-02-01").amend(&[("reviews.2025.units_as_of", KeyValue::Nothing)], "2026-02-01");
    let verdict = |as_of: &str| story.as_of(as_of).verdicts("binh-duong", "learning-districts")[0];
    // The plan counts on 30 June 2025: 2 of 9 are not 25 %. At the year's end there are 8, and 2 of 8 are.
    assert_eq!(verdict("2026-01-31"), Some(Verdict::NotMet));
    assert_eq!(verdict("2026-02-01"), Some(Verdict::Met));
}

#[test]
fn a_share_is_missed_where_its_verdict_says_so_and_not_by_other_units() {
    let mut story = given();
    story.on("2030-05-20");
    for of in ["di-an", "thuan-an", "ben-cat", "tan-uyen", "bau-bang"] {
        story.report(of, "2030", [recognised("learning-district", 2030)]);
    }
    story.on("2030-06-20");
    for of in ["di-an", "thuan-an"] {
        story.change(of, events::UnitChange::Dissolve, "2030-07-01");
    }
    story.on("2031-02-01").amend(&[("reviews.2030.units_as_of", text("2030-06-30"))], "2031-02-01");
    let said = |as_of: &str| {
        let view = story.as_of(as_of);
        (
            view.verdicts("binh-duong", "learning-districts")[1],
            view.status("binh-duong", "learning-districts"),
        )
    };
    // At the year's end 3 of 7 are not 50 %; of the nine of 30 June 5 are.
    assert_eq!(said("2031-01-31"), (Some(Verdict::NotMet), "missed"));
    assert_eq!(said("2031-02-01"), (Some(Verdict::Met), "pending"));
}

#[test]
fn how_long_a_recognition_lasts_can_be_amended() {
    let mut story = given();
    story.on("2022-11-20").report("di-an", "2022", [recognised("learning-district", 2021)]);
    story.on("2024-05-01").amend(&[("measures.learning-district.months", KeyValue::Whole(60))], "2025-06-01");
    let value = |as_of: &str| told(&story.as_of(as_of).ask("di-an", "learning-districts"));
    // Recognised for 2021: 36 months end on 1 January 2025, 60 on 1 January 2027.
    assert!(value("2024-12-31").starts_with("2022 | yes"));
    assert!(value("2025-05-31").starts_with("2022 | lapsed"));
    assert!(value("2025-06-01").starts_with("2022 | yes"));
    assert!(value("2027-01-01").starts_with("2022 | lapsed"));
}

#[test]
fn a_proposed_amendment_changes_cells_before_it_is_recorded() {
    let mut story = one_report();
    story.on("2024-02-01").baseline("di-an", SKILLS, 2020, Some((2_000, 10_000)), "2022-05-20");
    let digest = story.facts.digest();
    let changes = [events::KeyChange { key: "thresholds.on_track".to_owned(), value: text("0.80") }];
    let effective = story.plan.calendar.start_of_day("2024-02-01".parse().unwrap());
    let plans = ProposedPlans::new(&story.plan, story.facts.amendments(), &changes, effective).unwrap();
    let view = story.as_of("2024-03-01");
    let differences = differences(&view.cells(), &view.with_plans(&plans).cells());
    assert_eq!(differences.len(), 1, "{differences:?}");
    let only = &differences[0];
    assert_eq!(
        (only.unit.as_str(), only.indicator.as_str(), only.what.as_str()),
        ("di-an", SKILLS, "status")
    );
    assert_eq!((only.from.as_deref(), only.to.as_deref()), (Some("at-risk"), Some("on-track")));
    assert_eq!(story.facts.digest(), digest);
    // The same once it is recorded.
    let before = view.cells();
    let mut recorded = story.clone();
    recorded.on("2024-02-05").amend(&[("thresholds.on_track", text("0.80"))], "2024-02-01");
    assert_eq!(indicators::differences(&before, &recorded.as_of("2024-03-01").cells()), differences);
}

#[test]
fn an_extended_deadline_replaces_the_plans_for_due_lateness_and_overdue() {
    let mut story = given();
    story.on("2024-11-25").extend(2024, None, "2024-12-16", "2024-11-25");
    story.on("2024-12-05").report("di-an", "2024", [rate(SKILLS, 1, 2)]);
    let report = |of: &str, as_of: &str, known_at: &str| {
        let view = story.seen(as_of, known_at);
        view.report_of(view.plan().unit(&unit(of)).unwrap(), Period(2024))
    };
    let received = report("di-an", "2024-12-06", "2024-12-06");
    assert_eq!(received.due.as_deref(), Some("2024-12-16T00:00:00+07:00"));
    assert!(!received.late);
    assert_eq!(report("thuan-an", "2024-12-10", "2024-12-10").state, ReportProgress::Awaited);
    assert_eq!(report("thuan-an", "2024-12-16", "2024-12-16").state, ReportProgress::Overdue);
    // As of the day before the extension holds, the plan's deadline is what there is.
    assert_eq!(
        report("thuan-an", "2024-11-24", "2024-12-20").due.as_deref(),
        Some("2024-12-01T00:00:00+07:00")
    );
}

#[test]
fn a_deadline_that_is_extended_after_it_has_passed_ends_what_was_overdue() {
    let mut story = given();
    story.on("2024-12-05").report("di-an", "2024", [rate(SKILLS, 1, 2)]);
    story.on("2024-12-10").extend(2024, None, "2024-12-31", "2024-12-10");
    let report = |of: &str, as_of: &str, known_at: &str| {
        let view = story.seen(as_of, known_at);
        view.report_of(view.plan().unit(&unit(of)).unwrap(), Period(2024))
    };
    assert_eq!(report("thuan-an", "2024-12-09", "2024-12-09").state, ReportProgress::Overdue);
    assert_eq!(report("thuan-an", "2024-12-11", "2024-12-11").state, ReportProgress::Awaited);
    assert_eq!(
        report("thuan-an", "2024-12-09", "2024-12-20").state,
        ReportProgress::Overdue,
        "not in force then"
    );
    assert!(report("di-an", "2024-12-09", "2024-12-09").late);
    assert!(!report("di-an", "2024-12-11", "2024-12-11").late);
}

#[test]
fn of_a_units_own_extension_and_the_one_for_all_the_later_day_holds() {
    let mut story = given();
    story.on("2024-11-20").extend(2024, Some("di-an"), "2024-12-10", "2024-11-20");
    story.extend(2024, Some("bau-bang"), "2024-12-31", "2024-11-20");
    story.on("2024-11-25").extend(2024, None, "2024-12-16", "2024-11-25");
    story.on("2024-11-26").extend(2024, Some("ben-cat"), "2024-12-31", "2024-11-26");
    story.on("2024-11-27").extend(2024, Some("ben-cat"), "2024-12-20", "2024-11-27");
    let due = |of: &str, as_of: &str| story.as_of(as_of).due_before(&unit(of), Period(2024)).to_string();
    assert_eq!(due("di-an", "2024-11-24"), "2024-12-10");
    assert_eq!(due("di-an", "2024-11-25"), "2024-12-16");
    assert_eq!(due("bau-bang", "2024-11-25"), "2024-12-31", "what is for all takes nothing from it");
    assert_eq!(due("ben-cat", "2024-11-26"), "2024-12-31");
    assert_eq!(due("ben-cat", "2024-11-27"), "2024-12-20", "its own later decision replaces its earlier one");
    assert_eq!(due(DISTRICTS[0], "2024-11-24"), "2024-12-01");
    assert_eq!(story.as_of("2024-11-30").due_before(&unit("di-an"), Period(2023)).to_string(), "2023-12-01");
}

#[test]
fn an_explanation_a_list_and_a_difference_name_the_entered_baseline() {
    let mut story = one_report();
    story.on("2024-02-01").baseline("di-an", SKILLS, 2020, Some((2_000, 10_000)), "2024-01-20");
    let event = story.log.last().unwrap().event.id;
    let view = story.as_of("2024-02-02");
    let (of, about) = (
        view.plan().unit(&unit("di-an")).unwrap(),
        view.plan().indicator(&crate::story::indicator(SKILLS)).unwrap(),
    );
    let explained = view.explain(of, about);
    let first = &explained.periods[0];
    assert_eq!((first.period, first.used_for[0].as_str()), (Period(2020), "baseline"));
    assert_eq!((first.parts[0].event, first.ratio.exact.as_str()), (event, "1/5"));
    let path = explained.path.as_ref().unwrap();
    assert_eq!((path.corners[0].year, path.pace.as_ref().unwrap().exact.as_str()), (2020, "5/6"));
    assert!(explained.consulted().contains(&story.facts.head()));
    let listed = view.baselines_listed(Some(of), Some(about));
    assert_eq!((listed.len(), listed[0].entered, listed[0].in_use), (1, true, true));
    let moments = [story.moment(Some("2024-01-19"), None), story.moment(Some("2024-02-02"), None)];
    let changed = indicators::difference(&story.facts, moments, Some(of), Some(about)).cells;
    assert_eq!((changed.len(), changed[0].by_time), (1, false));
    assert_eq!(changed[0].because, [event]);
}

#[test]
fn an_explanation_of_a_verdict_uses_the_plan_at_the_end_of_its_year() {
    let mut story = given();
    story.yearly("di-an", SKILLS, &[(2025, 4_000)]);
    story.on("2026-05-01");
    story.amend(&[("indicators.life-skills.binds_districts", KeyValue::Flag(false))], "2026-03-01");
    let view = story.as_of("2026-06-01");
    let about = crate::story::indicator(SKILLS);
    let explained =
        view.explain(view.plan().unit(&unit("di-an")).unwrap(), view.plan().indicator(&about).unwrap());
    let verdict = &explained.verdicts[0];
    assert_eq!((verdict.bound, verdict.verdict), (true, Some(Verdict::NotMet)));
    assert!(verdict.value.is_some());
    let moments = [story.moment(Some("2026-02-28"), None), story.moment(Some("2026-06-01"), None)];
    let changed = indicators::difference(&story.facts, moments, None, None).cells;
    let amendment = story.log.last().unwrap().event.id;
    assert!(changed.iter().all(|cell| cell.because == [amendment]), "{changed:?}");
    assert!(changed.iter().any(|cell| cell.unit == unit("di-an") && cell.changed.contains(&"status")));
}

#[test]
fn a_unit_that_is_established_after_an_amendment_is_in_the_amended_plan() {
    let mut story = given();
    story.on("2024-02-10").amend(&[("thresholds.on_track", text("0.80"))], "2024-02-10");
    let before = story.as_of("2024-02-11").cells().len();
    let establish = events::UnitChange::Establish {
        name: events::UnitName { vi: "Mới".into(), en: "New".into() },
        unit_type: "city".into(),
        code: "999".into(),
        parent: None,
    };
    story.on("2024-03-01").change("new-one", establish, "2024-03-01");
    let view = story.as_of("2024-03-02");
    assert_eq!(view.plan().thresholds.on_track.to_string(), "0.80");
    assert!(view.plan().unit(&unit("new-one")).is_some());
    assert_eq!(view.cells().len(), before + 12);
    assert_eq!(story.as_of("2024-02-11").cells().len(), before);
    story.on("2024-03-05").baseline("new-one", SKILLS, 2022, Some((1, 5)), "2024-03-04");
    assert_eq!(
        story.as_of("2024-03-06").told("new-one", SKILLS),
        "- | - | 2025: 50% | 2022: 20.00 | - | - | no-data"
    );
}

#[test]
fn an_amendment_that_cannot_be_made_sets_everything_aside() {
    let mut story = given();
    story.on("2024-02-10").amend(&[("thresholds.nothing", text("0.80"))], "2024-03-01");
    assert!(story.facts.amendments().is_empty());
    assert!(story.facts.parked().contains_key(&None));
}
