//! `planwatch findings`: what looks wrong in the figures that stand.

use super::explain::Language;
use super::status::text;
use crate::client::ServerArguments;
use crate::exit::{Exit, Outcome};
use crate::moment::Moment;
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
    /// What held officially at this date (YYYY-MM-DD or RFC 3339)
    #[arg(long, value_name = "DATE", value_parser = Moment::parse)]
    as_of: Option<Moment>,
    /// What was known at this date (YYYY-MM-DD or RFC 3339)
    #[arg(long, value_name = "DATE", value_parser = Moment::parse)]
    known_at: Option<Moment>,
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
        ("unit", arguments.unit.clone()),
        ("indicator", arguments.indicator.clone()),
        ("as_of", arguments.as_of.as_ref().map(|moment| moment.text().to_owned())),
        ("known_at", arguments.known_at.as_ref().map(|moment| moment.text().to_owned())),
    ];
    let answer = arguments.server.client()?.get("/api/v1/findings", &query)?.value()?;
    if arguments.json {
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
