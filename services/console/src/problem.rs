//! Problem documents (RFC 9457): the one form in which the console says that something was not done.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use events::{FieldError, Refusal, RefusalKind};
use serde::Serialize;

/// The media type of a problem document.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// After how many seconds trying again can help, where the log or a service cannot answer now.
pub const RETRY_AFTER_SECONDS: u32 = 1;

/// Why a request was not carried out; becomes the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: &'static str,
    title: &'static str,
    status: StatusCode,
    detail: String,
    errors: Vec<FieldError>,
    retry_after_seconds: Option<u32>,
    challenge: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    problem_type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    errors: &'a [FieldError],
}

impl Problem {
    fn new(
        kind: &'static str,
        title: &'static str,
        status: StatusCode,
        detail: impl Into<String>,
    ) -> Problem {
        Problem {
            kind,
            title,
            status,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_seconds: None,
            challenge: false,
        }
    }

    /// 400: the request cannot be read.
    pub fn malformed(detail: impl Into<String>) -> Problem {
        Self::new("malformed", "The request cannot be read", StatusCode::BAD_REQUEST, detail)
    }

    /// 401: no valid token or session.
    pub fn unauthorized(detail: impl Into<String>) -> Problem {
        let problem = Self::new("unauthorized", "Not signed in", StatusCode::UNAUTHORIZED, detail);
        Problem { challenge: true, ..problem }
    }

    /// 403: known, and not allowed.
    pub fn forbidden(detail: impl Into<String>) -> Problem {
        Self::new("forbidden", "Not allowed", StatusCode::FORBIDDEN, detail)
    }

    /// 404: the path names nothing that exists.
    pub fn not_found(detail: impl Into<String>) -> Problem {
        Self::new("not-found", "Not found", StatusCode::NOT_FOUND, detail)
    }

    /// 405: the path exists, the method does not.
    pub fn wrong_method(detail: impl Into<String>) -> Problem {
        Self::new("wrong-method", "The method is not for this path", StatusCode::METHOD_NOT_ALLOWED, detail)
    }

    /// 408: the body did not arrive in time.
    pub fn too_slow(detail: impl Into<String>) -> Problem {
        Self::new("too-slow", "The request did not arrive in time", StatusCode::REQUEST_TIMEOUT, detail)
    }

    /// 409: the revision or the idempotency key clashes with what is recorded.
    pub fn conflict(detail: impl Into<String>) -> Problem {
        Self::new("conflict", "It clashes with what is recorded", StatusCode::CONFLICT, detail)
    }

    /// 413: larger than its bound.
    pub fn too_large(detail: impl Into<String>) -> Problem {
        Self::new("too-large", "Too large", StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// 415: not the media type that is read here.
    pub fn wrong_media_type(detail: impl Into<String>) -> Problem {
        Self::new(
            "wrong-media-type",
            "The media type is not read here",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            detail,
        )
    }

    /// 421: the host that was asked for is not this console.
    pub fn wrong_host(detail: impl Into<String>) -> Problem {
        Self::new("wrong-host", "Not the host of this console", StatusCode::MISDIRECTED_REQUEST, detail)
    }

    /// 422: the rules refuse it.
    pub fn rules(detail: impl Into<String>) -> Problem {
        Self::new("rules", "Refused by the rules", StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// 502: a service answered what the console cannot read.
    pub fn garbled(detail: impl Into<String>) -> Problem {
        Self::new("garbled", "A service answered what cannot be read", StatusCode::BAD_GATEWAY, detail)
    }

    /// 503: not now; trying again can help.
    pub fn unavailable(detail: impl Into<String>) -> Problem {
        let problem = Self::new("unavailable", "Not available now", StatusCode::SERVICE_UNAVAILABLE, detail);
        Problem { retry_after_seconds: Some(RETRY_AFTER_SECONDS), ..problem }
    }

    /// 504: what was waited for did not come in time.
    pub fn timed_out(detail: impl Into<String>) -> Problem {
        Self::new("timed-out", "It did not come in time", StatusCode::GATEWAY_TIMEOUT, detail)
    }

    /// The problem with the status of a rejection by the web framework; what is not the caller's fault stays 503.
    pub fn of_status(status: StatusCode, detail: impl Into<String>) -> Problem {
        match status {
            StatusCode::BAD_REQUEST => Self::malformed(detail),
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large(detail),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::wrong_media_type(detail),
            status if status.is_client_error() => Self::rules(detail),
            _ => Self::unavailable(detail),
        }
    }

    /// The problem of refused query parameters, headers or fields; the detail is the first reason.
    pub fn of_fields(errors: Vec<FieldError>) -> Problem {
        Refusal::of_fields(errors).into()
    }

    /// The same problem, naming what is wrong.
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Problem {
        self.errors = errors;
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// One sentence for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What is wrong, by field.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let detail = refusal.detail;
        let problem = match refusal.kind {
            RefusalKind::Malformed => Problem::malformed(detail),
            RefusalKind::Forbidden => Problem::forbidden(detail),
            RefusalKind::NotFound => Problem::not_found(detail),
            RefusalKind::Conflict => Problem::conflict(detail),
            RefusalKind::TooLarge => Problem::too_large(detail),
            RefusalKind::Rules => Problem::rules(detail),
            RefusalKind::Unavailable => Problem::unavailable(detail),
        };
        problem.with_errors(refusal.errors)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            problem_type: format!("/problems/{}", self.kind),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            errors: &self.errors,
        };
        let body = serde_json::to_vec(&document).expect("plain strings serialise");
        let mut response = (self.status, [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"planwatch\""));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_refusal_has_the_status_it_promises() {
        for (kind, status) in [
            (RefusalKind::Malformed, 400),
            (RefusalKind::Forbidden, 403),
            (RefusalKind::NotFound, 404),
            (RefusalKind::Conflict, 409),
            (RefusalKind::TooLarge, 413),
            (RefusalKind::Rules, 422),
            (RefusalKind::Unavailable, 503),
        ] {
            let response = Problem::from(Refusal::new(kind, "no")).into_response();
            assert_eq!(response.status().as_u16(), status, "{kind:?}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM_JSON);
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), status == 503);
        }
    }

    #[test]
    fn a_rejection_never_becomes_a_500() {
        for status in 400..=599 {
            let status = StatusCode::from_u16(status).unwrap();
            assert_ne!(Problem::of_status(status, "no").status(), StatusCode::INTERNAL_SERVER_ERROR);
        }
    }
}
