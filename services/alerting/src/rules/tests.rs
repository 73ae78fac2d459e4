//! The rules in their own words: given a plan and reports, when a day comes, then this follows.
//!
//! The small plan asks for 50 % life skills in 2025 and 70 % in 2030. From 20 % in 2021 its path is 27.5 %
//! in 2022, 35 % in 2023, 42.5 % in 2024, 50 % in 2025.

use super::next_instant;
use super::story::{Story, attained, given_the_plan, in_words, level, rate, small_plan, withdrawn};
use events::{Share, Successor, TargetValue, UnitChange, UnitName};
use indicators::Facts;

const CELL: &str = "dong life-skills";

fn life_skills(percent: u64) -> [(String, events::LineValue); 1] {
    [rate("life-skills", percent, 100)]
}

/// Dong began at 20 % and came to 24 % in 2022: pace 4 / 7.5 = 0.53.
fn given_dong_is_behind() -> Story {
    given_the_plan()
        .on("2022-04-01")
        .report("dong", 2021, &life_skills(20))
        .on("2022-11-20")
        .report("dong", 2022, &life_skills(24))
        .then(CELL, &["behind raised for 2022, warning"])
}

#[test]
fn behind_fires_and_recovers_with_a_newer_report() {
    // 2023: (30 − 20) / (35 − 20) = 0.667, at least 0.65; below 0.95 it is at risk.
    // 2024: (42 − 20) / 22.5 = 0.978, at least 0.97.
    given_dong_is_behind()
        .on("2023-11-20")
        .report("dong", 2023, &life_skills(30))
        .then(CELL, &["behind resolved, recovered", "at-risk raised for 2023, notice"])
        .on("2024-11-20")
        .report("dong", 2024, &life_skills(42))
        .then(CELL, &["at-risk resolved, recovered"]);
}

#[test]
fn between_the_two_thresholds_nothing_flickers() {
    // Behind: 29.3 gives 9.3 / 15 = 0.62, above 0.60 where it fires and below 0.65 where it clears.
    let story = given_dong_is_behind()
        .on("2023-11-20")
        .report("dong", 2023, &[rate("life-skills", 293, 1000)])
        .then(CELL, &[]);
    // The same figure on a cell that is not behind is at risk only: 0.62 is not below 0.60.
    story
        .on("2023-11-21")
        .report("tay", 2021, &life_skills(20))
        .report("tay", 2023, &[rate("life-skills", 293, 1000)])
        .then("tay life-skills", &["at-risk raised for 2023, notice"])
        // 34.4: 14.4 / 15 = 0.96, above 0.95 and below 0.97: it stays.
        .report("tay", 2023, &[rate("life-skills", 344, 1000)])
        .then("tay life-skills", &[])
        .report("tay", 2023, &[rate("life-skills", 346, 1000)])
        .then("tay life-skills", &["at-risk resolved, corrected"])
        // From there 0.96 does not fire again.
        .report("tay", 2023, &[rate("life-skills", 344, 1000)])
        .then("tay life-skills", &[]);
}

#[test]
fn the_thresholds_are_met_exactly() {
    // (26.0 − 20) / (35 − 20) is 0.40 and fires; 29.75 gives 0.65 and clears; 29 gives 0.60 and does not fire.
    given_the_plan()
        .on("2023-11-20")
        .report("dong", 2021, &life_skills(20))
        .report("dong", 2023, &life_skills(29))
        .then(CELL, &["at-risk raised for 2023, notice"])
        .report("dong", 2023, &life_skills(26))
        .then(CELL, &["at-risk resolved, superseded", "behind raised for 2023, warning"])
        .report("dong", 2023, &[rate("life-skills", 2975, 10_000)])
        .then(CELL, &["behind resolved, corrected", "at-risk raised for 2023, notice"]);
}

#[test]
fn a_correction_of_the_same_period_is_no_recovery() {
    given_dong_is_behind()
        .on("2022-12-20")
        .report("dong", 2022, &life_skills(28))
        .then(CELL, &["behind resolved, corrected"]);
}

#[test]
fn a_withdrawn_line_corrects() {
    given_dong_is_behind()
        .on("2022-12-20")
        .report("dong", 2022, &[withdrawn("life-skills")])
        .then(CELL, &["behind resolved, corrected"]);
}

