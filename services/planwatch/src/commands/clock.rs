//! `planwatch clock accept`: a person says that a clock which leapt ahead is right.

use crate::exit::{Exit, Failure, Outcome};
use crate::log_place::LogArguments;
use crate::output;
use anyhow::Context;
use clap::{Args, Subcommand};
use event_log::SystemClock;
use events::Timestamp;

/// What to do about the clock.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Accept the clock as it is, for a log that stopped writing because the clock leapt ahead
    Accept {
        #[command(flatten)]
        log: LogArguments,
    },
}

/// Leaves the acceptance in the log's directory, where the running or the next ingestion finds it.
pub fn run(arguments: &Arguments) -> Outcome {
    let Command::Accept { log } = &arguments.command;
    let folder = log.log_folder().map_err(Failure::unreachable)?;
    let now = Timestamp::now();
    event_log::accept_clock(&folder, &SystemClock)
        .with_context(|| format!("cannot leave the acceptance in `{}`", folder.display()))?;
    output::say(format_args!("{}: the clock is accepted as it is now, {now}", folder.display()));
    Ok(Exit::Done)
}
