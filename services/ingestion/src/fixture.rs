//! A log on a disk, and keys, for tests.

use event_log::{Log, Opened, Options, Writer};
use events::{ActorId, Event, EventData, PlanId, UnitChange, UnitChanged, UnitId};
use evidence::{Checkpoint, KeyName, SEED_BYTES, SignedCheckpoint, SigningKey};
use std::path::Path;

/// A log with a number of events.
pub(crate) struct TestLog {
    pub(crate) log: Log,
    writer: Writer,
    next: u64,
}

impl TestLog {
    pub(crate) fn open(directory: &Path, events: u64) -> TestLog {
        TestLog::open_numbered(directory, events, 0)
    }

    /// Events with other numbers are other events.
    pub(crate) fn open_numbered(directory: &Path, events: u64, from: u64) -> TestLog {
        let Opened { log, writer, .. } = event_log::open(directory, &plan(), Options::default()).unwrap();
        let mut test = TestLog { log, writer, next: from };
        test.append(events);
        test
    }

    pub(crate) fn append(&mut self, events: u64) {
        for number in self.next..self.next + events {
            self.writer.append(vec![vec![event(number)]], "2024-05-02T00:00:00Z".parse().unwrap()).unwrap();
        }
        self.next += events;
    }
}

pub(crate) fn plan() -> PlanId {
    PlanId::parse("binh-duong").unwrap()
}

pub(crate) fn name() -> KeyName {
    KeyName::parse("planwatch/binh-duong").unwrap()
}

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(name(), &[seed; SEED_BYTES])
}

/// What a log is now, signed.
pub(crate) fn signed(log: &Log, key: &SigningKey) -> SignedCheckpoint {
    let head = log.tree_head();
    Checkpoint::new(&name(), head.size, head.root).sign(&[key]).unwrap()
}

fn event(number: u64) -> Event {
    let data = UnitChanged {
        unit: UnitId::parse("ben-cat").unwrap(),
        change: UnitChange::Rename { name: format!("Bến Cát {number}") },
        revision: 1,
        effective: "2024-05-01".parse().unwrap(),
        instrument: "Nghị quyết".into(),
        reason: None,
        request_digest: None,
    };
    Event {
        id: events::ids::derived_id(&["test", &number.to_string()]),
        plan: plan(),
        effective: "2024-05-01T00:00:00Z".parse().unwrap(),
        actor: ActorId::parse("operator-0").unwrap(),
        traceparent: None,
        data: EventData::UnitChanged(data),
    }
}
