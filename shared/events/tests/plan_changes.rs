//! The readers of baselines, amendments and extensions: every wrong field is named by its pointer, with a code.

#![expect(clippy::unwrap_used, reason = "what a test takes for granted may fail it")]

use events::command::{AmendPlan, CHANGES_LIMIT, EnterBaseline, ExtendDeadline};
use events::{BaselineValue, FieldError, KeyTexts, KeyValue};
use serde_json::{Value, json};

/// The body with one field set, or with `null` in its place taken out.
fn with(mut body: Value, field: &str, value: Value) -> Value {
    let fields = body.as_object_mut().unwrap();
    if value.is_null() {
        fields.remove(field);
    } else {
        fields.insert(field.to_owned(), value);
    }
    body
}

/// Holds the errors against `pointer code`, each with a reason and a remedy.
fn check<T: std::fmt::Debug>(
    read: fn(&Value) -> Result<T, Vec<FieldError>>,
    cases: impl IntoIterator<Item = (Value, &'static [&'static str])>,
) {
    for (body, expected) in cases {
        let named = read(&body).unwrap_err().into_iter().map(|error| {
            assert!(!error.reason.is_empty() && !error.remedy.is_empty(), "{error:?}");
            format!("{} {}", error.pointer, error.code)
        });
        assert_eq!(named.collect::<Vec<_>>(), expected, "{body}");
    }
}

fn baseline() -> Value {
    json!({"unit": "di-an", "indicator": "life-skills", "period": "2020", "numerator": 1, "denominator": 4,
        "document": {"number": "88/BC-CTK", "date": "2022-05-20"}})
}

#[test]
fn a_wrong_baseline_is_named() {
    let read = EnterBaseline::read(&baseline()).unwrap();
    assert_eq!(read.value, BaselineValue::Rate { numerator: 1, denominator: 4 });
    let taken_back = with(with(baseline(), "numerator", Value::Null), "denominator", Value::Null);
    let withdrawn = with(taken_back.clone(), "withdrawn", json!(true));
    assert_eq!(EnterBaseline::read(&withdrawn).unwrap().value, BaselineValue::WITHDRAWN);
    check(
        EnterBaseline::read,
        [
            (json!([]), &[" wrong-type"] as &[&str]),
            (with(baseline(), "numerator", json!(5)), &["/numerator numerator-above-denominator"]),
            (
                with(with(baseline(), "numerator", json!(0)), "denominator", json!(0)),
                &["/denominator empty-baseline"],
            ),
            (with(baseline(), "numerator", json!("1")), &["/numerator wrong-type"]),
            (with(baseline(), "denominator", Value::Null), &["/denominator missing"]),
            (with(baseline(), "numerator", Value::Null), &["/numerator missing"]),
            (taken_back.clone(), &["/numerator missing"]),
            (with(baseline(), "withdrawn", json!(true)), &[" mixed-values"]),
            (with(taken_back, "withdrawn", json!(false)), &["/withdrawn not-withdrawn"]),
            (with(baseline(), "document", Value::Null), &["/document missing"]),
            (with(baseline(), "document", json!({"number": "1"})), &["/document/date missing"]),
            (with(baseline(), "period", json!("20")), &["/period unknown-period"]),
            (with(baseline(), "percent", json!("25")), &["/percent unknown-field"]),
        ],
    );
}

#[test]
fn a_wrong_amendment_is_named() {
    let amendment =
        |changes: Value| json!({"changes": changes, "effective": "2025-01-01", "instrument": "5012/QĐ-UBND"});
    let values = json!([{"key": "a", "value": "0.90"}, {"key": "b", "value": null}, {"key": "c", "value": 24},
        {"key": "d", "value": false}, {"key": "e", "value": {"vi": "x", "en": "y"}}]);
    let read = AmendPlan::read(&amendment(values)).unwrap();
    let read: Vec<KeyValue> = read.changes.into_iter().map(|change| change.value).collect();
    let texts = KeyTexts { vi: "x".into(), en: "y".into() };
    let expected = [
        KeyValue::Text("0.90".into()),
        KeyValue::Nothing,
        KeyValue::Whole(24),
        KeyValue::Flag(false),
        KeyValue::Texts(texts),
    ];
    assert_eq!(read, expected);
    let many: Vec<Value> =
        (0..=CHANGES_LIMIT).map(|index| json!({"key": index.to_string(), "value": 1})).collect();
    let one = |value: Value| amendment(json!([{"key": "thresholds.on_track", "value": value}]));
    check(
        AmendPlan::read,
        [
            (
                json!({"changes": [{"key": "a", "value": 1}]}),
                &["/effective missing", "/instrument missing"] as &[&str],
            ),
            (amendment(json!({})), &["/changes wrong-type"]),
            (amendment(json!([])), &["/changes number-of-changes"]),
            (amendment(json!(many)), &["/changes number-of-changes"]),
            (with(amendment(json!([])), "changes", Value::Null), &["/changes missing"]),
            (
                amendment(
                    json!([{"key": "a", "value": 1}, {"key": "b", "value": 1}, {"key": "a", "value": 2}]),
                ),
                &["/changes/2/key duplicate-key"],
            ),
            (one(json!(0.9)), &["/changes/0/value not-a-whole-number"]),
            (one(json!(-1)), &["/changes/0/value not-a-whole-number"]),
            (one(json!([1])), &["/changes/0/value wrong-type"]),
            (one(json!({"vi": "x"})), &["/changes/0/value/en missing"]),
            (one(json!("")), &["/changes/0/value empty"]),
            (amendment(json!([{"key": "a"}])), &["/changes/0/value missing"]),
            (
                amendment(json!([{"value": 1, "from": 2}])),
                &["/changes/0/key missing", "/changes/0/from unknown-field"],
            ),
        ],
    );
}

#[test]
fn a_wrong_extension_is_named() {
    let extension = || json!({"period": "2024", "due_before": "2024-12-16", "effective": "2024-11-25", "instrument": "4711/UBND-VX"});
    assert_eq!(ExtendDeadline::read(&extension()).unwrap().unit, None);
    check(
        ExtendDeadline::read,
        [
            (with(extension(), "due_before", json!("2024-12-32")), &["/due_before not-a-date"] as &[&str]),
            (with(extension(), "due_before", Value::Null), &["/due_before missing"]),
            (with(extension(), "period", json!(2024)), &["/period wrong-type"]),
            (with(extension(), "unit", json!("Dĩ An")), &["/unit unknown-unit"]),
            (with(extension(), "days", json!(3)), &["/days unknown-field"]),
        ],
    );
}
