//! Admission of baselines, amendments of the plan and extended deadlines. The present is 25 November 2024.

use crate::{World, codes};
use events::command::{AmendmentPreview, Answer, Operation};
use events::{EventData, KeyValue, RefusalKind};
use ingestion::admission::Decision;
use serde_json::{Value, json};

fn with(mut body: Value, fields: Value) -> Value {
    for (field, value) in fields.as_object().unwrap() {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(field)),
            value => body[field] = value.clone(),
        }
    }
    body
}

fn baseline(fields: Value) -> Value {
    let good = json!({"unit": "di-an", "indicator": "life-skills", "period": "2020", "numerator": 20,
        "denominator": 100, "document": {"number": "88/BC-CTK", "date": "2022-05-20"}});
    with(good, fields)
}

fn amendment(changes: Value, fields: Value) -> Value {
    with(json!({"changes": changes, "effective": "2024-11-01", "instrument": "5012/QĐ-UBND"}), fields)
}

fn on_track(ratio: &str) -> Value {
    json!([{"key": "thresholds.on_track", "value": ratio}])
}

fn extension(fields: Value) -> Value {
    let good = json!({"period": "2024", "due_before": "2024-12-16", "effective": "2024-11-25",
        "instrument": "4711/UBND-VX"});
    with(good, fields)
}

fn refused(world: &World, operation: Operation, body: &Value) -> (RefusalKind, Vec<String>) {
    let refusal = world.refuse(operation, &body.to_string());
    let named = codes(&refusal).into_iter().map(|(pointer, code)| format!("{pointer} {code}"));
    (refusal.kind, named.collect())
}

fn preview(world: &mut World, body: &Value) -> AmendmentPreview {
    world.dry_run = true;
    let decision = world.decide(Operation::AmendPlan, None, &body.to_string());
    world.dry_run = false;
    match decision {
        Decision::Answer(Answer::AmendmentChecked(preview)) => *preview,
        other => panic!("no preview: {other:?}"),
    }
}

#[test]
fn a_baseline_becomes_the_next_revision_of_its_unit_and_indicator() {
    let mut world = World::new();
    let enter = Operation::EnterBaseline;
    assert_eq!(world.accept(enter, &baseline(json!({}))), [1]);
    let last = world.recorded.values().max_by_key(|recorded| recorded.position).unwrap();
    assert_eq!(last.event.effective, "2022-05-20T00:00:00+07:00".parse().unwrap());
    assert!(matches!(last.event.data, EventData::BaselineEntered(_)));
    assert_eq!(world.accept(enter, &baseline(json!({"numerator": 21}))), [2]);
    assert_eq!(world.accept(enter, &baseline(json!({"unit": "binh-duong"}))), [1]);
    let conflict = refused(&world, enter, &baseline(json!({"revision": 2})));
    assert_eq!(conflict, (RefusalKind::Conflict, vec!["/revision revision-conflict".to_owned()]));
    let withdrawn = baseline(json!({"numerator": null, "denominator": null, "withdrawn": true}));
    assert_eq!(world.accept(enter, &withdrawn), [3]);
    let again = refused(&world, enter, &withdrawn);
    assert_eq!(again, (RefusalKind::Rules, vec!["/withdrawn nothing-to-withdraw".to_owned()]));
}

#[test]
fn a_baseline_that_breaks_a_rule_is_refused_by_field() {
    let world = World::new();
    for (fields, expected) in [
        (json!({"unit": "nowhere"}), &["/unit unknown-unit"][..]),
        (json!({"indicator": "happiness"}), &["/indicator unknown-indicator"]),
        (json!({"indicator": "districts-literacy-2"}), &["/indicator no-rate"]),
        (json!({"indicator": "digital-universities"}), &["/unit no-such-cell"]),
        (json!({"period": "1999"}), &["/period unknown-period"]),
        (json!({"period": "2031"}), &["/period unknown-period", "/document/date before-its-period"]),
        (json!({"document": {"number": "1", "date": "2024-11-26"}}), &["/document/date in-the-future"]),
        (json!({"document": {"number": "1", "date": "2019-12-31"}}), &["/document/date before-its-period"]),
        (
            json!({"numerator": null, "denominator": null, "withdrawn": true}),
            &["/withdrawn nothing-to-withdraw"],
        ),
    ] {
        let (kind, named) = refused(&world, Operation::EnterBaseline, &baseline(fields.clone()));
        assert_eq!(
            (kind, named.as_slice()),
            (RefusalKind::Rules, &expected.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()[..]),
            "{fields}"
        );
    }
}

#[test]
fn an_amendment_is_the_next_revision_of_the_plan_and_holds_from_its_day_on() {
    let mut world = World::new();
    let amend = Operation::AmendPlan;
    assert_eq!(world.accept(amend, &amendment(on_track("0.90"), json!({}))), [1]);
    let days = json!([{"key": "calendar.history_after_days", "value": 60}]);
    // Until it holds, a document of 40 days is history; from then on it is not.
    let old = crate::report(|report| report["document"]["date"] = json!("2024-10-16"));
    let named = refused(&world, Operation::SubmitReport, &old).1;
    assert_eq!(named, ["/history history-required"], "{named:?}");
    assert_eq!(world.accept(amend, &amendment(days, json!({"effective": "2024-11-25"}))), [2]);
    assert_eq!(world.accept(Operation::SubmitReport, &old), [1]);
    let conflict = refused(&world, amend, &amendment(on_track("0.85"), json!({"revision": 2})));
    assert_eq!(conflict.0, RefusalKind::Conflict);
}

