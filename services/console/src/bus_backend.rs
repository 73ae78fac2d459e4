//! The services behind the edge, asked over the bus.

use crate::backend::{
    Backend, BackendError, LogEvent, Peer, QUERY_DEADLINE, SUBMIT_DEADLINE, Tail, answer_of,
};
use bus::{Bus, LogRead, RequestError, RequestHeaders};
use bytes::Bytes;
use events::command::{Answer, Request};
use events::{PlanId, Position};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long one try of a command may take. A command is sent again under the id that it has, so that one whose
/// answer was lost, with the service that would have given it, is recorded once.
const TRY_DEADLINE: Duration = Duration::from_secs(2);
/// How long the next try waits.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// How long nobody may be there to take a command: a service that is started again is back before.
const ABSENCE_PATIENCE: Duration = Duration::from_secs(3);

/// The services of one plan.
#[derive(Debug, Clone)]
pub struct BusBackend {
    bus: Bus,
    plan: PlanId,
}

impl BusBackend {
    /// Asks the services of `plan` over `bus`.
    pub fn new(bus: Bus, plan: PlanId) -> BusBackend {
        BusBackend { bus, plan }
    }

    async fn request(
        &self,
        peer: Peer,
        endpoint: &str,
        payload: Vec<u8>,
        traceparent: Option<String>,
        within: Duration,
    ) -> Result<Bytes, BackendError> {
        let headers = RequestHeaders { traceparent, correlation: None };
        self.bus
            .request_with_headers(&self.plan, peer.name(), endpoint, payload.into(), headers, within)
            .await
            .map_err(|error| told(peer, error))
    }

    /// How far the projection has got. An event that is recorded from now on comes after it.
    async fn head(&self) -> Result<Position, BackendError> {
        #[derive(Deserialize)]
        struct At {
            position: Position,
        }
        let peer = Peer::Projection;
        let answer = answer_of(self, peer, "position", json!({}))
            .await
            .map_err(|problem| BackendError::Unreachable { peer, why: problem.detail().to_owned() })?;
        serde_json::from_str::<At>(answer.get())
            .map(|at| at.position)
            .map_err(|error| BackendError::Garbled { peer, why: error.to_string() })
    }
}

impl Backend for BusBackend {
    fn submit(&self, request: Request) -> BoxFuture<'_, Result<Answer, BackendError>> {
        let peer = Peer::Ingestion;
        async move {
            let payload = serde_json::to_vec(&request).expect("a request serialises to memory");
            let begun = Instant::now();
            let reply = loop {
                let traceparent = request.traceparent.clone();
                let tried = self.request(peer, "submit", payload.clone(), traceparent, TRY_DEADLINE).await;
                let patience = match &tried {
                    Err(BackendError::Unreachable { .. }) => ABSENCE_PATIENCE,
                    Err(BackendError::TimedOut { .. } | BackendError::Lost { .. }) => SUBMIT_DEADLINE,
                    Ok(_) | Err(_) => break tried?,
                };
                if begun.elapsed() + TRY_AGAIN_AFTER >= patience {
                    break tried?;
                }
                tokio::time::sleep(TRY_AGAIN_AFTER).await;
            };
            serde_json::from_slice(&reply)
                .map_err(|error| BackendError::Garbled { peer, why: error.to_string() })
        }
        .boxed()
    }

    fn ask(
        &self,
        peer: Peer,
        endpoint: &'static str,
        question: Value,
        within: Duration,
    ) -> BoxFuture<'_, Result<Bytes, BackendError>> {
        async move { self.request(peer, endpoint, question.to_string().into_bytes(), None, within).await }
            .boxed()
    }

    fn read(&self, from: Position, limit: usize) -> BoxFuture<'_, Result<Vec<LogEvent>, BackendError>> {
        let peer = Peer::Ingestion;
        async move {
            let read = self.bus.log_read(&self.plan, LogRead { from, limit });
            let events = match tokio::time::timeout(QUERY_DEADLINE, read).await {
                Ok(events) => events.map_err(|error| told(peer, error))?,
                Err(_) => return Err(BackendError::TimedOut { peer, seconds: QUERY_DEADLINE.as_secs() }),
            };
            let event = |event: bus::StoredEvent| LogEvent { position: event.position, bytes: event.bytes };
            Ok(events.into_iter().map(event).collect())
        }
        .boxed()
    }

    fn tail(&self, after: Option<Position>) -> BoxFuture<'_, Result<Tail, BackendError>> {
        async move {
            let after = match after {
                Some(after) => after,
                None => self.head().await?,
            };
            let events = self
                .bus
                .tail(&self.plan, Position(after.0.saturating_add(1)))
                .map(|event| LogEvent { position: event.position, bytes: event.bytes })
                .boxed();
            Ok(Tail { after, events })
        }
        .boxed()
    }
}

/// What a failed request means to the one who asked for it.
fn told(peer: Peer, error: RequestError) -> BackendError {
    let why = error.to_string();
    match error {
        RequestError::NoResponders { .. } => BackendError::Unreachable { peer, why },
        RequestError::TimedOut { timeout_ms, .. } => {
            BackendError::TimedOut { peer, seconds: timeout_ms.div_ceil(1_000) }
        }
        RequestError::Disconnected => BackendError::Lost { peer },
        RequestError::TooLarge { .. } | RequestError::Refused { code: 413, .. } => BackendError::TooLarge,
        // The console words every request itself, so a wrong one means services of different versions.
        RequestError::Refused { code: 400..=428 | 430..=499, text } => {
            BackendError::Garbled { peer, why: text }
        }
        RequestError::Refused { text, .. } => BackendError::Busy { peer, text },
        RequestError::Garbled { reason } => BackendError::Garbled { peer, why: reason },
    }
}
