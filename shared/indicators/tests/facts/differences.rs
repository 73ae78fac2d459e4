//! What changed between two moments, against stories told by hand and against the cells themselves.

use crate::laws::{moment, steps, tell};
use crate::story::{DISTRICTS, PROVINCE, Story, attained, given, indicator, percent, rate, unit};
use events::{EventId, Position, UnitChange};
use indicators::{Difference, Moment, View, difference};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn between(story: &Story, from: &str, to: &str) -> Difference {
    let moments = [from, to].map(|known_at| story.moment(None, Some(known_at)));
    difference(&story.facts, moments, None, None)
}

fn changed(found: &Difference) -> Vec<String> {
    let told = |cell: &indicators::CellChange| {
        format!("{} {}: {}", cell.unit, cell.indicator, cell.changed.join(" "))
    };
    found.cells.iter().map(told).collect()
}

/// The event recorded last.
fn last(story: &Story) -> EventId {
    story.log.last().unwrap().event.id
}

#[test]
fn a_report_changes_its_own_cells_and_the_provinces_and_is_named() {
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [rate("life-skills", 20, 100)]);
    story.on("2024-03-01").report("di-an", "2023", [rate("life-skills", 30, 100)]);
    let correction = last(&story);
    story.on("2024-03-02").report("thuan-an", "2023", [rate("university-degree", 1, 100)]);
    let found = between(&story, "2024-02-28", "2024-03-01");
    assert_eq!(changed(&found), ["binh-duong life-skills: provisional", "di-an life-skills: value"]);
    assert!(found.cells.iter().all(|cell| cell.because == [correction] && !cell.by_time));
    let figures = |figures: &Option<std::collections::BTreeMap<&str, serde_json::Value>>| {
        figures.as_ref().unwrap()["value"]["percent"].clone()
    };
    assert_eq!(figures(&found.cells[1].before), "20.00");
    assert_eq!(figures(&found.cells[1].after), "30.00");
    assert!(found.reports.is_empty() && found.units.is_empty());
    assert_eq!(found.consulted, [story.log.last().unwrap().position.0 - 1].map(Position));
    assert_eq!(between(&story, "2024-03-01", "2024-03-01"), Difference::default());
}

#[test]
fn what_only_time_did_is_said_to_be_times_doing() {
    let mut story = given();
    story.on("2022-11-20").report("di-an", "2022", [attained("learning-district", true)]);
    // Recognised for 2022 and 36 months after it. The year 2025 ends with it, and so do its verdicts.
    let found = between(&story, "2025-12-31", "2026-01-01");
    let lapsed = found
        .cells
        .iter()
        .find(|cell| cell.unit == unit(PROVINCE) && cell.indicator == indicator("learning-districts"));
    let lapsed = lapsed.unwrap();
    assert!(lapsed.by_time && lapsed.because.is_empty());
    assert_eq!(lapsed.after.as_ref().unwrap()["value"]["count"], 0);
    assert!(found.cells.iter().all(|cell| cell.by_time));
    // A deadline: overdue is told once for each district.
    let found = between(&story, "2023-11-30", "2023-12-01");
    assert!(found.cells.is_empty(), "{:?}", changed(&found));
    assert_eq!(found.reports.len(), 1, "the others are overdue for 2022 already, Dĩ An is for 2023 now");
    assert!(found.reports.iter().all(|report| report.by_time));
}

#[test]
fn a_target_that_takes_effect_later_is_named_when_it_does() {
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [rate("life-skills", 20, 100)]);
    story.on("2024-01-10").target("life-skills", Some("di-an"), 2025, percent("40"), "2024-06-01");
    let target = last(&story);
    assert_eq!(between(&story, "2024-01-09", "2024-01-11").cells, []);
    let found = between(&story, "2024-05-31", "2024-06-01");
    assert_eq!(changed(&found), ["di-an life-skills: target"]);
    assert_eq!(found.cells[0].because, [target]);
}

#[test]
fn a_unit_that_is_dissolved_takes_its_cells_with_it() {
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [rate("life-skills", 20, 100)]);
    story.on("2024-01-10").change("di-an", UnitChange::Dissolve, "2024-07-01");
    let dissolved = last(&story);
    let found = between(&story, "2024-06-30", "2024-07-01");
    let gone: Vec<_> = found.cells.iter().filter(|cell| cell.after.is_none()).collect();
    assert_eq!(gone.len(), 12);
    assert!(gone.iter().all(|cell| cell.unit == unit("di-an") && cell.because == [dissolved]));
    assert_eq!(found.units.len(), 1);
    assert_eq!((&found.units[0].unit, &found.units[0].because[..]), (&unit("di-an"), &[dissolved][..]));
}

#[test]
fn before_the_plan_was_known_there_was_nothing() {
    let story = given();
    let nothing = Moment::at(Position(0), "2022-01-01T00:00:00Z".parse().unwrap());
    let found = difference(&story.facts, [nothing, story.moment(None, Some("2022-12-01"))], None, None);
    assert_eq!(found.cells.len(), 125);
    assert!(found.cells.iter().all(|cell| cell.before.is_none() && !cell.by_time));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A cell is named exactly where its figures differ, and each event named is one that only the later moment sees.
    #[test]
    fn what_is_named_is_what_differs(
        steps in steps(),
        ends in (any::<proptest::sample::Index>(), any::<proptest::sample::Index>()),
        days in (0_i64..3_200, 0_i64..400),
    ) {
        let told = tell(&steps);
        let story = &told.story;
        let position = |index: &proptest::sample::Index| Position(1 + index.index(story.facts.head().0 as usize) as u64);
        let (first, second) = (position(&ends.0), position(&ends.1));
        let from = moment(story, first.min(second), days.0);
        let to = moment(story, first.max(second), days.0 + days.1);
        let found = difference(&story.facts, [from, to], None, None);
        let named: BTreeSet<_> = found.cells.iter().map(|cell| (cell.unit.clone(), cell.indicator.clone())).collect();
        let views = [from, to].map(|moment| View::new(&story.facts, moment).unwrap());
        for of in story.plan.units.iter() {
            for about in story.plan.indicators.iter().filter(|about| story.plan.has_cell(of.level, about)) {
                let told = views.map(|view| {
                    let cell = view.in_force(&of.id, view.moment().as_of).then(|| view.cell(of, about));
                    cell.map(|cell| format!(
                        "{} {:?} {:?} {:?}", crate::story::told(&cell), cell.verdicts, cell.provisional, cell.degraded
                    ))
                });
                let is_named = named.contains(&(of.id.clone(), about.id.clone()));
                // What a line of the cell does not show is the mark and the instrument of the target.
                if told[0] != told[1] {
                    prop_assert!(is_named, "{} {}: {:?}", of.id, about.id, told);
                }
            }
        }
        for cell in &found.cells {
            prop_assert!(!cell.changed.is_empty());
            prop_assert_eq!(cell.by_time, cell.because.is_empty() && !cell.changed.contains(&"degraded"));
            for event in &cell.because {
                let recorded = story.log.iter().find(|recorded| recorded.event.id == *event).unwrap();
                let seen = |moment: Moment| recorded.position <= moment.cut && recorded.event.effective <= moment.as_of;
                prop_assert!(seen(to) && !seen(from));
            }
        }
        // Asked for one unit, the answer is the same but for the others.
        let one = story.plan.unit(&unit(DISTRICTS[0])).unwrap();
        let of_one = difference(&story.facts, [from, to], Some(one), None).cells;
        let expected: Vec<_> = found.cells.into_iter().filter(|cell| cell.unit == one.id).collect();
        prop_assert_eq!(of_one, expected);
    }
}
