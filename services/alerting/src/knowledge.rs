//! What alerting knows: the facts folded so far, and what in them the rules have not looked at yet.

use crate::in_flight::Transition;
use crate::rules::{Decided, Scope, decide, next_instant};
use event_log::{Log, ReadError, ReadLimit};
use events::wire::{self, ReadError as WireError};
use events::{EventData, Position, Timestamp, UnitId};
use indicators::{Facts, FoldError, Moment, View};
use std::sync::atomic::{AtomicBool, Ordering};
use thiserror::Error;

/// Why alerting cannot go on folding.
#[derive(Debug, Error)]
pub(crate) enum KnowledgeError {
    /// The copy of the log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// An event is of a type that this version does not know, or none of ours.
    #[error(transparent)]
    Event(#[from] WireError),
    /// The log does not begin with a plan, or an event is missing.
    #[error(transparent)]
    Fold(#[from] FoldError),
}

/// The facts, and what is to be looked at.
pub(crate) struct Knowledge {
    log: Log,
    facts: Facts,
    /// What has changed since the rules last looked.
    scope: Scope,
    /// Up to when the clock's own changes have been looked at.
    looked_until: Option<Timestamp>,
    /// What was recorded about alerts since this was last taken.
    seen: Vec<Transition>,
}

impl Knowledge {
    /// Knows nothing yet: everything is to be folded and looked at.
    pub(crate) fn new(log: Log) -> Knowledge {
        Knowledge {
            log,
            facts: Facts::new(),
            scope: Scope::everything(),
            looked_until: None,
            seen: Vec::new(),
        }
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Folds the log copy up to its head, or until `stopping` says so between two pages.
    pub(crate) fn catch_up(&mut self, stopping: &AtomicBool) -> Result<(), KnowledgeError> {
        while self.facts.head() < self.log.head() && !stopping.load(Ordering::Relaxed) {
            for stored in self.log.read(self.facts.head().next(), ReadLimit::default())? {
                self.fold(&stored.bytes)?;
            }
        }
        Ok(())
    }

    fn fold(&mut self, bytes: &[u8]) -> Result<(), KnowledgeError> {
        let recorded = match wire::read(bytes) {
            Ok(recorded) => recorded,
            // Its unit is set aside: the rules say nothing of it until a version that reads it has folded it.
            Err(WireError::Data { envelope, reason }) => {
                let unit = UnitId::parse(&envelope.subject).ok();
                self.facts.apply_unreadable(envelope.position, envelope.recorded_at, unit, &reason)?;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        self.facts.apply(&recorded)?;
        self.seen.extend(Transition::recorded(&recorded.event.data));
        if !self.scope.is_everything() {
            self.touch(&recorded.event.data);
        }
        Ok(())
    }

    fn touch(&mut self, data: &EventData) {
        if let Some(adopted) = self.facts.adopted() {
            let touched = Scope::touched_by(&adopted.plan, data);
            self.scope.merge(touched);
        }
    }

    /// What was recorded about alerts since this was last asked.
    pub(crate) fn take_seen(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.seen)
    }

    /// Has these cells looked at again.
    pub(crate) fn look_again(&mut self, scope: Scope) {
        self.scope.merge(scope);
    }

    /// Decides what follows from everything folded and from the clock; nothing before the plan is adopted.
    pub(crate) fn decide(&mut self, clock: Timestamp) -> Vec<Decided> {
        let now = self.now(clock);
        if self.next_instant().is_some_and(|instant| instant <= now) {
            self.scope = Scope::everything();
        }
        let Some(view) = View::new(&self.facts, Moment::at(self.facts.head(), now)) else {
            return Vec::new();
        };
        let decided = if self.scope.is_empty() { Vec::new() } else { decide(&view, &self.scope) };
        self.scope = Scope::nothing();
        self.looked_until = Some(now);
        decided
    }

    /// When the clock alone can change something next; none before the first decision.
    pub(crate) fn next_instant(&self) -> Option<Timestamp> {
        let looked_until = self.looked_until?;
        let view = View::new(&self.facts, Moment::at(self.facts.head(), looked_until))?;
        next_instant(&view, looked_until)
    }

    /// The present as the rules see it: never before what is recorded nor before what was looked at.
    fn now(&self, clock: Timestamp) -> Timestamp {
        let known = self.facts.head_recorded_at().into_iter().chain(self.looked_until);
        known.fold(clock, Timestamp::max)
    }

    /// The units whose events are set aside, in words, if there are any.
    pub(crate) fn set_aside(&self) -> Option<String> {
        let parked = self.facts.parked();
        let (unit, first) = parked.iter().min_by_key(|(_, parked)| parked.since)?;
        let unit = unit.as_ref().map_or("the plan".to_owned(), |unit| format!("`{unit}`"));
        Some(format!(
            "the events of {} unit(s) are set aside, first of {unit} from position {} on: {}; install a version that reads them",
            parked.len(),
            first.since,
            first.why
        ))
    }

    /// The position up to which everything is folded.
    pub(crate) fn position(&self) -> Position {
        self.facts.head()
    }
}
