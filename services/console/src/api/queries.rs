//! Questions: what is known, as of when, and the log itself.

use super::{json as written, passed_on};
use crate::backend::{Peer, answer_of};
use crate::edge::Edge;
use crate::parameters::{DEFAULT_PAGE, PAGE_LIMIT, Parameters};
use crate::problem::Problem;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use events::{EventId, IndicatorId, Position, UnitId};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

/// How long a reader of the log waits for a position that it asks for.
const AT_LEAST_PATIENCE: Duration = Duration::from_secs(2);
/// How often it looks.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// The states that a query may ask for.
const ALERT_STATES: [&str; 3] = ["pending", "firing", "resolved"];

/// A question to the projection, field by field.
struct Question {
    parameters: Parameters,
    fields: Map<String, Value>,
}

impl Question {
    fn of(uri: &Uri, known: &[&str]) -> Question {
        Question { parameters: Parameters::of(uri, known), fields: Map::new() }
    }

    fn put(&mut self, name: &str, value: Option<impl Into<Value>>) {
        self.fields.insert(name.to_owned(), value.map_or(Value::Null, Into::into));
    }

    fn unit(&mut self) {
        let value = self.parameters.id("unit", |text| UnitId::parse(text).map(drop));
        self.put("unit", value);
    }

    fn indicator(&mut self) {
        let value = self.parameters.id("indicator", |text| IndicatorId::parse(text).map(drop));
        self.put("indicator", value);
    }

    fn moment(&mut self, name: &str) {
        let value = self.parameters.moment(name);
        self.put(name, value);
    }

    fn at_least(&mut self) {
        let value = self.parameters.position("at_least");
        self.put("at_least", value.map(|position| position.0));
    }

    /// Where a page begins and how much it holds; fields that are there only when asked for.
    fn page(&mut self) {
        if let Some(limit) = self.parameters.whole("limit", 1, PAGE_LIMIT) {
            self.put("limit", Some(limit));
        }
        if let Some(cursor) = self.parameters.text("cursor") {
            self.put("cursor", Some(cursor));
        }
    }

    async fn ask(self, edge: &Edge, endpoint: &'static str) -> Result<Response, Problem> {
        self.parameters.finish()?;
        let answer =
            answer_of(edge.backend(), Peer::Projection, endpoint, Value::Object(self.fields)).await?;
        Ok(passed_on(answer))
    }
}

/// `GET /status`: cells.
pub async fn status(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    let known = ["unit", "indicator", "as_of", "known_at", "at_least", "limit", "cursor"];
    let mut question = Question::of(&uri, &known);
    question.unit();
    question.indicator();
    question.moment("as_of");
    question.moment("known_at");
    question.at_least();
    question.page();
    question.ask(&edge, "status").await
}

/// `GET /series`: every period of one cell, with the expected path.
pub async fn series(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    one_cell(&edge, &uri, "series").await
}

/// A question about one cell at a moment.
async fn one_cell(edge: &Edge, uri: &Uri, endpoint: &'static str) -> Result<Response, Problem> {
    let mut question = Question::of(uri, &["unit", "indicator", "as_of", "known_at", "at_least"]);
    question.parameters.required("unit");
    question.parameters.required("indicator");
    question.unit();
    question.indicator();
    question.moment("as_of");
    question.moment("known_at");
    question.at_least();
    question.ask(edge, endpoint).await
}

/// `GET /explain`: the events and the arithmetic behind one cell.
pub async fn explain(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    one_cell(&edge, &uri, "explain").await
}

/// `GET /diff`: what changed between two moments, cell by cell.
pub async fn diff(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    let known = ["from", "to", "from_position", "to_position", "as_of", "unit", "indicator", "at_least"];
    let mut question = Question::of(&uri, &known);
    for name in ["from", "to", "as_of"] {
        question.moment(name);
    }
    for name in ["from_position", "to_position"] {
        let value = question.parameters.position(name);
        question.put(name, value.map(|position| position.0));
    }
    question.unit();
    question.indicator();
    question.at_least();
    question.ask(&edge, "diff").await
}

