//! What stands behind the edge: commands to ingestion, questions to the services, the log as it grows.

use crate::problem::Problem;
use bytes::Bytes;
use events::command::{Answer, Request};
use events::{Position, Refusal};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// How long a command may take; an answer that comes later is lost, the record is not.
pub const SUBMIT_DEADLINE: Duration = Duration::from_secs(15);
/// How long a question may take: the 2 s for `at_least` and the answer itself.
pub const QUERY_DEADLINE: Duration = Duration::from_secs(6);
/// How long a service may take to say how it is.
pub const HEALTH_DEADLINE: Duration = Duration::from_secs(2);

/// A service that the console asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Takes commands and reads the log.
    Ingestion,
    /// Answers what is known.
    Projection,
    /// Watches the rules.
    Alerting,
}

impl Peer {
    /// Every service behind the console.
    pub const ALL: [Peer; 3] = [Peer::Ingestion, Peer::Projection, Peer::Alerting];

    /// Its name on the bus.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Ingestion => "ingestion",
            Peer::Projection => "projection",
            Peer::Alerting => "alerting",
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a service gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BackendError {
    /// Nobody answers, or the bus is away.
    #[error("`{peer}` cannot be reached ({why}); try again")]
    Unreachable {
        /// Who was asked.
        peer: Peer,
        /// What the bus says.
        why: String,
    },
    /// The answer did not come in time.
    #[error("`{peer}` did not answer within {seconds} s; try again")]
    TimedOut {
        /// Who was asked.
        peer: Peer,
        /// How long was waited.
        seconds: u64,
    },
    /// The connection broke while the answer was waited for; what was asked may have been done.
    #[error("the connection to `{peer}` was lost before it answered; try again")]
    Lost {
        /// Who was asked.
        peer: Peer,
    },
    /// The service works, but cannot take more now.
    #[error("`{peer}` cannot take it now: {text}")]
    Busy {
        /// Who was asked.
        peer: Peer,
        /// What it says.
        text: String,
    },
    /// The request is larger than the bus carries.
    #[error("the request is larger than the bus carries; send less at once")]
    TooLarge,
    /// The answer is none that the console knows.
    #[error("`{peer}` answered what the console cannot read ({why}); both must be of one version")]
    Garbled {
        /// Who was asked.
        peer: Peer,
        /// What is wrong with the answer.
        why: String,
    },
}

impl From<BackendError> for Problem {
    fn from(error: BackendError) -> Problem {
        let detail = error.to_string();
        match error {
            BackendError::Unreachable { .. }
            | BackendError::TimedOut { .. }
            | BackendError::Lost { .. }
            | BackendError::Busy { .. } => Problem::unavailable(detail),
            BackendError::TooLarge => Problem::too_large(detail),
            BackendError::Garbled { .. } => {
                tracing::error!("{detail}");
                Problem::garbled(detail)
            }
        }
    }
}

/// One event of the log, byte for byte as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// Its position.
    pub position: Position,
    /// The CloudEvent.
    pub bytes: Bytes,
}

/// The log from a position on, first what is there, then what comes.
pub struct Tail {
    /// The position before the first event that will come.
    pub after: Position,
    /// The events, contiguous.
    pub events: BoxStream<'static, LogEvent>,
}

/// What stands behind the edge.
pub trait Backend: Send + Sync + 'static {
    /// Sends a command to ingestion and waits for its answer.
    fn submit(&self, request: Request) -> BoxFuture<'_, Result<Answer, BackendError>>;

    /// Asks a service and gives its reply as it came.
    fn ask(
        &self,
        peer: Peer,
        endpoint: &'static str,
        question: Value,
        within: Duration,
    ) -> BoxFuture<'_, Result<Bytes, BackendError>>;

    /// Reads contiguous events from a position on; fewer than `limit` where the log or the bus ends a page.
    fn read(&self, from: Position, limit: usize) -> BoxFuture<'_, Result<Vec<LogEvent>, BackendError>>;

    /// Follows the log after a position; from its head where none is given.
    fn tail(&self, after: Option<Position>) -> BoxFuture<'_, Result<Tail, BackendError>>;
}

impl BackendError {
    /// Whether the request may have been carried out although no answer came.
    pub fn is_uncertain(&self) -> bool {
        matches!(self, BackendError::TimedOut { .. } | BackendError::Lost { .. })
    }
}

#[derive(Deserialize)]
struct Reply {
    ok: Option<Box<RawValue>>,
    refused: Option<Refusal>,
    timeout: Option<Value>,
}

/// Asks a service a question of a person: the JSON to answer with, untouched, or the problem.
pub async fn answer_of(
    backend: &dyn Backend,
    peer: Peer,
    endpoint: &'static str,
    question: Value,
) -> Result<Box<RawValue>, Problem> {
    let at_least = question.get("at_least").and_then(Value::as_u64);
    let reply = backend.ask(peer, endpoint, question, QUERY_DEADLINE).await?;
    let garbled = |why: String| Problem::from(BackendError::Garbled { peer, why });
    let reply: Reply = serde_json::from_slice(&reply).map_err(|error| garbled(error.to_string()))?;
    match reply {
        Reply { ok: Some(answer), refused: None, timeout: None } => Ok(answer),
        Reply { refused: Some(mut refusal), .. } => {
            for error in &mut refusal.errors {
                // What is a field to the service is a query parameter to the caller.
                if let Some(field) = error.pointer.strip_prefix('/') {
                    error.pointer = format!("?{field}");
                }
            }
            Err(refusal.into())
        }
        Reply { timeout: Some(_), .. } => Err(Problem::timed_out(match at_least {
            Some(position) => format!("position {position} was not reached within 2 s; ask again"),
            None => format!("`{peer}` did not get there in time; ask again"),
        })),
        Reply { .. } => Err(garbled("neither `ok` nor `refused` nor `timeout`".into())),
    }
}
