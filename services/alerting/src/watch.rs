//! The watch: folds what comes, decides, and sees to it that ingestion records what was decided.

use crate::in_flight::{Group, InFlight, Place};
use crate::knowledge::{Kept, Knowledge};
use crate::request::request;
use crate::rules::Decided;
use bus::{Bus, Link, LogRead, RequestError};
use event_log::Log;
use events::command::Answer;
use events::{PlanId, Position, Timestamp};
use service::{Check, Doubt};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// The service that records, and its endpoint.
const RECORDER: &str = "ingestion";
const RECORD: &str = "submit";
/// How long ingestion may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How many cells' decisions are on their way to ingestion at once; the rest waits its turn.
const SENT_AT_ONCE: usize = 64;
/// Everything is looked at at least this often, so that a clock that was set and an event that was
/// misjudged are noticed.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(60);
/// How often it is said at most that ingestion does not take decisions.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);
/// How long to wait before asking again whether the fold has everything.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// What the watch works with.
pub(crate) struct Watch {
    pub(crate) bus: Bus,
    pub(crate) plan: PlanId,
    pub(crate) log: Log,
    /// Facts of an earlier run.
    pub(crate) kept: Option<Kept>,
    /// How the deciding goes.
    pub(crate) check: Check,
    /// Why the log must not be believed: then nothing is decided.
    pub(crate) doubt: Doubt,
    /// True once the service stops.
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) stopping: Arc<AtomicBool>,
}

