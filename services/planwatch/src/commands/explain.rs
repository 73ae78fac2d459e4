//! `planwatch explain`: the events and the arithmetic behind one figure, for a person with paper.

use super::question::QuestionArguments;
use crate::exit::{Exit, Outcome};
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
    /// The language of the sentences
    #[arg(long, value_enum, default_value = "en")]
    language: Language,
    #[command(flatten)]
    question: QuestionArguments,
}

/// Asks and prints.
pub fn run(arguments: &Arguments) -> Outcome {
    let answer =
        arguments.question.ask("/api/v1/explain", Some(&arguments.unit), Some(&arguments.indicator))?;
    if arguments.question.json {
        output::json(&answer);
        return Ok(Exit::Done);
    }
    output::sample(&answer);
    for step in answer.get("steps").and_then(Value::as_array).into_iter().flatten() {
        output::line(step.get(arguments.language.key()).and_then(Value::as_str).unwrap_or("-"));
    }
    Ok(Exit::Done)
}
