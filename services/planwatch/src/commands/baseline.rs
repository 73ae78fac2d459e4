//! `planwatch baseline enter`: says where a rate began, or takes that back.

use crate::client::ServerArguments;
use crate::exit::{Exit, Outcome};
use crate::moment;
use crate::output;
use clap::{Args, Subcommand};
use events::{Date, Period};
use serde_json::{Map, Value, json};

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
    /// A key under which the same answer is given again
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

/// Enters a baseline.
pub fn run(arguments: &Arguments) -> Outcome {
    let Command::Enter(enter) = &arguments.command;
    let fields = [
        ("unit", Some(json!(enter.unit))),
        ("indicator", Some(json!(enter.indicator))),
        ("period", Some(json!(enter.period))),
        ("numerator", enter.numerator.map(Value::from)),
        ("denominator", enter.denominator.map(Value::from)),
        ("withdrawn", enter.withdrawn.then_some(Value::Bool(true))),
        ("document", Some(json!({"number": enter.document, "date": enter.document_date}))),
        ("reason", enter.reason.clone().map(Value::from)),
        ("revision", enter.revision.map(Value::from)),
    ];
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let body = Value::Object(given.collect::<Map<_, _>>()).to_string();
    let client = enter.server.client()?;
    let key = enter.idempotency_key.as_deref();
    let answer = client.post("/api/v1/baselines", body.as_bytes(), key)?.value()?;
    output::acceptance(&answer, enter.json);
    Ok(Exit::Done)
}
