//! One life of the mirror after another: compare stream and log, publish, and begin again on any doubt.

use super::{FORK_RECHECK, ForkReason, LogSource, MirrorState};
use crate::connection::Bus;
use crate::names;
use crate::stored::StoredEvent;
use crate::stream::StreamError;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use events::{EventId, PlanId, Position};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesOrdered;
use std::collections::VecDeque;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How many publishes wait for their confirmation; beyond it the mirror waits for the oldest.
const IN_FLIGHT_LIMIT: usize = 256;
/// How many bytes wait for their confirmation, likewise.
const IN_FLIGHT_BYTES_LIMIT: usize = 4 * 1024 * 1024;
/// How much is read from the log at once.
const PAGE_EVENTS: usize = 256;
const PAGE_BYTES: usize = 1024 * 1024;
/// How often an idle mirror makes sure that the stream still ends where it should.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The pauses between failed sessions, doubling from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LAST_PAUSE: Duration = Duration::from_secs(1);
/// A session of this length was a good one: the next pause is the first again.
const LONG_SESSION: Duration = Duration::from_secs(5);

/// Why a session ended.
enum Ended {
    /// Compare again at once: the connection or the stream changed under it.
    Doubt(&'static str),
    /// Something failed; try again after a pause.
    Failed(String),
    /// Stream and log disagree.
    Fork { position: Position, why: ForkReason },
    /// The log or the connection is closed for good.
    Closed,
}

impl From<StreamError> for Ended {
    fn from(error: StreamError) -> Self {
        Ended::Failed(error.to_string())
    }
}

pub(super) struct Runner {
    bus: Bus,
    plan: PlanId,
    source: Arc<dyn LogSource>,
    replicas: usize,
    state: watch::Sender<MirrorState>,
    /// The furthest that any session got, to tell a refill from a beginning.
    furthest: Position,
}

type InFlight = FuturesOrdered<BoxFuture<'static, (usize, Result<PublishAck, PublishError>)>>;

impl Runner {
    pub(super) fn new(
        bus: Bus,
        plan: PlanId,
        source: Arc<dyn LogSource>,
        replicas: usize,
        state: watch::Sender<MirrorState>,
    ) -> Runner {
        Runner { bus, plan, source, replicas, state, furthest: Position::START }
    }

    pub(super) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            let ended = self.session().await;
            if began.elapsed() > LONG_SESSION {
                pause = FIRST_PAUSE;
            }
            match ended {
                Ended::Closed => return,
                Ended::Doubt(why) => {
                    tracing::debug!(plan = %self.plan, "The mirror compares stream and log again: {why}");
                    self.show(MirrorState::Connecting);
                    tokio::time::sleep(pause).await;
                }
                Ended::Failed(why) => {
                    let waiting = MirrorState::Waiting { why: why.as_str().into() };
                    if *self.state.borrow() != waiting {
                        tracing::warn!(plan = %self.plan, "The mirror waits: {why}");
                    }
                    self.show(waiting);
                    tokio::time::sleep(pause).await;
                }
                Ended::Fork { position, why } => {
                    let fork = MirrorState::Fork { position, why };
                    if *self.state.borrow() != fork {
                        tracing::error!(
                            plan = %self.plan, position = position.0,
                            "Stream and log disagree, nothing is admitted until a person decides: {fork:?}"
                        );
                        metrics::counter!("planwatch_mirror_forks_total", "plan" => self.plan.to_string())
                            .increment(1);
                        self.state.send_replace(fork);
                    }
                    tokio::time::sleep(FORK_RECHECK).await;
                }
            }
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    /// A fork stays shown until stream and log have been compared again: losing the server does not heal it.
    fn show(&self, state: MirrorState) {
        self.state.send_if_modified(|shown| {
            let changes = !matches!(shown, MirrorState::Fork { .. }) && *shown != state;
            if changes {
                *shown = state;
            }
            changes
        });
    }

