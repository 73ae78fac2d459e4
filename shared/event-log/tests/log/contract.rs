//! The contract: the same cases in memory and on disk.

use super::support::*;
use event_log::{AppendError, Copied, OpenError, ReadLimit};
use events::{Event, Position, wire};
use std::collections::HashSet;

contract! {
    positions_are_contiguous_and_events_read_back,
    a_log_reads_the_same_after_it_is_opened_again,
    pages_respect_their_limits_and_always_progress,
    events_are_found_by_id,
    positions_are_found_by_time,
    the_head_watch_wakes_readers,
    recorded_time_never_decreases,
    a_copy_holds_the_same_bytes_and_repeating_it_changes_nothing,
    a_copy_refuses_gaps_forks_and_strangers,
    what_must_not_be_recorded_is_refused_and_leaves_nothing,
    journal_files_are_sealed_and_read_across,
    a_second_opening_is_refused,
    another_plan_is_refused,
    the_largest_events_and_requests_are_kept_whole,
}

fn positions_are_contiguous_and_events_read_back(home: Home) {
    let mut opened = home.open();
    assert_eq!(opened.log.head(), Position::START);
    assert_eq!(opened.log.last_recorded_at(), None);
    let requests = vec![vec![report(1, 10), report(2, 10)], vec![], vec![report(3, 3_000)]];
    let recorded = opened.writer.append(requests, noon(0)).unwrap();
    let positions: Vec<Vec<u64>> =
        recorded.iter().map(|request| request.iter().map(|event| event.position.0).collect()).collect();
    assert_eq!(positions, [vec![1, 2], vec![], vec![3]]);
    let stored = read_all(&opened.log);
    for (stored, recorded) in stored.iter().zip(recorded.iter().flatten()) {
        assert_eq!(stored.id, recorded.event.id);
        assert_eq!(stored.bytes, wire::write(recorded).unwrap());
        assert_eq!(wire::read(&stored.bytes).unwrap(), *recorded);
    }
    wait_until_indexed(&opened.log);
    assert_eq!(read_all(&opened.log), stored, "the index gives what memory gave");
}

fn a_log_reads_the_same_after_it_is_opened_again(home: Home) {
    let mut opened = home.open();
    append_each(&mut opened.writer, 1..=40);
    let before = read_all(&opened.log);
    drop(opened);
    let mut opened = home.open();
    assert_eq!(opened.report.head, Position(40));
    assert_eq!(read_all(&opened.log), before);
    assert_eq!(opened.log.last_recorded_at(), Some(noon(40)));
    append_each(&mut opened.writer, 41..=42);
    assert_eq!(read_all(&opened.log).len(), 42);
}

fn pages_respect_their_limits_and_always_progress(home: Home) {
    let mut opened = home.open();
    append_each(&mut opened.writer, 1..=30);
    let log = &opened.log;
    let size = log.event_at(Position(1)).unwrap().unwrap().bytes.len();
    for indexed in [false, true] {
        if indexed {
            wait_until_indexed(log);
        }
        assert_eq!(log.read(Position(5), page(7)).unwrap().len(), 7);
        assert_eq!(log.read(Position(28), page(7)).unwrap().len(), 3);
        assert!(log.read(Position(31), page(7)).unwrap().is_empty());
        assert!(log.read(Position(u64::MAX), page(7)).unwrap().is_empty());
        let small = ReadLimit { events: 100, bytes: size * 3 };
        assert_eq!(log.read(Position(1), small).unwrap().len(), 3);
        let none = ReadLimit { events: 0, bytes: 0 };
        assert_eq!(log.read(Position(9), none).unwrap()[0].position, Position(9));
    }
}

fn events_are_found_by_id(home: Home) {
    let mut opened = home.open();
    append_each(&mut opened.writer, 1..=20);
    for indexed in [false, true] {
        if indexed {
            wait_until_indexed(&opened.log);
        }
        for stored in read_all(&opened.log) {
            assert_eq!(opened.log.event_by_id(&stored.id).unwrap(), Some(stored));
        }
        assert_eq!(opened.log.event_by_id(&report(99, 0).id).unwrap(), None);
    }
}

