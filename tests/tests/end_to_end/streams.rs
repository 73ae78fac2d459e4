//! Server-sent events: every event once, in order, also over a lost connection.

use super::{is_possible, rate};
use serde_json::Value;
use tests::support::{EventStream, Options, System, today};

#[test]
fn a_stream_goes_on_after_the_last_event_without_gap_or_repeat() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::sample());
    let year = today().year();
    let report = |system: &System, numerator: u64| -> u64 {
        let report = rate("di-an", year, "digital-institutions", numerator, 100);
        system.http().post("/api/v1/reports", &report).expect(201)["position"].as_u64().unwrap()
    };
    let mut received = vec![100];
    let take = |stream: &EventStream, up_to: u64, received: &mut Vec<u64>| {
        while received.last().is_some_and(|last| *last < up_to) {
            let event = stream.next();
            assert_eq!(event.json()["sequence"], format!("{:020}", event.position));
            let kind = event.json()["type"].as_str().unwrap().to_owned();
            assert_eq!(kind, format!("planwatch.{}.v1", event.kind));
            received.push(event.position);
        }
    };
    // Cut off in the middle of history, cut off at the end, cut off by a restart of everything.
    let stream = EventStream::open(system.http(), Some(100));
    take(&stream, 150, &mut received);
    drop(stream);
    let stream = EventStream::open(system.http(), received.last().copied());
    take(&stream, report(&system, 80), &mut received);
    drop(stream);
    let missed = report(&system, 81);
    let stream = EventStream::open(system.http(), received.last().copied());
    take(&stream, missed, &mut received);
    take(&stream, report(&system, 82), &mut received);
    system.stop();
    system.start_again();
    let stream = EventStream::open(system.http(), received.last().copied());
    take(&stream, report(&system, 83), &mut received);

    let last = *received.last().unwrap();
    assert_eq!(received, (100..=last).collect::<Vec<u64>>());
    // What was sent is what is recorded.
    let again = EventStream::open(system.http(), Some(last - 3));
    let page: Value = system.http().get(&format!("/api/v1/events?from={}&limit=3", last - 2)).expect(200);
    for recorded in page["events"].as_array().unwrap() {
        assert_eq!(&again.next().json(), recorded);
    }
}
