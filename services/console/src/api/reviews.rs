//! Reviews: the model comes from the projection, the signed checkpoint from ingestion; the document is made here.

use crate::backend::{BackendError, Peer, answer_of};
use crate::edge::Edge;
use crate::parameters::Parameters;
use crate::problem::Problem;
use ::reviews::{Format, HTML_STYLE, Language, Review, render};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use events::{FieldError, Position};
use evidence::ProofFile;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// What may be asked for in `format`; what cannot be made is answered with how to come by it.
const FORMATS: [&str; 6] = ["json", "csv", "md", "html", "xlsx", "pdf"];

/// `GET /reviews/{year}`: a review as a document.
pub async fn review(
    State(edge): State<Edge>,
    year: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let known = ["as_of", "known_at", "position", "at_least", "format", "language"];
    let mut parameters = Parameters::of(&uri, &known);
    let mut question = Map::new();
    for name in ["as_of", "known_at"] {
        question.insert(name.to_owned(), parameters.moment(name).into());
    }
    for name in ["position", "at_least"] {
        question.insert(name.to_owned(), parameters.position(name).map(|position| position.0).into());
    }
    let format = parameters.one_of("format", &FORMATS).unwrap_or_else(|| Format::Json.to_string());
    let language = parameters.one_of("language", &["vi", "en"]);
    let language = language.and_then(|tag| Language::of_tag(&tag)).unwrap_or_default();
    let found = Format::of_name(&format);
    if found.is_none() {
        parameters.refuse(
            "format",
            "not-made-here",
            "this planwatch makes no PDF",
            "ask for `format=html`, whose page is laid out for A4, and print it to a file",
        );
    }
    parameters.finish()?;
    let format = found.expect("any other one was refused");
    question.insert("review".to_owned(), year_of(year)?.into());
    let review = with_checkpoint(&edge, question).await?;
    Ok(document(&review, format, language))
}

/// What the path names; whether the plan has such a review is for the projection to say.
pub(super) fn year_of(year: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    year.map(|Path(year)| year).map_err(|_| {
        let error =
            FieldError::new("", "unknown-review", "the path names no review", "ask for a year of the plan");
        Problem::not_found("there is no such review").with_errors(vec![error])
    })
}

/// The model with the signed checkpoint of its cut.
pub(super) async fn with_checkpoint(edge: &Edge, question: Map<String, Value>) -> Result<Review, Problem> {
    let answer = answer_of(edge.backend(), Peer::Projection, "review", Value::Object(question)).await?;
    let mut review: Review =
        serde_json::from_str(answer.get()).map_err(|error| garbled(Peer::Projection, &error.to_string()))?;
    review.checkpoint = checkpoint_of(edge, review.position).await?;
    Ok(review)
}

/// The checkpoint that covers the log up to a position and nothing beyond; none where the log signs nothing.
async fn checkpoint_of(edge: &Edge, position: Position) -> Result<Option<String>, Problem> {
    let question = json!({"position": position, "size": position});
    let answer = match answer_of(edge.backend(), Peer::Ingestion, "log.proof", question).await {
        Ok(answer) => answer,
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => return Ok(None),
        Err(problem) => return Err(problem),
    };
    let garbled = |why: &str| garbled(Peer::Ingestion, why);
    let answer: Value = serde_json::from_str(answer.get()).map_err(|error| garbled(&error.to_string()))?;
    let proof = answer.get("proof").and_then(Value::as_str).ok_or_else(|| garbled("`proof` is missing"))?;
    let proof = ProofFile::parse(proof.as_bytes()).map_err(|error| garbled(&error.to_string()))?;
    Ok(Some(proof.checkpoint().to_string()))
}

fn garbled(peer: Peer, why: &str) -> Problem {
    BackendError::Garbled { peer, why: why.to_owned() }.into()
}

fn document(review: &Review, format: Format, language: Language) -> Response {
    let mut response = render(review, format, language).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    let language = HeaderValue::from_static(language.tag());
    match format {
        Format::Json => {}
        Format::Html => {
            headers.insert(header::CONTENT_LANGUAGE, language);
            headers.insert(header::CONTENT_SECURITY_POLICY, page_policy());
        }
        Format::Csv | Format::Markdown | Format::Xlsx => {
            headers.insert(header::CONTENT_LANGUAGE, language);
        }
    }
    response
}

/// The page brings its own style and nothing else.
fn page_policy() -> HeaderValue {
    let hash = STANDARD.encode(Sha256::digest(HTML_STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("a policy is printable ASCII")
}
