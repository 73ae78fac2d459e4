//! Another plan, with other indicators, units, years and time zone, without a change of code.

use super::{alerts, all_events, cell, data, is_possible, rate, write};
use serde_json::{Value, json};
use std::path::Path;
use tests::support::{EventStream, Options, Stranger, System, today};

/// The years of that plan.
const PERIODS: std::ops::RangeInclusive<i16> = 2024..=2027;

#[test]
fn another_plan_is_watched_as_the_first_is() {
    if !is_possible() {
        return;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/plans/second.toml");
    let mut system = System::start(Options { plan: Some(file.clone()), ..Options::empty() });
    let checked = system.command(&["plan", "check", &file.display().to_string()]);
    assert_eq!(checked.status.code(), Some(0));
    let http = system.http().clone();
    // Two districts with two cells each, the province with all four.
    let status = http.get("/api/v1/status").expect(200);
    let cells = status["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 8);
    assert!(cells.iter().all(|cell| cell["status"] == "no-data"), "{status}");
    assert_eq!(status["sample"], false);
    assert!(status["as_of"].as_str().unwrap().ends_with("+09:00"), "the plan's own time zone");

    // Half of all households of the north, and one of a hundred more a year later: 87.5 % are asked for in 2027.
    let last = today().year().min(*PERIODS.end());
    let watch = EventStream::open(&http, None);
    let first = rate("bac", last - 1, "households-online", 50, 100);
    let second = rate("bac", last, "households-online", 51, 100);
    let batch = write(&system, "reports.json", &json!([first, second]).to_string());
    let reports = data(&system.command(&["report", "submit", &batch, "--json"]))["reports"].clone();
    let raised = watch.find("the alert", |event| {
        event.kind == "alert-raised"
            && event.data()["indicator"] == "households-online"
            && event.data()["unit"] == "bac"
    });
    assert_eq!(raised.data()["rule"], "behind");
    let seen = cell(&http, "bac", "households-online", &reports[1]["position"]);
    assert_eq!((&seen["status"], &seen["target"]["percent"]), (&json!("behind"), &json!("87.5")));
    let firing = alerts(&http, &format!("&state=firing&unit=bac&at_least={}", raised.position));
    assert!(firing.iter().any(|alert| alert["id"] == raised.data()["alert"]));

    // A level that the first plan does not know, counted from 4 on: one of two districts is the half that is asked for.
    let level = json!({"unit": "nam", "period": last.to_string(),
        "document": {"number": "4/BC", "date": today().to_string()}, "lines": [{"measure": "office-level", "level": 5}]});
    let accepted = http.post("/api/v1/reports", &level).expect(201);
    let share = cell(&http, "an-binh-tinh", "offices-at-4", &accepted["position"]);
    assert_eq!((&share["value"]["count"], &share["value"]["of"]), (&json!(1), &json!(2)));
    assert_eq!(share["status"], "achieved");
    let unknown = rate("bac", last, "life-skills", 1, 2);
    let refused = http.post("/api/v1/reports", &unknown).expect(422);
    assert_eq!(refused["errors"][0]["pointer"], "/lines/0/measure", "{refused}");

    let page = http.get("/?lang=en").text;
    assert!(page.contains("Digital transformation plan of An Bình") && page.contains("Households online"));
    let reader = system.ready().nats_reader.clone().unwrap();
    let mut stranger = Stranger::connect(&system.ready().nats, &reader.user, &reader.password);
    let consumer = stranger.consume("PLANWATCH_AN_BINH");
    assert_eq!(stranger.next(consumer).subject, "planwatch.an-binh.event.plan-adopted._plan");

    let (digest, events): (Value, usize) = (state(&system), all_events(&http).len());
    system.stop();
    system.start_again();
    assert_eq!((state(&system), all_events(system.http()).len()), (digest, events));
}

fn state(system: &System) -> Value {
    let head = all_events(system.http()).len();
    system.http().get(&format!("/api/v1/status?at_least={head}")).expect(200)["digest"].clone()
}
