//! The stream as followers and readers meet it: events in order, whatever happens to server and consumer.

use crate::connection::Bus;
use crate::log_read::{LOG_READ_EVENTS_LIMIT, LogRead};
use crate::names;
use crate::stored::StoredEvent;
use crate::stream::StreamError;
use async_nats::jetstream::consumer::pull::{self, MessagesError, MessagesErrorKind};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::stream::ConsumerErrorKind;
use async_nats::jetstream::{self, ErrorCode};
use events::{PlanId, Position};
use futures::{FutureExt, StreamExt};
use std::time::Duration;

/// How many events are handed on at once, and about how many bytes (the last one may exceed it).
const BATCH_EVENTS_LIMIT: usize = 512;
const BATCH_BYTES_LIMIT: usize = 4 * 1024 * 1024;
/// How many messages the server sends ahead of what was taken.
const AHEAD_LIMIT: usize = 512;
/// How long one pull stays open at the server, and how often it says that it still is.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
const PULL_HEARTBEAT: Duration = Duration::from_secs(5);
/// How long nothing may come before the end of the stream is looked up.
const IDLE_CHECK: Duration = Duration::from_secs(2);
/// How long an ephemeral consumer outlives its reader.
const EPHEMERAL_LIFE: Duration = Duration::from_secs(30);
/// The pauses between failed openings, doubling from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Which consumer the feed reads through.
#[derive(Debug, Clone)]
pub(crate) enum Through {
    /// A durable one, so that operators see how far the follower of this name is.
    Durable(String),
    /// One that the server forgets when its reader is gone.
    Ephemeral,
}

/// What the feed tells.
pub(crate) enum Told {
    /// It is reading now.
    Opened,
    /// It lost the stream and opens it again.
    Lost,
    /// Events came.
    Came(Box<Delivery>),
    /// A message is no event of this plan at its place; going on would make another log of it.
    Unreadable { position: Position, reason: String },
    /// The reader holds more than the log: it followed another one, or the log has lost its end.
    Ahead,
    /// The connection is closed for good.
    Closed,
}

/// Events that came together.
pub(crate) struct Delivery {
    /// Events at or below the head, delivered again.
    pub(crate) repeated: Vec<StoredEvent>,
    /// Events right after the head, contiguous.
    pub(crate) fresh: Vec<StoredEvent>,
    /// Acknowledges everything up to here, once it is kept.
    pub(crate) last: Option<jetstream::Message>,
}

struct Open {
    messages: pull::Stream,
    epoch: u64,
}

/// Reads the stream from a position on, for ever.
pub(crate) struct Feed {
    bus: Bus,
    plan: PlanId,
    through: Through,
    open: Option<Open>,
    /// The head after which events were missing the last time; a second time there, the stream lacks them.
    jumped_after: Option<Position>,
    pause: Duration,
}

enum Taken {
    Messages(Vec<jetstream::Message>),
    Nothing,
    Lost(String),
}

impl Feed {
    pub(crate) fn new(bus: Bus, plan: PlanId, through: Through) -> Feed {
        Feed { bus, plan, through, open: None, jumped_after: None, pause: FIRST_PAUSE }
    }

    /// Waits for what comes next for a reader that has everything up to `head`.
    pub(crate) async fn next(&mut self, head: Position) -> Told {
        loop {
            let Some(open) = self.open.as_mut() else {
                let Some(epoch) = self.bus.connected().await else { return Told::Closed };
                match self.open_at(head, epoch).await {
                    Ok(open) => {
                        self.open = Some(open);
                        return if self.is_ahead_of_log(head).await { Told::Ahead } else { Told::Opened };
                    }
                    Err(why) => {
                        tracing::debug!(plan = %self.plan, "The stream cannot be read yet: {why}");
                        self.rest().await;
                        continue;
                    }
                }
            };
            let lost = match take(&self.bus, open).await {
                Taken::Messages(messages) => {
                    if let Some(told) = self.sort(head, messages).await {
                        if matches!(&told, Told::Came(delivery) if !delivery.fresh.is_empty()) {
                            self.pause = FIRST_PAUSE;
                        }
                        return told;
                    }
                    "the stream jumped".to_owned()
                }
                Taken::Nothing => match self.bus.stream_info(&self.plan).await {
                    Ok((_, state)) if state.last_sequence <= head.0 => {
                        if self.is_ahead_of_log(head).await {
                            return Told::Ahead;
                        }
                        self.pause = FIRST_PAUSE;
                        continue;
                    }
                    Ok(_) => "nothing came though the stream goes on".to_owned(),
                    Err(error) => error.to_string(),
                },
                Taken::Lost(why) => why,
            };
            tracing::debug!(plan = %self.plan, position = head.0, "Opening the stream again: {lost}");
            self.open = None;
            self.rest().await;
            return Told::Lost;
        }
    }

