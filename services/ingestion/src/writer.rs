//! Admission on the writer's thread: what is known, and what it knows before it is durable.

use crate::admission::{self, Known, ParsedRequest, Slot};
use event_log::{Admission, Decision, Log, Stored};
use events::command::{Acceptance, Answer};
use events::{Event, EventId, Position, Recorded, Timestamp};
use indicators::{ApplyError, Facts, Preparer};
use std::collections::HashMap;
use std::ops::ControlFlow;
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
    /// Admitted, not yet durable, by their ids.
    pending: HashMap<EventId, Recorded>,
}

impl Writing {
    /// Folds a log from nothing.
    pub(crate) fn fold(log: Log) -> Result<Writing, ApplyError> {
        let facts = fold(&log)?;
        Ok(Writing { facts, log, pending: HashMap::new() })
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

/// Folds a log from its first position to its head.
pub(crate) fn fold(log: &Log) -> Result<Facts, ApplyError> {
    let (mut facts, preparer) = (Facts::new(), Preparer::new());
    let mut applied = Ok(());
    let prepare = |run: Vec<Stored>| preparer.prepare(run.iter().map(|stored| &*stored.bytes));
    log.read_ahead(Position(1), log.head(), prepare, |batch| {
        applied = facts.apply_batch(batch);
        if applied.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
    .expect("a log that has opened can be read up to its head");
    applied.map(|()| facts)
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

    fn committed(&mut self, _recorded: &[Recorded]) {
        self.pending.clear();
    }

    fn rolled_back(&mut self, log: &Log) {
        self.pending.clear();
        self.facts = fold(log).expect("the log was folded before and holds no more than then");
    }
}