fn positions_are_found_by_time(home: Home) {
    let mut opened = home.open();
    // Three commits: events 1 and 2 at 0 ms, 3 at 10 ms, 4 and 5 at 20 ms.
    for (numbers, milliseconds) in [(vec![1, 2], 0), (vec![3], 10), (vec![4, 5], 20)] {
        let request = numbers.into_iter().map(|number| report(number, 20)).collect();
        opened.writer.append(vec![request], noon(milliseconds)).unwrap();
    }
    for indexed in [false, true] {
        if indexed {
            wait_until_indexed(&opened.log);
        }
        let expected = [(-1, 0), (0, 2), (9, 2), (10, 3), (19, 3), (20, 5), (1_000, 5)];
        for (milliseconds, position) in expected {
            let found = opened.log.position_at(noon(milliseconds)).unwrap();
            assert_eq!(found, Position(position), "at {milliseconds} ms, indexed: {indexed}");
        }
    }
}

fn the_head_watch_wakes_readers(home: Home) {
    let mut opened = home.open();
    let mut watch = opened.log.watch();
    let reader = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { *watch.wait_for(|head| *head >= Position(3)).await.unwrap() })
    });
    append_each(&mut opened.writer, 1..=3);
    assert_eq!(reader.join().unwrap(), Position(3));
}

fn recorded_time_never_decreases(home: Home) {
    let mut opened = home.open();
    let mut recorded = Vec::new();
    for (number, milliseconds) in [(1, 50), (2, 10), (3, 60), (4, -90_000_000)] {
        let event = opened.writer.append(vec![vec![report(number, 0)]], noon(milliseconds)).unwrap();
        recorded.push(event[0][0].recorded_at);
    }
    assert_eq!(recorded, [noon(50), noon(50), noon(60), noon(60)]);
    drop(opened);
    // The clamp holds over a restart, too.
    let mut opened = home.open();
    let event = opened.writer.append(vec![vec![report(5, 0)]], noon(0)).unwrap();
    assert_eq!(event[0][0].recorded_at, noon(60));
}

fn copies(stored: &[event_log::Stored]) -> Vec<Copied> {
    stored.iter().cloned().map(Copied::from).collect()
}

fn a_copy_holds_the_same_bytes_and_repeating_it_changes_nothing(home: Home) {
    let source = Home::in_memory();
    let mut original = source.open();
    append_each(&mut original.writer, 1..=30);
    let stored = read_all(&original.log);
    let mut copy = home.open();
    assert_eq!(copy.writer.append_copy(copies(&stored[..10])).unwrap(), Position(10));
    assert_eq!(copy.writer.append_copy(copies(&stored[5..20])).unwrap(), Position(20));
    assert_eq!(copy.writer.append_copy(copies(&stored[..20])).unwrap(), Position(20));
    let doubled = [copies(&stored[20..]), copies(&stored[25..])].concat();
    assert_eq!(copy.writer.append_copy(doubled).unwrap(), Position(30));
    assert_eq!(copy.writer.append_copy(Vec::new()).unwrap(), Position(30));
    assert_eq!(read_all(&copy.log), stored);
    assert_eq!(copy.log.last_recorded_at(), original.log.last_recorded_at());
}

fn a_copy_refuses_gaps_forks_and_strangers(home: Home) {
    let source = Home::in_memory();
    let mut original = source.open();
    append_each(&mut original.writer, 1..=5);
    let stored = read_all(&original.log);
    let mut copy = home.open();
    copy.writer.append_copy(copies(&stored[..3])).unwrap();
    let gap = copy.writer.append_copy(copies(&stored[4..])).unwrap_err();
    assert!(matches!(gap, AppendError::Gap { expected: Position(4), found: Position(5) }), "{gap}");
    let other = Copied { position: Position(2), bytes: stored[0].bytes.clone() };
    let fork = copy.writer.append_copy(vec![other]).unwrap_err();
    assert!(matches!(fork, AppendError::Fork { position: Position(2) }), "{fork}");
    let misplaced = Copied { position: Position(4), bytes: stored[0].bytes.clone() };
    let error = copy.writer.append_copy(vec![misplaced]).unwrap_err();
    assert!(matches!(error, AppendError::NotAnEvent { position: Position(4), .. }), "{error}");
    let noise = Copied { position: Position(4), bytes: bytes::Bytes::from_static(b"{}") };
    let error = copy.writer.append_copy(vec![noise]).unwrap_err();
    assert!(matches!(error, AppendError::NotAnEvent { .. }), "{error}");
    assert_eq!(read_all(&copy.log), stored[..3]);
}

