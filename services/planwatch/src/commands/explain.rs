//! `planwatch explain`: the events and the arithmetic behind one figure, for a person with paper.

use crate::client::ServerArguments;
use crate::exit::{Exit, Outcome};
use crate::moment::Moment;
use crate::output;
use clap::{Args, ValueEnum};
use serde_json::Value;

/// The language of the sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Vietnamese
    Vi,
    /// English
    En,
}

impl Language {
    /// Under which key an answer holds this language.
    pub fn key(self) -> &'static str {
        match self {
            Language::Vi => "vi",
            Language::En => "en",
        }
    }
}

/// Which cell, and when.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The unit
    #[arg(long, value_name = "U")]
    unit: String,
    /// The indicator
    #[arg(long, value_name = "I")]
    indicator: String,
    /// What held officially at this date (YYYY-MM-DD or RFC 3339)
    #[arg(long, value_name = "DATE", value_parser = Moment::parse)]
    as_of: Option<Moment>,
    /// What was known at this date (YYYY-MM-DD or RFC 3339)
    #[arg(long, value_name = "DATE", value_parser = Moment::parse)]
    known_at: Option<Moment>,
    /// Wait until the answer includes this position of the log
    #[arg(long, value_name = "N")]
    at_least: Option<u64>,
    /// The language of the sentences
    #[arg(long, value_enum, default_value = "en")]
    language: Language,
    /// Print the server's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

/// Asks and prints.
pub fn run(arguments: &Arguments) -> Outcome {
    let query = [
        ("unit", Some(arguments.unit.clone())),
        ("indicator", Some(arguments.indicator.clone())),
        ("as_of", arguments.as_of.as_ref().map(|moment| moment.text().to_owned())),
        ("known_at", arguments.known_at.as_ref().map(|moment| moment.text().to_owned())),
        ("at_least", arguments.at_least.map(|position| position.to_string())),
    ];
    let answer = arguments.server.client()?.get("/api/v1/explain", &query)?.value()?;
    if arguments.json {
        output::json(&answer);
        return Ok(Exit::Done);
    }
    output::sample(&answer);
    for step in answer.get("steps").and_then(Value::as_array).into_iter().flatten() {
        output::line(step.get(arguments.language.key()).and_then(Value::as_str).unwrap_or("-"));
    }
    Ok(Exit::Done)
}
