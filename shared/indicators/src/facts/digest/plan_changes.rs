//! The digest lines of baselines, amendments and extended deadlines.

use super::add_json;
use crate::facts::{AmendmentFact, BaselineFact, DeadlineFact};
use events::{BaselineValue, Date, EventId, Period, Position, instant};
use serde::Serialize;

// The fields of every line stand in alphabetical order, so that plain serialisation is canonical.

#[derive(Serialize)]
struct BaselineLine<'a> {
    document_date: Date,
    document_number: &'a str,
    effective: String,
    event: EventId,
    period: Period,
    position: Position,
    value: Option<[u64; 2]>,
}

#[derive(Serialize)]
struct AmendmentLine<'a> {
    changes: serde_json::Value,
    effective: String,
    event: EventId,
    instrument: &'a str,
    position: Position,
}

#[derive(Serialize)]
struct DeadlineLine<'a> {
    due_before: Date,
    effective: String,
    event: EventId,
    instrument: &'a str,
    position: Position,
}

pub(in crate::facts) fn add_baseline(text: &mut Vec<u8>, fact: &BaselineFact) {
    let line = BaselineLine {
        document_date: fact.document.date,
        document_number: &fact.document.number,
        effective: instant::written(fact.effective),
        event: fact.event,
        period: fact.period,
        position: fact.position,
        value: match fact.value {
            BaselineValue::Rate { numerator, denominator } => Some([numerator, denominator]),
            BaselineValue::Withdrawn { .. } => None,
        },
    };
    add_json(text, &line);
}

pub(in crate::facts) fn add_amendment(text: &mut Vec<u8>, fact: &AmendmentFact) {
    let line = AmendmentLine {
        changes: serde_json::to_value(&fact.changes).expect("changes are plain data"),
        effective: instant::written(fact.effective),
        event: fact.event,
        instrument: &fact.instrument,
        position: fact.position,
    };
    add_json(text, &line);
}

pub(in crate::facts) fn add_deadline(text: &mut Vec<u8>, fact: &DeadlineFact) {
    let line = DeadlineLine {
        due_before: fact.due_before,
        effective: instant::written(fact.effective),
        event: fact.event,
        instrument: &fact.instrument,
        position: fact.position,
    };
    add_json(text, &line);
}