/// Why ingestion did not take a decision.
#[derive(Debug, Error)]
enum NotTaken {
    #[error("ingestion did not answer")]
    Unanswered(#[from] RequestError),
    #[error("ingestion refused it: {detail}")]
    Refused { detail: String },
    #[error("ingestion's answer cannot be read")]
    Unreadable(#[from] serde_json::Error),
}

impl Watch {
    /// Runs until the service stops; gives the reason if it cannot go on.
    pub(crate) async fn run(mut self) -> Result<(), String> {
        let mut knowledge = Knowledge::new(self.log.clone(), self.kept.take());
        let mut in_flight = InFlight::default();
        let mut sending = JoinSet::new();
        let turns = Arc::new(Semaphore::new(SENT_AT_ONCE));
        let mut head = self.log.watch();
        let mut caught_up = CaughtUp::default();
        let mut looked_at_all = Instant::now();
        let mut trouble: Option<String> = None;
        let mut complaints = Complaints::default();
        while !*self.stop.borrow() {
            head.borrow_and_update();
            knowledge = self.catch_up(knowledge).await?;
            in_flight.saw(&knowledge.take_seen());
            let is_time = looked_at_all.elapsed() >= LOOK_AT_LEAST_EVERY;
            if is_time || knowledge.is_due(Timestamp::now()) {
                // What the clock decides rests on what is missing, such as a report: be sure that it is.
                caught_up = CaughtUp::default();
            }
            let in_doubt = self.doubt.reason();
            if in_doubt.is_some() || !self.is_caught_up(&knowledge, &mut caught_up).await {
                match in_doubt {
                    Some(why) => self.check.down(format!("nothing is decided: {why}")),
                    None => self.check.down("it is catching up with the log"),
                }
                tokio::select! {
                    _ = head.changed() => {}
                    () = tokio::time::sleep(ASK_AGAIN_AFTER) => {}
                    _ = self.stop.changed() => {}
                }
                continue;
            }
            self.say_how_it_goes(&knowledge, &in_flight, trouble.as_deref());

            let now = Instant::now();
            knowledge.look_again(in_flight.expired(now));
            if is_time {
                looked_at_all = now;
                knowledge.look_again(crate::rules::Scope::everything());
            }
            let (decided_at, decided);
            (knowledge, (decided_at, decided)) = decide(knowledge).await?;
            for group in in_flight.take(decided, now) {
                let (bus, plan, turns) = (self.bus.clone(), self.plan.clone(), Arc::clone(&turns));
                sending.spawn(async move { send(&bus, &plan, &turns, group, decided_at).await });
            }

            let wake = self.next_wake(&knowledge, &in_flight, looked_at_all);
            tokio::select! {
                changed = head.changed() => if changed.is_err() { return Err("the copy of the log is closed".into()) },
                () = tokio::time::sleep(wake) => {}
                () = self.doubt.arises() => {}
                Some(sent) = sending.join_next(), if !sending.is_empty() => {
                    let (place, sent) = sent.map_err(|error| error.to_string())?;
                    match sent {
                        Ok(()) => {
                            trouble = None;
                            in_flight.taken();
                        }
                        Err(error) => {
                            in_flight.failed(&place, Instant::now());
                            if complaints.is_due(Instant::now()) {
                                let why: &dyn std::error::Error = &error;
                                tracing::warn!(
                                    unit = %place.unit, error = why,
                                    "A decision about an alert was not recorded; the cell is looked at again"
                                );
                                trouble = None;
                            }
                            // Kept as it is: every refusal reads a little differently, of the clock for one.
                            trouble.get_or_insert_with(|| error.to_string());
                        }
                    }
                }
                _ = self.stop.changed() => {}
            }
        }
        Ok(())
    }

    async fn catch_up(&self, mut knowledge: Knowledge) -> Result<Knowledge, String> {
        if knowledge.position() == self.log.head() {
            return Ok(knowledge);
        }
        let stopping = Arc::clone(&self.stopping);
        let folded = tokio::task::spawn_blocking(move || knowledge.catch_up(&stopping).map(|()| knowledge));
        let knowledge =
            folded.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        metrics::gauge!("planwatch_alerting_position").set(knowledge.position().0 as f64);
        Ok(knowledge)
    }

    /// Whether the fold has everything that ingestion has recorded. Asked after each new connection, since a
    /// service that was away must not decide on what is long past, and before the clock decides something.
    async fn is_caught_up(&self, knowledge: &Knowledge, caught_up: &mut CaughtUp) -> bool {
        let Link { connected, epoch } = self.bus.link_now();
        if !connected || knowledge.facts().adopted().is_none() {
            return false;
        }
        let since = match *caught_up {
            CaughtUp::In(connection) if connection == epoch => return true,
            CaughtUp::Asking { connection, since } if connection == epoch => since,
            _ => Timestamp::now(),
        };
        *caught_up = CaughtUp::Asking { connection: epoch, since };
        let asked = LogRead { from: knowledge.position().next(), limit: 1 };
        let Ok(lacking) = self.bus.log_read(&self.plan, asked).await else { return false };
        let lacks_older = lacking.first().is_some_and(|first| {
            let recorded_at = events::wire::read_envelope(&first.bytes).map(|envelope| envelope.recorded_at);
            recorded_at.map_or(true, |recorded_at| recorded_at < since)
        });
        if !lacks_older {
            *caught_up = CaughtUp::In(epoch);
        }
        !lacks_older
    }

    fn say_how_it_goes(&self, knowledge: &Knowledge, in_flight: &InFlight, trouble: Option<&str>) {
        match knowledge.set_aside().or(trouble.map(str::to_owned)) {
            Some(why) => self.check.degraded(why),
            None => self.check.ok(),
        }
        metrics::gauge!("planwatch_alerts_open").set(knowledge.facts().open_alerts().count() as f64);
        metrics::gauge!("planwatch_alerting_cells_in_flight").set(in_flight.len() as f64);
    }

    /// How long nothing has to be done unless something comes.
    fn next_wake(&self, knowledge: &Knowledge, in_flight: &InFlight, looked_at_all: Instant) -> Duration {
        let now = Instant::now();
        let look = (looked_at_all + LOOK_AT_LEAST_EVERY).saturating_duration_since(now);
        let expiry = in_flight.next_expiry().map(|expiry| expiry.saturating_duration_since(now));
        let clock = knowledge.next_instant().map(|instant| {
            // A clock that is ahead of this one by the log's last event has the instant behind it already.
            Duration::try_from(instant.duration_since(Timestamp::now())).unwrap_or(Duration::ZERO)
        });
        expiry.into_iter().chain(clock).fold(look, Duration::min)
    }
}

/// Whether the fold has everything that was recorded before this was first asked; what came later may still be on
/// its way: under load there is always something.
#[derive(Debug, Clone, Copy, Default)]
enum CaughtUp {
    /// It has to be asked.
    #[default]
    Unknown,
    /// It is asked on a connection since then.
    Asking { connection: u64, since: Timestamp },
    /// It was on this connection.
    In(u64),
}

/// When something was last said about decisions that ingestion does not take: while it takes none, all of
/// them fail, again and again.
#[derive(Debug, Default)]
struct Complaints {
    said_at: Option<Instant>,
}

impl Complaints {
    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.said_at.is_none_or(|said_at| now.duration_since(said_at) >= COMPLAIN_EVERY);
        if is_due {
            self.said_at = Some(now);
        }
        is_due
    }
}

async fn decide(mut knowledge: Knowledge) -> Result<(Knowledge, (Timestamp, Vec<Decided>)), String> {
    let begun = Instant::now();
    let deciding = tokio::task::spawn_blocking(move || {
        let decided = knowledge.decide(Timestamp::now());
        (knowledge, decided)
    });
    let decided = deciding.await.map_err(|error| error.to_string())?;
    metrics::histogram!("planwatch_alerting_decide_seconds").record(begun.elapsed().as_secs_f64());
    Ok(decided)
}

/// Sends the decisions of a place one after the other; the first that is not taken ends it.
async fn send(
    bus: &Bus,
    plan: &PlanId,
    turns: &Semaphore,
    group: Group,
    decided_at: Timestamp,
) -> (Place, Result<(), NotTaken>) {
    let _turn = turns.acquire().await.expect("the semaphore is never closed");
    for decision in &group.decided {
        let (transition, rule) = match decision {
            Decided::Raise(raised) => ("raised", raised.rule),
            Decided::Resolve(resolved) => ("resolved", resolved.rule),
        };
        match record(bus, plan, decision, decided_at).await {
            Ok(position) => {
                metrics::counter!("planwatch_alerts_total", "rule" => rule.name(), "transition" => transition)
                    .increment(1);
                tracing::info!(
                    alert.id = %decision.alert(), unit = %decision.unit(), rule = %rule, position = %position,
                    "Alert {transition}"
                );
            }
            Err(error) => {
                metrics::counter!("planwatch_alerting_not_taken_total").increment(1);
                return (group.place, Err(error));
            }
        }
    }
    (group.place, Ok(()))
}

/// Asks ingestion to record a decision and gives the position at which it is recorded.
async fn record(
    bus: &Bus,
    plan: &PlanId,
    decided: &Decided,
    decided_at: Timestamp,
) -> Result<Position, NotTaken> {
    let payload = serde_json::to_vec(&request(decided, decided_at))?;
    let answer = bus.request(plan, RECORDER, RECORD, payload.into(), ANSWER_WITHIN).await?;
    match serde_json::from_slice(&answer)? {
        Answer::Recorded(acceptances) => {
            Ok(acceptances.first().map_or(Position::START, |acceptance| acceptance.position))
        }
        Answer::Refused(refusal) => Err(NotTaken::Refused { detail: refusal.detail }),
        Answer::Checked(_) | Answer::AmendmentChecked(_) => {
            Err(NotTaken::Refused { detail: "it was only checked".into() })
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}
