//! `planwatch unit change`: a reform of units, one change at a time.

use super::recording::RecordingArguments;
use crate::exit::Outcome;
use anyhow::Context;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What to do with units.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Change a unit as a JSON file says
    Change {
        /// The change: {"unit", "change": "establish|rename|retype|recode|merge|split|move|dissolve", …, "effective", "instrument"}
        file: PathBuf,
        #[command(flatten)]
        recording: RecordingArguments,
    },
}

/// Sends the file as it stands: the server reads it strictly and names each field that is wrong.
pub fn run(arguments: &Arguments) -> Outcome {
    let Command::Change { file, recording } = &arguments.command;
    let body = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    recording.record("/api/v1/units", &body)
}
