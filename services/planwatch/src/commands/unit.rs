//! `planwatch unit change`: a reform of units, one change at a time.

use crate::client::ServerArguments;
use crate::exit::{Exit, Outcome};
use crate::output;
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
        /// A key under which the same answer is given again
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
        /// Print the answer as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: ServerArguments,
    },
}

/// Sends the file as it stands: the server reads it strictly and names each field that is wrong.
pub fn run(arguments: &Arguments) -> Outcome {
    let Command::Change { file, idempotency_key, json, server } = &arguments.command;
    let body = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let client = server.client()?;
    let answer = client.post("/api/v1/units", &body, idempotency_key.as_deref())?.value()?;
    output::acceptance(&answer, *json);
    Ok(Exit::Done)
}
