//! The pages: the matrix of units and indicators with the open alerts, and the sign-in.
//!
//! They are rendered here and work without a script; the script only fetches the fragments anew when the
//! log grows.

pub mod alerts;
pub mod figures;
pub mod language;
pub mod matrix;
pub mod sign_in;

use crate::access::Actor;
use crate::api::commands::alert_of;
use crate::api::operations::{Command, carry_out, only};
use crate::assets::{ICON_PATH, SCRIPT_ASSET, STYLE_ASSET};
use crate::backend::{BackendError, Peer, answer_of};
use crate::edge::Edge;
use crate::parameters::Parameters;
use crate::problem::Problem;
use alerts::Alerts;
use askama::Template;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use events::Position;
use events::command::Operation;
use figures::{AlertList, MatrixAnswer};
use language::{Language, Words};
use matrix::Matrix;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// What the frame of every page needs.
#[derive(Debug)]
pub struct Frame {
    style: String,
    script: String,
    icon: &'static str,
    signed_in: bool,
    /// The page to go to for the other language.
    other: String,
}

impl Frame {
    fn of(language: Language, signed_in: bool) -> Frame {
        let path = if signed_in { "/" } else { "/sign-in" };
        Frame {
            style: STYLE_ASSET.path(),
            script: SCRIPT_ASSET.path(),
            icon: ICON_PATH,
            signed_in,
            other: format!("{path}?{}", language.other().query()),
        }
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    frame: Frame,
    words: &'static Words,
    matrix: Matrix,
    alerts: Alerts,
    trouble: Option<String>,
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage {
    frame: Frame,
    words: &'static Words,
    status: u16,
    detail: String,
}

#[derive(Template)]
#[template(path = "matrix.html")]
struct MatrixFragment {
    words: &'static Words,
    matrix: Matrix,
}

#[derive(Template)]
#[template(path = "alerts.html")]
struct AlertsFragment {
    words: &'static Words,
    alerts: Alerts,
}

/// What a page is asked for; anything else in the query is of no use to it and ignored.
struct Asked {
    language: Language,
    at_least: Option<Position>,
}

impl Asked {
    fn of(uri: &Uri) -> Asked {
        let mut parameters = Parameters::of(uri, &["lang", "at_least"]);
        let language = Language::of(parameters.text("lang").as_deref());
        Asked { language, at_least: parameters.position("at_least") }
    }
}

/// `GET /`: the matrix and the open alerts.
pub async fn home(State(edge): State<Edge>, uri: Uri) -> Response {
    let asked = Asked::of(&uri);
    page_of(&edge, &asked, None, StatusCode::OK).await
}

/// The home page, with what went wrong in an action on it.
async fn page_of(edge: &Edge, asked: &Asked, trouble: Option<&Problem>, status: StatusCode) -> Response {
    let language = asked.language;
    let figures = async {
        // One after the other: with `at_least`, the first waits for both.
        let alerts = open_alerts(edge, asked.at_least).await?;
        let answer = matrix_answer(edge, asked.at_least).await?;
        Ok::<_, Problem>((answer, alerts))
    };
    match figures.await {
        Ok((answer, list)) => {
            let alerts = Alerts::of(&list, &answer, language);
            let page = HomePage {
                frame: Frame::of(language, true),
                words: language.words(),
                matrix: Matrix::of(&answer, language),
                alerts,
                trouble: trouble.map(said),
            };
            rendered(status, &page)
        }
        Err(problem) => trouble_page(language, &problem),
    }
}

/// `GET /fragments/matrix`: the matrix alone.
pub async fn matrix_fragment(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    let Asked { language, at_least } = Asked::of(&uri);
    let answer = matrix_answer(&edge, at_least).await?;
    let fragment = MatrixFragment { words: language.words(), matrix: Matrix::of(&answer, language) };
    Ok(rendered(StatusCode::OK, &fragment))
}

/// `GET /fragments/alerts`: the open alerts alone.
pub async fn alerts_fragment(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    let Asked { language, at_least } = Asked::of(&uri);
    let list = open_alerts(&edge, at_least).await?;
    let answer = matrix_answer(&edge, at_least).await?;
    let fragment = AlertsFragment { words: language.words(), alerts: Alerts::of(&list, &answer, language) };
    Ok(rendered(StatusCode::OK, &fragment))
}

/// `POST /alerts/{id}/ack`: takes note of an alert from a form, then shows the page again.
pub async fn acknowledge(
    State(edge): State<Edge>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let fields = match form {
        Ok(Form(fields)) => fields,
        Err(rejection) => {
            return Problem::of_status(rejection.status(), rejection.body_text()).into_response();
        }
    };
    let field = |name: &str| fields.iter().find(|(given, _)| given == name).map(|(_, value)| value.trim());
    let language = Language::of(field("lang"));
    let mut body = Map::new();
    for name in ["note", "review_by"] {
        if let Some(value) = field(name).filter(|value| !value.is_empty()) {
            body.insert(name.to_owned(), value.into());
        }
    }
    let recorded = async {
        let command = Command {
            operation: Operation::AcknowledgeAlert,
            subject: Some(alert_of(id)?.to_string()),
            dry_run: false,
            body: Value::Object(body).to_string(),
        };
        only(carry_out(&edge, actor, &headers, command).await?)
    };
    match recorded.await {
        Ok(acceptance) => {
            let page = format!("/?{}&at_least={}", language.query(), acceptance.position);
            Redirect::to(&page).into_response()
        }
        Err(problem) => {
            let asked = Asked { language, at_least: None };
            page_of(&edge, &asked, Some(&problem), problem.status()).await
        }
    }
}

async fn matrix_answer(edge: &Edge, at_least: Option<Position>) -> Result<MatrixAnswer, Problem> {
    let question = match at_least {
        Some(position) => json!({"at_least": position}),
        None => json!({}),
    };
    read(edge, "matrix", question).await
}

async fn open_alerts(edge: &Edge, at_least: Option<Position>) -> Result<AlertList, Problem> {
    let question = json!({"state": "firing", "unit": null, "known_at": null, "at_least": at_least});
    read(edge, "alerts", question).await
}

async fn read<T: DeserializeOwned>(
    edge: &Edge,
    endpoint: &'static str,
    question: Value,
) -> Result<T, Problem> {
    let answer = answer_of(edge.backend(), Peer::Projection, endpoint, question).await?;
    serde_json::from_str(answer.get()).map_err(|error| {
        BackendError::Garbled { peer: Peer::Projection, why: format!("{endpoint}: {error}") }.into()
    })
}

/// What a person is told of a problem: every field with its remedy, else the sentence.
fn said(problem: &Problem) -> String {
    if problem.errors().is_empty() {
        return problem.detail().to_owned();
    }
    let each = problem.errors().iter().map(|error| format!("{}: {}", error.reason, error.remedy));
    each.collect::<Vec<_>>().join("; ")
}

fn trouble_page(language: Language, problem: &Problem) -> Response {
    let page = TroublePage {
        frame: Frame::of(language, true),
        words: language.words(),
        status: problem.status().as_u16(),
        detail: problem.detail().to_owned(),
    };
    rendered(problem.status(), &page)
}

fn rendered(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!("cannot render a page: {error}");
            Problem::unavailable("the page cannot be rendered").into_response()
        }
    }
}