    async fn session(&mut self) -> Ended {
        let Some(epoch) = self.bus.connected().await else { return Ended::Closed };
        let bus = self.bus.clone();
        // In-flight confirmations hang until their timeout when the server dies, so the lost connection
        // itself ends the session.
        tokio::select! {
            ended = self.compare_and_publish() => match ended { Ok(never) => match never {}, Err(ended) => ended },
            () = bus.gone(epoch) => Ended::Doubt("the connection was lost"),
        }
    }

    async fn compare_and_publish(&mut self) -> Result<std::convert::Infallible, Ended> {
        let mirrored = self.agreed_end().await?;
        if mirrored < self.furthest {
            tracing::warn!(
                plan = %self.plan, position = mirrored.0, lost_from = self.furthest.0,
                "The stream lost events; refilling it from the log"
            );
            metrics::counter!("planwatch_mirror_refills_total", "plan" => self.plan.to_string()).increment(1);
            self.furthest = mirrored;
        }
        self.confirm(mirrored);
        self.publish_from(mirrored).await
    }

    /// The position up to which stream and log are known to be the same.
    async fn agreed_end(&self) -> Result<Position, Ended> {
        let state = self.bus.opened_stream(&self.plan, self.replicas).await?;
        let last = Position(state.last_sequence);
        if last == Position::START {
            return Ok(last);
        }
        let head = self.source.head();
        if last > head {
            return Err(Ended::Fork { position: last, why: ForkReason::BeyondHead { head } });
        }
        // What was never confirmed to this mirror may be another writer's, and is compared one by one.
        let unconfirmed = self.furthest.next();
        let first = if self.furthest > Position::START && unconfirmed < last {
            unconfirmed.max(Position(last.0.saturating_sub(IN_FLIGHT_LIMIT as u64)))
        } else {
            last
        };
        for position in (first.0..=last.0).map(Position) {
            self.compare(position).await?;
        }
        Ok(last)
    }

    async fn compare(&self, position: Position) -> Result<(), Ended> {
        let Some(in_stream) = self.bus.stream_event(&self.plan, position).await? else {
            // It was emptied but goes on counting. Nothing contradicts the log, and what is missing can only
            // come back into a stream made anew, which is a person's decision: followers read it from the log.
            tracing::warn!(
                plan = %self.plan, position = position.0,
                "The stream no longer holds this event; going on behind it. Remove the stream to have it refilled"
            );
            return Ok(());
        };
        match self.read(position, 1).await?.first() {
            Some(own) if own.position == position && own.bytes == in_stream => Ok(()),
            Some(_) => Err(Ended::Fork { position, why: ForkReason::Different }),
            None => {
                Err(Ended::Failed(format!("the log gives nothing at position {position}, below its head")))
            }
        }
    }

    async fn publish_from(&mut self, mirrored: Position) -> Result<std::convert::Infallible, Ended> {
        let mut heads = self.source.watch();
        let mut next = mirrored.next();
        let mut confirmed = mirrored;
        // The event published before in this session.
        let mut before: Option<EventId> = None;
        let mut page: VecDeque<StoredEvent> = VecDeque::new();
        let mut in_flight: InFlight = FuturesOrdered::new();
        let mut in_flight_bytes = 0;
        let mut check = interval(CHECK_INTERVAL);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        check.reset();
        loop {
            while in_flight.len() < IN_FLIGHT_LIMIT && in_flight_bytes < IN_FLIGHT_BYTES_LIMIT {
                if page.is_empty() {
                    let head = *heads.borrow_and_update();
                    if next > head {
                        break;
                    }
                    page = self.read(next, PAGE_EVENTS).await?.into();
                }
                let Some(event) = page.pop_front().filter(|event| event.position == next) else {
                    return Err(Ended::Failed(format!("the log does not give position {next}")));
                };
                in_flight_bytes += event.bytes.len();
                let id = event.id;
                in_flight.push_back(self.publish(event, before.replace(id)).await?);
                next = next.next();
            }
            tokio::select! {
                Some((size_bytes, answer)) = in_flight.next(), if !in_flight.is_empty() => {
                    in_flight_bytes -= size_bytes;
                    let expected = confirmed.next();
                    match answer {
                        // A duplicate is an event that came through before its confirmation was lost, or
                        // another writer's with the same id: the comparison tells.
                        Ok(ack) if ack.duplicate => return Err(Ended::Doubt("an event was already there")),
                        Ok(ack) if ack.sequence == expected.0 => confirmed = expected,
                        Ok(_) => return Err(Ended::Doubt("a publish was confirmed at another sequence")),
                        Err(error) => return Err(doubt_of(&error)),
                    }
                    self.confirm(confirmed);
                }
                changed = heads.changed() => {
                    if changed.is_err() {
                        return Err(Ended::Closed);
                    }
                }
                _ = check.tick(), if in_flight.is_empty() => {
                    let (_, state) = self.bus.stream_info(&self.plan).await?;
                    if state.last_sequence != confirmed.0 {
                        return Err(Ended::Doubt("the stream does not end where it was left"));
                    }
                }
            }
        }
    }

