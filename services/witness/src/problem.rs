//! Problem documents (RFC 9457): the one form in which the witness says that something was not done.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// The media type of a problem document.
const PROBLEM_JSON: &str = "application/problem+json";
/// After how many seconds trying again can help.
const RETRY_AFTER_SECONDS: u32 = 1;

/// Why a request was not carried out; becomes the response.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<Value>,
}

impl Problem {
    /// A problem with a status and one sentence that says what to do.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Problem {
        Problem { status, detail: detail.into(), errors: Vec::new() }
    }

    /// The same problem, naming each thing that is wrong.
    pub(crate) fn with_errors(self, errors: Vec<Value>) -> Problem {
        Problem { errors, ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Not done");
        let kind = title.to_lowercase().replace(' ', "-");
        let body = json!({
            "type": format!("/problems/{kind}"), "title": title, "status": self.status.as_u16(),
            "detail": self.detail, "errors": self.errors,
        });
        let mut response =
            (self.status, [(header::CONTENT_TYPE, PROBLEM_JSON)], body.to_string()).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        response
    }
}
