//! Why a figure is what it is, what changed and what looks wrong: asked of a whole system.

use super::{AFTER_THE_SAMPLE, SAMPLE_HEAD, data, is_possible, rate, write};
use serde_json::{Value, json};
use tests::support::{Options, System, today};

#[test]
fn every_figure_of_the_sample_can_be_asked_why() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::sample());
    let cells = system.http().get("/api/v1/status").expect(200)["cells"].as_array().unwrap().clone();
    assert_eq!(cells.len(), 125);
    for cell in &cells {
        let (unit, indicator) = (cell["unit"].as_str().unwrap(), cell["indicator"].as_str().unwrap());
        let path = format!("/api/v1/explain?unit={unit}&indicator={indicator}&at_least={SAMPLE_HEAD}");
        let why = system.http().get(&path).expect(200);
        for field in ["value", "status", "expected", "pace", "verdicts", "target", "because"] {
            assert_eq!(why["cell"][field], cell[field], "{unit} {indicator} {field}");
        }
        let decided = why["rules"].as_array().unwrap().iter().find(|rule| rule["applies"] == true).unwrap();
        assert_eq!(decided["status"], cell["status"], "{unit} {indicator}");
        let reports = why["sources"].as_array().unwrap().iter().filter(|of| of["type"] == "report-submitted");
        assert!(reports.clone().all(|report| report["document"]["number"].is_string()), "{why}");
        assert_eq!(reports.count() == 0, cell["value"].is_null(), "{unit} {indicator}");
    }

    let explain = ["explain", "--unit", "thuan-an", "--indicator", "life-skills", "--as-of", "2024-12-31"];
    let read = |more: &[&str]| system.command(&[&explain[..], more].concat());
    let answer = data(&read(&["--json"]));
    assert_eq!(answer["sample"], json!(true));
    let (english, vietnamese) = (read(&[]), read(&["--language", "vi"]));
    let english = String::from_utf8(english.stdout).unwrap();
    let vietnamese = String::from_utf8(vietnamese.stdout).unwrap();
    assert_eq!(english.lines().count(), answer["steps"].as_array().unwrap().len());
    assert!(english.contains("Path: 2021: 29.50 % → 2025: 50.00 % → 2030: 70.00 %."), "{english}");
    assert!(vietnamese.contains("Lộ trình: 2021: 29,50 % → 2025: 50,00 % → 2030: 70,00 %."), "{vietnamese}");
}

#[test]
fn a_correction_is_seen_in_the_difference_and_what_it_spoils_among_the_findings() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::sample());
    let list = |answer: &Value, name: &str| answer[name].as_array().unwrap().clone();
    let findings = |more: &[&str]| data(&system.command(&[&["findings", "--json"], more].concat()));
    let before = list(&findings(&[]), "items");

    // 5 % of another, tenfold denominator: the rate falls too far and the denominator jumps.
    let report = rate("thuan-an", today().year() - 1, "life-skills", 500_000, 10_000_000);
    let file = write(&system, "report.json", &report.to_string());
    let recorded = data(&system.command(&["report", "submit", &file, "--json"]))["reports"][0].clone();
    let position = recorded["position"].as_u64().unwrap();
    system.http().get(&format!("/api/v1/status?at_least={position}")).expect(200);

    let (from, to) = ((position - 1).to_string(), position.to_string());
    let diff = ["diff", "--from-position", &from, "--to-position", &to, "--as-of", &today().to_string()];
    let answer = data(&system.command(&[&diff[..], &["--json"]].concat()));
    let cells = list(&answer, "cells");
    let changed: Vec<_> = cells.iter().map(|cell| cell["unit"].as_str().unwrap()).collect();
    assert_eq!(changed, ["binh-duong", "thuan-an"], "{answer}");
    for cell in &cells {
        assert_eq!((&cell["indicator"], &cell["by_time"]), (&json!("life-skills"), &json!(false)));
        assert_eq!(cell["because"], json!([recorded["event"]]));
    }
    assert_eq!(cells[1]["after"]["value"]["percent"], "5.00");
    assert_eq!(answer["sources"][0]["document"]["number"], "500000/BC-UBND");
    let table = String::from_utf8(system.command(&diff).stdout).unwrap();
    assert!(table.contains(&format!("{position} report-submitted")), "{table}");
    let nothing =
        data(&system.command(&["diff", "--from", AFTER_THE_SAMPLE, "--to", AFTER_THE_SAMPLE, "--json"]));
    assert_eq!(
        (&nothing["cells"], &nothing["units"], &nothing["reports"]),
        (&json!([]), &json!([]), &json!([]))
    );

    let after = list(&findings(&["--unit", "thuan-an", "--indicator", "life-skills"]), "items");
    let new: Vec<_> = after.iter().filter(|finding| !before.contains(finding)).collect();
    let rules: Vec<_> = new.iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["denominator-jump", "numerator-outlier"], "{after:?}");
    assert!(new.iter().all(|finding| finding["evidence"][1]["event"] == recorded["event"]));
    assert_eq!(
        list(&findings(&["--known-at", AFTER_THE_SAMPLE]), "items"),
        before,
        "nothing of it was known then"
    );

    let get = |path: &str| list(&system.http().get(path).expect(200), "items");
    let targets = get("/api/v1/targets");
    let provinces = targets.iter().filter(|target| target["unit"].is_null()).count();
    assert_eq!(provinces, 31, "the plan's own; beside them those of single units: {targets:?}");
    assert_eq!(get("/api/v1/units").len(), 10);
    let baseline = get("/api/v1/baselines?unit=thuan-an&indicator=life-skills");
    assert_eq!((&baseline[0]["period"], &baseline[0]["value"]["percent"]), (&json!("2021"), &json!("29.50")));
}
