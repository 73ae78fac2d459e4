//! `planwatch findings`: what looks wrong in the figures that stand.

use super::explain::Language;
use super::question::QuestionArguments;
use super::status::text;
use crate::exit::{Exit, Outcome};
use crate::output;
use clap::Args;
use serde_json::Value;

/// Of which units and indicators, and when.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only what speaks of one unit
    #[arg(long, value_name = "U")]
    unit: Option<String>,
    /// One indicator only
    #[arg(long, value_name = "I")]
    indicator: Option<String>,
    /// The language of the sentences
    #[arg(long, value_enum, default_value = "en")]
    language: Language,
    #[command(flatten)]
    question: QuestionArguments,
}

/// Asks and prints.
pub fn run(arguments: &Arguments) -> Outcome {
    let answer = arguments.question.ask(
        "/api/v1/findings",
        arguments.unit.as_deref(),
        arguments.indicator.as_deref(),
    )?;
    if arguments.question.json {
        output::json(&answer);
        return Ok(Exit::Done);
    }
    output::sample(&answer);
    let findings = answer.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let key = arguments.language.key();
    let rows: Vec<[String; 4]> = findings
        .iter()
        .map(|finding| {
            [
                text(finding.get("severity")),
                text(finding.get("rule")),
                text(finding.get("period")),
                text(finding.get("sentence").and_then(|sentence| sentence.get(key))),
            ]
        })
        .collect();
    output::table(["SEVERITY", "RULE", "PERIOD", "FINDING"], &rows);
    output::say(format_args!(
        "as of {}, known at {}, position {}; {} findings{}",
        text(answer.get("as_of")),
        text(answer.get("known_at")),
        text(answer.get("position")),
        rows.len(),
        if answer.get("next").is_some_and(|next| !next.is_null()) {
            ", more with --json and `next`"
        } else {
            ""
        }
    ));
    Ok(Exit::Done)
}
