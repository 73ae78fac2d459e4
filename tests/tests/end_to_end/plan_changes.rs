//! Baselines, amendments of the plan and extended deadlines, from the command line and over HTTP.

use super::{alerts, all_events, cell, data, is_possible, rate, write};
use serde_json::{Value, json};
use tests::support::{EventStream, Options, System, today, until};

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_plan_is_changed_by_events_and_what_follows_is_seen_first() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let http = system.http().clone();
    let (day, year) = (today().to_string(), today().year().min(2030));

    // One report has no pace; with a baseline entered, it has.
    let report = http.post("/api/v1/reports", &rate("di-an", year, "life-skills", 55, 100)).expect(201);
    let before = cell(&http, "di-an", "life-skills", &report["position"]);
    assert_eq!((&before["baseline"], &before["pace"]), (&Value::Null, &Value::Null), "{before}");
    let period = (year - 1).to_string();
    let entered = data(&system.command(&[
        "baseline",
        "enter",
        "--unit",
        "di-an",
        "--indicator",
        "life-skills",
        "--period",
        &period,
        "--numerator",
        "50",
        "--denominator",
        "100",
        "--document",
        "88/BC-CTK",
        "--document-date",
        &day,
        "--json",
    ]));
    assert_eq!(entered["revision"], 1);
    let seen = cell(&http, "di-an", "life-skills", &entered["position"]);
    let baseline = json!({"period": period, "percent": "50.00", "entered": true, "event": entered["event"]});
    assert_eq!(seen["baseline"], baseline);
    assert!(seen["pace"].is_string(), "{seen}");

    // On track from a pace on that is far below, or far above, what it is: the status changes, or nothing does.
    let amendment = |key: &str, value: Value| json!({"changes": [{"key": key, "value": value}], "effective": day, "instrument": "5012/QĐ-UBND"});
    let file = write(&system, "amend.json", &amendment("thresholds.on_track", json!("9.99")).to_string());
    let events = all_events(&http).len();
    let shown = data(&system.command(&["plan", "amend", &file, "--dry-run", "--json"]));
    assert_eq!(shown["changes"], json!([{"key": "thresholds.on_track", "from": "0.95", "to": "9.99"}]));
    let told = system.command(&["plan", "amend", &file]);
    assert_eq!(told.status.code(), Some(2), "without a terminal nobody can be asked");
    assert!(said(&told).contains("--yes"), "{}", said(&told));
    assert!(String::from_utf8_lossy(&told.stdout).contains("thresholds.on_track"));
    assert_eq!(all_events(&http).len(), events, "a dry run records nothing");
    let recorded = data(&system.command(&["plan", "amend", &file, "--yes", "--json"]));
    assert_eq!((&recorded["revision"], &recorded["preview"]["cells"]), (&json!(1), &shown["cells"]));
    let now = cell(&http, "di-an", "life-skills", &recorded["position"]);
    let mut changed = shown["cells"].as_array().unwrap().iter();
    let own = changed.rfind(|cell| cell["unit"] == "di-an" && cell["what"] == "status");
    match own {
        Some(change) => assert_eq!((&seen["status"], &now["status"]), (&change["from"], &change["to"])),
        None => assert_eq!(seen["status"], now["status"]),
    }
    let again =
        http.post("/api/v1/plan/amendments", &amendment("thresholds.on_track", json!("9.99"))).expect(422);
    assert_eq!(again["errors"][0]["code"], "nothing-changes", "{again}");
    let wrong = http
        .post("/api/v1/plan/amendments?dry_run=true", &amendment("thresholds.none", json!(1)))
        .expect(422);
    assert_eq!(wrong["errors"][0]["pointer"], "/changes/0/key");
    let plan = http.get(&format!("/api/v1/plan?at_least={}", recorded["position"])).expect(200);
    assert_eq!(plan["plan"]["thresholds"]["on_track"], "9.99");
    assert_eq!(
        (&plan["amendments"][0]["event"], &plan["amendments"][0]["in_force"]),
        (&recorded["event"], &json!(true))
    );
    let then = http.get("/api/v1/plan?as_of=2023-01-01").expect(200);
    assert_eq!(then["plan"]["thresholds"]["on_track"], "0.95");
    assert_eq!(then["digest"], then["adopted"]["digest"]);

    // The reports of the last period whose deadline has passed never came; one that is still ahead ends what is overdue.
    let period = if today().month() == 12 { year } else { year - 1 }.to_string();
    until("the report of Bến Cát is overdue", || {
        let firing = alerts(&http, "&state=firing&unit=ben-cat");
        firing.iter().any(|alert| alert["rule"] == "overdue" && alert["period"] == period.as_str())
    });
    let watch = EventStream::open(&http, None);
    let due = today().tomorrow().unwrap().to_string();
    let extended = data(&system.command(&[
        "deadline",
        "extend",
        "--period",
        &period,
        "--due-before",
        &due,
        "--effective",
        &day,
        "--instrument",
        "4711/UBND-VX",
        "--json",
    ]));
    let resolved = watch.find("the end of an overdue alert", |event| {
        event.kind == "alert-resolved"
            && event.data()["rule"] == "overdue"
            && event.data()["unit"] == "ben-cat"
    });
    assert!(resolved.data()["summary"]["en"].as_str().unwrap().contains(&due), "{}", resolved.data());
    assert_eq!(resolved.data()["resolution"], "corrected");
    assert_eq!(resolved.data()["because"], json!([extended["event"]]));
    let earlier = json!({"period": period, "due_before": format!("{period}-11-30"), "effective": day, "instrument": "x"});
    let refused = http.post("/api/v1/deadlines", &earlier).expect(422);
    assert_eq!(refused["errors"][0]["code"], "not-later", "{refused}");

    // All of it is in the log: the same after a start, and on a rebuild from nothing.
    let state = |system: &System| {
        let head = all_events(system.http()).len();
        system.http().get(&format!("/api/v1/status?at_least={head}")).expect(200)["digest"].clone()
    };
    let digest = state(&system);
    system.stop();
    system.start_again();
    assert_eq!(state(&system), digest);
}
