//! Reports in files, as spreadsheets write them in this part of the world.

use super::{all_events, cell, data, is_possible, write};
use serde_json::{Value, json};
use tests::support::{Options, System, today};

const HEADER: &str =
    "unit;period;document_number;document_date;measure;numerator;denominator;level;attained;source";

fn reports(system: &System) -> usize {
    let events = all_events(system.http());
    events.iter().filter(|event| event["type"] == "planwatch.report-submitted.v1").count()
}

#[test]
fn two_files_with_marks_and_semicolons_are_one_batch_that_is_recorded_once() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::sample());
    let (date, year) = (today(), today().year());
    // A byte-order mark, semicolons, line ends of Windows, a quoted field with a semicolon and quotes.
    let first = write(
        &system,
        "quý 4.csv",
        &format!(
            "\u{feff}{HEADER}\r\n\
             ben-cat;{year};77/BC;{date};life-skills;61;100;;;\"sổ \"\"A\"\"; quyển 2\"\r\n\
             ben-cat;{year};77/BC;{date};primary-level;;;3;;\r\n\
             tan-uyen;{year};78/BC;{date};learning-district;;;;true;\r\n"
        ),
    );
    let second = write(
        &system,
        "other.csv",
        &format!("{}\nbau-bang,{year},79/BC,{date},life-skills,62,100,,,\n", HEADER.replace(';', ",")),
    );
    let before = reports(&system);
    let submit = |more: &[&str]| {
        let submitted = [&["report", "submit", &first, &second, "--json"], more].concat();
        data(&system.command(&submitted))["reports"].as_array().unwrap().clone()
    };
    let units = |reports: &[Value]| reports.len();
    assert_eq!(units(&submit(&["--dry-run"])), 3, "rows of one document are one report");
    assert_eq!(reports(&system), before, "a dry run records nothing");

    let recorded = submit(&[]);
    let positions: Vec<u64> = recorded.iter().map(|report| report["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, [positions[0], positions[0] + 1, positions[0] + 2], "one batch");
    let instants: Vec<&Value> = recorded.iter().map(|report| &report["recorded_at"]).collect();
    assert!(instants.iter().all(|instant| *instant == instants[0]), "{instants:?}");
    assert_eq!(reports(&system), before + 3);
    let again = submit(&[]);
    assert!(again.iter().all(|report| report["already_recorded"] == true), "{again:?}");
    let told = |reports: &[Value]| -> Vec<(Value, Value, Value)> {
        let told = reports
            .iter()
            .map(|report| (report["event"].clone(), report["position"].clone(), report["revision"].clone()));
        told.collect()
    };
    assert_eq!(told(&again), told(&recorded), "the same content is answered as before");
    assert_eq!(reports(&system), before + 3, "and recorded once");
    let previewed = submit(&["--dry-run"]);
    assert!(previewed.iter().all(|report| report["already_recorded"] == true), "{previewed:?}");

    let last = json!(positions[2]);
    let value = |unit: &str, indicator: &str| cell(system.http(), unit, indicator, &last)["value"].clone();
    assert_eq!(value("ben-cat", "life-skills")["percent"], "61.00");
    assert_eq!(value("ben-cat", "districts-primary-3")["level"], 3);
    assert_eq!(value("tan-uyen", "learning-districts")["attained"], true);
    assert_eq!(value("bau-bang", "life-skills")["percent"], "62.00");
    let event = system.http().get(&format!("/api/v1/events/{}", recorded[0]["event"].as_str().unwrap()));
    assert_eq!(event.expect(200)["data"]["lines"][0]["source"], "sổ \"A\"; quyển 2");
}
