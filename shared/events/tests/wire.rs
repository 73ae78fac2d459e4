//! The written form of events: the example files stay readable for ever, and what is written reads back the same.

#![expect(clippy::unwrap_used, reason = "what a test takes for granted may fail it")]

mod strategies;

use events::wire::{self, EVENT_LIMIT_BYTES, Envelope, ReadError, Written};
use events::{Event, EventData, EventKind, LineValue, Period, PlanId, Position, UnitId};
use proptest::prelude::*;
use strategies::recorded_events;

/// One file for each type and version that was ever written; a file is never changed once it is released.
const EXAMPLES: [(EventKind, u32, &str); 10] = [
    (EventKind::PlanAdopted, 1, include_str!("../examples/plan-adopted.v1.json")),
    (EventKind::ReportSubmitted, 1, include_str!("../examples/report-submitted.v1.json")),
    (EventKind::TargetChanged, 1, include_str!("../examples/target-changed.v1.json")),
    (EventKind::UnitChanged, 1, include_str!("../examples/unit-changed.v1.json")),
    (EventKind::BaselineEntered, 1, include_str!("../examples/baseline-entered.v1.json")),
    (EventKind::PlanAmended, 1, include_str!("../examples/plan-amended.v1.json")),
    (EventKind::DeadlineExtended, 1, include_str!("../examples/deadline-extended.v1.json")),
    (EventKind::AlertRaised, 1, include_str!("../examples/alert-raised.v1.json")),
    (EventKind::AlertResolved, 1, include_str!("../examples/alert-resolved.v1.json")),
    (EventKind::AlertAcknowledged, 1, include_str!("../examples/alert-acknowledged.v1.json")),
];

/// The same type with other fields: one file for each kind of change of a unit that has fields of its own.
const MORE_UNIT_CHANGES: [&str; 5] = [
    include_str!("../examples/unit-changed.v1.establish.json"),
    include_str!("../examples/unit-changed.v1.merge.json"),
    include_str!("../examples/unit-changed.v1.split.json"),
    include_str!("../examples/unit-changed.v1.move.json"),
    include_str!("../examples/unit-changed.v1.dissolve.json"),
];

fn example(kind: EventKind) -> &'static str {
    let newest = EXAMPLES.iter().filter(|(of, ..)| *of == kind).max_by_key(|(_, version, _)| *version);
    newest.unwrap_or_else(|| panic!("{} has no example", kind.name())).2
}

#[test]
fn every_type_has_an_example_of_every_version() {
    for kind in EventKind::ALL {
        let versions: Vec<u32> =
            EXAMPLES.iter().filter(|(of, ..)| *of == kind).map(|(_, version, _)| *version).collect();
        assert_eq!(versions, (1..=kind.version()).collect::<Vec<_>>(), "{}", kind.name());
    }
}

