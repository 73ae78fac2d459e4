//! `planwatch diff`: what changed between two dates or positions, and which events did it.

use super::status::{text, value};
use crate::client::ServerArguments;
use crate::exit::{Exit, Outcome};
use crate::moment::Moment;
use crate::output;
use clap::{ArgGroup, Args};
use serde_json::Value;

/// Which interval, and of what.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("begin").required(true).args(["from", "from_position"])))]
#[command(group(ArgGroup::new("end").args(["to", "to_position"])))]
pub struct Arguments {
    /// What was known at this date (YYYY-MM-DD or RFC 3339) …
    #[arg(long, value_name = "DATE", value_parser = Moment::parse)]
    from: Option<Moment>,
    /// … against what was known at this one [default: now]
    #[arg(long, value_name = "DATE", value_parser = Moment::parse)]
    to: Option<Moment>,
    /// What the log held up to this position …
    #[arg(long, value_name = "N")]
    from_position: Option<u64>,
    /// … against this one [default: its head]
    #[arg(long, value_name = "N")]
    to_position: Option<u64>,
    /// What held officially at this date, at both ends [default: each end's own]
    #[arg(long, value_name = "DATE", value_parser = Moment::parse)]
    as_of: Option<Moment>,
    /// One unit only
    #[arg(long, value_name = "U")]
    unit: Option<String>,
    /// One indicator only
    #[arg(long, value_name = "I")]
    indicator: Option<String>,
    /// Print the server's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

/// Asks and prints.
pub fn run(arguments: &Arguments) -> Outcome {
    let moment = |moment: &Option<Moment>| moment.as_ref().map(|moment| moment.text().to_owned());
    let query = [
        ("from", moment(&arguments.from)),
        ("to", moment(&arguments.to)),
        ("from_position", arguments.from_position.map(|position| position.to_string())),
        ("to_position", arguments.to_position.map(|position| position.to_string())),
        ("as_of", moment(&arguments.as_of)),
        ("unit", arguments.unit.clone()),
        ("indicator", arguments.indicator.clone()),
    ];
    let answer = arguments.server.client()?.get("/api/v1/diff", &query)?.value()?;
    if arguments.json {
        output::json(&answer);
        return Ok(Exit::Done);
    }
    output::sample(&answer);
    let list = |name: &str| answer.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let rows: Vec<[String; 6]> = list("cells").iter().flat_map(|cell| rows(cell, &answer)).collect();
    output::table(["UNIT", "INDICATOR", "FIGURE", "BEFORE", "AFTER", "BECAUSE"], &rows);
    let reports: Vec<[String; 4]> =
        list("reports").iter().map(|change| report_row(change, &answer)).collect();
    if !reports.is_empty() {
        output::table(["UNIT", "REPORT BEFORE", "AFTER", "BECAUSE"], &reports);
    }
    for change in list("units") {
        output::line(format_args!("unit {} changed: {}", text(change.get("unit")), because(change, &answer)));
    }
    output::say(format_args!(
        "from position {} ({}) to position {} ({}); as of {} and {}",
        text(answer.pointer("/from/position")),
        text(answer.pointer("/from/known_at")),
        text(answer.pointer("/to/position")),
        text(answer.pointer("/to/known_at")),
        text(answer.pointer("/from/as_of")),
        text(answer.pointer("/to/as_of"))
    ));
    Ok(Exit::Done)
}

/// One row for each figure of a cell; the events stand in the first.
fn rows(cell: &Value, answer: &Value) -> Vec<[String; 6]> {
    let changed = cell.get("changed").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let names = changed.iter().filter_map(Value::as_str);
    let end = |end: &str, name: &str| figure(name, cell.get(end).and_then(|figures| figures.get(name)));
    // Where a cell came or went, figures that it never had say nothing.
    let told = names.filter(|name| end("before", name) != end("after", name));
    told.enumerate()
        .map(|(index, name)| {
            [
                text(cell.get("unit")),
                text(cell.get("indicator")),
                name.to_owned(),
                end("before", name),
                end("after", name),
                if index == 0 { because(cell, answer) } else { String::new() },
            ]
        })
        .collect()
}

fn figure(name: &str, figure: Option<&Value>) -> String {
    match (name, figure) {
        ("value" | "target", Some(Value::Object(_))) => value(figure),
        ("baseline", Some(Value::Object(baseline))) => {
            format!("{} % in {}", text(baseline.get("percent")), text(baseline.get("period")))
        }
        ("provisional", Some(Value::Object(provisional))) => {
            format!("{} in {}", value(provisional.get("value")), text(provisional.get("period")))
        }
        ("verdicts", Some(Value::Object(verdicts))) => {
            let told = verdicts.iter().map(|(review, verdict)| format!("{review} {}", text(Some(verdict))));
            told.collect::<Vec<_>>().join(", ")
        }
        _ => text(figure),
    }
}

fn report_row(change: &Value, answer: &Value) -> [String; 4] {
    let end = |end: &str| match change.get(end) {
        Some(Value::Object(report)) => {
            let late = if report.get("late") == Some(&Value::Bool(true)) { ", late" } else { "" };
            format!("{} {}{late}", text(report.get("period")), text(report.get("state")))
        }
        _ => "-".to_owned(),
    };
    [text(change.get("unit")), end("before"), end("after"), because(change, answer)]
}

/// The positions of the events, with the type of each.
fn because(change: &Value, answer: &Value) -> String {
    let events = change.get("because").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if events.is_empty() {
        return "time passed".to_owned();
    }
    let sources = answer.get("sources").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let told = events.iter().map(|event| {
        let source = sources.iter().find(|source| source.get("event") == Some(event));
        source.map_or_else(
            || text(Some(event)),
            |source| format!("{} {}", text(source.get("position")), text(source.get("type"))),
        )
    });
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_figure_of_a_cell_is_a_row_and_the_first_names_the_events() {
        let answer = json!({"sources": [{"event": "e1", "position": 41, "type": "report-submitted"}]});
        let cell = json!({
            "unit": "di-an", "indicator": "life-skills", "changed": ["value", "baseline", "verdicts", "pace"],
            "before": {"value": {"numerator": 1, "denominator": 2, "percent": "50.00"}, "baseline": null,
                       "verdicts": {"2025": null}, "pace": null},
            "after": {"value": {"numerator": 3, "denominator": 5, "percent": "60.00"},
                      "baseline": {"period": "2022", "percent": "50.00"}, "verdicts": {"2025": "met"}, "pace": null},
            "because": ["e1", "e2"],
        });
        let told: Vec<_> = rows(&cell, &answer).into_iter().map(|row| row[2..].join(" | ")).collect();
        assert_eq!(
            told,
            [
                "value | 50.00 % | 60.00 % | 41 report-submitted, e2",
                "baseline | - | 50.00 % in 2022 | ",
                "verdicts | 2025 - | 2025 met | ",
            ]
        );
        let report = json!({"unit": "di-an", "before": {"period": "2024", "state": "awaited", "late": false},
                            "after": {"period": "2024", "state": "overdue", "late": false}, "because": []});
        assert_eq!(report_row(&report, &answer), ["di-an", "2024 awaited", "2024 overdue", "time passed"]);
    }
}
