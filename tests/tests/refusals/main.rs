//! Requests that are wrong in every way that is named anywhere: each gets its problem document, none a 500, and
//! the log is left as it was.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bodies;
mod case;
mod changes;
mod questions;
mod reports;

use case::Case;
use serde_json::{Value, json};
use tests::support::{Http, Options, System, events, nats_server, today, until_some};

/// What the cases rest on: a system with a few things recorded.
pub(crate) struct Ground {
    system: System,
    /// The content of the token file.
    token: String,
    /// An alert that is open.
    firing: String,
    /// An alert that is over.
    resolved: String,
}

/// The unit whose report is recorded, at revision 1, under [`TAKEN_KEY`].
const REPORTED: &str = "di-an";
/// The unit that is dissolved from today.
const DISSOLVED: &str = "phu-giao";
/// A key that is bound to a report.
const TAKEN_KEY: &str = "taken";

fn year() -> String {
    today().year().to_string()
}

/// A report of one rate for the current year that would be taken.
fn good_report(unit: &str) -> Value {
    json!({
        "unit": unit,
        "period": year(),
        "document": {"number": "12/BC-UBND", "date": today().to_string()},
        "lines": [{"measure": "life-skills", "numerator": 1, "denominator": 2}],
    })
}

#[track_caller]
fn alert(http: &Http, state: &str, unit: &str) -> String {
    until_some(&format!("an alert of {unit} is {state}"), || {
        let alerts = http.try_get(&format!("/api/v1/alerts?state={state}&unit={unit}")).ok()?.json();
        alerts["alerts"].as_array()?.first()?["id"].as_str().map(str::to_owned)
    })
}

#[track_caller]
fn prepare() -> Ground {
    let system = System::start(Options::empty());
    let http = system.http();
    let recorded = http
        .try_post("/api/v1/reports", &good_report(REPORTED).to_string(), &[("idempotency-key", TAKEN_KEY)])
        .unwrap();
    assert_eq!(recorded.expect(201)["revision"], json!(1));
    let dissolution = json!({"unit": DISSOLVED, "change": "dissolve", "effective": today().to_string(), "instrument": "1/NQ"});
    http.post("/api/v1/units", &dissolution).expect(201);
    // The report for 2022 is overdue until it is there.
    alert(http, "firing", "thu-dau-mot");
    let late = json!({
        "unit": "thu-dau-mot", "period": "2022", "document": {"number": "1/BC", "date": "2022-11-22"},
        "lines": [{"measure": "life-skills", "numerator": 1, "denominator": 2}], "history": "found in the archive",
    });
    http.post("/api/v1/reports", &late).expect(201);
    let resolved = alert(http, "resolved", "thu-dau-mot");
    let firing = alert(http, "firing", "ben-cat");
    let token = std::fs::read_to_string(&system.ready().token_file).unwrap().trim().to_owned();
    Ground { system, token, firing, resolved }
}

/// Everything that people have recorded, by position; alerts come and go by themselves.
fn recorded_by_people(http: &Http) -> Vec<Value> {
    let logged = events(http).into_iter();
    let by_people = logged.filter(|logged| !matches!(logged.kind(), "alert-raised" | "alert-resolved"));
    by_people.map(|logged| logged.event).collect()
}

#[test]
fn every_wrong_request_gets_its_problem_document_and_leaves_the_log_as_it_was() {
    if nats_server().is_none() {
        return;
    }
    let ground = prepare();
    let before = recorded_by_people(ground.system.http());
    let cases: Vec<Case> = [
        bodies::cases(),
        reports::cases(),
        reports::batches(),
        changes::targets(),
        changes::units(),
        changes::acknowledgements(&ground),
        questions::cases(),
        questions::doors(&ground),
    ]
    .concat();
    let wrong: Vec<String> = cases.iter().filter_map(|case| case.try_on(&ground).err()).collect();
    assert!(wrong.is_empty(), "{} of {} went wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert_eq!(recorded_by_people(ground.system.http()), before, "the log is as it was");

    // What the wrong ones were made of is right: each refusal was for what the case says.
    let http = ground.system.http();
    for (path, body) in [
        ("/api/v1/reports", good_report(reports::UNIT)),
        ("/api/v1/targets", changes::good_target()),
        ("/api/v1/units", changes::good_unit()),
        (&format!("/api/v1/alerts/{}/ack", ground.firing), json!({"note": "seen"})),
    ] {
        http.post(path, &body).expect(201);
    }
    let taken = http.try_post(
        "/api/v1/reports",
        &good_report(REPORTED).to_string(),
        &[("idempotency-key", TAKEN_KEY)],
    );
    assert_eq!(taken.unwrap().expect(201)["revision"], json!(1), "a refused reuse binds nothing anew");
}
