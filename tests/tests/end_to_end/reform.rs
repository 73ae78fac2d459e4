//! A reform of units: a new one is established, two go over into it, one is split, and all of it is followed.

use super::{alerts, all_events, cell, data, is_possible, rate, write};
use serde_json::{Value, json};
use tests::support::{Options, System, today, until};

fn change(unit: &str, change: &str, more: Value) -> Value {
    let mut body = json!({"unit": unit, "change": change, "effective": today().to_string(), "instrument": "1685/NQ-UBTVQH15"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn establish(unit: &str, vi: &str, en: &str) -> Value {
    change(unit, "establish", json!({"name": {"vi": vi, "en": en}, "type": "ward", "code": "25760"}))
}

fn merge(unit: &str, into: &str) -> Value {
    change(unit, "merge", json!({"into": into, "share": {"numerator": 1, "denominator": 1}}))
}

/// A report of 2023 that is entered as history.
fn of_2023(unit: &str, numerator: u64, denominator: u64) -> Value {
    json!({
        "unit": unit, "period": "2023", "document": {"number": "1/BC", "date": "2023-11-20"},
        "lines": [{"measure": "life-skills", "numerator": numerator, "denominator": denominator}],
        "history": "from the archive",
    })
}

#[test]
fn a_reform_is_recorded_and_followed_through_cells_alerts_pages_and_replay() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let http = system.http().clone();
    let post = |path: &str, body: &Value| http.post(path, body).expect(201);
    post("/api/v1/reports", &of_2023("bau-bang", 300, 1_000));
    post("/api/v1/reports", &of_2023("ben-cat", 500, 3_000));
    until("Bàu Bàng is overdue", || !alerts(&http, "&state=firing&unit=bau-bang").is_empty());

    post("/api/v1/units", &establish("phuong-moi", "Phường Mới", "New ward"));
    let file =
        write(&system, "establish.json", &establish("phuong-khac", "Phường Khác", "Other ward").to_string());
    data(&system.command(&["unit", "change", &file, "--json"]));
    post("/api/v1/units", &merge("bau-bang", "phuong-moi"));
    post("/api/v1/units", &merge("ben-cat", "phuong-moi"));
    let into =
        json!([{"unit": "phuong-moi"}, {"unit": "phuong-khac", "share": {"numerator": 1, "denominator": 3}}]);
    let file = write(&system, "split.json", &change("di-an", "split", json!({"into": into})).to_string());
    let split = data(&system.command(&["unit", "change", &file, "--json"]));

    // Eight districts: nine, three gone, two come.
    let status = http.get(&format!("/api/v1/status?limit=1000&at_least={}", split["position"])).expect(200);
    assert_eq!(status["cells"].as_array().unwrap().len(), 8 * 12 + 17);
    // What is gone is still told, and marked.
    let gone = cell(&http, "bau-bang", "life-skills", &split["position"]);
    assert_eq!((&gone["in_force"], &gone["value"]["percent"]), (&json!(false), &json!("30.00")));
    // Its alerts end with it, and nothing new fires for it.
    until("the alerts of what is gone are over", || {
        ["bau-bang", "ben-cat", "di-an"]
            .iter()
            .all(|unit| alerts(&http, &format!("&state=firing&unit={unit}")).is_empty())
    });
    let mut over = alerts(&http, "&state=resolved&unit=bau-bang");
    // Whether 2023 was overdue before its report came is a matter of moments.
    over.retain(|alert| alert["period"] != "2023");
    assert!(!over.is_empty());
    assert!(over.iter().all(|alert| alert["resolution"] == "unit-dissolved"), "{over:?}");

    // One of the three shares is unknown: nothing is derived for the one, 2023 was not reported for the other.
    let year = today().year();
    let reported = post("/api/v1/reports", &rate("phuong-moi", year, "life-skills", 1_400, 4_000));
    let told = cell(&http, "phuong-moi", "life-skills", &reported["position"]);
    assert_eq!((&told["status"], &told["baseline"]), (&json!("no-baseline"), &Value::Null));
    let refused = http.post("/api/v1/reports", &rate("ben-cat", year, "life-skills", 1, 2)).expect(422);
    assert_eq!(refused["errors"][0]["code"], "unit-merged", "{refused}");

    // The page shows who is in force.
    let page = http.get("/?lang=en").text;
    assert!(page.contains("Phường Khác") || page.contains("Other ward"));
    assert!(!page.contains("Bàu Bàng"));

    // The log alone gives the same state, and a system that starts again knows the new units.
    until("what is replayed and what is folded are at one position", || {
        let replayed = data(&system.command(&["replay", "--json"]));
        let known = http.get(&format!("/api/v1/status?at_least={}", all_events(&http).len())).expect(200);
        let same_position = known["position"] == replayed["position"];
        assert!(!same_position || known["digest"] == replayed["digest"], "{known}");
        same_position
    });
    assert!(system.stop().success());
    system.start_again();
    let http = system.http().clone();
    let again = cell(&http, "phuong-moi", "life-skills", &reported["position"]);
    assert_eq!(again["value"], told["value"]);
    let more = http.post("/api/v1/reports", &rate("phuong-khac", year, "life-skills", 1, 2)).expect(201);
    assert_eq!(more["revision"], 1);
}

#[test]
fn a_successor_of_whole_units_begins_where_they_did() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::empty());
    let http = system.http();
    let post = |path: &str, body: &Value| http.post(path, body).expect(201);
    post("/api/v1/reports", &of_2023("bau-bang", 300, 1_000));
    let before = post("/api/v1/reports", &of_2023("ben-cat", 500, 3_000));
    post("/api/v1/units", &establish("phuong-moi", "Phường Mới", "New ward"));
    post("/api/v1/units", &merge("bau-bang", "phuong-moi"));
    post("/api/v1/units", &merge("ben-cat", "phuong-moi"));
    let year = today().year();
    let reported = post("/api/v1/reports", &rate("phuong-moi", year, "life-skills", 1_400, 4_000));
    let told = cell(http, "phuong-moi", "life-skills", &reported["position"]);
    // (300 + 500)/(1000 + 3000) = 20 %.
    let expected = json!({"period": "2023", "percent": "20.00", "derived_from": ["bau-bang", "ben-cat"]});
    assert_eq!(told["baseline"], expected, "{told}");
    assert!(told["pace"].is_string(), "{told}");
    let known_at = before["recorded_at"].as_str().unwrap().replace('+', "%2B");
    let unknown = http.get(&format!("/api/v1/status?unit=phuong-moi&known_at={known_at}")).expect(422);
    assert_eq!(unknown["errors"][0]["code"], "unknown-unit", "{unknown}");
    let page = http.get("/?lang=en").text;
    assert!(page.contains("bau-bang, ben-cat"), "the page says where the baseline comes from");
}
