//! Reading on several threads gives what reading on one gives.

use super::support::*;
use event_log::{Log, ReadError};
use events::Position;
use std::ops::ControlFlow;

/// More than several runs, and no whole number of them.
const EVENTS: u64 = 5_003;

fn filled(home: &Home) -> event_log::Opened {
    let mut opened = home.open();
    let mut number = 0;
    while number < EVENTS {
        let until = EVENTS.min(number + 97);
        let events = (number..until).map(|number| report(number + 1, 10)).collect();
        opened.writer.append(vec![events], noon(0)).unwrap();
        number = until;
    }
    opened
}

/// The positions that were handed out, in order, and how many runs they came in.
fn positions(log: &Log, threads: usize, from: u64, to: u64) -> (Vec<u64>, usize) {
    let (mut positions, mut runs) = (Vec::new(), 0);
    let work =
        |run: Vec<event_log::Stored>| run.into_iter().map(|stored| stored.position.0).collect::<Vec<_>>();
    log.read_ahead_on(threads, Position(from), Position(to), work, |run| {
        positions.extend(run);
        runs += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    (positions, runs)
}

#[test]
fn runs_come_in_order_on_however_many_threads() {
    for home in [Home::in_memory(), Home::on_disk()] {
        let opened = filled(&home);
        let head = EVENTS;
        for threads in [1, 2, 3, 64] {
            for (from, to) in
                [(1, head), (0, head + 7), (511, 513), (head, head), (head + 1, head + 1), (600, 599)]
            {
                let expected: Vec<u64> = (from.max(1)..=to.min(head)).collect();
                let (found, runs) = positions(&opened.log, threads, from, to);
                assert_eq!(found, expected, "{from} to {to} on {threads} threads");
                assert_eq!(runs, expected.len().div_ceil(512));
            }
        }
    }
}

#[test]
fn it_ends_where_the_taker_breaks() {
    let home = Home::in_memory();
    let opened = filled(&home);
    for threads in [1, 4] {
        let mut taken = 0;
        let read: Result<(), ReadError> = opened.log.read_ahead_on(
            threads,
            Position(1),
            opened.log.head(),
            |run| run.len(),
            |_| {
                taken += 1;
                if taken == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        read.unwrap();
        assert_eq!(taken, 2);
    }
}

#[test]
fn a_panic_of_a_worker_reaches_who_asked() {
    let home = Home::in_memory();
    let opened = filled(&home);
    let asked = std::panic::AssertUnwindSafe(|| {
        let work = |run: Vec<event_log::Stored>| assert!(run[0].position < Position(2_000), "on purpose");
        opened.log.read_ahead_on(3, Position(1), opened.log.head(), work, |()| ControlFlow::Continue(()))
    });
    assert!(std::panic::catch_unwind(asked).is_err());
}
