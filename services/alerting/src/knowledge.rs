//! What alerting knows: the facts folded so far, and what in them the rules have not looked at yet.

use crate::in_flight::Transition;
use crate::rules::{Decided, Scope, decide, next_instant};
use event_log::{Log, ReadError, ReadLimit, Stored};
use events::wire::{self, ReadError as WireError};
use events::{EventData, Position, Timestamp, UnitId};
use indicators::{ApplyError, Facts, FoldError, Moment, Preparer, View};
use snapshots::Loaded;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use thiserror::Error;

/// From so many events on that are to be folded they are decoded ahead, on several threads.
const FAR_BEHIND_EVENTS: u64 = 2_048;

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

impl From<ApplyError> for KnowledgeError {
    fn from(error: ApplyError) -> KnowledgeError {
        match error {
            ApplyError::Read(error) => KnowledgeError::Event(error),
            ApplyError::Fold(error) => KnowledgeError::Fold(error),
        }
    }
}

impl From<snapshots::FoldError> for KnowledgeError {
    fn from(error: snapshots::FoldError) -> KnowledgeError {
        match error {
            snapshots::FoldError::Read(error) => error.into(),
            snapshots::FoldError::Apply(error) => error.into(),
        }
    }
}

/// The facts, and what is to be looked at.
pub(crate) struct Knowledge {
    log: Log,
    facts: Facts,
    /// What has changed since the rules last looked.
    scope: Scope,
    /// When the rules last looked, by the clock of then.
    looked_at: Option<Timestamp>,
    /// What was recorded about alerts since this was last taken.
    seen: Vec<Transition>,
    /// What the first fold goes on from.
    kept: Option<Kept>,
}

/// Facts of an earlier run.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Where they are kept.
    pub(crate) directory: PathBuf,
    /// What was loaded from there already.
    pub(crate) ahead: Option<Loaded>,
}