/// `GET /findings`: what looks wrong in the figures.
pub async fn findings(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    list(&edge, &uri, "findings", true).await
}

/// `GET /units`: units as they stand at a moment, with what changed them.
pub async fn units(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    list(&edge, &uri, "units", false).await
}

/// `GET /targets`: the targets in force at a moment.
pub async fn targets(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    list(&edge, &uri, "targets", true).await
}

/// `GET /baselines`: where rates began, as known at a moment.
pub async fn baselines(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    list(&edge, &uri, "baselines", true).await
}

/// A list at a moment, in pages.
async fn list(
    edge: &Edge,
    uri: &Uri,
    endpoint: &'static str,
    by_indicator: bool,
) -> Result<Response, Problem> {
    let known = ["unit", "as_of", "known_at", "at_least", "limit", "cursor", "indicator"];
    let mut question = Question::of(uri, if by_indicator { &known } else { &known[..6] });
    question.unit();
    if by_indicator {
        question.indicator();
    }
    question.moment("as_of");
    question.moment("known_at");
    question.at_least();
    question.page();
    question.ask(edge, endpoint).await
}

/// `GET /plan`: the plan as it stands at a moment, with its amendments and the extended deadlines.
pub async fn plan(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    let mut question = Question::of(&uri, &["as_of", "known_at", "at_least"]);
    question.moment("as_of");
    question.moment("known_at");
    question.at_least();
    question.ask(&edge, "plan").await
}

/// `GET /alerts`: alerts, which have the recorded axis only.
pub async fn alerts(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    let mut question = Question::of(&uri, &["state", "unit", "known_at", "at_least", "limit", "cursor"]);
    let state = question.parameters.one_of("state", &ALERT_STATES);
    question.put("state", state);
    question.unit();
    question.moment("known_at");
    question.at_least();
    question.page();
    question.ask(&edge, "alerts").await
}

/// `GET /events`: a page of the log, as recorded; `next` is where the page after it begins, `sample` whether
/// the figures of this log are made up.
pub async fn events(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(&uri, &["from", "limit", "at_least"]);
    // Nothing stands at 0; whoever counts from there means the beginning.
    let from = Position(parameters.whole("from", 0, u64::MAX).unwrap_or(1).max(1));
    let at_least = parameters.position("at_least");
    let limit = parameters.whole("limit", 1, PAGE_LIMIT).unwrap_or(DEFAULT_PAGE);
    parameters.finish()?;
    let limit = usize::try_from(limit).expect("a page is small");
    if let Some(at_least) = at_least {
        wait_for(&edge, at_least).await?;
    }
    let page = edge.backend().read(from, limit).await?;
    let sample = edge.is_sample().await?;
    let next = page.last().map_or(from, |event| event.position.next());
    let size_bytes: usize = page.iter().map(|event| event.bytes.len() + 1).sum();
    let mut body = Vec::with_capacity(size_bytes + 64);
    body.extend_from_slice(b"{\"events\":[");
    for (index, event) in page.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        // The very bytes of the log: reading and writing them again could change them.
        body.extend_from_slice(&event.bytes);
    }
    body.extend_from_slice(format!("],\"next\":{next},\"sample\":{sample}}}").as_bytes());
    Ok(written(body))
}

/// Waits until the log holds a position.
async fn wait_for(edge: &Edge, position: Position) -> Result<(), Problem> {
    let begun = Instant::now();
    while position > Position::START && edge.backend().read(position, 1).await?.is_empty() {
        if begun.elapsed() >= AT_LEAST_PATIENCE {
            return Err(Problem::timed_out(format!(
                "position {position} was not reached within 2 s; ask again"
            )));
        }
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    }
    Ok(())
}

/// `GET /events/{id}`: one event, as recorded.
pub async fn event(
    State(edge): State<Edge>,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    Parameters::of(&uri, &[]).finish()?;
    let id = id.ok().and_then(|Path(id)| EventId::parse_str(&id).ok());
    let Some(id) = id else {
        return Err(Problem::not_found("there is no such event: an event's id is a UUID"));
    };
    Ok(passed_on(answer_of(edge.backend(), Peer::Ingestion, "log.event", json!({"id": id})).await?))
}