#[test]
fn an_amendment_that_breaks_a_rule_is_refused_by_change() {
    let mut world = World::new();
    for (body, expected) in [
        (amendment(on_track("0.90"), json!({"effective": "2022-03-15"})), "/effective before-the-plan"),
        (amendment(on_track("0.95"), json!({})), "/changes nothing-changes"),
        (amendment(json!([{"key": "thresholds.none", "value": 1}]), json!({})), "/changes/0/key unknown-key"),
        (
            amendment(json!([{"key": "thresholds.at_risk", "value": 1}]), json!({})),
            "/changes/0/value value-of-another-kind",
        ),
        (
            amendment(json!([{"key": "thresholds.at_risk", "value": "0.96"}]), json!({})),
            "/changes/0/value plan-would-be-wrong",
        ),
        (amendment(on_track("0.60"), json!({})), "/changes plan-would-be-wrong"),
    ] {
        let named = refused(&world, Operation::AmendPlan, &body);
        assert_eq!(named, (RefusalKind::Rules, vec![expected.to_owned()]), "{body}");
    }
    // At risk from 0.80 on, from next year: on track from 0.75 on would be wrong by then.
    let later = json!([{"key": "thresholds.at_risk", "value": "0.80"}]);
    world.accept(Operation::AmendPlan, &amendment(later, json!({"effective": "2025-01-01"})));
    let named = refused(&world, Operation::AmendPlan, &amendment(on_track("0.75"), json!({})));
    assert_eq!(named.1, ["/changes plan-would-be-wrong-later"]);
    assert_eq!(world.accept(Operation::AmendPlan, &amendment(on_track("0.85"), json!({}))), [2]);
}

#[test]
fn a_dry_run_shows_what_an_amendment_changes_and_records_nothing() {
    let mut world = World::new();
    world.accept(Operation::EnterBaseline, &baseline(json!({})));
    let report = crate::report(|report| {
        report["lines"] = json!([{"measure": "life-skills", "numerator": 40, "denominator": 100}]);
    });
    world.accept(Operation::SubmitReport, &report);
    // From 20 % in 2020 to 50 % in 2025, 44 % are expected in 2024: pace 20/24 = 0.83.
    let head = world.facts.head();
    let shown = preview(&mut world, &amendment(on_track("0.80"), json!({})));
    assert_eq!((shown.revision, shown.already_recorded, shown.as_if_in_force), (1, false, false));
    let change = &shown.changes[0];
    assert_eq!((&change.from, &change.to), (&KeyValue::Text("0.95".into()), &KeyValue::Text("0.80".into())));
    let cells: Vec<_> = shown
        .cells
        .iter()
        .map(|cell| (cell.unit.as_str(), cell.what.as_str(), cell.from.as_deref(), cell.to.as_deref()))
        .collect();
    assert_eq!(cells, [("di-an", "status", Some("at-risk"), Some("on-track"))]);
    assert_eq!(world.facts.head(), head);
    // One that lies ahead is shown as if it were here.
    let ahead = preview(&mut world, &amendment(on_track("0.80"), json!({"effective": "2025-06-01"})));
    assert!(ahead.as_if_in_force);
    assert_eq!(ahead.cells, shown.cells);
    world.dry_run = true;
    assert_eq!(
        refused(&world, Operation::AmendPlan, &amendment(on_track("0.60"), json!({}))).0,
        RefusalKind::Rules
    );
    world.dry_run = false;
    // Recorded under a key, the same request changes nothing more.
    world.key = Some("amend-1".into());
    world.accept(Operation::AmendPlan, &amendment(on_track("0.80"), json!({})));
    let again = preview(&mut world, &amendment(on_track("0.80"), json!({})));
    assert_eq!((again.already_recorded, again.revision, again.cells.len()), (true, 1, 0));
    assert_eq!(world.accept(Operation::AmendPlan, &amendment(on_track("0.80"), json!({}))), [1]);
    let other = world.refuse(Operation::AmendPlan, &amendment(on_track("0.70"), json!({})).to_string());
    assert_eq!(codes(&other), [("", "idempotency-key-reused")]);
}

#[test]
fn a_deadline_is_only_ever_extended() {
    let mut world = World::new();
    let extend = Operation::ExtendDeadline;
    assert_eq!(world.accept(extend, &extension(json!({}))), [1]);
    assert_eq!(world.accept(extend, &extension(json!({"unit": "di-an"}))), [1]);
    assert_eq!(world.accept(extend, &extension(json!({"due_before": "2024-12-10"}))), [2]);
    assert_eq!(world.accept(extend, &extension(json!({"period": "2023", "due_before": "2024-12-01"}))), [1]);
    for (fields, expected) in [
        (json!({"due_before": "2024-12-01"}), "/due_before not-later"),
        (json!({"due_before": "2024-11-30"}), "/due_before not-later"),
        (json!({"due_before": "2025-12-03"}), "/due_before too-far"),
        (json!({"period": "2021", "due_before": "2021-12-16"}), "/period unknown-period"),
        (json!({"period": "2031", "due_before": "2031-12-16"}), "/period unknown-period"),
        (json!({"unit": "nowhere"}), "/unit unknown-unit"),
        (json!({"effective": "2022-03-15"}), "/effective before-the-plan"),
    ] {
        let named = refused(&world, extend, &extension(fields.clone()));
        assert_eq!(named, (RefusalKind::Rules, vec![expected.to_owned()]), "{fields}");
    }
    let dissolve =
        json!({"unit": "di-an", "change": "dissolve", "effective": "2024-06-01", "instrument": "1/NQ"});
    world.accept(Operation::ChangeUnit, &dissolve);
    assert_eq!(refused(&world, extend, &extension(json!({"unit": "di-an"}))).1, ["/unit unit-dissolved"]);
}
