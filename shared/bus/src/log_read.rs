//! Reading the log over the bus: how a follower gets events that its stream does not give it.

use crate::connection::Bus;
use crate::mirror::LogSource;
use crate::request::{RequestError, RequestHeaders};
use crate::serve::{Endpoint, ServiceError};
use crate::stored::StoredEvent;
use bytes::{Bytes, BytesMut};
use events::{PlanId, Position};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// The most events that one answer holds.
pub const LOG_READ_EVENTS_LIMIT: usize = 4096;
/// The most bytes that one answer holds, unless its first event alone is larger.
pub const LOG_READ_BYTES_LIMIT: usize = 8 * 1024 * 1024;

/// The service that answers, and the name of its endpoint.
pub(crate) const LOG_READ_SERVICE: &str = "ingestion";
pub(crate) const LOG_READ_ENDPOINT: &str = "log.read";

const READ_TIMEOUT: Duration = Duration::from_secs(10);
const CONCURRENT_READS: usize = 4;

/// What is asked: contiguous events from a position on. The answer is one event a line, bytes as recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogRead {
    /// The first position wanted, from 1.
    pub from: Position,
    /// How many are wanted; at most [`LOG_READ_EVENTS_LIMIT`] are given.
    pub limit: usize,
}

/// The endpoint `log.read`, which ingestion serves beside its own.
pub fn log_read_endpoint(source: Arc<dyn LogSource>) -> Endpoint {
    Endpoint::new(LOG_READ_ENDPOINT, CONCURRENT_READS, move |context| {
        let source = Arc::clone(&source);
        async move {
            let asked: LogRead = serde_json::from_slice(&context.payload).map_err(|error| {
                ServiceError::new(400, format!("write {{\"from\": 1, \"limit\": 100}}: {error}"))
            })?;
            let from = asked.from.max(Position(1));
            let limit = asked.limit.clamp(1, LOG_READ_EVENTS_LIMIT);
            let read =
                tokio::task::spawn_blocking(move || source.read(from, limit, LOG_READ_BYTES_LIMIT)).await;
            match read {
                Ok(Ok(events)) => Ok(lines(&events)),
                Ok(Err(error)) => Err(ServiceError::new(503, format!("{error}: {}", error.source))),
                Err(_) => Err(ServiceError::new(500, format!("reading the log at position {from} panicked"))),
            }
        }
    })
}

impl Bus {
    /// Reads contiguous events from ingestion's log; fewer than asked for where the log or the limit ends.
    pub async fn log_read(&self, plan: &PlanId, asked: LogRead) -> Result<Vec<StoredEvent>, RequestError> {
        let payload = serde_json::to_vec(&asked).expect("two numbers serialise");
        let answer = self
            .request_with_headers(
                plan,
                LOG_READ_SERVICE,
                LOG_READ_ENDPOINT,
                payload.into(),
                RequestHeaders::default(),
                READ_TIMEOUT,
            )
            .await?;
        events_in(&answer)
    }
}

/// Written events have no line break: JSON without spaces escapes it.
fn lines(events: &[StoredEvent]) -> Bytes {
    let size_bytes = events.iter().map(|event| event.bytes.len() + 1).sum();
    let mut lines = BytesMut::with_capacity(size_bytes);
    for event in events {
        lines.extend_from_slice(&event.bytes);
        lines.extend_from_slice(b"\n");
    }
    lines.freeze()
}

fn events_in(lines: &Bytes) -> Result<Vec<StoredEvent>, RequestError> {
    lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            StoredEvent::read(lines.slice_ref(line))
                .map_err(|error| RequestError::Garbled { reason: error.to_string() })
        })
        .collect()
}
