//! The fast reader of reports against the general reader: it may read less, never more, and nothing otherwise.

#![expect(clippy::unwrap_used, reason = "what a test takes for granted may fail it")]

mod strategies;

use events::wire::{self, ReadError};
use events::{EventData, Position, Recorded};
use proptest::prelude::*;
use strategies::{recorded_events, reports};

/// Other ways to write the same or nearly the same: what the fast reader leaves to the general one, and what
/// neither may take.
fn altered(bytes: Vec<u8>, at: prop::sample::Index, how: u8, with: u8) -> Vec<u8> {
    let mut text = bytes;
    let at = at.index(text.len());
    const INSTEAD: [&[u8]; 16] = [
        b" ",
        b"0",
        b"-",
        b"\\u0041",
        b"\"",
        b",",
        b"null",
        b"1.0",
        b"\n",
        b"\xff",
        b"\xc3\xa9",
        b"}",
        b"]",
        b"true",
        b"1e1",
        b"\"level\":1,",
    ];
    let what = INSTEAD[usize::from(with) % INSTEAD.len()];
    match how % 4 {
        0 => text[at] = with,
        1 => drop(text.splice(at..at, what.iter().copied())),
        2 => drop(text.splice(at..at + 1, what.iter().copied())),
        _ => drop(text.remove(at)),
    }
    text
}

/// What a reader made of bytes: the event, or which error with what to say.
fn outcome(read: Result<Recorded, ReadError>) -> Result<Recorded, String> {
    read.map_err(|error| format!("{error:?}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_048))]

    #[test]
    fn the_fast_reader_reads_what_the_general_one_reads(
        recorded in recorded_events(), report in reports(), as_report in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<u8>()), 0..3)
    ) {
        let mut recorded = recorded;
        if as_report {
            recorded.event.data = EventData::ReportSubmitted(report);
        }
        let mut bytes = wire::write(&recorded).unwrap();
        for (at, how, with) in changes {
            bytes = altered(bytes, at, how, with);
        }
        prop_assert_eq!(outcome(wire::read(&bytes)), outcome(wire::read_any(&bytes)));
    }
}

#[test]
fn the_fast_reader_takes_the_form_in_which_reports_are_written() {
    let mut lines = 0;
    let text = include_str!("../examples/report-submitted.v1.json");
    let read = wire::read_report(text.as_bytes(), |_| {
        lines += 1;
        Some(())
    });
    let read = read.expect("the example is written as this version writes");
    assert_eq!((read.position, read.unit, lines), (Position(214), "di-an", 5));
    assert!(wire::read_report(text.replacen(':', ": ", 1).as_bytes(), |_| Some(())).is_none());
}
