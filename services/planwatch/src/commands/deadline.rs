//! `planwatch deadline extend`: lets the reports of a period come later.

use super::recording::{RecordingArguments, body};
use crate::exit::Outcome;
use crate::moment;
use clap::{Args, Subcommand};
use events::{Date, Period};
use serde_json::{Value, json};

/// What to do with deadlines.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Let the reports of a period come later, of one unit or of all
    Extend(Box<Extend>),
}

#[derive(Debug, Args)]
struct Extend {
    /// The period whose reports are meant
    #[arg(long, value_name = "YEAR", value_parser = Period::parse)]
    period: Period,
    /// One unit only; left out, all
    #[arg(long, value_name = "U")]
    unit: Option<String>,
    /// The day before which reports are due then (YYYY-MM-DD)
    #[arg(long, value_name = "DATE", value_parser = moment::day)]
    due_before: Date,
    /// From when it holds (YYYY-MM-DD)
    #[arg(long, value_name = "DATE", value_parser = moment::day)]
    effective: Date,
    /// The legal instrument
    #[arg(long, value_name = "TEXT")]
    instrument: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// The revision that it must become
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
    #[command(flatten)]
    recording: RecordingArguments,
}

/// Extends a deadline.
pub fn run(arguments: &Arguments) -> Outcome {
    let Command::Extend(extend) = &arguments.command;
    let body = body([
        ("period", Some(json!(extend.period))),
        ("unit", extend.unit.clone().map(Value::from)),
        ("due_before", Some(json!(extend.due_before))),
        ("effective", Some(json!(extend.effective))),
        ("instrument", Some(json!(extend.instrument))),
        ("reason", extend.reason.clone().map(Value::from)),
        ("revision", extend.revision.map(Value::from)),
    ]);
    extend.recording.record("/api/v1/deadlines", &body)
}
