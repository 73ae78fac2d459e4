//! A refusal: what was wrong with a request, field by field, and what would have been right.

use serde::{Deserialize, Serialize};

/// What a request was refused for; decides the HTTP status at the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalKind {
    /// The body cannot be parsed (400).
    Malformed,
    /// The actor has no right to do this (403).
    Forbidden,
    /// The path names something that does not exist (404).
    NotFound,
    /// The revision or the idempotency key clashes with what is recorded (409).
    Conflict,
    /// The body or the event is larger than its bound (413).
    TooLarge,
    /// The rules of the plan refuse it (422).
    Rules,
    /// The log cannot take it now; trying again can help (503).
    Unavailable,
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// RFC 6901 pointer to the field in the request's body; empty for the whole body.
    pub pointer: String,
    /// A stable word for programs, such as `unknown-unit`.
    pub code: String,
    /// What is wrong, with the value that was found.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
}

impl FieldError {
    /// Makes an error for the field that `pointer` names.
    pub fn new(
        pointer: impl Into<String>,
        code: &str,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { pointer: pointer.into(), code: code.into(), reason: reason.into(), remedy: remedy.into() }
    }

    /// The same error with its pointer below `prefix`.
    pub fn below(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}

/// The answer to a request that is not carried out; nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// What it was refused for.
    pub kind: RefusalKind,
    /// One sentence for people.
    pub detail: String,
    /// Every field that is wrong.
    pub errors: Vec<FieldError>,
}

impl Refusal {
    /// Makes a refusal without named fields.
    pub fn new(kind: RefusalKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new() }
    }

    /// Makes a refusal by the rules from the fields that are wrong; the detail is the first reason.
    pub fn of_fields(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [] => "the request is refused".to_owned(),
            [only] => only.reason.clone(),
            [first, rest @ ..] => format!("{} (and {} more)", first.reason, rest.len()),
        };
        Self { kind: RefusalKind::Rules, detail, errors }
    }

    /// Makes a refusal of the given kind for one field.
    pub fn of_field(kind: RefusalKind, error: FieldError) -> Self {
        Self { kind, detail: error.reason.clone(), errors: vec![error] }
    }
}
