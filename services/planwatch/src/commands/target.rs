//! `planwatch target set`: changes a target.

use crate::client::ServerArguments;
use crate::exit::{Exit, Outcome};
use crate::output;
use clap::{Args, Subcommand};
use serde_json::{Map, Value};

/// What to do with targets.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set, change or withdraw a target
    Set(Box<Set>),
}

#[derive(Debug, Args)]
struct Set {
    /// The indicator, such as life-skills
    #[arg(long, value_name = "I")]
    indicator: String,
    /// The unit whose own target it is; left out, the province's
    #[arg(long, value_name = "U")]
    unit: Option<String>,
    /// The review at whose end it is judged, such as 2025
    #[arg(long, value_name = "YEAR")]
    review: String,
    /// The value: a percentage such as 55 or 12.5, `level 2`, `yes`, or `withdrawn`
    #[arg(long, value_name = "V")]
    value: String,
    /// From when it holds (YYYY-MM-DD)
    #[arg(long, value_name = "DATE")]
    effective: String,
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

/// Changes a target. What a value may be for an indicator is the server's to say.
pub fn run(arguments: &Arguments) -> Outcome {
    let Command::Set(set) = &arguments.command;
    let mut body = Map::new();
    for (name, text) in [
        ("indicator", Some(&set.indicator)),
        ("unit", set.unit.as_ref()),
        ("review", Some(&set.review)),
        ("effective", Some(&set.effective)),
        ("instrument", Some(&set.instrument)),
        ("reason", set.reason.as_ref()),
    ] {
        if let Some(text) = text {
            body.insert(name.to_owned(), text.as_str().into());
        }
    }
    if let Some(revision) = set.revision {
        body.insert("revision".to_owned(), revision.into());
    }
    let (name, value) = value_field(&set.value);
    body.insert(name.to_owned(), value);
    let body = Value::Object(body).to_string();
    let client = set.server.client()?;
    let answer = client.post("/api/v1/targets", body.as_bytes(), set.idempotency_key.as_deref())?.value()?;
    output::acceptance(&answer, set.json);
    Ok(Exit::Done)
}

/// The field in which a value is sent; a bare number is a percentage.
fn value_field(value: &str) -> (&'static str, Value) {
    let value = value.trim();
    if let Some(level) = value.strip_prefix("level")
        && let Ok(level) = level.trim_start_matches([' ', '=', ':']).parse::<u64>()
    {
        return ("level", level.into());
    }
    match value {
        "yes" | "true" | "attained" => ("attained", true.into()),
        "no" | "false" => ("attained", false.into()),
        "withdrawn" => ("withdrawn", true.into()),
        percent => ("percent", percent.trim_end_matches('%').trim_end().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_says_which_field_it_is() {
        for (text, expected) in [
            ("55", ("percent", Value::from("55"))),
            ("12.5 %", ("percent", Value::from("12.5"))),
            ("level 2", ("level", Value::from(2))),
            ("level=3", ("level", Value::from(3))),
            ("yes", ("attained", Value::from(true))),
            ("withdrawn", ("withdrawn", Value::from(true))),
            ("level two", ("percent", Value::from("level two"))),
        ] {
            assert_eq!(value_field(text), expected, "{text}");
        }
    }
}
