//! The audit of a system that was broken: every promise of the log, held against what was acknowledged.

use super::http::Http;
use super::load::{Acknowledged, send};
use super::system::System;
use super::wait::until_some;
use event_log::{IndexKind, OpenError, Opened, Options, ReadLimit};
use events::{PlanId, Position};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How many acknowledged reports of one audit are sent again.
const SENT_AGAIN: usize = 20;

/// One event of the log.
#[derive(Debug)]
pub struct Logged {
    /// Byte for byte as recorded.
    pub bytes: Vec<u8>,
    /// The same, read.
    pub event: Value,
}

impl Logged {
    fn from(bytes: &[u8]) -> Logged {
        let event = serde_json::from_slice(bytes).expect("an event is JSON");
        Logged { bytes: bytes.to_owned(), event }
    }

    /// The type's word, such as `report-submitted`.
    pub fn kind(&self) -> &str {
        let kind = self.event["type"].as_str().and_then(|kind| kind.split('.').nth(1));
        kind.expect("a type is planwatch.<word>.v<number>")
    }
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Box<RawValue>>,
    next: u64,
}

/// The whole log as the interface gives it, to the head that it has at the end of the reading.
#[track_caller]
pub fn events(http: &Http) -> Vec<Logged> {
    let mut events = Vec::new();
    let mut from = 1;
    loop {
        let answer = http.get(&format!("/api/v1/events?from={from}&limit=1000"));
        assert_eq!(answer.status, 200, "{}", answer.text);
        let page: Page = serde_json::from_str(&answer.text).expect("a page of events");
        if page.events.is_empty() {
            return events;
        }
        from = page.next;
        events.extend(page.events.iter().map(|event| Logged::from(event.get().as_bytes())));
    }
}

/// Where a service keeps its log, or its copy of the log, below a data directory.
pub fn log_folder(data: &Path, service: &str) -> PathBuf {
    let own = data.join(service).join("binh-duong");
    // The projection keeps its snapshots beside its copy.
    if service == "projection" { own.join("log") } else { own }
}

/// Opens a log whose holder is gone.
///
/// A process that another test of this executable starts has a copy of the lock until it runs its own program, so
/// a lock is waited for.
#[track_caller]
pub fn open_stopped(directory: &Path, options: &Options) -> Result<Opened, OpenError> {
    let plan = PlanId::parse("binh-duong").expect("it is an id");
    until_some("the lock is given back", || match event_log::open(directory, &plan, options.clone()) {
        Err(OpenError::InUse { .. }) => None,
        opened => Some(opened),
    })
}

/// The log in a stopped service's directory, read from its journal alone.
#[track_caller]
pub fn stopped_log(directory: &Path) -> Vec<Logged> {
    assert!(directory.join("journal").is_dir(), "there is no log in {}", directory.display());
    let options = Options { index: IndexKind::Memory, ..Options::default() };
    let opened = open_stopped(directory, &options).expect("the stopped log opens");
    let mut logged = Vec::new();
    let mut next = Position(1);
    while next <= opened.log.head() {
        for stored in opened.log.read(next, ReadLimit::default()).expect("the log can be read") {
            next = stored.position.next();
            logged.push(Logged::from(&stored.bytes));
        }
    }
    logged
}

/// Holds a running system to its promises. `acknowledged` is every report that was ever sent.
///
/// Nothing acknowledged is lost, nothing is there twice, positions have no gap, no alert was raised twice,
/// and the state is the one that the log alone gives.
#[track_caller]
pub fn audit(system: &System, acknowledged: &[Acknowledged]) {
    let events = events(system.http());
    audit_events(&events, acknowledged);
    let step = acknowledged.len().div_ceil(SENT_AGAIN).max(1);
    for before in acknowledged.iter().step_by(step) {
        let again = until_some("a report that is sent again is answered", || {
            send(system.http(), &before.key, &before.body).ok()
        });
        assert_eq!(again, *before, "the same key gives the same event");
    }
    audit_digest(system, events.len());
}

/// The part of [`audit`] that needs nothing but the events.
#[track_caller]
pub fn audit_events(events: &[Logged], acknowledged: &[Acknowledged]) {
    let mut ids = BTreeSet::new();
    let mut recorded_at = String::new();
    for (index, logged) in events.iter().enumerate() {
        let event = &logged.event;
        assert_eq!(event["sequence"], format!("{:020}", index + 1), "positions have no gap");
        assert!(ids.insert(event["id"].to_string()), "{} is there twice", event["id"]);
        let recorded = event["recordedtime"].as_str().expect("a recorded time").to_owned();
        assert!(recorded_at <= recorded, "recorded times never decrease: {recorded_at}, {recorded}");
        recorded_at = recorded;
    }
    for report in acknowledged {
        let index = usize::try_from(report.position).expect("a position is small") - 1;
        let found = events.get(index).map(|logged| &logged.event["id"]);
        assert_eq!(found, Some(&Value::from(report.event.as_str())), "{report:?} is lost");
    }
    let reports = events.iter().filter(|logged| logged.kind() == "report-submitted").count();
    let keys: BTreeSet<&str> = acknowledged.iter().map(|report| report.key.as_str()).collect();
    assert_eq!(reports, keys.len(), "one event for each key, and none besides");
    audit_alerts(events);
}

