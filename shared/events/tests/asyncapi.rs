//! The AsyncAPI document describes every event as it is really written.

#![expect(clippy::unwrap_used, reason = "what a test takes for granted may fail it")]
#![expect(clippy::disallowed_methods, reason = "the test reads the example files")]

use events::EventKind;
use serde_json::Value;
use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../../deploy/nats/asyncapi.json");

fn example(kind: EventKind) -> Value {
    let path = format!("{}/examples/{}.v{}.json", env!("CARGO_MANIFEST_DIR"), kind.name(), kind.version());
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn names(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

/// Holds an object against a closed schema: what it needs is there, and nothing else.
fn holds(schema: &Value, object: &Value, what: &str) {
    let given = names(object);
    let required: BTreeSet<String> =
        schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    let missing: Vec<_> = required.difference(&given).collect();
    let unknown: Vec<_> = given.difference(&names(&schema["properties"])).cloned().collect();
    assert!(missing.is_empty() && unknown.is_empty(), "{what}: missing {missing:?}, undescribed {unknown:?}");
}

#[test]
fn every_event_is_described_as_it_is_written() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    assert_eq!(document["asyncapi"], "3.0.0");
    let kinds = EventKind::ALL.iter().map(|kind| kind.name().to_owned());
    let channels: BTreeSet<String> = kinds.chain(["checkpoint".to_owned()]).collect();
    assert_eq!(
        names(&document["channels"]),
        channels,
        "one channel for each event type, one for checkpoints"
    );
    for kind in EventKind::ALL {
        let name = kind.name();
        let address = document["channels"][name]["address"].as_str().unwrap();
        assert_eq!(address, format!("planwatch.{{plan}}.event.{name}.{{unit}}"));
        let payload = &document["components"]["messages"][name]["payload"];
        let example = example(kind);
        holds(payload, &example, name);
        assert_eq!(payload["properties"]["type"]["const"], example["type"]);
        holds(&document["components"]["schemas"][name], &example["data"], name);
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn visit(document: &Value, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                    let pointer = reference.strip_prefix('#').expect("references stay in the document");
                    assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                }
                fields.values().for_each(|field| visit(document, field));
            }
            Value::Array(items) => items.iter().for_each(|item| visit(document, item)),
            _ => {}
        }
    }
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    visit(&document, &document);
}
