//! Several reports together: recorded whole or not at all, whatever happens.

use super::{all_events, is_possible};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::support::{Http, Options, System, today, until};

const SIZE: usize = 200;
const UNITS: [&str; 9] = [
    "thu-dau-mot",
    "bau-bang",
    "dau-tieng",
    "ben-cat",
    "phu-giao",
    "tan-uyen",
    "di-an",
    "thuan-an",
    "bac-tan-uyen",
];

/// A batch whose reports name it; those of one unit become its next revisions one after the other.
fn batch(name: &str) -> Vec<Value> {
    let (date, year) = (today().to_string(), today().year().to_string());
    let report = |number: usize| {
        json!({"unit": UNITS[number % UNITS.len()], "period": year,
            "document": {"number": format!("{name}/{number}"), "date": date},
            "lines": [{"measure": "information-literacy", "numerator": 60 + number % 7, "denominator": 100}]})
    };
    (0..SIZE).map(report).collect()
}

/// How many reports of each batch the log holds.
fn recorded(http: &Http) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in all_events(http) {
        let number = event["data"]["document"]["number"].as_str().unwrap_or_default().to_owned();
        if let Some((name, _)) = number.split_once('/') {
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    }
    counts
}

#[test]
fn one_wrong_report_of_two_hundred_keeps_all_of_them_out() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::empty());
    let (http, path) = (system.http(), "/api/v1/reports/batch");
    let mut wrong = batch("wrong");
    wrong[SIZE - 1]["lines"][0]["numerator"] = json!(101);
    let refused = http.post(path, &json!({"reports": wrong})).expect(422);
    let errors = refused["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{refused}");
    assert!(errors[0]["pointer"].as_str().unwrap().starts_with("/reports/199/lines/0"), "{refused}");
    assert_eq!(recorded(http).get("wrong"), None);

    let answer = http.post(path, &json!({"reports": batch("right")})).expect(201);
    let reports = answer["reports"].as_array().unwrap();
    let first = reports[0]["position"].as_u64().unwrap();
    for (index, report) in reports.iter().enumerate() {
        assert_eq!(report["position"], first + index as u64, "positions follow each other");
        assert_eq!(report["revision"], 1 + index / UNITS.len(), "each becomes the next revision");
        assert_eq!(report["recorded_at"], reports[0]["recorded_at"], "one commit");
    }
    assert_eq!(answer["position"], first + SIZE as u64 - 1);
    assert_eq!(recorded(http)["right"], SIZE);
}

#[test]
fn a_batch_is_whole_or_absent_after_ingestion_was_killed_under_it() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::empty());
    let (http, stopping) = (system.http().with_limit(Duration::from_secs(2)), AtomicBool::new(false));
    let acknowledged = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0_u32.. {
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
                let name = format!("batch{number}");
                let body = json!({"reports": batch(&name)}).to_string();
                // Nobody answers while ingestion is gone: a batch is sent once, whatever becomes of it.
                if http.try_post("/api/v1/reports/batch", &body, &[]).is_ok_and(|answer| answer.status == 201)
                {
                    acknowledged.lock().unwrap().push(name);
                }
            }
        });
        // Whatever fails below, the thread is told to end.
        let _stop = Stop(&stopping);
        for round in 1..=3 {
            let wanted = acknowledged.lock().unwrap().len() + 2;
            until("batches are acknowledged", || acknowledged.lock().unwrap().len() >= wanted);
            let before = system.kill("ingestion");
            system.wait_restarted("ingestion", before);
            until(&format!("batches are acknowledged after kill {round}"), || {
                acknowledged.lock().unwrap().len() > wanted
            });
        }
    });
    let counts = recorded(system.http());
    assert!(counts.values().all(|count| *count == SIZE), "{counts:?}");
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.iter().all(|name| counts.contains_key(name)), "{acknowledged:?} {counts:?}");
}

/// Tells a thread to end when it goes out of scope.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
