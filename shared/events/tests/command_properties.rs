//! Laws of the request readers: nothing makes them panic, and what they let through keeps its bounds.

use events::command::{
    self, AcknowledgeAlert, COUNT_LIMIT, ChangeTarget, ChangeUnit, LINES_LIMIT, SubmitReport,
};
use events::{FieldError, LineValue};
use proptest::prelude::*;
use serde_json::{Value, json};

const KEYS: &[&str] = &[
    "unit",
    "period",
    "revision",
    "document",
    "number",
    "date",
    "lines",
    "measure",
    "numerator",
    "denominator",
    "level",
    "attained",
    "withdrawn",
    "recognised_year",
    "source",
    "history",
    "indicator",
    "review",
    "percent",
    "effective",
    "instrument",
    "reason",
    "change",
    "name",
    "type",
    "code",
    "note",
    "review_by",
    "a/b~c",
    "",
];

fn bodies() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..5_u64).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec!["di-an", "2024", "2024-11-22", "2024-02-30", "50", "retype", "rename"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 12, |inner| {
        let key = prop_oneof![
            9 => prop::sample::select(KEYS).prop_map(str::to_owned),
            1 => any::<String>(),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..12).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn report(lines: Vec<Value>) -> Value {
    json!({
        "unit": "thu-dau-mot",
        "period": "2024",
        "document": {"number": "215/BC-UBND", "date": "2024-11-22"},
        "lines": lines
    })
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

/// Reports that are nearly right: each field good more often than not.
fn near_reports() -> impl Strategy<Value = Value> {
    let count = || prop_oneof![(0..=COUNT_LIMIT).prop_map(Value::from), (-3..3_i64).prop_map(Value::from)];
    let line = (prop::sample::select(vec!["a", "b", "c"]), count(), count(), 0..4_u8).prop_map(
        |(measure, one, other, shape)| match shape {
            0 => json!({"measure": measure, "level": one}),
            1 => json!({"measure": measure, "withdrawn": true}),
            _ => json!({"measure": measure, "numerator": one, "denominator": other}),
        },
    );
    (prop::collection::vec(line, 0..4), prop::option::weighted(0.2, (prop::sample::select(KEYS), bodies())))
        .prop_map(|(lines, wrong)| {
            let body = report(lines);
            match wrong {
                Some((key, value)) => with(body, key, value),
                None => body,
            }
        })
}

fn pointers_are_sound<T>(body: &Value, read: &Result<T, Vec<FieldError>>) -> Result<(), TestCaseError> {
    if let Err(errors) = read {
        prop_assert!(!errors.is_empty());
        for error in errors {
            prop_assert!(error.pointer.is_empty() || error.pointer.starts_with('/'), "{:?}", error);
            let absent = matches!(error.code.as_str(), "missing" | "duplicate-measure");
            prop_assert!(absent || body.pointer(&error.pointer).is_some(), "{:?} in {}", error, body);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_json_makes_a_reader_panic(body in bodies()) {
        pointers_are_sound(&body, &SubmitReport::read(&body))?;
        pointers_are_sound(&body, &ChangeTarget::read(&body))?;
        pointers_are_sound(&body, &ChangeUnit::read(&body))?;
        pointers_are_sound(&body, &AcknowledgeAlert::read(&body))?;
    }

    #[test]
    fn a_report_that_is_read_keeps_its_bounds(body in near_reports()) {
        let read = SubmitReport::read(&body);
        pointers_are_sound(&body, &read)?;
        if let Ok(report) = read {
            prop_assert!(!report.lines.is_empty() && report.lines.len() <= LINES_LIMIT);
            for (index, line) in report.lines.iter().enumerate() {
                prop_assert!(report.lines[..index].iter().all(|other| other.measure != line.measure));
                if let LineValue::Rate { numerator, denominator } = line.value {
                    prop_assert!(numerator <= denominator && denominator <= COUNT_LIMIT);
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_the_body_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = command::read_body(&bytes);
    }

    #[test]
    fn a_body_reads_as_any_reader_of_json_reads_it(body in bodies()) {
        let text = body.to_string();
        let expected: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(command::read_body(text.as_bytes()).unwrap(), expected);
    }
}
