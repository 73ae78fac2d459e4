//! Admission on the writer's thread: what is known, and what it knows before it is durable.

use crate::admission::{self, Known, ParsedRequest, Slot};
use event_log::{Admission, Decision, Log};
use events::command::{Acceptance, Answer};
use events::{Event, EventId, Position, Recorded, Timestamp};
use indicators::Facts;
use snapshots::{FoldError, Loaded};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// A request on its way to the writer, with a place for the answers of what was recorded before.
pub(crate) struct Submission {
    pub(crate) request: ParsedRequest,
    /// One place for each thing asked for.
    pub(crate) places: Arc<OnceLock<Vec<Place>>>,
}

/// Where the answer for one thing that was asked for comes from.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// It is recorded now.
    New,
    /// It was recorded before.
    Before(Acceptance),
    /// It is the same as the one in this place.
    Repeat(usize),
}

/// Puts the answers in the places of what was asked for.
pub(crate) fn arrange(places: &[Place], new: impl IntoIterator<Item = Acceptance>) -> Vec<Acceptance> {
    let mut new = new.into_iter();
    let mut arranged: Vec<Acceptance> = Vec::with_capacity(places.len());
    for place in places {
        let acceptance = match place {
            Place::New => new.next().expect("each new event was recorded"),
            Place::Before(acceptance) => acceptance.clone(),
            Place::Repeat(earlier) => arranged[*earlier].clone(),
        };
        arranged.push(acceptance);
    }
    arranged
}

/// Everything recorded, and what this commit adds to it.
pub(crate) struct Writing {
    facts: Facts,
    log: Log,
    /// Where facts are kept for the next start.
    snapshots: PathBuf,
    /// Admitted, not yet durable, by their ids.
    pending: HashMap<EventId, Recorded>,
}

impl Writing {
    /// Folds a log up to its head from what was kept in a directory; `ahead` is what was loaded from there.
    pub(crate) fn fold(log: Log, snapshots: PathBuf, ahead: Option<Loaded>) -> Result<Writing, FoldError> {
        let facts = snapshots::fold(&log, &snapshots, ahead, || true)?;
        Ok(Writing { facts, log, snapshots, pending: HashMap::new() })
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Takes admitted events for granted, as if they were recorded at the positions they will get.
    fn apply(&mut self, events: &[Event], first: Position, now: Timestamp) {
        for (offset, event) in (0..).zip(events) {
            let recorded =
                Recorded { position: Position(first.0 + offset), recorded_at: now, event: event.clone() };
            self.facts.apply(&recorded).expect("admitted events follow each other");
            self.pending.insert(event.id, recorded);
        }
    }
}

impl Admission for Writing {
    type Command = Submission;
    type Refusal = Answer;

    fn admit(&mut self, command: &Submission, next: Position, now: Timestamp) -> Decision<Answer> {
        let find = |id: &EventId| {
            self.pending.get(id).cloned().or_else(|| {
                let stored = self.log.event_by_id(id).ok().flatten()?;
                events::wire::read(&stored.bytes).ok()
            })
        };
        let known = Known { facts: &self.facts, now, find: &find, fresh_id: &uuid::Uuid::now_v7 };
        match admission::admit(&known, &command.request) {
            admission::Decision::Answer(answer) => Decision::Answer(answer),
            admission::Decision::Record(slots) => {
                let mut events = Vec::with_capacity(slots.len());
                let mut places = Vec::with_capacity(slots.len());
                for slot in slots {
                    match slot {
                        Slot::New { event, .. } => {
                            events.push(*event);
                            places.push(Place::New);
                        }
                        Slot::Before(acceptance) => places.push(Place::Before(acceptance)),
                        Slot::Repeat(place) => places.push(Place::Repeat(place)),
                    }
                }
                let _ = command.places.set(places);
                self.apply(&events, next, now);
                Decision::Record(events)
            }
        }
    }

    fn committed(&mut self, _recorded: &[Vec<Recorded>]) {
        self.pending.clear();
    }

    fn rolled_back(&mut self, log: &Log) {
        self.pending.clear();
        self.facts = snapshots::fold(log, &self.snapshots, None, || true)
            .expect("the log was folded before and holds no more than then");
    }
}
