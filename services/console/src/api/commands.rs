//! Commands: what the log is asked to record.

use super::operations::{Command, Done, carry_out, only};
use super::{API_PREFIX, json};
use crate::access::Actor;
use crate::backend::{BackendError, Peer};
use crate::body::read_json;
use crate::edge::Edge;
use crate::parameters::Parameters;
use crate::problem::Problem;
use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use events::command::{
    Acceptance, AmendmentPreview, BATCH_BODY_LIMIT_BYTES, BODY_LIMIT_BYTES, Operation, Preview, read_alert_id,
};
use events::{AlertId, Position};
use serde::Serialize;

/// Records what a body asks for, one event of one operation.
pub fn recording(operation: Operation) -> MethodRouter<Edge> {
    post(move |State(edge): State<Edge>, Extension(actor): Extension<Actor>, request: Request| async move {
        record_one(&edge, actor, request, operation, None).await
    })
}

#[derive(Serialize)]
struct CheckedAmendment {
    dry_run: bool,
    #[serde(flatten)]
    preview: Box<AmendmentPreview>,
}

/// `POST /plan/amendments`: gives keys of the plan other values; with `dry_run=true` it only says which, and which
/// cells would say something else.
pub async fn amend_plan(
    State(edge): State<Edge>,
    Extension(actor): Extension<Actor>,
    request: Request,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(request.uri(), &["dry_run"]);
    let dry_run = parameters.flag("dry_run");
    parameters.finish()?;
    let headers = request.headers().clone();
    let body = read_json(request, BODY_LIMIT_BYTES).await?;
    let command = Command { operation: Operation::AmendPlan, subject: None, dry_run, body };
    match (dry_run, carry_out(&edge, actor, &headers, command).await?) {
        (true, Done::AmendmentChecked(preview)) => {
            Ok((StatusCode::OK, written(&CheckedAmendment { dry_run, preview })).into_response())
        }
        (false, done) => Ok(recorded(&only(done)?)),
        (true, done) => Err(BackendError::Garbled {
            peer: Peer::Ingestion,
            why: format!("with dry_run={dry_run} the answer was {done:?}"),
        }
        .into()),
    }
}

/// `POST /alerts/{id}/ack`: takes note of an alert.
pub async fn acknowledge_alert(
    State(edge): State<Edge>,
    Extension(actor): Extension<Actor>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let alert = alert_of(id)?;
    record_one(&edge, actor, request, Operation::AcknowledgeAlert, Some(alert.to_string())).await
}

/// The alert that a path names.
pub fn alert_of(id: Result<Path<String>, PathRejection>) -> Result<AlertId, Problem> {
    let Path(id) = id.map_err(|_| Problem::not_found("there is no such alert"))?;
    Ok(read_alert_id(&id)?)
}

async fn record_one(
    edge: &Edge,
    actor: Actor,
    request: Request,
    operation: Operation,
    subject: Option<String>,
) -> Result<Response, Problem> {
    Parameters::of(request.uri(), &[]).finish()?;
    let headers = request.headers().clone();
    let body = read_json(request, BODY_LIMIT_BYTES).await?;
    let command = Command { operation, subject, dry_run: false, body };
    Ok(recorded(&only(carry_out(edge, actor, &headers, command).await?)?))
}

/// What is said of one event that is recorded, and where it is found.
fn recorded(acceptance: &Acceptance) -> Response {
    let mut response = (StatusCode::CREATED, written(acceptance)).into_response();
    let location = HeaderValue::try_from(format!("{API_PREFIX}/events/{}", acceptance.event))
        .expect("a UUID is made of header characters");
    response.headers_mut().insert(header::LOCATION, location);
    response
}

#[derive(Serialize)]
struct RecordedReports {
    reports: Vec<Acceptance>,
    position: Option<Position>,
}

#[derive(Serialize)]
struct CheckedReports {
    dry_run: bool,
    reports: Vec<Preview>,
}

/// `POST /reports/batch`: records several reports or none; with `dry_run=true` it only says what would be.
pub async fn submit_reports(
    State(edge): State<Edge>,
    Extension(actor): Extension<Actor>,
    request: Request,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(request.uri(), &["dry_run"]);
    let dry_run = parameters.flag("dry_run");
    parameters.finish()?;
    let headers = request.headers().clone();
    let body = read_json(request, BATCH_BODY_LIMIT_BYTES).await?;
    let command = Command { operation: Operation::SubmitReports, subject: None, dry_run, body };
    match (dry_run, carry_out(&edge, actor, &headers, command).await?) {
        (false, Done::Recorded(reports)) => {
            let position = reports.iter().map(|report| report.position).max();
            Ok((StatusCode::CREATED, written(&RecordedReports { reports, position })).into_response())
        }
        (true, Done::Checked(reports)) => {
            Ok((StatusCode::OK, written(&CheckedReports { dry_run, reports })).into_response())
        }
        (_, done) => Err(BackendError::Garbled {
            peer: Peer::Ingestion,
            why: format!("with dry_run={dry_run} the answer was {done:?}"),
        }
        .into()),
    }
}

fn written(answer: &impl Serialize) -> Response {
    json(serde_json::to_vec(answer).expect("answers serialise to memory"))
}
