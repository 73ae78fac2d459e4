//! The router and what stands around every request: hosts, bounds, doors, headers, counting.

use crate::access::{Access, Actor};
use crate::api::{self, API_PREFIX};
use crate::backend::{Backend, BackendError};
use crate::problem::Problem;
use crate::stream::STREAM_LIMIT;
use crate::{assets, pages};
use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use events::Position;
use jiff::Timestamp;
use serde::Deserialize;
use service::Metrics;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};

/// How many requests are worked on at once, streams and sign-ins not counted; a further one is asked to come
/// back later.
pub const REQUEST_LIMIT: usize = 512;
/// How long a request may take until its answer begins.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(30);
/// How many sign-ins are worked on at once. Their forms are read from anybody, so they have places of their
/// own: whoever fills these keeps nobody from working who is signed in already.
pub const SIGN_IN_LIMIT: usize = 16;
/// How long a sign-in may take: a form of a few hundred bytes that has not come by then is given up.
pub const SIGN_IN_DEADLINE: Duration = Duration::from_secs(5);
/// The largest form of a page, in bytes.
const FORM_LIMIT_BYTES: usize = 32 * 1024;
/// The largest form of a sign-in, in bytes: the longest token, with every character written as three.
const SIGN_IN_FORM_LIMIT_BYTES: usize = 4 * 1024;
/// Where one signs in.
const SIGN_IN_PATH: &str = "/sign-in";

const SECURITY_HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Other sites are told nothing. With `no-referrer` a browser would hide the origin of the console's own
    // forms as well, by which they are recognised where it sends no `Sec-Fetch-Site`: over plain HTTP.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// What every request shares; clones are the same.
#[derive(Clone)]
pub struct Edge {
    shared: Arc<Shared>,
}

struct Shared {
    backend: Arc<dyn Backend>,
    access: Access,
    metrics: Metrics,
    requests: Arc<Semaphore>,
    sign_ins: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    closing: watch::Receiver<bool>,
    /// Whether the log was begun with a sample; it never changes once there is a first event.
    sample: OnceLock<bool>,
}

impl Edge {
    /// Puts together what requests share; `closing` turns true when the console stops.
    pub fn new(
        backend: Arc<dyn Backend>,
        access: Access,
        metrics: Metrics,
        closing: watch::Receiver<bool>,
    ) -> Edge {
        let shared = Shared {
            backend,
            access,
            metrics,
            requests: Arc::new(Semaphore::new(REQUEST_LIMIT)),
            sign_ins: Arc::new(Semaphore::new(SIGN_IN_LIMIT)),
            streams: Arc::new(Semaphore::new(STREAM_LIMIT)),
            closing,
            sample: OnceLock::new(),
        };
        Edge { shared: Arc::new(shared) }
    }

    /// What stands behind.
    pub fn backend(&self) -> &dyn Backend {
        self.shared.backend.as_ref()
    }

    /// The doors.
    pub fn access(&self) -> &Access {
        &self.shared.access
    }

    /// Whether the figures of the log are made up, as its first event says.
    pub async fn is_sample(&self) -> Result<bool, BackendError> {
        if let Some(sample) = self.shared.sample.get() {
            return Ok(*sample);
        }
        let first = self.backend().read(Position::START.next(), 1).await?;
        // A log without an event has no figures, and may become either.
        let Some(first) = first.first() else { return Ok(false) };
        Ok(*self.shared.sample.get_or_init(|| says_sample(&first.bytes)))
    }

    /// The places for streams.
    pub fn streams(&self) -> &Arc<Semaphore> {
        &self.shared.streams
    }

    /// What this process counts, as Prometheus text.
    pub fn counted(&self) -> String {
        self.shared.metrics.render()
    }

    /// Completes when the console stops.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut closing = self.shared.closing.clone();
        async move {
            // A sender that is gone means the same as one that says so.
            let _ = closing.wait_for(|closing| *closing).await;
        }
    }
}

/// Whether an event is the adoption of a plan with a sample; no other type of event has the field.
fn says_sample(event: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Adoption {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        #[serde(default)]
        sample: bool,
    }
    serde_json::from_slice::<Adoption>(event).is_ok_and(|event| event.data.sample)
}

