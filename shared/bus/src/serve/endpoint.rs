//! One endpoint at work: a bounded queue, a bounded number of handlers, an answer for every request.

use super::{BUDGET_LIMIT, DEFAULT_BUDGET, Endpoint, Handler, RequestContext, ServiceError};
use crate::chunks::{self, CHUNK_HEADER, REPLY_BYTES_LIMIT};
use crate::request::{BUDGET_HEADER, RequestHeaders, header_value};
use async_nats::service::{self, Request, error};
use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use futures::StreamExt;
use futures::future::FutureExt;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// How many requests wait for a handler; the next one is answered 503 at once.
const QUEUE_LIMIT: usize = 1024;
/// How many bytes of requests wait for a handler, likewise.
const QUEUE_BYTES_LIMIT: usize = 64 * 1024 * 1024;
/// The longest error text that is sent, in characters.
const ERROR_TEXT_LIMIT: usize = 1024;

struct Taken {
    request: Request,
    deadline: Instant,
}

pub(super) async fn run(
    endpoint: Endpoint,
    mut requests: service::endpoint::Endpoint,
    client: Client,
    mut stopped: watch::Receiver<bool>,
) {
    let mut queue: VecDeque<Taken> = VecDeque::new();
    let mut queue_bytes = 0;
    let mut handlers = JoinSet::new();
    let mut open = true;
    loop {
        while handlers.len() < endpoint.concurrency {
            let Some(taken) = queue.pop_front() else { break };
            queue_bytes -= taken.request.message.payload.len();
            handlers.spawn(answer(client.clone(), endpoint.handler.clone(), taken));
        }
        if !open && handlers.is_empty() {
            return;
        }
        tokio::select! {
            Some(_) = handlers.join_next(), if !handlers.is_empty() => {}
            request = requests.next(), if open => match request {
                Some(request) => {
                    let size_bytes = request.message.payload.len();
                    if queue.len() >= QUEUE_LIMIT || queue_bytes + size_bytes > QUEUE_BYTES_LIMIT {
                        let busy = ServiceError::new(503, "too many requests are waiting; try again later");
                        respond(&client, &request, Err(busy)).await;
                    } else {
                        queue_bytes += size_bytes;
                        queue.push_back(Taken { deadline: deadline_of(&request), request });
                    }
                }
                None => open = false,
            },
            // An error means that the handle is gone.
            changed = stopped.changed(), if open => {
                if changed.is_err() || *stopped.borrow() {
                    open = false;
                    // The server forgets the subscription; what it had sent before is still answered.
                    let _ = requests.stop().await;
                    while let Some(Some(request)) = requests.next().now_or_never() {
                        queue_bytes += request.message.payload.len();
                        queue.push_back(Taken { deadline: deadline_of(&request), request });
                    }
                }
            }
        }
    }
}

fn deadline_of(request: &Request) -> Instant {
    let header = request.message.headers.as_ref().and_then(|headers| headers.get(BUDGET_HEADER));
    let budget = header
        .and_then(|budget| budget.as_str().parse().ok())
        .map_or(DEFAULT_BUDGET, Duration::from_millis)
        .min(BUDGET_LIMIT);
    Instant::now() + budget
}

async fn answer(client: Client, handler: Handler, taken: Taken) {
    let Taken { request, deadline } = taken;
    let context = RequestContext {
        payload: request.message.payload.clone(),
        headers: RequestHeaders::read(request.message.headers.as_ref()),
        deadline,
    };
    // The handler is made inside, so that a panic before its first await is caught as well.
    let work = AssertUnwindSafe(async { handler(context).await }).catch_unwind();
    let outcome = match timeout_at(deadline, work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => {
            tracing::error!(subject = %request.message.subject, "A request's handler panicked");
            Err(ServiceError::new(500, "the service failed on this request; its log says how"))
        }
        Err(_) => Err(ServiceError::new(504, "the deadline passed before the request was answered")),
    };
    respond(&client, &request, outcome).await;
}

async fn respond(client: &Client, request: &Request, outcome: Result<Bytes, ServiceError>) {
    let Some(reply) = request.message.reply.clone() else {
        tracing::warn!(subject = %request.message.subject, "A request names no place for its answer");
        return;
    };
    let outcome = outcome.and_then(|payload| {
        if payload.len() <= REPLY_BYTES_LIMIT {
            Ok(payload)
        } else {
            Err(ServiceError::new(413, format!("the answer exceeds {REPLY_BYTES_LIMIT} bytes; ask for less")))
        }
    });
    let sent = match outcome {
        Err(refusal) => {
            let text: String = refusal.text.chars().take(ERROR_TEXT_LIMIT).collect();
            let code = usize::from(refusal.code);
            request.respond(Err(error::Error { status: header_value(&text), code })).await
        }
        Ok(payload) => {
            let mut pieces = chunks::cut(&payload);
            let last = pieces.pop().expect("even an empty reply is one piece");
            let total = pieces.len() + 1;
            let mut sent = Ok(());
            for (index, piece) in pieces.into_iter().enumerate() {
                if sent.is_ok() {
                    sent = client.publish_with_headers(reply.clone(), chunk(index + 1, total), piece).await;
                }
            }
            // The last piece goes through the service, which counts the request.
            match sent {
                Ok(()) if total == 1 => request.respond(Ok(last)).await,
                Ok(()) => request.respond_with_headers(Ok(last), chunk(total, total)).await,
                Err(error) => Err(error),
            }
        }
    };
    if let Err(error) = sent {
        tracing::warn!(subject = %request.message.subject, "An answer could not be sent: {error}");
    }
}

fn chunk(number: usize, total: usize) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CHUNK_HEADER, format!("{number}/{total}"));
    headers
}
