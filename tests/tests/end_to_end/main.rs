//! A whole system as its users meet it: by command, over HTTP, on the bus, in files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod batches;
mod bus_readers;
mod files;
mod main_path;
mod plan_changes;
mod reform;
mod second_plan;
mod starts;
mod streams;
mod why;

use serde_json::{Value, json};
use std::process::Output;
use tests::support::{Http, System, nats_server, today};

/// The last position of the sample history.
const SAMPLE_HEAD: u64 = 219;
/// The digest of the state at that position, on every machine. It changes with the plan file, the sample and
/// the rules, as the one in the tests of the executable's crate does.
const SAMPLE_DIGEST: &str = "dee7eb9c38ee3508562d8fcdc3ae7216cd360320fa2b5742a19a87dbc58445cd";
/// A day after the sample's last event and before anything that a test records.
const AFTER_THE_SAMPLE: &str = "2026-02-12";

/// Whether systems can be started here; says on standard error what is missing.
fn is_possible() -> bool {
    nats_server().is_some()
}

/// The JSON that a command has to print.
#[track_caller]
fn data(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON on standard output")
}

/// Writes a file beside the data directory's own; gives its path.
fn write(system: &System, name: &str, text: &str) -> String {
    let file = system.data().join(name);
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

/// A report of one rate, on paper since today.
fn rate(unit: &str, period: i16, measure: &str, numerator: u64, denominator: u64) -> Value {
    json!({
        "unit": unit, "period": period.to_string(),
        "document": {"number": format!("{numerator}/BC-UBND"), "date": today().to_string()},
        "lines": [{"measure": measure, "numerator": numerator, "denominator": denominator}],
    })
}

/// One cell as it is known from a position on.
#[track_caller]
fn cell(http: &Http, unit: &str, indicator: &str, at_least: &Value) -> Value {
    let path = format!("/api/v1/status?unit={unit}&indicator={indicator}&at_least={at_least}");
    let status = http.get(&path).expect(200);
    assert_eq!(status["cells"].as_array().unwrap().len(), 1, "{status}");
    status["cells"][0].clone()
}

/// The alerts that a query finds.
#[track_caller]
fn alerts(http: &Http, query: &str) -> Vec<Value> {
    http.get(&format!("/api/v1/alerts?limit=1000{query}")).expect(200)["alerts"].as_array().unwrap().clone()
}

/// All events of the log.
#[track_caller]
fn all_events(http: &Http) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let from = events.len() + 1;
        let page = http.get(&format!("/api/v1/events?from={from}&limit=1000")).expect(200);
        let page = page["events"].as_array().unwrap();
        if page.is_empty() {
            return events;
        }
        events.extend(page.iter().cloned());
    }
}
