//! The follower: copies the stream into a log of its own, in order and without a gap.

use crate::connection::Bus;
use crate::feed::{Delivery, Feed, Through, Told};
use crate::stored::StoredEvent;
use events::{PlanId, Position};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A follower's own copy of the log.
pub trait CopySink: Send + 'static {
    /// The last position that the copy holds.
    fn head(&self) -> Position;
    /// Appends contiguous events right after the head; they are durable when it returns. Gives the new
    /// head. Called on a blocking thread.
    fn append(&mut self, events: Vec<StoredEvent>) -> Result<Position, SinkError>;
    /// Whether the copy holds these very bytes at this position, which is at or below the head. Called for
    /// events that come again: one when following begins, and all that a refilled stream repeats.
    fn holds(&self, event: &StoredEvent) -> Result<bool, SinkError>;
}

/// Why a copy takes no further events.
#[derive(Debug, Error)]
pub enum SinkError {
    /// The copy holds another event at this position: it copies another log.
    #[error("the copy holds another event at position {position}")]
    Fork {
        /// Where.
        position: Position,
    },
    /// The copy cannot go on; a restart or a person is needed.
    #[error("the copy cannot go on")]
    Stopped {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why a follower stopped for good.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FollowerStop {
    /// Copy and stream hold different events: a person decides which log is right.
    #[error(
        "copy and stream hold different events at position {position}; remove the copy to follow anew, or find out which log is right"
    )]
    Fork {
        /// Where.
        position: Position,
    },
    /// The copy holds more than the log: a person decides which of the two is right.
    #[error(
        "the copy goes on to position {position}, beyond the log; remove the copy to follow anew, or find out which log is right"
    )]
    Ahead {
        /// The head of the copy.
        position: Position,
    },
    /// A message is no event that this build can follow.
    #[error("message {position} of the stream cannot be followed: {reason}")]
    Unreadable {
        /// Where.
        position: Position,
        /// What is wrong with it.
        reason: Arc<str>,
    },
    /// The copy failed.
    #[error("the copy failed: {reason}")]
    Sink {
        /// How.
        reason: Arc<str>,
    },
    /// The connection was closed.
    #[error("the connection to nats-server was closed")]
    Closed,
    /// Its handle was stopped or dropped.
    #[error("it was asked to stop")]
    Asked,
}

/// What a follower is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowerState {
    /// It is reaching for the stream.
    Connecting,
    /// It reads the stream; the copy is durable up to here.
    Following {
        /// The head of the copy.
        position: Position,
    },
    /// It has stopped for good.
    Stopped {
        /// Why.
        why: FollowerStop,
    },
}

/// Follows a stream.
#[derive(Debug)]
pub struct Follower;

impl Follower {
    /// Starts following under a name, which is also the durable consumer's; one follower for each name. It
    /// survives a lost server, consumer and stream, and waits for a stream that is not there yet.
    pub fn start(bus: &Bus, plan: &PlanId, name: &str, sink: impl CopySink) -> FollowerHandle {
        let (sender, state) = watch::channel(FollowerState::Connecting);
        let (stop, mut stopped) = watch::channel(());
        let feed = Feed::new(bus.clone(), plan.clone(), Through::Durable(name.to_owned()));
        let name = name.to_owned();
        let plan = plan.clone();
        let task = tokio::spawn(async move {
            let why = follow(feed, sink, &sender, &mut stopped, &plan, &name).await;
            if why != FollowerStop::Asked {
                tracing::error!(plan = %plan, follower = name, "The follower stopped: {why}");
            }
            sender.send_replace(FollowerState::Stopped { why });
        });
        FollowerHandle { state, stop: Some(stop), task }
    }
}

async fn follow<S: CopySink>(
    mut feed: Feed,
    sink: S,
    state: &watch::Sender<FollowerState>,
    stopped: &mut watch::Receiver<()>,
    plan: &PlanId,
    name: &str,
) -> FollowerStop {
    let mut head = sink.head();
    let mut sink = Some(sink);
    loop {
        let told = tokio::select! {
            told = feed.next(head) => told,
            // The handle lets go of its end to stop; an append in hand is finished first.
            _ = stopped.changed() => return FollowerStop::Asked,
        };
        match told {
            Told::Opened => {
                state.send_replace(FollowerState::Following { position: head });
            }
            Told::Lost => {
                state.send_replace(FollowerState::Connecting);
            }
            Told::Came(delivery) => {
                let Delivery { repeated, fresh, last } = *delivery;
                let owned = sink.take().expect("the sink is put back after each delivery");
                let kept = tokio::task::spawn_blocking(move || keep(owned, repeated, fresh)).await;
                match kept {
                    Ok((owned, Ok(()))) => {
                        head = owned.head();
                        sink = Some(owned);
                    }
                    Ok((_, Err(SinkError::Fork { position }))) => return FollowerStop::Fork { position },
                    Ok((_, Err(error @ SinkError::Stopped { .. }))) => {
                        return FollowerStop::Sink { reason: chain(&error).into() };
                    }
                    Err(_) => return FollowerStop::Sink { reason: "it panicked".into() },
                }
                state.send_replace(FollowerState::Following { position: head });
                metrics::gauge!(
                    "planwatch_follower_position", "plan" => plan.to_string(), "follower" => name.to_owned()
                )
                .set(head.0 as f64);
                if let Some(last) = last
                    && let Err(error) = last.ack().await
                {
                    // The own copy says where to go on, so a lost acknowledgement costs nothing.
                    tracing::debug!("An acknowledgement was not sent: {error}");
                }
            }
            Told::Unreadable { position, reason } => {
                return FollowerStop::Unreadable { position, reason: reason.into() };
            }
            Told::Ahead => return FollowerStop::Ahead { position: head },
            Told::Closed => return FollowerStop::Closed,
        }
    }
}

fn keep<S: CopySink>(
    mut sink: S,
    repeated: Vec<StoredEvent>,
    fresh: Vec<StoredEvent>,
) -> (S, Result<(), SinkError>) {
    for event in &repeated {
        match sink.holds(event) {
            Ok(true) => {}
            Ok(false) => return (sink, Err(SinkError::Fork { position: event.position })),
            Err(error) => return (sink, Err(error)),
        }
    }
    let appended = if fresh.is_empty() { Ok(()) } else { sink.append(fresh).map(|_| ()) };
    (sink, appended)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// A running follower; dropping it stops it after the append in hand.
#[derive(Debug)]
pub struct FollowerHandle {
    state: watch::Receiver<FollowerState>,
    stop: Option<watch::Sender<()>>,
    task: JoinHandle<()>,
}

impl FollowerHandle {
    /// Watches what the follower is doing.
    pub fn state(&self) -> watch::Receiver<FollowerState> {
        self.state.clone()
    }

    /// Stops following. When it returns within `grace`, the sink has been dropped and its copy is whole.
    pub async fn stop(mut self, grace: Duration) {
        self.stop = None;
        if tokio::time::timeout(grace, self.task).await.is_err() {
            tracing::warn!("The follower was still appending when the grace ended");
        }
    }
}