    /// Whether a durable reader holds more than the log. A stream that ends before the reader's head is either
    /// being refilled or shows just this, and the log tells which. Where it does not answer, nothing is said.
    async fn is_ahead_of_log(&self, head: Position) -> bool {
        if matches!(self.through, Through::Ephemeral) || head == Position::START {
            return false;
        }
        match self.bus.stream_info(&self.plan).await {
            Ok((_, state)) if state.last_sequence < head.0 => {}
            Ok(_) | Err(_) => return false,
        }
        let log = self.bus.log_read(&self.plan, LogRead { from: head, limit: 1 }).await;
        log.is_ok_and(|events| events.is_empty())
    }

    async fn rest(&mut self) {
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LAST_PAUSE);
    }

    /// Opens a consumer of its own making: what an older one had delivered does not matter, since the
    /// reader's own head says where to go on. A durable reader begins with the event it already has, and
    /// so finds out whether the stream is still the one it was following.
    async fn open_at(&self, head: Position, epoch: u64) -> Result<Open, String> {
        let stream = names::stream(&self.plan);
        let jetstream = self.bus.jetstream();
        let config = match &self.through {
            Through::Durable(name) => {
                match jetstream.delete_consumer_from_stream(name, &stream).await {
                    Ok(_) => {}
                    Err(error) => match error.kind() {
                        ConsumerErrorKind::JetStream(refusal)
                            if refusal.error_code() == ErrorCode::CONSUMER_NOT_FOUND => {}
                        ConsumerErrorKind::JetStream(refusal)
                            if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                        {
                            return Err(StreamError::Missing { stream }.to_string());
                        }
                        _ => return Err(format!("the consumer `{name}` cannot be reset: {error}")),
                    },
                }
                pull::Config {
                    durable_name: Some(name.clone()),
                    description: Some(format!("Follower {name} of the plan {}", self.plan)),
                    deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: head.0.max(1) },
                    ack_policy: AckPolicy::All,
                    max_ack_pending: -1,
                    // Its state is never trusted, so it need not be written down.
                    memory_storage: true,
                    ..pull::Config::default()
                }
            }
            Through::Ephemeral => pull::Config {
                deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: head.0 + 1 },
                ack_policy: AckPolicy::None,
                inactive_threshold: EPHEMERAL_LIFE,
                memory_storage: true,
                ..pull::Config::default()
            },
        };
        let consumer = jetstream
            .create_consumer_on_stream(config, &stream)
            .await
            .map_err(|error| format!("no consumer of `{stream}`: {error}"))?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(AHEAD_LIMIT)
            .expires(PULL_EXPIRES)
            .heartbeat(PULL_HEARTBEAT)
            .messages()
            .await
            .map_err(|error| error.to_string())?;
        Ok(Open { messages, epoch })
    }

    /// Parts what came into repeated and fresh. `None` means that events are missing in between and the
    /// consumer should be opened again at the head.
    async fn sort(&mut self, head: Position, messages: Vec<jetstream::Message>) -> Option<Told> {
        let mut delivery = Delivery { repeated: Vec::new(), fresh: Vec::new(), last: None };
        let mut expected = head.next();
        for message in messages {
            let sequence = match message.info() {
                Ok(info) => Position(info.stream_sequence),
                Err(error) => {
                    return Some(Told::Unreadable { position: expected, reason: error.to_string() });
                }
            };
            let event = match StoredEvent::read_with_envelope(message.payload.clone()) {
                Ok((event, envelope)) if event.position == sequence && envelope.plan == self.plan => event,
                Ok((event, envelope)) => {
                    let reason = format!(
                        "message {sequence} holds event {} of the plan {}",
                        event.position, envelope.plan
                    );
                    return Some(Told::Unreadable { position: sequence, reason });
                }
                Err(error) => {
                    return Some(Told::Unreadable { position: sequence, reason: error.to_string() });
                }
            };
            if event.position <= head {
                delivery.repeated.push(event);
            } else if event.position < expected {
                // Delivered again while the first delivery was still waiting to be taken.
                let first = usize::try_from(event.position.0 - head.0 - 1)
                    .ok()
                    .and_then(|index| delivery.fresh.get(index));
                if first != Some(&event) {
                    let reason = "it came twice with different bytes".to_owned();
                    return Some(Told::Unreadable { position: sequence, reason });
                }
            } else if event.position == expected {
                expected = expected.next();
                delivery.fresh.push(event);
            } else {
                // Opening again cures a consumer that skipped; the log cures a stream that lacks them.
                self.open = None;
                let after = Position(expected.0 - 1);
                if self.jumped_after.replace(after) == Some(after) && after == head {
                    delivery.fresh = self.missing_from_log(head, event.position).await;
                    if delivery.fresh.is_empty() {
                        return None;
                    }
                }
                break;
            }
            delivery.last = Some(message);
        }
        let anything = !delivery.fresh.is_empty() || !delivery.repeated.is_empty();
        anything.then(|| Told::Came(Box::new(delivery)))
    }

    /// Reads from ingestion's log what the stream does not give; empty if it cannot be read now.
    async fn missing_from_log(&self, head: Position, found: Position) -> Vec<StoredEvent> {
        let missing = usize::try_from(found.0 - head.0 - 1).unwrap_or(usize::MAX);
        tracing::warn!(
            plan = %self.plan, position = found.0, missing,
            "The stream lacks events; reading them from the log"
        );
        metrics::counter!("planwatch_follower_repairs_total", "plan" => self.plan.to_string()).increment(1);
        let asked = LogRead { from: head.next(), limit: missing.min(LOG_READ_EVENTS_LIMIT) };
        match self.bus.log_read(&self.plan, asked).await {
            Ok(events) => {
                let contiguous =
                    events.iter().zip(head.0 + 1..).all(|(event, position)| event.position.0 == position);
                if contiguous { events } else { Vec::new() }
            }
            Err(error) => {
                tracing::warn!(plan = %self.plan, "The missing events cannot be read yet: {error}");
                Vec::new()
            }
        }
    }
}