/// Everything that the console answers.
pub fn router(edge: Edge) -> Router {
    let mut interface = Router::new();
    for route in api::routes() {
        interface = interface.route(route.path, route.handler);
    }
    let interface = interface
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_path)
        .layer(from_fn_with_state(edge.clone(), let_in));

    let pages = Router::new()
        .route("/", get(pages::home))
        .route("/fragments/matrix", get(pages::matrix_fragment))
        .route("/fragments/alerts", get(pages::alerts_fragment))
        .route("/alerts/{id}/ack", post(pages::acknowledge))
        .route("/sign-out", post(pages::sign_in::leave))
        .layer(from_fn_with_state(edge.clone(), let_in_or_show_door));

    let enter = post(pages::sign_in::enter).layer(DefaultBodyLimit::max(SIGN_IN_FORM_LIMIT_BYTES));
    let mut open = Router::new()
        .route(SIGN_IN_PATH, get(pages::sign_in::door).merge(enter))
        .route("/assets/{name}", get(assets::serve))
        .route(assets::ICON_PATH, get(assets::icon))
        // Asked for by browsers, whatever the pages say.
        .route("/favicon.ico", get(assets::icon));
    for route in api::open_routes() {
        open = open.route(route.path, route.handler);
    }

    Router::new()
        .nest(API_PREFIX, interface)
        .merge(pages)
        .merge(open)
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_path)
        .layer(DefaultBodyLimit::max(FORM_LIMIT_BYTES))
        .layer(from_fn_with_state(edge.clone(), within_bounds))
        .layer(from_fn(observed))
        .with_state(edge)
}

async fn unknown_path(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::not_found(format!(
        "nothing is served at `{path}`; the interface is described at /api/openapi.json"
    ))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::wrong_method(format!("`{path}` does not take {method}; the `Allow` header says what it takes"))
}

/// Lets those in who show a token or a session.
async fn let_in(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    match edge.access().identify(request.method(), request.headers(), Timestamp::now()) {
        Ok(actor) => {
            request.extensions_mut().insert::<Actor>(actor);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Lets those in who show a token or a session, and shows the others how to get one.
async fn let_in_or_show_door(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let is_fragment = request.uri().path().starts_with("/fragments/");
    let is_english =
        request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "lang=en"));
    match edge.access().identify(request.method(), request.headers(), Timestamp::now()) {
        Ok(actor) => {
            request.extensions_mut().insert::<Actor>(actor);
            next.run(request).await
        }
        Err(problem) if problem.status() == axum::http::StatusCode::UNAUTHORIZED && !is_fragment => {
            Redirect::to(if is_english { "/sign-in?lang=en" } else { "/sign-in" }).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

/// Bounds how many requests are worked on and for how long.
async fn within_bounds(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    if let Err(problem) = edge.access().hosts().check(request.uri(), request.headers()) {
        return problem.into_response();
    }
    let signs_in = request.method() == Method::POST && request.uri().path() == SIGN_IN_PATH;
    let (places, limit, deadline, what) = if signs_in {
        (&edge.shared.sign_ins, SIGN_IN_LIMIT, SIGN_IN_DEADLINE, "sign-ins")
    } else {
        (&edge.shared.requests, REQUEST_LIMIT, REQUEST_DEADLINE, "requests")
    };
    let Ok(_place) = places.clone().try_acquire_owned() else {
        return Problem::unavailable(format!("{limit} {what} are being worked on; try again"))
            .into_response();
    };
    match tokio::time::timeout(deadline, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let seconds = deadline.as_secs();
            Problem::timed_out(format!(
                "no answer came within {seconds} s; it may still have been carried out"
            ))
            .into_response()
        }
    }
}

/// Counts a request and gives its answer the headers that all answers have.
async fn observed(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = match request.method() {
        &Method::GET | &Method::HEAD => "GET",
        &Method::POST => "POST",
        _ => "other",
    };
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |matched| matched.as_str().to_owned());
    let mut response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("planwatch_http_requests_total", "method" => method, "route" => route.clone(), "status" => status)
        .increment(1);
    metrics::histogram!("planwatch_http_request_seconds", "method" => method, "route" => route)
        .record(begun.elapsed().as_secs_f64());
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        // A document that may do less than a page of ours says so itself.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // What is served is somebody's figures unless the answer says otherwise.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
