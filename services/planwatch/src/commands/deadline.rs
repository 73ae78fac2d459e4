//! `planwatch deadline extend`: lets the reports of a period come later.

use crate::client::ServerArguments;
use crate::exit::{Exit, Outcome};
use crate::moment;
use crate::output;
use clap::{Args, Subcommand};
use events::{Date, Period};
use serde_json::{Map, Value, json};

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
    /// A key under which the same answer is given again
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

/// Extends a deadline.
pub fn run(arguments: &Arguments) -> Outcome {
    let Command::Extend(extend) = &arguments.command;
    let fields = [
        ("period", Some(json!(extend.period))),
        ("unit", extend.unit.clone().map(Value::from)),
        ("due_before", Some(json!(extend.due_before))),
        ("effective", Some(json!(extend.effective))),
        ("instrument", Some(json!(extend.instrument))),
        ("reason", extend.reason.clone().map(Value::from)),
        ("revision", extend.revision.map(Value::from)),
    ];
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let body = Value::Object(given.collect::<Map<_, _>>()).to_string();
    let client = extend.server.client()?;
    let key = extend.idempotency_key.as_deref();
    let answer = client.post("/api/v1/deadlines", body.as_bytes(), key)?.value()?;
    output::acceptance(&answer, extend.json);
    Ok(Exit::Done)
}
