//! Why a figure is what it is, what changed and what looks wrong: asked of a whole system.

use super::{SAMPLE_HEAD, data, is_possible};
use serde_json::json;
use tests::support::{Options, System};

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