    /// Sends one event, fenced twice. The sequence alone is no fence for events in flight: where a foreign
    /// message takes one's place, that one is refused but the next one's number fits again. So each is also
    /// tied to the id before it. The first of a session has just been compared, and the server may not know
    /// the id of an old last message after a restart.
    async fn publish(
        &self,
        event: StoredEvent,
        before: Option<EventId>,
    ) -> Result<BoxFuture<'static, (usize, Result<PublishAck, PublishError>)>, Ended> {
        let size_bytes = event.bytes.len();
        let (event, envelope) = StoredEvent::read_with_envelope(event.bytes)
            .map_err(|error| Ended::Failed(format!("the log holds what cannot be published: {error}")))?;
        let mut message = PublishMessage::build()
            .payload(event.bytes)
            .message_id(event.id.to_string())
            .expected_last_sequence(event.position.0 - 1);
        if let Some(before) = before {
            message = message.expected_last_message_id(before.to_string());
        }
        let sent = self.bus.jetstream().send_publish(names::event_subject(&envelope), message).await;
        let answer = sent.map_err(|error| doubt_of(&error))?.into_future();
        Ok(Box::pin(async move { (size_bytes, answer.await) }))
    }

    async fn read(&self, from: Position, events: usize) -> Result<Vec<StoredEvent>, Ended> {
        let source = Arc::clone(&self.source);
        let read = tokio::task::spawn_blocking(move || source.read(from, events, PAGE_BYTES)).await;
        match read {
            Ok(Ok(events)) => Ok(events),
            Ok(Err(error)) => Err(Ended::Failed(format!("{error}: {}", error.source))),
            Err(_) => Err(Ended::Failed(format!("reading the log at position {from} panicked"))),
        }
    }

    fn confirm(&mut self, mirrored: Position) {
        self.furthest = self.furthest.max(mirrored);
        self.state.send_replace(MirrorState::Following { mirrored });
        let lag = self.source.head().0.saturating_sub(mirrored.0);
        metrics::gauge!("planwatch_mirror_position", "plan" => self.plan.to_string()).set(mirrored.0 as f64);
        metrics::gauge!("planwatch_mirror_lag", "plan" => self.plan.to_string()).set(lag as f64);
    }
}

fn doubt_of(error: &PublishError) -> Ended {
    match error.kind() {
        PublishErrorKind::WrongLastSequence | PublishErrorKind::WrongLastMessageId => {
            Ended::Doubt("the stream does not end where the next event belongs")
        }
        PublishErrorKind::StreamNotFound => Ended::Doubt("the stream is gone"),
        PublishErrorKind::TimedOut => Ended::Doubt("a publish was not confirmed in time"),
        _ => Ended::Failed(format!("the stream does not take an event: {error}")),
    }
}