#[test]
fn an_episode_lasts_across_periods_and_the_next_one_has_another_id() {
    let story = given_dong_is_behind()
        .on("2023-11-20")
        .report("dong", 2023, &life_skills(26))
        .then(CELL, &[])
        .on("2024-11-20")
        .report("dong", 2024, &life_skills(42))
        .then(CELL, &["behind resolved, recovered"])
        .report("dong", 2024, &life_skills(30))
        .then(CELL, &["behind raised for 2024, warning"]);
    let unit = "dong".parse().unwrap();
    let of_cell =
        story.facts.alerts().filter(|alert| alert.rule == events::Rule::Behind && alert.unit == unit);
    let mut episodes: Vec<(u32, bool)> =
        of_cell.map(|alert| (alert.episode, alert.resolved.is_some())).collect();
    episodes.sort_unstable();
    assert_eq!(episodes, [(1, true), (2, false)]);
}

#[test]
fn behind_is_critical_in_a_review_year() {
    given_the_plan()
        .on("2025-11-20")
        .report("dong", 2021, &life_skills(20))
        .report("dong", 2025, &life_skills(30))
        .then(CELL, &["behind raised for 2025, critical"]);
}

#[test]
fn a_lowered_target_is_never_a_recovery() {
    // With 30 % for 2025 the path expects 22.5 % in 2022: 4 / 2.5 = 1.6.
    given_dong_is_behind()
        .on("2023-02-01")
        .target(("life-skills", None), 2025, "30", "2023-02-01")
        .then(CELL, &["behind resolved, target-changed"]);
}

#[test]
fn a_better_figure_that_only_a_lowered_target_lets_pass_is_no_recovery() {
    // 2023 at 27 %: with 50 % for 2025 pace is 7 / 15 = 0.47; with 30 % it is 7 / 5.
    given_dong_is_behind()
        .on("2023-02-01")
        .target(("life-skills", Some("dong")), 2025, "42", "2023-02-01")
        // 24 %: 4 / 5.5 = 0.73 would clear at once.
        .then(CELL, &["behind resolved, target-changed", "at-risk raised for 2022, notice"]);
    given_dong_is_behind()
        .on("2023-11-20")
        .target(("life-skills", Some("dong")), 2025, "49", "2023-11-20")
        // 4 / 7.25 = 0.55: still behind.
        .then(CELL, &[])
        .report("dong", 2023, &[rate("life-skills", 296, 1000)])
        // With 49 %: 9.6 / 14.5 = 0.662 clears; with 50 % 9.6 / 15 = 0.64 would not.
        .then(CELL, &["behind resolved, target-changed", "at-risk raised for 2023, notice"]);
}

#[test]
fn a_target_recorded_ahead_clears_on_its_day_and_not_as_a_recovery() {
    let story = given_the_plan()
        .on("2022-11-20")
        .target(("life-skills", None), 2025, "30", "2024-03-01")
        .report("dong", 2021, &life_skills(20))
        .report("dong", 2022, &life_skills(24))
        .then(CELL, &["behind raised for 2022, warning"])
        .on("2023-11-20")
        .report("dong", 2023, &life_skills(26))
        .then(CELL, &[]);
    // From 1 March 2024 on the path expects 25 % for 2023: 6 / 5 = 1.2.
    story.on("2024-03-02").then(CELL, &["behind resolved, target-changed"]);
}

#[test]
fn a_raised_target_makes_a_good_cell_fall_behind() {
    given_the_plan()
        .on("2022-11-20")
        .report("dong", 2021, &life_skills(20))
        .report("dong", 2022, &life_skills(28))
        .then(CELL, &[])
        .on("2023-01-10")
        // E(2022) = 20 + 70 / 4 = 37.5: 8 / 17.5 = 0.46.
        .target(("life-skills", Some("dong")), 2025, "90", "2023-01-10")
        .then(CELL, &["behind raised for 2022, warning"])
        .target_value(("life-skills", Some("dong")), 2025, TargetValue::Withdrawn(true), "2023-01-10")
        .then(CELL, &["behind resolved, target-changed"]);
}

#[test]
fn at_risk_gives_way_to_behind() {
    given_the_plan()
        .on("2022-11-20")
        .report("dong", 2021, &life_skills(20))
        .report("dong", 2022, &life_skills(26))
        .then(CELL, &["at-risk raised for 2022, notice"])
        .on("2023-11-20")
        .report("dong", 2023, &life_skills(26))
        .then(CELL, &["at-risk resolved, superseded", "behind raised for 2023, warning"]);
}

