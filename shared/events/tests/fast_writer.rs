//! The writer of events against serde, which is the oracle: the same bytes for every event.

#![expect(clippy::unwrap_used, reason = "what a test takes for granted may fail it")]

mod strategies;

use events::wire::{self, Blank, RecordedTime};
use events::{EventData, LineValue, Period, Position, Recorded};
use proptest::prelude::*;
use serde::Serialize;
use strategies::{recorded_events, reports};

/// The envelope as serde writes it.
#[derive(Serialize)]
struct Oracle<'a> {
    specversion: &'a str,
    id: events::EventId,
    source: String,
    #[serde(rename = "type")]
    type_name: String,
    subject: &'a str,
    datacontenttype: &'a str,
    time: String,
    actor: &'a events::ActorId,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    recordedtime: String,
    sequence: String,
    data: Box<serde_json::value::RawValue>,
}

fn by_serde(recorded: &Recorded) -> String {
    let event = &recorded.event;
    let kind = event.data.kind();
    let data = match &event.data {
        EventData::PlanAdopted(data) => serde_json::value::to_raw_value(data),
        EventData::ReportSubmitted(data) => serde_json::value::to_raw_value(data),
        EventData::TargetChanged(data) => serde_json::value::to_raw_value(data),
        EventData::UnitChanged(data) => serde_json::value::to_raw_value(data),
        EventData::BaselineEntered(data) => serde_json::value::to_raw_value(data),
        EventData::PlanAmended(data) => serde_json::value::to_raw_value(data),
        EventData::DeadlineExtended(data) => serde_json::value::to_raw_value(data),
        EventData::AlertRaised(data) => serde_json::value::to_raw_value(data),
        EventData::AlertResolved(data) => serde_json::value::to_raw_value(data),
        EventData::AlertAcknowledged(data) => serde_json::value::to_raw_value(data),
    };
    let oracle = Oracle {
        specversion: "1.0",
        id: event.id,
        source: format!("/plans/{}", event.plan),
        type_name: format!("planwatch.{}.v{}", kind.name(), kind.version()),
        subject: event.data.unit().map_or(wire::NO_UNIT, |unit| unit.as_str()),
        datacontenttype: "application/json",
        time: events::instant::written(event.effective),
        actor: &event.actor,
        traceparent: event.traceparent.as_deref(),
        recordedtime: events::instant::written(recorded.recorded_at),
        sequence: format!("{:020}", recorded.position.0),
        data: data.unwrap(),
    };
    serde_json::to_string(&oracle).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_048))]

    #[test]
    fn an_event_is_written_as_serde_writes_it(
        recorded in recorded_events(), report in reports(), as_report in any::<bool>(),
        year in any::<i16>(), traceparent in prop::option::of(any::<String>())
    ) {
        let mut recorded = recorded;
        recorded.event.traceparent = traceparent;
        if as_report {
            let mut report = report;
            report.period = Period(year);
            if let Some(LineValue::Attained { recognised_year, .. }) =
                report.lines.first_mut().map(|line| &mut line.value)
            {
                *recognised_year = Some(Period(year));
            }
            if let Ok(date) = events::Date::new(year, 1, 31) {
                report.document.date = date;
            }
            recorded.event.data = EventData::ReportSubmitted(report);
        }
        let written = String::from_utf8(wire::write(&recorded).unwrap()).unwrap();
        prop_assert_eq!(written, by_serde(&recorded));
    }

    #[test]
    fn events_written_behind_each_other_are_those_written_alone(
        recorded in prop::collection::vec(recorded_events(), 1..5), first in 1..u64::MAX - 5
    ) {
        let (mut bytes, mut blanks) = (b"before".to_vec(), Vec::new());
        for recorded in &recorded {
            blanks.push(Blank::append(&mut bytes, &recorded.event).unwrap());
        }
        let mut rest = &mut bytes[b"before".len()..];
        for ((position, mut recorded), blank) in (first..).zip(recorded).zip(blanks) {
            recorded.position = Position(position);
            let (own, others) = rest.split_at_mut(blank.size_bytes());
            blank.stamp(own, recorded.position, &RecordedTime::of(recorded.recorded_at));
            prop_assert_eq!(&*own, wire::write(&recorded).unwrap());
            rest = others;
        }
        prop_assert!(rest.is_empty());
    }
}

#[test]
fn one_that_is_too_large_leaves_nothing_behind() {
    let text = include_str!("../examples/alert-acknowledged.v1.json");
    let mut event = wire::read(text.as_bytes()).unwrap().event;
    let mut bytes = Vec::new();
    Blank::append(&mut bytes, &event).unwrap();
    let before = bytes.clone();
    let EventData::AlertAcknowledged(data) = &mut event.data else { panic!("another type") };
    data.note = "x".repeat(wire::EVENT_LIMIT_BYTES);
    assert!(Blank::append(&mut bytes, &event).is_err());
    assert_eq!(bytes, before);
}
