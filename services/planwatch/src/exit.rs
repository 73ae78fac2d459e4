//! How a command ends: its exit code and, where it failed, what is said about it.

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
}

/// What every command gives back.
pub type Outcome = Result<Exit, Failure>;

impl Failure {
    /// What was asked is refused or found wrong.
    pub fn refused(error: impl Into<anyhow::Error>) -> Failure {
        Failure { exit: Exit::Refused, error: error.into() }
    }

    /// The command was called wrongly.
    pub fn usage(what: impl Display) -> Failure {
        Failure { exit: Exit::Usage, error: anyhow::anyhow!("{what}") }
    }

    /// Something that is needed is not reachable.
    pub fn unreachable(error: impl Into<anyhow::Error>) -> Failure {
        Failure { exit: Exit::Unreachable, error: error.into() }
    }
}

impl From<anyhow::Error> for Failure {
    /// A failure without a kind of its own counts as refused.
    fn from(error: anyhow::Error) -> Failure {
        Failure::refused(error)
    }
}
