//! `planwatch target set`: changes a target.

use super::recording::{RecordingArguments, body};
use crate::client::{Answer, Client};
use crate::exit::{Failure, Outcome};
use crate::moment;
use clap::{Args, Subcommand};
use events::{Date, Review};
use serde_json::{Value, json};

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
    #[arg(long, value_name = "YEAR", value_parser = Review::parse)]
    review: Review,
    /// The value, by the indicator's kind: a percentage such as 55 or 12.5, a level such as 2, `yes`; or `withdrawn`
    #[arg(long, value_name = "V")]
    value: String,
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

/// Changes a target. What a value may be for an indicator is the server's to say.
pub fn run(arguments: &Arguments) -> Outcome {
    let Command::Set(set) = &arguments.command;
    let client = set.recording.client()?;
    let mut answer = post(&client, set, value_field(&set.value))?;
    // A bare number is a percentage or a level: the server knows the indicator's kind and refuses the other,
    // and a refusal neither records anything nor binds the key.
    if let Some(level) = bare_level(&set.value)
        && is_of_another_kind(&answer)
    {
        let as_level = post(&client, set, ("level", level.into()))?;
        if !is_of_another_kind(&as_level) {
            answer = as_level;
        }
    }
    Ok(set.recording.recorded(&answer.value()?))
}

fn post(client: &Client, set: &Set, (name, value): (&str, Value)) -> Result<Answer, Failure> {
    let body = body([
        ("indicator", Some(json!(set.indicator))),
        ("unit", set.unit.clone().map(Value::from)),
        ("review", Some(json!(set.review))),
        ("effective", Some(json!(set.effective))),
        ("instrument", Some(json!(set.instrument))),
        ("reason", set.reason.clone().map(Value::from)),
        ("revision", set.revision.map(Value::from)),
        (name, Some(value)),
    ]);
    client.post("/api/v1/targets", &body, set.recording.key())
}

fn is_of_another_kind(answer: &Answer) -> bool {
    answer.status == 422 && answer.problem().errors.iter().any(|error| error.code == "value-of-another-kind")
}

/// The level that a value may mean which is sent as a percentage first.
fn bare_level(value: &str) -> Option<u8> {
    let value = value.trim();
    value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok()).flatten()
}

/// The field in which a value is sent at first; a bare number is a percentage.
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
            ("true", ("attained", Value::from(true))),
            ("withdrawn", ("withdrawn", Value::from(true))),
            ("level two", ("percent", Value::from("level two"))),
        ] {
            assert_eq!(value_field(text), expected, "{text}");
        }
        for (text, expected) in
            [("2", Some(2)), (" 0 ", Some(0)), ("2.0", None), ("2%", None), ("300", None), ("", None)]
        {
            assert_eq!(bare_level(text), expected, "{text:?}");
        }
    }
}