#[test]
fn every_example_reads_and_is_written_again_byte_for_byte() {
    for (kind, version, text) in EXAMPLES {
        let recorded = wire::read(text.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", kind.name()));
        assert_eq!(recorded.event.data.kind(), kind);
        if version == kind.version() {
            assert_eq!(String::from_utf8(wire::write(&recorded).unwrap()).unwrap(), text);
        }
        let envelope = wire::read_envelope(text.as_bytes()).unwrap();
        assert_eq!((envelope.kind, envelope.version, envelope.position), (kind, version, recorded.position));
        assert_eq!(envelope.subject, recorded.event.data.unit().map_or(wire::NO_UNIT, UnitId::as_str));
    }
}

#[test]
fn every_change_of_a_unit_reads_and_is_written_again_byte_for_byte() {
    for text in MORE_UNIT_CHANGES {
        let recorded = wire::read(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(String::from_utf8(wire::write(&recorded).unwrap()).unwrap(), text);
    }
}

#[test]
fn a_unit_change_holds_exactly_what_its_kind_needs() {
    let text = example(EventKind::UnitChanged);
    for fields in [
        r#""change":"merge""#,
        r#""change":"merge","into":["bau-bang"]"#,
        r#""change":"merge","into":"bau-bang","share":{"numerator":1}"#,
        r#""change":"merge","into":"bau-bang","share":{"numerator":-1,"denominator":2}"#,
        r#""change":"merge","into":"bau-bang","parent":"binh-duong""#,
        r#""change":"split","into":"bau-bang""#,
        r#""change":"split","into":[{"unit":"bau-bang","part":1}]"#,
        r#""change":"split","into":[],"share":{"numerator":1,"denominator":2}"#,
        r#""change":"establish","name":"Phường","type":"ward","code":"1""#,
        r#""change":"establish","name":{"vi":"Phường"},"type":"ward","code":"1""#,
        r#""change":"establish","name":{"vi":"Phường","en":"Ward"},"type":"ward""#,
        r#""change":"rename","name":{"vi":"Phường","en":"Ward"}"#,
        r#""change":"move""#,
        r#""change":"dissolve","into":"bau-bang""#,
    ] {
        let data = format!(
            r#"{{"unit":"ben-cat",{fields},"revision":1,"effective":"2024-05-01","instrument":"Nghị quyết"}}"#
        );
        let read = wire::read(with_data(text, &data).as_bytes());
        assert!(matches!(read, Err(ReadError::Data { .. })), "{fields}: {read:?}");
    }
}

#[test]
fn an_example_says_what_it_says() {
    let recorded = wire::read(example(EventKind::ReportSubmitted).as_bytes()).unwrap();
    assert_eq!(recorded.position, Position(214));
    assert_eq!(recorded.recorded_at, "2024-11-22T02:10:00.123Z".parse().unwrap());
    assert_eq!(recorded.event.effective, "2024-11-22T00:00:00+07:00".parse().unwrap());
    let EventData::ReportSubmitted(report) = recorded.event.data else { panic!("another type") };
    assert_eq!((report.unit.as_str(), report.period, report.revision), ("di-an", Period(2024), 2));
    let values: Vec<LineValue> = report.lines.iter().map(|line| line.value).collect();
    assert_eq!(
        values,
        [
            LineValue::Rate { numerator: 118_400, denominator: 214_000 },
            LineValue::Rate { numerator: 0, denominator: 0 },
            LineValue::Level { level: 2 },
            LineValue::Attained { attained: true, recognised_year: Some(Period(2023)) },
            LineValue::WITHDRAWN,
        ]
    );
}

#[test]
fn an_unknown_type_or_version_stops_the_reader() {
    for kind in EventKind::ALL {
        let text = example(kind);
        let position = wire::read_envelope(text.as_bytes()).unwrap().position;
        let written = format!("planwatch.{}.v{}", kind.name(), kind.version());
        let later = format!("planwatch.{}.v{}", kind.name(), kind.version() + 1);
        for other in [later.as_str(), "planwatch.unit-merged.v1", "planwatch.unit-changed.vX"] {
            match wire::read(text.replacen(&written, other, 1).as_bytes()) {
                Err(ReadError::UnknownType { position: at, type_name }) => {
                    assert_eq!((at, type_name.as_str()), (position, other));
                }
                met => panic!("{other}: {met:?}"),
            }
        }
    }
}

fn with_data(text: &str, data: &str) -> String {
    let (head, _) = text.split_once(",\"data\":").unwrap();
    format!("{head},\"data\":{data}}}")
}

#[test]
fn broken_data_comes_with_its_envelope_so_that_its_unit_can_be_parked() {
    for kind in EventKind::ALL {
        let text = example(kind);
        let sound: Envelope = wire::read_envelope(text.as_bytes()).unwrap();
        for data in ["{}", "[]", "null", "{\"unit\":7}", "\"di-an\""] {
            match wire::read(with_data(text, data).as_bytes()) {
                Err(ReadError::Data { envelope, reason }) => {
                    assert_eq!(*envelope, sound, "{} with {data}", kind.name());
                    assert!(!reason.is_empty());
                }
                met => panic!("{} with {data}: {met:?}", kind.name()),
            }
        }
    }
}

#[test]
fn a_line_with_no_value_or_with_two_is_broken_data() {
    let text = example(EventKind::ReportSubmitted);
    for line in [
        r#"{"measure":"life-skills"}"#,
        r#"{"measure":"life-skills","numerator":1}"#,
        r#"{"measure":"life-skills","numerator":1,"denominator":2,"level":1}"#,
        r#"{"measure":"life-skills","withdrawn":false}"#,
        r#"{"measure":"life-skills","level":1,"recognised_year":"2023"}"#,
        r#"{"measure":"life-skills","numerator":-1,"denominator":2}"#,
        r#"{"measure":"life-skills","level":1,"colour":"red"}"#,
    ] {
        let data = format!(
            r#"{{"unit":"di-an","period":"2024","revision":1,"document":{{"number":"1","date":"2024-11-22"}},"lines":[{line}]}}"#
        );
        let read = wire::read(with_data(text, &data).as_bytes());
        assert!(matches!(read, Err(ReadError::Data { .. })), "{line}: {read:?}");
    }
}

#[test]
fn a_broken_envelope_is_no_event_of_ours() {
    let text = example(EventKind::UnitChanged);
    for (from, to) in [
        ("{\"specversion\"", "\"specversion\""),
        ("\"specversion\":\"1.0\"", "\"specversion\":\"0.3\""),
        ("\"specversion\":\"1.0\",", ""),
        ("\"/plans/binh-duong\"", "\"/plans/Bình Dương\""),
        ("\"/plans/binh-duong\"", "\"binh-duong\""),
        ("planwatch.unit-changed.v1", "unit-changed.v1"),
        ("planwatch.unit-changed.v1", "planwatch.unit-changed"),
        ("\"actor\":\"operator\",", ""),
        ("\"actor\":\"operator\"", "\"actor\":\"An Operator\""),
        ("00000000000000000171", "171"),
        ("00000000000000000171", "00000000000000000000"),
        ("00000000000000000171", "0000000000000000017x"),
        ("2024-04-25T02:00:00.000Z", "0000-00-00T00:00:00.000Z"),
        ("2024-04-30T17:00:00.000Z", "30 April"),
        ("07bb872f-5ca4-5b77-9606-77b746c31824", "07bb872f"),
        (",\"data\":", ",\"datum\":"),
        ("Bến Cát\"}}", "Bến Cát\"}"),
        ("Bến Cát\"}}", "Bến Cát\"}} x"),
    ] {
        let broken = text.replacen(from, to, 1);
        assert_ne!(broken, text, "{from} is not in the example");
        let read = wire::read(broken.as_bytes());
        assert!(matches!(read, Err(ReadError::Envelope { .. })), "{from} → {to}: {read:?}");
        let envelope = wire::read_envelope(broken.as_bytes());
        assert!(matches!(envelope, Err(ReadError::Envelope { .. })), "{from} → {to}: {envelope:?}");
    }
    assert!(matches!(wire::read(b"\xff\xfe"), Err(ReadError::Envelope { .. })));
}

#[test]
fn an_event_without_its_stamp_does_not_read() {
    let recorded = wire::read(example(EventKind::AlertRaised).as_bytes()).unwrap();
    let written = Written::new(&recorded.event).unwrap();
    assert!(matches!(wire::read(written.bytes()), Err(ReadError::Envelope { .. })));
}

#[test]
fn a_stamp_may_be_given_again() {
    let mut recorded = wire::read(example(EventKind::AlertAcknowledged).as_bytes()).unwrap();
    let mut written = Written::new(&recorded.event).unwrap();
    written.stamp(Position(u64::MAX), "2031-01-01T00:00:00Z".parse().unwrap());
    let first = written.bytes().to_vec();
    recorded.position = Position(7);
    recorded.recorded_at = "2024-11-25T01:15:00.007999Z".parse().unwrap();
    written.stamp(recorded.position, recorded.recorded_at);
    assert_eq!(written.bytes(), wire::write(&recorded).unwrap());
    assert_eq!(written.bytes().len(), first.len());
    let read = wire::read(&first).unwrap();
    assert_eq!(read.position, Position(u64::MAX));
    assert_eq!(read.event, recorded.event);
    let again = wire::read(&written.into_bytes()).unwrap();
    assert_eq!(again.recorded_at, "2024-11-25T01:15:00.007Z".parse().unwrap(), "to the millisecond");
}

fn acknowledged(note: String) -> Event {
    let mut event = wire::read(example(EventKind::AlertAcknowledged).as_bytes()).unwrap().event;
    let EventData::AlertAcknowledged(data) = &mut event.data else { panic!("another type") };
    data.note = note;
    event
}

#[test]
fn an_event_may_be_as_large_as_the_limit_and_no_larger() {
    let empty = Written::new(&acknowledged(String::new())).unwrap().bytes().len();
    let room = EVENT_LIMIT_BYTES - empty;
    let full = Written::new(&acknowledged("x".repeat(room))).unwrap();
    assert_eq!(full.bytes().len(), EVENT_LIMIT_BYTES);
    let error = Written::new(&acknowledged("x".repeat(room + 1))).unwrap_err();
    assert_eq!(error.size_bytes, EVENT_LIMIT_BYTES + 1);
    assert_eq!(error.to_string(), "the event is 61441 bytes as written; the limit is 61440");
}

#[test]
fn a_subject_names_plan_type_and_unit() {
    let plan = PlanId::parse("binh-duong").unwrap();
    assert_eq!(
        wire::subject(&plan, EventKind::ReportSubmitted, Some("di-an")),
        "planwatch.binh-duong.event.report-submitted.di-an"
    );
    assert_eq!(
        wire::subject(&plan, EventKind::PlanAdopted, None),
        "planwatch.binh-duong.event.plan-adopted._plan"
    );
}

proptest! {
    #[test]
    fn what_is_written_reads_back(recorded in recorded_events()) {
        let bytes = wire::write(&recorded).unwrap();
        let read = wire::read(&bytes).unwrap();
        prop_assert_eq!(&read, &recorded);
        prop_assert_eq!(wire::write(&read).unwrap(), bytes);
    }

    #[test]
    fn a_damaged_event_is_refused_or_read_but_never_panics(
        of in 0..EXAMPLES.len(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()
    ) {
        let mut bytes = EXAMPLES[of].2.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
            prop_assert!(wire::read(&bytes).is_err());
        } else {
            let _ = wire::read(&bytes);
        }
    }
}
