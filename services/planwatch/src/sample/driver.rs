//! The driver: lives through the years of the sample, with its own clock and no disk.

use super::history::Entry;
use alerting::rules::{Scope, decide, next_instant};
use anyhow::{Context, bail};
use events::command::{Answer, Operation, Request};
use events::ids::derived_id;
use events::{ActorId, Event, EventId, Position, Recorded, Timestamp};
use indicators::{Applied, Facts, Moment, View};
use ingestion::admission::{Decision, Known, ParsedRequest, Slot, admit};
use jiff::SignedDuration;
use plan::Plan;
use std::collections::HashMap;

/// How many rounds of decisions may follow one event; the rules come to rest after one.
const ROUNDS_LIMIT: usize = 8;
/// The hour of the day at which the plan is adopted.
const ADOPTION_HOUR: i64 = 9;

/// A sample that was lived through.
pub(super) struct Loaded {
    /// What is to be appended, with the instant at which the log takes it in.
    pub(super) commits: Vec<(Timestamp, Vec<Event>)>,
    /// The state at the end.
    pub(super) facts: Facts,
}

pub(super) struct Driver<'a> {
    plan: &'a Plan,
    now: Timestamp,
    facts: Facts,
    commits: Vec<(Timestamp, Vec<Event>)>,
    by_id: HashMap<EventId, Recorded>,
}

impl<'a> Driver<'a> {
    /// Adopts the plan on its day, lets every entry come on its own, and lets the rules decide up to the day
    /// after the last one.
    pub(super) fn live_through(plan: &'a Plan, entries: &[Entry]) -> anyhow::Result<Loaded> {
        let adopted = plan.calendar.start_of_day(plan.adopted) + SignedDuration::from_hours(ADOPTION_HOUR);
        let mut driver =
            Driver { plan, now: adopted, facts: Facts::new(), commits: Vec::new(), by_id: HashMap::new() };
        for event in ingestion::adoption_events(plan, true) {
            driver.record(event)?;
        }
        driver.settle(&Scope::everything())?;
        for (number, entry) in (1..).zip(entries) {
            driver.take_in(entry).with_context(|| format!("line {number} of the sample history"))?;
        }
        if let Some(last) = entries.last() {
            driver.advance_to(last.day + SignedDuration::from_hours(24))?;
        }
        Ok(Loaded { commits: driver.commits, facts: driver.facts })
    }

    fn take_in(&mut self, entry: &Entry) -> anyhow::Result<()> {
        self.advance_to(entry.day)?;
        let body = entry.body.get();
        let id = derived_id(&["sample", self.plan.id.as_str(), &entry.day.to_string(), body]);
        let actor = ActorId::parse("sample").expect("the name is a slug");
        let scope = self.admit(entry.operation, actor, body.to_owned(), id)?;
        self.settle(&scope)
    }

    /// Moves the clock, with a stop wherever it alone can change something.
    fn advance_to(&mut self, instant: Timestamp) -> anyhow::Result<()> {
        if instant < self.now {
            bail!("{instant} lies before {}, which came earlier in the file", self.now);
        }
        while let Some(stop) = next_instant(&self.view(), self.now).filter(|stop| *stop <= instant) {
            self.now = stop;
            self.settle(&Scope::everything())?;
        }
        self.now = instant;
        Ok(())
    }

    /// Lets the rules decide until nothing follows.
    fn settle(&mut self, scope: &Scope) -> anyhow::Result<()> {
        for _ in 0..ROUNDS_LIMIT {
            let decided = decide(&self.view(), scope);
            if decided.is_empty() {
                return Ok(());
            }
            for decision in decided {
                let request = alerting::request(&decision, self.now);
                // The id of what happens to an alert follows from its episode; this one is never asked for.
                let unused = EventId::nil();
                self.admit(request.operation, request.actor, request.body, unused)?;
            }
        }
        bail!("the rules went on deciding after {ROUNDS_LIMIT} rounds at {}", self.now)
    }

    fn admit(
        &mut self,
        operation: Operation,
        actor: ActorId,
        body: String,
        id: EventId,
    ) -> anyhow::Result<Scope> {
        let request = Request {
            operation,
            actor,
            may_enter_history: true,
            request_id: None,
            idempotency_key: None,
            traceparent: None,
            decided_at: Some(self.now),
            dry_run: false,
            subject: None,
            body,
        };
        let refused = |answer: Answer| anyhow::anyhow!("admission answered {answer:?}");
        let request = ParsedRequest::read(request).map_err(refused)?;
        let by_id = &self.by_id;
        let known =
            Known { facts: &self.facts, now: self.now, find: &|id| by_id.get(id).cloned(), fresh_id: &|| id };
        let slots = match admit(&known, &request) {
            Decision::Record(slots) => slots,
            Decision::Answer(answer) => return Err(refused(answer)),
        };
        let mut scope = Scope::nothing();
        for slot in slots {
            let Slot::New { event, .. } = slot else { bail!("it was recorded before") };
            let data = event.data.clone();
            self.record(*event)?;
            scope.merge(Scope::touched_by(&self.facts, &data));
        }
        Ok(scope)
    }

    fn record(&mut self, event: Event) -> anyhow::Result<()> {
        let position = Position(self.facts.head().0 + 1);
        let recorded = Recorded { position, recorded_at: self.now, event };
        if self.facts.apply(&recorded)? == Applied::Parked {
            bail!("event {position} cannot be folded: {:?}", self.facts.parked());
        }
        match self.commits.last_mut().filter(|(instant, _)| *instant == self.now) {
            Some((_, events)) => events.push(recorded.event.clone()),
            None => self.commits.push((self.now, vec![recorded.event.clone()])),
        }
        self.by_id.insert(recorded.event.id, recorded);
        Ok(())
    }

    fn view(&self) -> View<'_> {
        let moment = Moment::at(self.facts.head(), self.now);
        View::new(&self.facts, moment).expect("the plan is the first thing recorded")
    }
}
