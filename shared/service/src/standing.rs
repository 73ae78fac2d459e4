//! The endpoints that every service offers on the bus: `health` and `metrics`.

use crate::exposition::Metrics;
use crate::health::Health;
use bus::{Endpoint, ServiceError};
use serde::{Deserialize, Serialize};

/// Name of the endpoint that answers with a [`crate::HealthReport`].
pub const HEALTH_ENDPOINT: &str = "health";
/// Name of the endpoint that answers with [`MetricsAnswer`].
pub const METRICS_ENDPOINT: &str = "metrics";

const CONCURRENCY: usize = 4;

/// The answer of the endpoint `metrics`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricsAnswer {
    /// Prometheus text.
    pub text: String,
}

/// The endpoint `health`, to be served beside a service's own.
pub fn health_endpoint(health: &Health) -> Endpoint {
    let health = health.clone();
    Endpoint::new(HEALTH_ENDPOINT, CONCURRENCY, move |_request| {
        let report = health.report();
        async move { written(&report) }
    })
}

/// The endpoint `metrics`, to be served beside a service's own.
pub fn metrics_endpoint(metrics: &Metrics) -> Endpoint {
    let metrics = metrics.clone();
    Endpoint::new(METRICS_ENDPOINT, CONCURRENCY, move |_request| {
        let answer = MetricsAnswer { text: metrics.render() };
        async move { written(&answer) }
    })
}

fn written<Answer: From<Vec<u8>>>(value: &impl Serialize) -> Result<Answer, ServiceError> {
    Ok(serde_json::to_vec(value).expect("an answer is plain data").into())
}
