//! `planwatch status`: state and status of every cell, at any date.

use super::question::QuestionArguments;
use crate::exit::{Exit, Outcome};
use crate::output;
use clap::Args;
use serde_json::Value;

/// Which cells, and when.
#[derive(Debug, Args)]
pub struct Arguments {
    /// One unit only
    #[arg(long, value_name = "U")]
    unit: Option<String>,
    /// One indicator only
    #[arg(long, value_name = "I")]
    indicator: Option<String>,
    #[command(flatten)]
    question: QuestionArguments,
}

/// Asks and prints.
pub fn run(arguments: &Arguments) -> Outcome {
    let answer = arguments.question.ask(
        "/api/v1/status",
        arguments.unit.as_deref(),
        arguments.indicator.as_deref(),
    )?;
    if arguments.question.json {
        output::json(&answer);
        return Ok(Exit::Done);
    }
    output::sample(&answer);
    let cells = answer.get("cells").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let rows: Vec<[String; 9]> = cells.iter().map(row).collect();
    output::table(
        ["UNIT", "INDICATOR", "PERIOD", "VALUE", "TARGET", "EXPECTED", "PACE", "STATUS", "REPORT"],
        &rows,
    );
    output::say(format_args!(
        "as of {}, known at {}, position {}",
        text(answer.get("as_of")),
        text(answer.get("known_at")),
        text(answer.get("position"))
    ));
    Ok(Exit::Done)
}

fn row(cell: &Value) -> [String; 9] {
    let mut report = text(cell.pointer("/report/state"));
    if cell.pointer("/report/late") == Some(&Value::Bool(true)) {
        report.push_str(", late");
    }
    let mut status = text(cell.get("status"));
    if cell.get("degraded").is_some_and(|degraded| !degraded.is_null()) {
        status.push_str(" (degraded)");
    }
    if cell.get("in_force") == Some(&Value::Bool(false)) {
        status.push_str(" (not in force)");
    }
    [
        text(cell.get("unit")),
        text(cell.get("indicator")),
        text(cell.get("period")),
        value(cell.get("value")),
        value(cell.get("target")),
        text(cell.get("expected")),
        text(cell.get("pace")),
        status,
        report,
    ]
}

/// A field for people: absent ones as a dash.
pub(super) fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// A value or a target by its kind.
pub(super) fn value(value: Option<&Value>) -> String {
    let Some(Value::Object(fields)) = value else { return "-".to_owned() };
    let field = |name: &str| fields.get(name).filter(|field| !field.is_null());
    let own = if let (Some(count), Some(of)) = (field("count"), field("of")) {
        format!("{count}/{of}")
    } else if let Some(percent) = field("percent") {
        format!("{} %", text(Some(percent)))
    } else if let Some(level) = field("level") {
        format!("level {level}")
    } else {
        match field("attained") {
            Some(Value::Bool(true)) => "yes".to_owned(),
            Some(Value::Bool(false)) => "no".to_owned(),
            _ => "-".to_owned(),
        }
    };
    match field("review") {
        Some(review) => format!("{own} by {}", text(Some(review))),
        None => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_and_targets_are_shown_by_their_kind() {
        for (given, expected) in [
            (json!({"numerator": 5, "denominator": 9, "percent": "55.56"}), "55.56 %"),
            (json!({"count": 3, "of": 9, "percent": "33.33", "needed": 1}), "3/9"),
            (json!({"level": 2}), "level 2"),
            (json!({"attained": false}), "no"),
            (json!({"review": "2025", "percent": "50", "instrument": "x"}), "50 % by 2025"),
            (json!({"review": "2030", "attained": true}), "yes by 2030"),
            (Value::Null, "-"),
        ] {
            assert_eq!(value(Some(&given)), expected, "{given}");
        }
    }
}