/// No episode is raised twice, none is resolved that is not open, and no cell has two open by one rule.
#[track_caller]
fn audit_alerts(events: &[Logged]) {
    let mut episodes = BTreeSet::new();
    let mut alerts = BTreeSet::new();
    let mut open = BTreeMap::new();
    for logged in events {
        let data = &logged.event["data"];
        let alert = data["alert"].to_string();
        match logged.kind() {
            "alert-raised" => {
                // Overdue reports and missed reviews are counted for each period of their own.
                let counted_by_period = matches!(data["rule"].as_str(), Some("overdue" | "missed"));
                let period = if counted_by_period { data["period"].to_string() } else { String::new() };
                let cell =
                    [data["rule"].to_string(), data["unit"].to_string(), data["indicator"].to_string()]
                        .join(" ")
                        + &period;
                assert!(episodes.insert((cell.clone(), data["episode"].as_u64())), "raised twice: {data}");
                assert!(alerts.insert(alert.clone()), "raised twice: {data}");
                let other = open.insert(cell, alert);
                assert_eq!(other, None, "one is open already: {data}");
            }
            "alert-resolved" => {
                let before = open.len();
                open.retain(|_, opened| *opened != alert);
                assert_eq!(open.len() + 1, before, "resolved without being open: {data}");
            }
            _ => {}
        }
    }
}

/// What the projection says of a position is what a replay from nothing gives.
#[track_caller]
fn audit_digest(system: &System, head: usize) {
    let status = until_some("the projection has everything", || {
        let answer = system.http().get(&format!("/api/v1/status?at_least={head}&unit=di-an"));
        (answer.status == 200).then(|| answer.json())
    });
    let position = status["position"].to_string();
    let replayed = system.command(&["replay", "--json", "--to-position", &position]);
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    let replayed: Value = serde_json::from_slice(&replayed.stdout).expect("a line of JSON");
    assert_eq!((&replayed["position"], &replayed["digest"]), (&status["position"], &status["digest"]));
}

/// Holds a stopped system to its promises: the log is sound, and the followers' copies are its beginning,
/// byte for byte.
#[track_caller]
pub fn audit_stopped(system: &System, acknowledged: &[Acknowledged]) {
    let folder = |service: &str| log_folder(&system.data(), service);
    let verified = system.stopped_command(&["log", "verify", "--json"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let log = stopped_log(&folder("ingestion"));
    audit_events(&log, acknowledged);
    for follower in ["projection", "alerting"] {
        let copy = stopped_log(&folder(follower));
        assert!((1..=log.len()).contains(&copy.len()), "{follower} holds {} of {}", copy.len(), log.len());
        for (own, copied) in log.iter().zip(&copy) {
            assert_eq!(own.bytes, copied.bytes, "{follower} has another event");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A log of events of these kinds, each with its data; ids are the positions.
    fn log(events: &[(&str, Value)]) -> Vec<Logged> {
        let logged = events.iter().enumerate().map(|(index, (kind, data))| {
            let event = json!({
                "id": index.to_string(), "sequence": format!("{:020}", index + 1), "data": data,
                "type": format!("planwatch.{kind}.v1"), "recordedtime": "2024-01-01T00:00:00.000Z",
            });
            Logged::from(event.to_string().as_bytes())
        });
        logged.collect()
    }

    fn report() -> (&'static str, Value) {
        ("report-submitted", Value::Null)
    }

    fn raised(alert: &str, episode: u64) -> (&'static str, Value) {
        let cell = json!({"alert": alert, "rule": "behind", "unit": "di-an", "indicator": "life-skills", "episode": episode});
        ("alert-raised", cell)
    }

    fn resolved(alert: &str) -> (&'static str, Value) {
        ("alert-resolved", json!({"alert": alert}))
    }

    fn acknowledged(event: &str, position: u64) -> Acknowledged {
        let text = String::new;
        Acknowledged { key: event.to_owned(), body: text(), event: event.to_owned(), position }
    }

    #[test]
    fn a_sound_log_passes() {
        let events = log(&[report(), raised("a", 1), resolved("a"), raised("b", 2), report(), resolved("b")]);
        audit_events(&events, &[acknowledged("0", 1), acknowledged("4", 5)]);
    }

    #[test]
    #[should_panic(expected = "is lost")]
    fn a_report_that_is_not_where_it_was_acknowledged_is_found() {
        audit_events(&log(&[report(), report()]), &[acknowledged("0", 1), acknowledged("9", 2)]);
    }

    #[test]
    #[should_panic(expected = "is lost")]
    fn a_report_beyond_the_end_is_found() {
        audit_events(&log(&[report()]), &[acknowledged("0", 1), acknowledged("1", 2)]);
    }

    #[test]
    #[should_panic(expected = "one event for each key")]
    fn a_report_that_was_recorded_twice_is_found() {
        audit_events(&log(&[report(), report()]), &[acknowledged("0", 1)]);
    }

    #[test]
    #[should_panic(expected = "positions have no gap")]
    fn a_gap_is_found() {
        let mut events = log(&[report(), report(), report()]);
        events.remove(1);
        audit_events(&events, &[acknowledged("0", 1), acknowledged("2", 2)]);
    }

    #[test]
    #[should_panic(expected = "raised twice")]
    fn an_episode_that_was_raised_twice_is_found() {
        audit_events(&log(&[raised("a", 1), resolved("a"), raised("b", 1)]), &[]);
    }

    #[test]
    #[should_panic(expected = "one is open already")]
    fn a_second_open_alert_of_a_cell_is_found() {
        audit_events(&log(&[raised("a", 1), raised("b", 2)]), &[]);
    }

    #[test]
    #[should_panic(expected = "resolved without being open")]
    fn an_alert_that_ended_twice_is_found() {
        audit_events(&log(&[raised("a", 1), resolved("a"), resolved("a")]), &[]);
    }
}
