//! What a witness answers over HTTP, to anyone: nothing it knows is secret but its key.
//!
//! | | |
//! |---|---|
//! | `POST /add-checkpoint` | C2SP tlog-witness: a cosignature, or 400, 403, 404, 409, 422, and 503 when it must not sign |
//! | `GET /<log>/checkpoint` | the last checkpoint with the cosignature; the log by the hash of its origin, or its name |
//! | `GET /vkey` | the witness's public key |
//! | `GET /` | the same and the logs, for people |
//! | `GET /healthz`, `/readyz`, `/metrics` | as everywhere |

use crate::decision::Refused;
use crate::problem::Problem;
use crate::watched_log::Served;
use crate::witness::Witness;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use evidence::{AddCheckpoint, WitnessRefusal};
use serde_json::{Value, json};
use service::chain;
use service::{CheckReport, Metrics};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How many requests are worked on at once; a further one is asked to come back later.
const REQUEST_LIMIT: usize = 64;
/// How long a request may take, from its head to its answer.
const REQUEST_DEADLINE: Duration = Duration::from_secs(20);
/// How much of a path that is not known is repeated.
const SHOWN_PATH_CHARS: usize = 200;
const PLAIN: &str = "text/plain; charset=utf-8";
/// The media type of a size, as the protocol names it.
const SIZE: &str = "text/x.tlog.size";

/// What every request shares.
#[derive(Clone)]
pub(crate) struct Edge {
    pub(crate) witness: Arc<Witness>,
    pub(crate) metrics: Metrics,
    places: Arc<Semaphore>,
}

impl Edge {
    pub(crate) fn new(witness: Arc<Witness>, metrics: Metrics) -> Edge {
        Edge { witness, metrics, places: Arc::new(Semaphore::new(REQUEST_LIMIT)) }
    }
}

/// Everything that is answered.
pub(crate) fn router(edge: Edge) -> Router {
    Router::new()
        .route("/", get(about))
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{log}/checkpoint", get(checkpoint))
        .route("/vkey", get(vkey))
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_path)
        .layer(from_fn_with_state(edge.clone(), within_bounds))
        .with_state(edge)
}

/// Bounds how many requests are worked on and for how long, and gives every answer the same headers.
async fn within_bounds(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let unavailable = |detail: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response();
    let mut response = match edge.places.clone().try_acquire_owned() {
        Err(_) => unavailable(format!("{REQUEST_LIMIT} requests are being worked on; try again")),
        Ok(_place) => tokio::time::timeout(REQUEST_DEADLINE, next.run(request)).await.unwrap_or_else(|_| {
            let seconds = REQUEST_DEADLINE.as_secs();
            unavailable(format!("no answer came within {seconds} s; the checkpoint may be cosigned already"))
        }),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A cosignature says what was last at its time; an old one would be taken for that.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn add_checkpoint(State(edge): State<Edge>, body: Body) -> Response {
    let Ok(body) = to_bytes(body, AddCheckpoint::LIMIT_BYTES).await else {
        let detail = format!("the body broke off, or is larger than {} bytes", AddCheckpoint::LIMIT_BYTES);
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).into_response();
    };
    let request = match AddCheckpoint::parse(&body) {
        Ok(request) => request,
        Err(error) => return Problem::new(StatusCode::BAD_REQUEST, chain(&error)).into_response(),
    };
    // Deciding waits for the disk, and for others who ask about the same log.
    let witness = edge.witness.clone();
    let decided = tokio::task::spawn_blocking(move || {
        let name = witness.verifier().name().clone();
        witness.add_checkpoint(&request).map(|cosigned| cosigned.lines_of(&name))
    });
    match decided.await {
        Ok(Ok(lines)) => plain(lines),
        Ok(Err(refused)) => refusal(&refused),
        Err(_) => {
            let detail = "the decision broke off; ask again, and tell who runs this witness";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response()
        }
    }
}

/// A refusal as the protocol writes it: for a request from another size, that size and nothing else.
fn refusal(refused: &Refused) -> Response {
    if let Refused::Protocol(WitnessRefusal::Stale { latest, .. }) = refused {
        return (StatusCode::CONFLICT, [(header::CONTENT_TYPE, SIZE)], format!("{latest}\n")).into_response();
    }
    let status = StatusCode::from_u16(refused.status()).expect("every status of a refusal is one");
    Problem::new(status, chain(refused)).into_response()
}

async fn checkpoint(State(edge): State<Edge>, Path(log): Path<String>) -> Response {
    match edge.witness.cosigned(&log) {
        Some(Served::Cosigned(checkpoint)) => plain(checkpoint.to_string()),
        Some(Served::Unusable(why)) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
        Some(Served::Nothing) => not_found("nothing of this log is cosigned yet"),
        None => not_found(
            "no such log: name it by the SHA-256 of its origin in small hexadecimal digits; `/` lists them",
        ),
    }
}

async fn vkey(State(edge): State<Edge>) -> Response {
    plain(format!("{}\n", edge.witness.verifier()))
}

async fn about(State(edge): State<Edge>) -> Response {
    let mut text = format!("witness {}\n", edge.witness.verifier());
    for log in edge.witness.logs() {
        let size = log.last().map_or(0, |record| record.checkpoint.claimed().size());
        text.push_str(&format!(
            "\nlog {}\nat /{}/checkpoint\ncosigned {size} events\n",
            log.origin(),
            log.hash()
        ));
    }
    plain(text)
}

async fn alive() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], r#"{"alive":true}"#).into_response()
}

/// Ready when every log can be cosigned and none alarms; otherwise what is wrong with which.
async fn ready(State(edge): State<Edge>) -> Response {
    let checks = edge.witness.checks();
    let down: Vec<Value> = checks.iter().filter_map(alarm).collect();
    if down.is_empty() {
        let body = json!({"ready": true, "checks": checks});
        return ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response();
    }
    let detail = format!("{} of {} logs alarm", down.len(), checks.len());
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).with_errors(down).into_response()
}

fn alarm(check: &CheckReport) -> Option<Value> {
    match &check.state {
        service::State::Down { why } => Some(json!({
            "pointer": "", "code": "alarm", "reason": format!("{}: {why}", check.name),
            "remedy": "look into the log of the witness",
        })),
        service::State::Ok | service::State::Degraded { .. } => None,
    }
}

async fn metrics(State(edge): State<Edge>) -> Response {
    let text = edge.metrics.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

async fn unknown_path(uri: Uri) -> Response {
    let path: String = uri.path().chars().take(SHOWN_PATH_CHARS).collect();
    not_found(format!("nothing is served at `{path}`"))
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let path: String = uri.path().chars().take(SHOWN_PATH_CHARS).collect();
    let detail = format!("`{path}` does not take {method}; the `Allow` header says what it takes");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}

fn not_found(detail: impl Into<String>) -> Response {
    Problem::new(StatusCode::NOT_FOUND, detail).into_response()
}

fn plain(text: String) -> Response {
    ([(header::CONTENT_TYPE, PLAIN)], text).into_response()
}