#[test]
fn a_met_target_ends_what_is_open() {
    given_dong_is_behind()
        .on("2023-11-20")
        .report("dong", 2023, &life_skills(51))
        .then(CELL, &["behind resolved, recovered"]);
}

#[test]
fn a_rate_below_its_baseline_regresses() {
    given_the_plan()
        .on("2022-11-20")
        .report("dong", 2021, &life_skills(20))
        .report("dong", 2022, &life_skills(19))
        // A pace of −1 / 7.5 is below 0.60 as well.
        .then(CELL, &["behind raised for 2022, warning", "regressing raised for 2022, warning"])
        .on("2023-11-20")
        .report("dong", 2023, &life_skills(21))
        .then(CELL, &["regressing resolved, recovered"]);
}

#[test]
fn a_path_that_no_longer_rises_ends_behind_by_its_cause() {
    // A target of 10 % is under the baseline of 20 %: no pace, and 24 % is not below E(2022) = 17.5 %.
    given_dong_is_behind()
        .on("2023-02-01")
        .target(("life-skills", Some("dong")), 2025, "10", "2023-02-01")
        .then(CELL, &["behind resolved, target-changed"]);
    // A corrected baseline of 60 % lies above the target: 24 % is below E(2022) = 57.5 % and regresses.
    given_dong_is_behind()
        .on("2023-02-01")
        .report("dong", 2021, &life_skills(60))
        .then(CELL, &["behind resolved, superseded", "regressing raised for 2022, warning"]);
}

#[test]
fn losing_a_maintained_level_is_critical() {
    let story = given_the_plan()
        .on("2022-11-20")
        .report("dong", 2022, &[level("literacy-level", 2)])
        .then("dong literacy", &[])
        .on("2023-11-20")
        .report("dong", 2023, &[level("literacy-level", 1)])
        .then("dong literacy", &["regressing raised for 2023, critical"]);
    let raised = story.facts.alerts().find(|alert| alert.rule == events::Rule::Regressing).unwrap();
    assert_eq!(
        raised.summary.vi,
        "dong (vi): literacy (vi) – đạt mức độ 1 (kỳ 2023), trước đây đã đạt, nay không còn đạt (mục tiêu 2025: mức độ 2)."
    );
    story
        .on("2024-11-20")
        .report("dong", 2024, &[level("literacy-level", 2)])
        .then("dong literacy", &["regressing resolved, recovered"]);
}

#[test]
fn a_recognition_lapses_with_no_report() {
    // Recognised for 2021: it holds for that year and 36 months, so it counts no more from 1 January 2025.
    given_the_plan()
        .on("2022-04-01")
        .all_report(2021, &[attained("learning-district", true)])
        .on("2024-12-31")
        .then("ha learning-districts", &[])
        .on("2025-01-01")
        .then("ha learning-districts", &["regressing raised for 2021, warning"])
        .on("2025-11-20")
        .report("dong", 2025, &[attained("learning-district", true)])
        .then("ha learning-districts", &["regressing resolved, recovered"]);
}

#[test]
fn each_missed_review_has_an_alert_of_its_own() {
    let story = given_the_plan()
        .on("2025-11-20")
        .report("dong", 2021, &life_skills(20))
        .report("dong", 2025, &life_skills(48))
        // 28 / 30 = 0.93.
        .then(CELL, &["at-risk raised for 2025, notice"])
        .on("2025-12-31")
        .then(CELL, &[])
        .on("2026-01-01")
        .then(CELL, &["missed raised for 2025, critical"]);
    // A correction that turns the verdict.
    let story = story
        .on("2026-02-01")
        .report("dong", 2025, &life_skills(50))
        .then(CELL, &["at-risk resolved, corrected", "missed resolved, corrected"])
        // 29 / 30 = 0.97 is not at risk, but 50 % is not met.
        .report("dong", 2025, &life_skills(49))
        .then(CELL, &["missed raised for 2025, critical"]);
    let missed = story.facts.open_alerts().find(|alert| alert.rule == events::Rule::Missed).unwrap();
    assert_eq!(missed.episode, 2);
    assert_eq!(
        missed.summary.en,
        "dong: life-skills – missed the target of 2025: at 49.00 % (period 2025), 50.00 % was needed."
    );
    // The final review is another one: E(2030) = 70, 60 % misses it; the interim one stays missed.
    story
        .on("2030-11-20")
        .report("dong", 2030, &life_skills(60))
        .on("2031-01-01")
        .then(CELL, &["at-risk raised for 2030, notice", "missed raised for 2030, critical"]);
}