/// Waits for the first message, then takes what else has already come.
async fn take(bus: &Bus, open: &mut Open) -> Taken {
    let first = tokio::select! {
        biased;
        message = open.messages.next() => message,
        () = bus.gone(open.epoch) => return Taken::Lost("the connection was lost".to_owned()),
        () = tokio::time::sleep(IDLE_CHECK) => return Taken::Nothing,
    };
    let mut messages = Vec::new();
    let mut bytes = 0;
    let mut next = first;
    loop {
        match next {
            Some(Ok(message)) => {
                bytes += message.payload.len();
                messages.push(message);
            }
            // What came before the trouble is handed on; the trouble shows again or is gone.
            Some(Err(_)) | None if !messages.is_empty() => return Taken::Messages(messages),
            Some(Err(error)) => return trouble(&error),
            None => return Taken::Lost("the consumer ended".to_owned()),
        }
        if messages.len() >= BATCH_EVENTS_LIMIT || bytes >= BATCH_BYTES_LIMIT {
            return Taken::Messages(messages);
        }
        match open.messages.next().now_or_never() {
            Some(message) => next = message,
            None => return Taken::Messages(messages),
        }
    }
}

fn trouble(error: &MessagesError) -> Taken {
    match error.kind() {
        MessagesErrorKind::ConsumerDeleted | MessagesErrorKind::NoResponders => {
            Taken::Lost("the consumer is gone".to_owned())
        }
        _ => Taken::Lost(error.to_string()),
    }
}
