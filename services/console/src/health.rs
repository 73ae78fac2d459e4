//! Whether the console lives, whether everything behind it is ready, and what all of them count.

use crate::api::json;
use crate::backend::{HEALTH_DEADLINE, Peer};
use crate::edge::Edge;
use crate::exposition::merged;
use crate::problem::Problem;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use events::FieldError;
use futures::future::join_all;
use serde_json::json as json_value;
use service::{CheckReport, HealthReport, MetricsAnswer, State as CheckState};

/// `GET /healthz`: the process answers, whatever is behind it.
pub async fn alive() -> Response {
    json(r#"{"alive":true}"#)
}

/// `GET /readyz`: every service answers and is well; otherwise what is not.
pub async fn ready(State(edge): State<Edge>) -> Result<Response, Problem> {
    let reports = join_all(Peer::ALL.map(|peer| report_of(&edge, peer))).await;
    let errors: Vec<FieldError> = reports.iter().filter(|report| !report.ok).flat_map(reasons).collect();
    if errors.is_empty() {
        let body = json_value!({"ready": true, "services": reports});
        return Ok(json(body.to_string()));
    }
    let unready: Vec<&str> =
        reports.iter().filter(|report| !report.ok).map(|report| report.service.as_str()).collect();
    Err(Problem::unavailable(format!("not ready: {}", unready.join(", "))).with_errors(errors))
}

async fn report_of(edge: &Edge, peer: Peer) -> HealthReport {
    let down = |why: String| HealthReport {
        service: peer.name().to_owned(),
        ok: false,
        checks: vec![CheckReport { name: "answers".to_owned(), state: CheckState::Down { why } }],
    };
    match edge.backend().ask(peer, "health", json_value!({}), HEALTH_DEADLINE).await {
        Ok(reply) => serde_json::from_slice(&reply)
            .unwrap_or_else(|error| down(format!("its health cannot be read: {error}"))),
        Err(error) => down(error.to_string()),
    }
}

/// One error for each part that is down, so that a person sees all of them at once.
fn reasons(report: &HealthReport) -> Vec<FieldError> {
    let service = report.service.as_str();
    let down = report.checks.iter().filter_map(|check| match &check.state {
        CheckState::Down { why } => Some(FieldError::new(
            "",
            "not-ready",
            format!("{service}: {}: {why}", check.name),
            format!("look into the log of {service}"),
        )),
        CheckState::Ok | CheckState::Degraded { .. } => None,
    });
    let errors: Vec<FieldError> = down.collect();
    if errors.is_empty() {
        let reason = format!("{service} says that it is not ready");
        return vec![FieldError::new("", "not-ready", reason, format!("look into the log of {service}"))];
    }
    errors
}

/// `GET /metrics`: what the console and every service count, each sample with the service it comes from.
/// A service that does not answer is missing, and `planwatch_service_up` says so.
pub async fn metrics(State(edge): State<Edge>) -> Response {
    let gathered = join_all(Peer::ALL.map(|peer| counted_by(&edge, peer))).await;
    let mut up = String::from("# TYPE planwatch_service_up gauge\n");
    let mut texts = vec![("console", edge.counted())];
    for (peer, text) in Peer::ALL.into_iter().zip(gathered) {
        up.push_str(&format!("planwatch_service_up{{service=\"{peer}\"}} {}\n", u8::from(text.is_some())));
        texts.extend(text.map(|text| (peer.name(), text)));
    }
    let body = up + &merged(&texts);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], body).into_response()
}

async fn counted_by(edge: &Edge, peer: Peer) -> Option<String> {
    let reply = edge.backend().ask(peer, "metrics", json_value!({}), HEALTH_DEADLINE).await.ok()?;
    serde_json::from_slice::<MetricsAnswer>(&reply).ok().map(|answer| answer.text)
}