#[test]
fn a_district_without_a_report_is_overdue_once_for_each_period() {
    given_the_plan()
        .on("2022-11-30")
        .then("tay", &[])
        .on("2022-12-01")
        .then("tay", &["overdue raised for 2022, warning"])
        .on("2023-12-02")
        .then("tay", &["overdue raised for 2023, warning"])
        .report("tay", 2022, &life_skills(20))
        .then("tay", &["overdue resolved, recovered"]);
}

#[test]
fn a_dissolved_unit_has_no_open_alert_and_gets_none() {
    let story = given_dong_is_behind().on("2023-12-02").then("dong", &["overdue raised for 2023, warning"]);
    let story = story.dissolve("dong", "2024-07-01").then(CELL, &[]).on("2024-07-02");
    let said: Vec<String> = story.decided.iter().map(in_words).collect();
    assert!(said.contains(&"dong: overdue resolved, unit-dissolved".to_owned()), "{said:?}");
    assert!(said.contains(&"dong life-skills: behind resolved, unit-dissolved".to_owned()), "{said:?}");
    story.on("2026-02-01").then("dong", &["overdue resolved, unit-dissolved"]);
}

fn whole() -> Option<Share> {
    Some(Share { numerator: 1, denominator: 1 })
}

fn new_district() -> UnitChange {
    UnitChange::Establish {
        name: UnitName { vi: "Mới".into(), en: "New".into() },
        unit_type: "ward".into(),
        code: "9".into(),
        parent: None,
    }
}

#[test]
fn a_merged_or_split_unit_has_no_open_alert_and_gets_none() {
    let into = || "tay".parse().unwrap();
    let split = vec![
        Successor { unit: into(), share: None },
        Successor { unit: "nam".parse().unwrap(), share: None },
    ];
    for change in [UnitChange::Merge { into: into(), share: None }, UnitChange::Split { into: split }] {
        let story =
            given_dong_is_behind().on("2023-12-02").then("dong", &["overdue raised for 2023, warning"]);
        let story = story.change("dong", change, "2024-07-01").then(CELL, &[]).on("2024-07-02");
        let said: Vec<String> = story.decided.iter().map(in_words).collect();
        assert!(said.contains(&"dong: overdue resolved, unit-dissolved".to_owned()), "{said:?}");
        assert!(said.contains(&"dong life-skills: behind resolved, unit-dissolved".to_owned()), "{said:?}");
        story.on("2026-02-01").then("dong", &["overdue resolved, unit-dissolved"]);
    }
}

#[test]
fn an_established_unit_owes_from_its_first_deadline_on() {
    given_the_plan()
        .on("2024-06-20")
        .change("moi", new_district(), "2024-07-01")
        .on("2024-11-30")
        .then("moi", &[])
        .on("2024-12-01")
        .then("moi", &["overdue raised for 2024, warning"]);
}

#[test]
fn a_successor_is_judged_by_the_baseline_of_its_predecessors_and_by_their_corrections() {
    // Both had 20 % in 2021: 40 of 200. E(2024) = 42.5 %, with 22 % the pace is 2/22.5 = 0.09.
    let story = given_the_plan()
        .on("2022-04-01")
        .report("dong", 2021, &life_skills(20))
        .report("tay", 2021, &life_skills(20))
        .on("2024-06-20")
        .change("moi", new_district(), "2024-07-01")
        .change("dong", UnitChange::Merge { into: "moi".parse().unwrap(), share: whole() }, "2024-07-01")
        .change("tay", UnitChange::Merge { into: "moi".parse().unwrap(), share: whole() }, "2024-07-01")
        .on("2024-11-20")
        .report("moi", 2024, &life_skills(22))
        .then("moi life-skills", &["behind raised for 2024, warning"]);
    // Where one takes its figures back, no period is common to both: there is no baseline, and nothing is behind.
    story
        .report("dong", 2021, &[withdrawn("life-skills")])
        .then("moi life-skills", &["behind resolved, corrected"]);
}

