//! How a command ends: its exit code and, where it failed, what is said about it.

use serde_json::{Value, json};
use std::fmt::Display;
use std::process::ExitCode;

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// What was asked is refused or found wrong.
    Refused = 1,
    /// Wrong usage.
    Usage = 2,
    /// Something that is needed is not reachable.
    Unreachable = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// A command that was not carried out.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What is said on standard error, with its causes.
    pub error: anyhow::Error,
    /// The same for programs, where `error` does not say it all.
    told: Option<Told>,
}

/// What is wrong, as programs read it.
#[derive(Debug)]
struct Told {
    detail: String,
    errors: Vec<Value>,
}

/// What every command gives back.
pub type Outcome = Result<Exit, Failure>;

impl Failure {
    /// What was asked is refused or found wrong.
    pub fn refused(error: impl Into<anyhow::Error>) -> Failure {
        Failure { exit: Exit::Refused, error: error.into(), told: None }
    }

    /// The command was called wrongly.
    pub fn usage(what: impl Display) -> Failure {
        Failure { exit: Exit::Usage, error: anyhow::anyhow!("{what}"), told: None }
    }

    /// Something that is needed is not reachable.
    pub fn unreachable(error: impl Into<anyhow::Error>) -> Failure {
        Failure { exit: Exit::Unreachable, error: error.into(), told: None }
    }

    /// The same failure with one sentence for programs and each thing that is wrong by itself.
    #[must_use]
    pub fn with_errors(mut self, detail: impl Into<String>, errors: Vec<Value>) -> Failure {
        self.told = Some(Told { detail: detail.into(), errors });
        self
    }

    /// What `--json` prints about it. A failure without named errors is one error itself.
    pub fn document(&self) -> Value {
        let whole = vec![json!({ "reason": format!("{:#}", self.error) })];
        let (detail, errors) = match &self.told {
            None => (self.error.to_string(), whole),
            Some(told) if told.errors.is_empty() => (told.detail.clone(), whole),
            Some(told) => (told.detail.clone(), told.errors.clone()),
        };
        json!({"ok": false, "detail": detail, "errors": errors})
    }
}

impl From<anyhow::Error> for Failure {
    /// A failure without a kind of its own counts as refused.
    fn from(error: anyhow::Error) -> Failure {
        Failure::refused(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn a_refusal_is_a_document_with_every_error() {
        let cause: Result<(), anyhow::Error> = Err(anyhow::anyhow!("the disk is gone"));
        let failure = Failure::refused(cause.context("cannot read `x`").unwrap_err());
        assert_eq!(
            failure.document(),
            json!({"ok": false, "detail": "cannot read `x`", "errors": [{"reason": "cannot read `x`: the disk is gone"}]})
        );
        let errors = vec![json!({"line": 3}), json!({"line": 4})];
        let failure =
            Failure::refused(anyhow::anyhow!("two rows are wrong")).with_errors("two rows", errors.clone());
        assert_eq!(failure.document(), json!({"ok": false, "detail": "two rows", "errors": errors}));
    }
}
