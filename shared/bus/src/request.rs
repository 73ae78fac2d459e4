//! Asking another service: one request, one reply, a deadline.

use crate::chunks::{Assembly, CHUNK_HEADER, CHUNKS_LIMIT, Wrong};
use crate::connection::Bus;
use crate::names;
use async_nats::{Client, HeaderMap, Message, PublishErrorKind, StatusCode, Subscriber};
use bytes::Bytes;
use events::PlanId;
use futures::StreamExt;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

/// Header: the requester's time budget in milliseconds, counted from the arrival.
pub(crate) const BUDGET_HEADER: &str = "Planwatch-Budget-Ms";
/// Header: the W3C trace context.
pub(crate) const TRACEPARENT_HEADER: &str = "traceparent";
/// Header: what ties the log lines of one request together.
pub(crate) const CORRELATION_HEADER: &str = "Planwatch-Correlation";
pub(crate) const ERROR_HEADER: &str = "Nats-Service-Error";
pub(crate) const ERROR_CODE_HEADER: &str = "Nats-Service-Error-Code";

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// Nobody serves it now; nothing happened. Trying again later may help.
    #[error("nobody answers `{subject}`; its service is not running")]
    NoResponders {
        /// Where it was asked.
        subject: String,
    },
    /// The deadline passed; whether the request was carried out is not known.
    #[error("`{subject}` did not answer within {timeout_ms} ms")]
    TimedOut {
        /// Where it was asked.
        subject: String,
        /// The time it was given.
        timeout_ms: u64,
    },
    /// The service answered with an error.
    #[error("the service refused: {text} ({code})")]
    Refused {
        /// As in HTTP: 4xx the request is wrong, 5xx the service cannot now.
        code: u16,
        /// What it said.
        text: String,
    },
    /// The connection was lost; whether the request was carried out is not known.
    #[error("the connection to nats-server was lost")]
    Disconnected,
    /// Request or reply exceeds a limit.
    #[error(
        "{what} is larger than the bus carries ({limit_bytes} bytes); raise max_payload of nats-server or ask for less"
    )]
    TooLarge {
        /// Which of the two.
        what: &'static str,
        /// The limit.
        limit_bytes: usize,
    },
    /// The reply is not in the form of this bus; its service is of another version.
    #[error("the reply cannot be read: {reason}")]
    Garbled {
        /// What is wrong with it.
        reason: String,
    },
}

/// What travels beside the payload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestHeaders {
    /// The W3C trace context.
    pub traceparent: Option<String>,
    /// What ties the log lines of one request together.
    pub correlation: Option<String>,
}

impl RequestHeaders {
    pub(crate) fn read(headers: Option<&HeaderMap>) -> RequestHeaders {
        let text = |name| Some(headers?.get(name)?.as_str().to_owned());
        RequestHeaders { traceparent: text(TRACEPARENT_HEADER), correlation: text(CORRELATION_HEADER) }
    }
}