fn what_must_not_be_recorded_is_refused_and_leaves_nothing(home: Home) {
    let mut opened = home.open();
    append_each(&mut opened.writer, 1..=3);
    let mut refuse = |requests: Vec<Vec<Event>>| opened.writer.append(requests, noon(9)).unwrap_err();
    let error = refuse(vec![vec![report(4, 0)], vec![report(2, 0)]]);
    assert!(matches!(error, AppendError::Duplicate { .. }), "{error}");
    let error = refuse(vec![vec![report(4, 0)], vec![report(4, 0)]]);
    assert!(matches!(error, AppendError::Duplicate { .. }), "{error}");
    let mut stranger = report(4, 0);
    stranger.plan = events::PlanId::parse("other").unwrap();
    let error = refuse(vec![vec![stranger]]);
    assert!(matches!(error, AppendError::OtherPlan { .. }), "{error}");
    let error = refuse(vec![vec![report(4, 70 * 1024)]]);
    assert!(matches!(error, AppendError::EventTooLarge(_)), "{error}");
    let error = refuse(vec![(10..10 + 4_097).map(|number| report(number, 0)).collect()]);
    assert!(matches!(error, AppendError::RequestTooLarge { events: 4_097, .. }), "{error}");
    assert_eq!(read_all(&opened.log).len(), 3);
    wait_until_indexed(&opened.log);
    let error = opened.writer.append(vec![vec![report(1, 0)]], noon(9)).unwrap_err();
    assert!(matches!(error, AppendError::Duplicate { .. }), "{error}");
}

fn journal_files_are_sealed_and_read_across(home: Home) {
    let home = home.with_journal_files_of(1_000);
    let mut opened = home.open();
    append_each(&mut opened.writer, 1..=20);
    let names = home.journal_files();
    assert!(names.len() > 3, "{names:?}");
    let before = read_all(&opened.log);
    drop(opened);
    assert_eq!(read_all(&home.open().log), before);
    if home.memory.is_none() {
        let sealed = std::fs::metadata(&names[0]).unwrap().permissions().readonly();
        let open = std::fs::metadata(names.last().unwrap()).unwrap().permissions().readonly();
        assert_eq!((sealed, open), (true, false));
    }
}

fn a_second_opening_is_refused(home: Home) {
    let opened = home.open();
    let reader = opened.log.clone();
    assert!(matches!(home.try_open(), Err(OpenError::InUse { .. })));
    drop(opened);
    assert!(matches!(home.try_open(), Err(OpenError::InUse { .. })), "a reader still has it");
    drop(reader);
    home.open();
}

fn another_plan_is_refused(home: Home) {
    drop(home.open());
    let mark = home.directory.join("format.json");
    home.put(&mark, br#"{"format":1,"plan":"other"}"#.to_vec());
    assert!(matches!(home.try_open(), Err(OpenError::OtherPlan { .. })));
    home.put(&mark, br#"{"format":2,"more":[]}"#.to_vec());
    assert!(matches!(home.try_open(), Err(OpenError::Newer { found: 2, known: 1, .. })));
    home.put(&mark, b"noise".to_vec());
    assert!(matches!(home.try_open(), Err(OpenError::FormatMark { .. })));
}

fn the_largest_events_and_requests_are_kept_whole(home: Home) {
    let mut opened = home.open();
    let padding = 57_000;
    let large: Vec<Event> = (1..=5).map(|number| report(number, padding)).collect();
    let many: Vec<Event> = (100..100 + 4_096).map(|number| report(number, 100)).collect();
    opened.writer.append(vec![large, many], noon(0)).unwrap();
    let stored = read_all(&opened.log);
    assert!(stored[0].bytes.len() > 56 * 1024);
    wait_until_indexed(&opened.log);
    assert_eq!(read_all(&opened.log), stored);
    for position in [1, 2, 5, 6, 4_000, 4_101] {
        assert_eq!(
            opened.log.event_at(Position(position)).unwrap().as_ref(),
            stored.get(position as usize - 1)
        );
    }
    drop(opened);
    assert_eq!(read_all(&home.open().log), stored);
    let ids: HashSet<_> = stored.iter().map(|stored| stored.id).collect();
    assert_eq!(ids.len(), stored.len());
}
