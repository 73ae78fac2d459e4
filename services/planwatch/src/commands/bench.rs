//! `planwatch bench`: load of its own making, and what became of it.

mod figures;
mod fold;
mod history;
mod ingest;
mod log;
mod made_up;
mod reports;

use crate::exit::Outcome;
use clap::{Args, Subcommand, ValueEnum};

/// What is measured.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Over HTTP: from a report's POST to its answer, to the new status, to the alert
    Reports(reports::Arguments),
    /// Over NATS: durable reports per second with many clients
    Ingest(ingest::Arguments),
    /// On a scratch log: appended and folded events per second
    Log(log::Arguments),
    /// On a long made-up history: replay, rebuild, questions about any date, start, memory
    Fold(fold::Arguments),
}

/// How large a made-up report's event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Size {
    /// One line: about as small as an event of a report gets
    Small,
    /// All rates of a district with their sources: about 2 KB
    Real,
}

/// Carries the measurement out.
pub fn run(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Reports(arguments) => reports::run(arguments),
        Command::Ingest(arguments) => ingest::run(arguments),
        Command::Log(arguments) => log::run(arguments),
        Command::Fold(arguments) => fold::run(arguments),
    }
}