impl Knowledge {
    /// Knows nothing yet: everything is to be folded and looked at.
    pub(crate) fn new(log: Log, kept: Option<Kept>) -> Knowledge {
        let (facts, scope) = (Facts::new(), Scope::everything());
        Knowledge { log, facts, scope, looked_at: None, seen: Vec::new(), kept }
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Folds the log copy up to its head, or until `stopping` says so between two pages.
    pub(crate) fn catch_up(&mut self, stopping: &AtomicBool) -> Result<(), KnowledgeError> {
        if self.log.head().0 > FAR_BEHIND_EVENTS
            && let Some(Kept { directory, ahead }) = self.kept.take()
        {
            // Nothing is in flight yet: what was recorded about alerts need not be told.
            self.facts = snapshots::fold(&self.log, &directory, ahead, || !stopping.load(Ordering::Relaxed))?;
        }
        self.kept = None;
        while self.facts.head() < self.log.head() && !stopping.load(Ordering::Relaxed) {
            if self.scope.is_everything() && self.log.head().0 - self.facts.head().0 > FAR_BEHIND_EVENTS {
                self.catch_up_ahead(stopping)?;
                continue;
            }
            for stored in self.log.read(self.facts.head().next(), ReadLimit::default())? {
                self.fold(&stored.bytes)?;
            }
        }
        Ok(())
    }

    /// Folds up to the present head with events decoded ahead: where everything is to be looked at anyway, what
    /// each report touches need not be known.
    fn catch_up_ahead(&mut self, stopping: &AtomicBool) -> Result<(), KnowledgeError> {
        let Knowledge { log, facts, seen, .. } = self;
        let preparer = Preparer::of(facts);
        let mut applied = Ok(());
        let prepare = |run: Vec<Stored>| preparer.prepare(run.iter().map(|stored| &*stored.bytes));
        log.read_ahead(facts.head().next(), log.head(), prepare, |batch| {
            seen.extend(batch.others().filter_map(|recorded| Transition::recorded(&recorded.event.data)));
            applied = facts.apply_batch(batch);
            let goes_on = applied.is_ok() && !stopping.load(Ordering::Relaxed);
            if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(applied?)
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
        let touched = Scope::touched_by(&self.facts, data);
        self.scope.merge(touched);
    }

    /// What was recorded about alerts since this was last asked.
    pub(crate) fn take_seen(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.seen)
    }

    /// Has these cells looked at again.
    pub(crate) fn look_again(&mut self, scope: Scope) {
        self.scope.merge(scope);
    }

    /// Decides what follows from everything folded and from the clock; nothing before the plan is adopted. Gives
    /// the moment at which it was decided as well.
    pub(crate) fn decide(&mut self, clock: Timestamp) -> (Timestamp, Vec<Decided>) {
        let now = self.now(clock);
        let went_back = self.looked_at.is_some_and(|looked_at| now < looked_at);
        if went_back || self.is_due(clock) {
            self.scope = Scope::everything();
        }
        let Some(view) = View::new(&self.facts, Moment::at(self.facts.head(), now)) else {
            return (now, Vec::new());
        };
        let decided = if self.scope.is_empty() { Vec::new() } else { decide(&view, &self.scope) };
        self.scope = Scope::nothing();
        self.looked_at = Some(now);
        (now, decided)
    }

    /// When the clock alone can change something next; none before the first decision.
    pub(crate) fn next_instant(&self) -> Option<Timestamp> {
        let looked_at = self.looked_at?;
        let view = View::new(&self.facts, Moment::at(self.facts.head(), looked_at))?;
        next_instant(&view, looked_at)
    }

    /// The present as the rules see it: never before what is recorded. A clock that had leapt ahead and was set
    /// right leaves nothing behind: what it said is no evidence, what is recorded is.
    fn now(&self, clock: Timestamp) -> Timestamp {
        self.facts.head_recorded_at().map_or(clock, |recorded| recorded.max(clock))
    }

    /// Whether the clock alone may change something now.
    pub(crate) fn is_due(&self, clock: Timestamp) -> bool {
        let now = self.now(clock);
        self.looked_at.is_none() || self.next_instant().is_some_and(|instant| instant <= now)
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

#[cfg(test)]
mod tests {
    use super::*;
    use event_log::{Copied, IndexKind, Opened, Options, Writer};
    use events::ids::derived_id;
    use events::{ActorId, Event, EventKind, PlanAdopted, Recorded, UnitChange, UnitChanged};
    use plan::Plan;
    use snapshots::{Keeper, SEGMENT_EVENTS, Snapshots};
    use tempfile::TempDir;

    static NOT_STOPPING: AtomicBool = AtomicBool::new(false);

    fn plan() -> Plan {
        let text = include_str!("../../../deploy/plans/binh-duong.toml");
        plan::file::read("binh-duong.toml", text).unwrap()
    }

    fn instant(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A log whose plan was adopted in March 2022 and whose last event is of `last_recorded`.
    fn given_a_log(last_recorded: &str) -> (TempDir, Writer, Knowledge) {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan();
        let options = Options { index: IndexKind::Memory, ..Options::default() };
        let Opened { log, mut writer, .. } = event_log::open(folder.path(), &plan.id, options).unwrap();
        let event = |name: &str, data| Event {
            id: derived_id(&["knowledge", name]),
            plan: plan.id.clone(),
            effective: plan.calendar.start_of_day(plan.adopted),
            actor: ActorId::parse("tester").unwrap(),
            traceparent: None,
            data,
        };
        let adopted = PlanAdopted { plan: plan.canonical(), digest: plan.digest(), sample: false };
        let renamed = UnitChanged {
            unit: "di-an".parse().unwrap(),
            change: UnitChange::Rename { name: "Dĩ An".into() },
            revision: 1,
            effective: plan.adopted,
            instrument: "1/NQ".into(),
            reason: None,
            request_digest: None,
        };
        let first = event("adopted", EventData::PlanAdopted(adopted));
        writer.append(vec![vec![first]], instant("2022-03-16T02:00:00Z")).unwrap();
        let last = event("renamed", EventData::UnitChanged(renamed));
        writer.append(vec![vec![last]], instant(last_recorded)).unwrap();
        (folder, writer, Knowledge::new(log, None))
    }

    /// Bytes as a version that this one cannot read would have written them.
    fn foreign(log: &Log, kind: &str, data: &str) -> Copied {
        let last = log.event_at(log.head()).unwrap().unwrap();
        let position = last.position.next();
        let text = String::from_utf8(last.bytes.to_vec()).unwrap();
        let (head, _) = text.split_once(",\"data\":").unwrap();
        let head = head
            .replace(&format!("{:020}", last.position.0), &format!("{:020}", position.0))
            .replace(&last.id.to_string(), &derived_id(&["foreign"]).to_string())
            .replace(EventKind::UnitChanged.name(), kind);
        Copied { position, bytes: format!("{head},\"data\":{data}}}").into() }
    }

    #[test]
    fn nothing_is_looked_at_twice_and_the_clock_opens_everything_again() {
        let (_folder, _writer, mut knowledge) = given_a_log("2022-03-17T02:00:00Z");
        assert_eq!(knowledge.decide(instant("2022-03-18T00:00:00Z")).1, [], "there is no plan yet");
        knowledge.catch_up(&NOT_STOPPING).unwrap();
        assert_eq!(knowledge.decide(instant("2022-03-18T00:00:00Z")).1, []);
        // The deadline of 2022 in the plan's time zone; nobody has reported.
        let deadline = instant("2022-11-30T17:00:00.001Z");
        assert_eq!(knowledge.next_instant(), Some(deadline));
        assert_eq!(knowledge.decide(instant("2022-11-30T17:00:00Z")).1, []);
        assert_eq!(knowledge.decide(deadline).1.len(), 10, "nine districts and the province are overdue");
        // Recording it is another's task: until then it is not looked at again.
        assert_eq!(knowledge.decide(instant("2022-12-02T00:00:00Z")).1, []);
        knowledge.look_again(Scope::of_cell(&"di-an".parse().unwrap(), None));
        assert_eq!(knowledge.decide(instant("2022-12-02T00:00:00Z")).1.len(), 1);
    }

    #[test]
    fn a_clock_behind_the_log_does_not_take_time_back() {
        let (_folder, _writer, mut knowledge) = given_a_log("2022-12-05T00:00:00Z");
        knowledge.catch_up(&NOT_STOPPING).unwrap();
        let decided = knowledge.decide(instant("2022-06-01T00:00:00Z")).1;
        assert_eq!(decided.len(), 10, "the log has passed the deadline");
    }

    #[test]
    fn a_clock_that_leapt_and_was_set_right_leaves_nothing_behind() {
        let (_folder, _writer, mut knowledge) = given_a_log("2022-03-17T02:00:00Z");
        knowledge.catch_up(&NOT_STOPPING).unwrap();
        assert_eq!(knowledge.decide(instant("2022-03-18T00:00:00Z")).1, []);
        // Nothing of this is recorded: ingestion stops at a leap.
        assert!(!knowledge.decide(instant("2024-06-01T00:00:00Z")).1.is_empty());
        knowledge.look_again(Scope::everything());
        assert_eq!(knowledge.decide(instant("2022-03-18T00:01:00Z")).1, [], "the clock is right again");
        assert_eq!(knowledge.next_instant(), Some(instant("2022-11-30T17:00:00.001Z")));
    }

    #[test]
    fn an_event_that_cannot_be_read_sets_its_unit_aside() {
        let (_folder, mut writer, mut knowledge) = given_a_log("2022-12-05T00:00:00Z");
        let poison = foreign(&writer.log(), "unit-changed", r#"{"unit":"di-an","change":"teleport"}"#);
        writer.append_copy(vec![poison]).unwrap();
        knowledge.catch_up(&NOT_STOPPING).unwrap();
        assert_eq!(knowledge.position(), Position(3));
        let why = knowledge.set_aside().unwrap();
        assert!(why.contains("`di-an` from position 3"), "{why}");
        let decided = knowledge.decide(instant("2022-12-05T00:00:00Z")).1;
        assert_eq!(decided.len(), 9, "nothing is said of di-an");
        assert!(decided.iter().all(|decided| decided.unit().as_str() != "di-an"));
    }

    #[test]
    fn an_event_of_an_unknown_type_stops_the_fold() {
        let (_folder, writer, mut knowledge) = given_a_log("2022-12-05T00:00:00Z");
        knowledge.catch_up(&NOT_STOPPING).unwrap();
        let unknown = foreign(&writer.log(), "unit-dreamt", "{}");
        let stopped = knowledge.fold(&unknown.bytes).unwrap_err().to_string();
        assert!(stopped.contains("unit-dreamt"), "{stopped}");
    }

    #[test]
    fn what_is_folded_about_alerts_is_seen_once() {
        let (_folder, _writer, mut knowledge) = given_a_log("2022-12-05T00:00:00Z");
        knowledge.catch_up(&NOT_STOPPING).unwrap();
        let decided = knowledge.decide(instant("2022-12-05T00:00:00Z")).1;
        let Some(Decided::Raise(raised)) = decided.into_iter().next() else { panic!("an overdue report") };
        let alert = raised.alert;
        let event = Event {
            id: derived_id(&["raised"]),
            plan: plan().id,
            effective: instant("2022-12-05T00:00:00Z"),
            actor: ActorId::parse("tester").unwrap(),
            traceparent: None,
            data: EventData::AlertRaised(raised),
        };
        let recorded =
            Recorded { position: Position(3), recorded_at: instant("2022-12-05T00:00:00Z"), event };
        knowledge.fold(&wire::write(&recorded).unwrap()).unwrap();
        assert_eq!(knowledge.take_seen(), [Transition::Raised(alert)]);
        assert_eq!(knowledge.take_seen(), []);
    }

    #[test]
    fn a_long_log_is_judged_the_same_from_nothing_and_from_what_was_kept() {
        let (folder, mut writer, mut plain) = given_a_log("2022-12-05T00:00:00Z");
        let recorded = wire::read(&writer.log().event_at(Position(2)).unwrap().unwrap().bytes).unwrap();
        let mut renamed = |names: std::ops::Range<u64>| {
            let event = |number: u64| Event {
                id: derived_id(&["renamed", &number.to_string()]),
                ..recorded.event.clone()
            };
            writer.append(vec![names.map(event).collect()], instant("2022-12-05T00:00:00Z")).unwrap();
        };
        renamed(0..FAR_BEHIND_EVENTS);
        plain.catch_up(&NOT_STOPPING).unwrap();
        let directory = folder.path().join("snapshots");
        let empty = Snapshots::open(directory.clone(), SEGMENT_EVENTS).unwrap();
        let mut keeper = Keeper::new(empty, &Facts::new());
        assert!(keeper.keep(plain.facts(), &plain.log));
        keeper.finish();
        renamed(FAR_BEHIND_EVENTS..FAR_BEHIND_EVENTS + 3);
        plain.catch_up(&NOT_STOPPING).unwrap();
        let ahead = Snapshots::load_ahead(&directory);
        assert!(ahead.is_some());
        let mut from_kept = Knowledge::new(plain.log.clone(), Some(Kept { directory, ahead }));
        from_kept.catch_up(&NOT_STOPPING).unwrap();
        assert_eq!(from_kept.facts().digest(), plain.facts().digest());
        let now = instant("2022-12-05T00:00:00Z");
        let (decided, from_nothing) = (from_kept.decide(now), plain.decide(now));
        assert_eq!(decided.1.len(), 10);
        assert_eq!(decided, from_nothing);
    }
}