/// A header's value in one line of visible characters.
pub(crate) fn header_value(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

impl Bus {
    /// Asks a service and waits for its reply, for at most `timeout`.
    pub async fn request(
        &self,
        plan: &PlanId,
        service: &str,
        endpoint: &str,
        payload: Bytes,
        timeout: Duration,
    ) -> Result<Bytes, RequestError> {
        self.request_with_headers(plan, service, endpoint, payload, RequestHeaders::default(), timeout).await
    }

    /// As [`Bus::request`], passing trace and correlation on.
    pub async fn request_with_headers(
        &self,
        plan: &PlanId,
        service: &str,
        endpoint: &str,
        payload: Bytes,
        headers: RequestHeaders,
        timeout: Duration,
    ) -> Result<Bytes, RequestError> {
        let subject = names::endpoint(plan, service, endpoint);
        let deadline = Instant::now() + timeout;
        let timed_out = || RequestError::TimedOut {
            subject: subject.clone(),
            timeout_ms: timeout.as_millis().try_into().unwrap_or(u64::MAX),
        };
        // A server that restarts is back within the time that most callers give.
        let epoch = match timeout_at(deadline, self.connected()).await {
            Ok(Some(epoch)) => epoch,
            Ok(None) | Err(_) => return Err(RequestError::Disconnected),
        };
        let mut place = self.desk().place();
        let mut map = HeaderMap::new();
        map.insert(BUDGET_HEADER, deadline.duration_since(Instant::now()).as_millis().to_string());
        if let Some(traceparent) = &headers.traceparent {
            map.insert(TRACEPARENT_HEADER, header_value(traceparent));
        }
        if let Some(correlation) = &headers.correlation {
            map.insert(CORRELATION_HEADER, header_value(correlation));
        }
        let exchange = async {
            let sent = self
                .client()
                .publish_with_reply_and_headers(subject.clone(), place.inbox.clone(), map, payload)
                .await;
            if let Err(error) = sent {
                return Err(match error.kind() {
                    PublishErrorKind::MaxPayloadExceeded => RequestError::TooLarge {
                        what: "the request",
                        limit_bytes: self.client().max_payload(),
                    },
                    PublishErrorKind::Send | PublishErrorKind::InvalidSubject => RequestError::Disconnected,
                });
            }
            reply(&mut place, &subject).await
        };
        tokio::select! {
            biased;
            outcome = timeout_at(deadline, exchange) => outcome.unwrap_or_else(|_| Err(timed_out())),
            () = self.gone(epoch) => Err(RequestError::Disconnected),
        }
    }
}

async fn reply(place: &mut Place, subject: &str) -> Result<Bytes, RequestError> {
    let mut assembly = Assembly::default();
    loop {
        let Some(message) = place.messages.recv().await else { return Err(RequestError::Disconnected) };
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            return Err(RequestError::NoResponders { subject: subject.to_owned() });
        }
        let header = |name| Some(message.headers.as_ref()?.get(name)?.as_str());
        if let Some(text) = header(ERROR_HEADER) {
            let code = header(ERROR_CODE_HEADER).and_then(|code| code.parse().ok()).unwrap_or(500);
            return Err(RequestError::Refused { code, text: text.to_owned() });
        }
        match assembly.take(header(CHUNK_HEADER), message.payload.clone()) {
            Ok(Some(whole)) => return Ok(whole),
            Ok(None) => {}
            Err(Wrong::TooLarge) => {
                let limit_bytes = crate::chunks::REPLY_BYTES_LIMIT;
                return Err(RequestError::TooLarge { what: "the reply", limit_bytes });
            }
            Err(Wrong::Garbled(reason)) => return Err(RequestError::Garbled { reason }),
        }
    }
}

type Waiting = Mutex<HashMap<u64, mpsc::Sender<Message>>>;

/// Where replies arrive: one subscription for all requests of a connection, sorted by a number at its end.
pub(crate) struct ReplyDesk {
    prefix: String,
    waiting: Waiting,
    next: AtomicU64,
}

impl ReplyDesk {
    /// Subscribes and starts sorting; the task ends when it is aborted.
    pub(crate) async fn open(
        client: &Client,
    ) -> Result<(Arc<ReplyDesk>, AbortHandle), async_nats::SubscribeError> {
        let prefix = client.new_inbox();
        let replies = client.subscribe(format!("{prefix}.*")).await?;
        let desk = Arc::new(ReplyDesk { prefix, waiting: Waiting::default(), next: AtomicU64::new(1) });
        let task = tokio::spawn(sort(replies, Arc::clone(&desk)));
        Ok((desk, task.abort_handle()))
    }

    fn place(self: &Arc<Self>) -> Place {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        // One more than the chunks of the largest reply, for the status that nobody answers.
        let (sender, messages) = mpsc::channel(CHUNKS_LIMIT + 1);
        self.lock().insert(number, sender);
        Place { desk: Arc::clone(self), number, inbox: format!("{}.{number}", self.prefix), messages }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, mpsc::Sender<Message>>> {
        // The map is whole between any two of its own operations, so a panic elsewhere left it usable.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn sort(mut replies: Subscriber, desk: Arc<ReplyDesk>) {
    while let Some(message) = replies.next().await {
        let number = message.subject.rsplit('.').next().and_then(|number| number.parse().ok());
        let Some(number) = number else { continue };
        let sender = desk.lock().get(&number).cloned();
        if let Some(sender) = sender {
            // A full place has more chunks than a reply may have; the reader refuses it by its numbers.
            let _ = sender.try_send(message);
        }
    }
}

struct Place {
    desk: Arc<ReplyDesk>,
    number: u64,
    inbox: String,
    messages: mpsc::Receiver<Message>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.desk.lock().remove(&self.number);
    }
}
