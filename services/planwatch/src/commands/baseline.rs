//! `planwatch baseline enter`: says where a rate began, or takes that back.

use super::recording::{RecordingArguments, body};
use crate::exit::Outcome;
use crate::moment;
use clap::{Args, Subcommand};
use events::{Date, Period};
use serde_json::{Value, json};

/// What to do with baselines.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Enter where a unit's rate began; it takes the place of the earliest reported period
    Enter(Box<Enter>),
}

#[derive(Debug, Args)]
struct Enter {
    /// The unit; the province for its own rate
    #[arg(long, value_name = "U")]
    unit: String,
    /// The indicator, such as life-skills
    #[arg(long, value_name = "I")]
    indicator: String,
    /// The year that the figures are of
    #[arg(long, value_name = "YEAR", value_parser = Period::parse)]
    period: Period,
    /// How many had it
    #[arg(long, value_name = "N", required_unless_present = "withdrawn", requires = "denominator")]
    numerator: Option<u64>,
    /// Of how many
    #[arg(long, value_name = "N", requires = "numerator")]
    denominator: Option<u64>,
    /// Take the baseline back: the earliest reported period is the baseline again
    #[arg(long, conflicts_with_all = ["numerator", "denominator"])]
    withdrawn: bool,
    /// The number of the paper that the figures come from
    #[arg(long, value_name = "NUMBER")]
    document: String,
    /// The date printed on it (YYYY-MM-DD), from which the baseline holds
    #[arg(long, value_name = "DATE", value_parser = moment::day)]
    document_date: Date,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// The revision that it must become
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
    #[command(flatten)]
    recording: RecordingArguments,
}

/// Enters a baseline.
pub fn run(arguments: &Arguments) -> Outcome {
    let Command::Enter(enter) = &arguments.command;
    let body = body([
        ("unit", Some(json!(enter.unit))),
        ("indicator", Some(json!(enter.indicator))),
        ("period", Some(json!(enter.period))),
        ("numerator", enter.numerator.map(Value::from)),
        ("denominator", enter.denominator.map(Value::from)),
        ("withdrawn", enter.withdrawn.then_some(Value::Bool(true))),
        ("document", Some(json!({"number": enter.document, "date": enter.document_date}))),
        ("reason", enter.reason.clone().map(Value::from)),
        ("revision", enter.revision.map(Value::from)),
    ]);
    enter.recording.record("/api/v1/baselines", &body)
}
