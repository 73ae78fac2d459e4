//! Answering other services: endpoints of a NATS service, each with its bounds.

mod endpoint;

use crate::connection::Bus;
use crate::names;
use crate::request::RequestHeaders;
use async_nats::service::{Service, ServiceExt};
use bytes::Bytes;
use events::PlanId;
use futures::future::{BoxFuture, FutureExt};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long a request may take that brings no time budget of its own.
pub const DEFAULT_BUDGET: Duration = Duration::from_secs(5);
/// The longest time budget that is honoured.
pub const BUDGET_LIMIT: Duration = Duration::from_secs(120);

/// An answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text} ({code})")]
pub struct ServiceError {
    /// As in HTTP: 4xx the request is wrong, 5xx the service cannot now.
    pub code: u16,
    /// What is wrong, in one line.
    pub text: String,
}

impl ServiceError {
    /// Makes an error of a code and a line of text.
    pub fn new(code: u16, text: impl Into<String>) -> ServiceError {
        ServiceError { code, text: text.into() }
    }
}

/// What a handler is given.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The request.
    pub payload: Bytes,
    /// What came beside it.
    pub headers: RequestHeaders,
    /// When the requester stops waiting. The handler is dropped then; what must be finished is spawned.
    pub deadline: Instant,
}

type Handler = Arc<dyn Fn(RequestContext) -> BoxFuture<'static, Result<Bytes, ServiceError>> + Send + Sync>;

/// One endpoint of a service.
#[derive(Clone)]
pub struct Endpoint {
    name: String,
    concurrency: usize,
    handler: Handler,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("name", &self.name)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Makes an endpoint whose handler runs at most `concurrency` times at once.
    pub fn new<F, Answer>(name: impl Into<String>, concurrency: usize, handler: F) -> Endpoint
    where
        F: Fn(RequestContext) -> Answer + Send + Sync + 'static,
        Answer: Future<Output = Result<Bytes, ServiceError>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |context| handler(context).boxed());
        Endpoint { name: name.into(), concurrency: concurrency.max(1), handler }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same endpoint, which answers 503 with a reason for as long as there is one.
    pub fn unless(mut self, in_the_way: impl Fn() -> Option<String> + Send + Sync + 'static) -> Endpoint {
        let handler = self.handler;
        self.handler = Arc::new(move |context| match in_the_way() {
            Some(why) => std::future::ready(Err(ServiceError::new(503, why))).boxed(),
            None => handler(context),
        });
        self
    }
}

/// Why a service could not start.
#[derive(Debug, Error)]
#[error("the service `{service}` cannot be offered on the bus: {reason}")]
pub struct ServeError {
    /// Which.
    pub service: String,
    /// What went wrong.
    pub reason: String,
}

impl Bus {
    /// Offers a service under `planwatch.<plan>.<service>.<endpoint>`. It answers `$SRV.PING`, `INFO` and
    /// `STATS`. Instances of one service share its requests.
    pub async fn serve(
        &self,
        plan: &PlanId,
        service: &str,
        version: &str,
        endpoints: Vec<Endpoint>,
    ) -> Result<ServiceHandle, ServeError> {
        let failed =
            |error: async_nats::Error| ServeError { service: service.to_owned(), reason: error.to_string() };
        let offered = self
            .client()
            .service_builder()
            .description(format!("planwatch {service} of the plan {plan}"))
            .start(service, version)
            .await
            .map_err(failed)?;
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for endpoint in endpoints {
            let requests = offered
                .endpoint_builder()
                .name(endpoint.name.replace('.', "-"))
                .add(names::endpoint(plan, service, &endpoint.name))
                .await
                .map_err(failed)?;
            tasks.spawn(endpoint::run(endpoint, requests, self.client().clone(), stopped.clone()));
        }
        // Whoever is told that the service is there must find it there. A flush only hands the subscriptions to the
        // socket; the server reads them in order, so what it answers afterwards says that it has them. Which
        // answer that is does not matter.
        self.client().flush().await.map_err(|error| failed(Box::new(error)))?;
        let _ = self.client().request("$JS.API.INFO", Bytes::new()).await;
        Ok(ServiceHandle { service: Some(offered), stop, tasks })
    }
}

/// A running service; dropping it stops it at once.
#[derive(Debug)]
pub struct ServiceHandle {
    service: Option<Service>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl ServiceHandle {
    /// Takes no further requests, finishes those that were taken in, for at most `grace`.
    pub async fn stop(mut self, grace: Duration) {
        self.stop.send_replace(true);
        let finished = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, finished).await.is_err() {
            tracing::warn!("Requests were still being answered when the grace ended; they are dropped");
        }
        if let Some(service) = self.service.take() {
            // It only fails where nobody listens any more, which is what was wanted.
            let _ = service.stop().await;
        }
    }
}

impl Drop for ServiceHandle {
    fn drop(&mut self) {
        if let Some(service) = self.service.take() {
            // Stopping is one channel send and an abort, both done at the first poll.
            let _ = service.stop().now_or_never();
        }
    }
}
