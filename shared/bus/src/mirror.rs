//! The mirror: a cursor over the log that publishes each durable event into the stream, at the same number.

mod session;

use crate::connection::Bus;
use crate::stored::StoredEvent;
use events::{PlanId, Position};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A log that can be mirrored; implemented over the event log by the service that owns it.
pub trait LogSource: Send + Sync + 'static {
    /// The position of the last durable event.
    fn head(&self) -> Position;
    /// Watches the head grow. The value only says *look*; a closed channel means that the log is closed.
    fn watch(&self) -> watch::Receiver<Position>;
    /// Reads contiguous events starting at `from`: at most `events`, and no more than `bytes` unless the
    /// first alone is larger. Called on a blocking thread. Empty only beyond the head.
    fn read(&self, from: Position, events: usize, bytes: usize) -> Result<Vec<StoredEvent>, LogSourceError>;
}

/// Why the log could not be read.
#[derive(Debug, Error)]
#[error("the log cannot be read at position {position}")]
pub struct LogSourceError {
    /// Where reading began.
    pub position: Position,
    /// What went wrong.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Why stream and log disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForkReason {
    /// The stream holds another event than the log at this position.
    Different,
    /// The stream holds events beyond the head of the log: the log lost them, or is another one.
    BeyondHead {
        /// The head of the log.
        head: Position,
    },
}

impl fmt::Display for ForkReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ForkReason::Different => f.write_str("the stream holds another event than the log"),
            ForkReason::BeyondHead { head } => {
                write!(f, "the stream goes on beyond the log, whose head is {head}")
            }
        }
    }
}

/// What the mirror is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MirrorState {
    /// It is reaching for the server, or comparing stream and log.
    Connecting,
    /// It publishes; everything up to here is in the stream.
    Following {
        /// The last position that the stream has confirmed.
        mirrored: Position,
    },
    /// Something is in the way that may pass or needs an operator; the mirror keeps trying.
    Waiting {
        /// What it is, in a sentence.
        why: Arc<str>,
    },
    /// Stream and log disagree. Ingestion admits nothing until a person has decided which one is right; the
    /// mirror looks again every [`FORK_RECHECK`] and goes on when they agree.
    Fork {
        /// Where they disagree.
        position: Position,
        /// How.
        why: ForkReason,
    },
}

/// How often a fork is looked at again.
pub const FORK_RECHECK: Duration = Duration::from_secs(2);

/// Mirrors a log into its stream.
#[derive(Debug)]
pub struct Mirror;

impl Mirror {
    /// Starts mirroring, creating the stream with so many replicas if it is not there. It goes on until it is
    /// stopped or the log is closed: a lost server, a lost stream and a restart only make it begin again.
    pub fn start(bus: &Bus, plan: &PlanId, source: Arc<dyn LogSource>, replicas: usize) -> MirrorHandle {
        let (state_sender, state) = watch::channel(MirrorState::Connecting);
        let runner =
            session::Runner::new(bus.clone(), plan.clone(), Arc::clone(&source), replicas, state_sender);
        MirrorHandle { state, source, task: tokio::spawn(runner.run()) }
    }
}

/// A running mirror; dropping it stops it at once.
pub struct MirrorHandle {
    state: watch::Receiver<MirrorState>,
    source: Arc<dyn LogSource>,
    task: JoinHandle<()>,
}

impl fmt::Debug for MirrorHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MirrorHandle").field("state", &*self.state.borrow()).finish_non_exhaustive()
    }
}

impl MirrorHandle {
    /// Watches what the mirror is doing.
    pub fn state(&self) -> watch::Receiver<MirrorState> {
        self.state.clone()
    }

    /// Waits until the stream holds the whole log, for at most `grace`, then stops. What is left over is
    /// mirrored by the next start.
    pub async fn stop(mut self, grace: Duration) {
        let source = Arc::clone(&self.source);
        let all = |state: &MirrorState| match state {
            MirrorState::Following { mirrored } => *mirrored >= source.head(),
            // Nothing reaches the stream until a person has decided, so there is nothing to wait for.
            MirrorState::Fork { .. } => true,
            MirrorState::Connecting | MirrorState::Waiting { .. } => false,
        };
        if tokio::time::timeout(grace, self.state.wait_for(all)).await.is_err() {
            tracing::info!("Stopped the mirror before the stream held the whole log; the next start goes on");
        }
        self.task.abort();
        // An aborted task answers with an error that says so.
        let _ = (&mut self.task).await;
    }
}

impl Drop for MirrorHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}