#[test]
fn a_degraded_cell_fires_nothing_and_resolves_nothing() {
    given_dong_is_behind()
        .on("2022-11-25")
        .poison("dong")
        .then(CELL, &[])
        // Its own deadline passes, the province's figures rest on it: nothing is said of either.
        .on("2023-02-01")
        .then("dong", &[])
        .report("dong", 2022, &life_skills(28))
        .then(CELL, &[]);
}

#[test]
fn what_is_open_stays_open_while_its_events_are_set_aside() {
    // Set aside, the cell has no status: that is no sign that it stopped regressing.
    given_the_plan()
        .on("2022-11-20")
        .all_report(2022, &[level("literacy-level", 2)])
        .on("2023-11-20")
        .report("dong", 2023, &[level("literacy-level", 1)])
        .then("dong literacy", &["regressing raised for 2023, critical"])
        .poison("dong")
        .then("dong literacy", &[])
        .on("2026-02-01")
        .then("ha literacy", &[]);
}

#[test]
fn the_next_reviews_target_clears_without_a_recovery() {
    // One recognised district of three meets 25 %. Its recognition lapses at the start of 2025. From 2026 on
    // the status speaks of 50 %, which was never met: no longer regressing, and nothing got better.
    given_the_plan()
        .on("2022-04-01")
        .report("dong", 2021, &[attained("learning-district", true)])
        .on("2025-01-01")
        .then("ha learning-districts", &["regressing raised for 2021, warning"])
        .on("2026-01-01")
        .then(
            "ha learning-districts",
            &["regressing resolved, target-changed", "missed raised for 2025, critical"],
        );
}

#[test]
fn a_dissolved_district_that_moves_a_share_corrects_it() {
    given_the_plan()
        .on("2022-11-20")
        .all_report(2022, &[level("literacy-level", 2)])
        .on("2023-11-20")
        .report("dong", 2023, &[level("literacy-level", 1)])
        .then("ha literacy", &["regressing raised for 2023, critical"])
        .dissolve("dong", "2024-07-01")
        .on("2024-07-02")
        .then("ha literacy", &["regressing resolved, corrected"]);
}

#[test]
fn a_provinces_rate_is_judged_over_its_districts() {
    given_the_plan()
        .on("2022-11-20")
        .all_report(2021, &life_skills(20))
        .report("dong", 2022, &life_skills(24))
        .report("tay", 2022, &life_skills(24))
        .then("ha life-skills", &[])
        .report("nam", 2022, &life_skills(24))
        .then("ha life-skills", &["behind raised for 2022, warning"]);
}

#[test]
fn the_sentences_carry_the_figures() {
    let story = given_dong_is_behind();
    let alert = story.facts.open_alerts().next().unwrap();
    assert_eq!(
        alert.summary.vi,
        "dong (vi): life-skills (vi) – đạt 24,00 % (kỳ 2022), lộ trình cần 27,50 %; nhịp độ 0,53, chậm tiến độ (mục tiêu 2025: 50,00 %)."
    );
    assert_eq!(
        alert.summary.en,
        "dong: life-skills – at 24.00 % (period 2022), the path expects 27.50 %; pace 0.53, behind (target 2025: 50.00 %)."
    );
}

#[test]
fn the_clock_is_looked_at_when_it_can_change_something() {
    let story = given_the_plan().target(("life-skills", None), 2030, "65", "2023-05-01");
    let mut now = story.now;
    let mut instants = Vec::new();
    while let Some(instant) = next_instant(&story.view(), now) {
        instants.push(small_plan().calendar.shown(instant));
        now = instant;
    }
    assert_eq!(
        instants[..5],
        [
            "2022-12-01T00:00:00.001+07:00",
            "2023-01-01T00:00:00+07:00",
            "2023-05-01T00:00:00+07:00",
            "2023-12-01T00:00:00.001+07:00",
            "2024-01-01T00:00:00+07:00",
        ]
    );
    // Recognised for 2030, a district lapses at the start of 2034; after that nothing moves by itself.
    assert_eq!(instants.last().unwrap(), "2035-01-01T00:00:00+07:00");
}

#[test]
fn without_an_adoption_there_is_no_view_to_decide_on() {
    let facts = Facts::new();
    let now = "2022-03-16T00:00:00Z".parse().unwrap();
    assert!(indicators::View::new(&facts, indicators::Moment::at(facts.head(), now)).is_none());
}
