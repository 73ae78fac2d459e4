//! Events that cannot be folded: their unit is set aside, what they touch is degraded, the rest goes on.

use crate::segments::dump;
use crate::story::{Ask, PROVINCE, Story, given, rate, unit};
use events::{Position, Recorded};
use indicators::{Applied, ApplyError, Facts, FoldError};

/// Bytes of the story's next report, with data that no version can read.
pub(crate) fn poison(story: &mut Story, of: &str) -> Vec<u8> {
    let mut other = story.clone();
    other.report(of, "2024", [rate("life-skills", 1, 2)]);
    let written = events::wire::write(other.log.last().unwrap()).unwrap();
    String::from_utf8(written).unwrap().replace("\"lines\":[", "\"lines\":7,\"spoilt\":[").into_bytes()
}

fn with_poison() -> (Story, Position) {
    let mut story = given();
    story.on("2023-11-20").all_report("2023", |_| vec![rate("life-skills", 3, 10)]);
    story.on("2024-11-20");
    let since = story.next();
    let bytes = poison(&mut story, "di-an");
    assert_eq!(story.facts.apply_bytes(&bytes).unwrap(), Applied::Parked);
    (story, since)
}

#[test]
fn an_unreadable_event_degrades_its_units_cells_and_the_provinces_sums() {
    let (story, since) = with_poison();
    let view = story.as_of("2024-12-31");
    // The story's own log does not hold the poison: look at the very head.
    let moment = indicators::Moment { cut: story.facts.head(), ..view.moment() };
    let view = indicators::View::new(&story.facts, moment).unwrap();
    let spoilt = view.ask("di-an", "life-skills");
    assert_eq!((spoilt.status, spoilt.degraded.unwrap().since), (None, since));
    assert_eq!(view.ask(PROVINCE, "life-skills").degraded.unwrap().since, since);
    assert_eq!(view.ask(PROVINCE, "learning-districts").status, None);
    // What it does not touch goes on.
    assert_eq!(view.status("bau-bang", "life-skills"), "no-baseline");
    assert_eq!(view.ask(PROVINCE, "learning-province").degraded, None);
    // Before its position nothing was degraded.
    let before = indicators::Moment { cut: Position(since.0 - 1), ..moment };
    let before = indicators::View::new(&story.facts, before).unwrap();
    assert_eq!(before.status("di-an", "life-skills"), "no-baseline");
}

#[test]
fn later_events_of_a_parked_unit_are_set_aside_with_it() {
    let (mut story, since) = with_poison();
    story.report("di-an", "2023", [rate("life-skills", 9, 10)]);
    story.report("bau-bang", "2024", [rate("life-skills", 9, 10)]);
    let parked = &story.facts.parked()[&Some(unit("di-an"))];
    assert_eq!((parked.since, parked.events), (since, 2));
    assert_eq!(story.facts.revisions(&unit("di-an"), events::Period(2023)).len(), 1);
    assert_eq!(story.facts.revisions(&unit("bau-bang"), events::Period(2024)).len(), 1);
}

#[test]
fn a_parked_event_leaves_the_digest_and_moves_the_head() {
    let mut story = given();
    let digest = story.facts.digest();
    let head = story.facts.head();
    story.on("2024-11-20");
    let bytes = poison(&mut story, "di-an");
    story.facts.apply_bytes(&bytes).unwrap();
    assert_eq!(story.facts.digest(), digest);
    assert_eq!(story.facts.head(), head.next());
}

#[test]
fn an_unknown_version_stops_the_fold() {
    let mut story = given();
    story.report("di-an", "2023", [rate("life-skills", 1, 2)]);
    let last = story.log.pop().unwrap();
    let newer = String::from_utf8(events::wire::write(&last).unwrap()).unwrap();
    let newer = newer.replace("report-submitted.v1", "report-submitted.v2");
    let mut facts = Facts::new();
    for recorded in &story.log {
        facts.apply(recorded).unwrap();
    }
    let before = dump(&facts);
    let error = facts.apply_bytes(newer.as_bytes()).unwrap_err();
    assert!(matches!(error, ApplyError::Read(events::wire::ReadError::UnknownType { .. })), "{error}");
    assert_eq!(dump(&facts), before);
}

#[test]
fn a_log_begins_with_its_plan() {
    let story = given();
    let target = Recorded { position: Position(1), ..story.log[1].clone() };
    let mut facts = Facts::new();
    assert!(matches!(facts.apply(&target), Err(FoldError::NoPlan { position: Position(1), .. })));
    let mut spoilt = story.log[0].clone();
    if let events::EventData::PlanAdopted(data) = &mut spoilt.event.data {
        data.plan = serde_json::json!({"id": "binh-duong"});
    }
    assert!(matches!(facts.apply(&spoilt), Err(FoldError::NoPlan { .. })));
    assert_eq!((facts.head(), facts.head_recorded_at()), (Position::START, None));
    assert_eq!(dump(&facts), dump(&Facts::new()));
    // Nothing stands in the way of the right one.
    facts.apply(&story.log[0]).unwrap();
    assert_eq!(facts.head(), Position(1));
}
