//! The committer: order, refusals, faults, the clock, stopping.

use super::support::*;
use event_log::files::Files;
use event_log::{
    Admission, Clock, CommitLimits, Committer, CommitterThread, Decision, Log, Opened, Outcome, SubmitError,
    WriteState,
};
use events::{Event, EventId, Position, Recorded, Timestamp};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Admits reports whose number is not a multiple of the refused one, and each number once.
struct Numbers {
    known: HashMap<EventId, Position>,
    expected: Vec<EventId>,
    rollbacks: Arc<AtomicU64>,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    closed: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn set(&self, closed: bool) {
        *self.closed.lock().unwrap() = closed;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let closed = self.closed.lock().unwrap();
        drop(self.changed.wait_while(closed, |closed| *closed).unwrap());
    }
}

#[derive(Debug, Clone, PartialEq)]
enum No {
    Refused,
    Earlier(Position),
}

#[derive(Clone)]
enum Ask {
    Record(Vec<Event>),
    Refuse,
    Panic,
}

impl Admission for Numbers {
    type Command = Ask;
    type Refusal = No;

    fn admit(&mut self, command: &Ask, next: Position, _now: Timestamp) -> Decision<No> {
        self.gate.pass();
        let events = match command {
            Ask::Record(events) => events,
            Ask::Refuse => return Decision::Answer(No::Refused),
            Ask::Panic => panic!("an admission that panics"),
        };
        if let Some(position) = events.iter().find_map(|event| self.known.get(&event.id)) {
            return Decision::Answer(No::Earlier(*position));
        }
        for (index, event) in events.iter().enumerate() {
            self.known.insert(event.id, Position(next.0 + index as u64));
            self.expected.push(event.id);
        }
        Decision::Record(events.clone())
    }

    fn committed(&mut self, recorded: &[Vec<Recorded>]) {
        for recorded in recorded.iter().flatten() {
            assert_eq!(self.known.get(&recorded.event.id), Some(&recorded.position), "as it was admitted");
        }
        let ids: Vec<EventId> = recorded.iter().flatten().map(|recorded| recorded.event.id).collect();
        if self.expected.len() == ids.len() {
            assert_eq!(self.expected, ids, "everything admitted is committed, in order");
        }
        self.expected.clear();
    }

    fn rolled_back(&mut self, log: &Log) {
        self.rollbacks.fetch_add(1, Ordering::SeqCst);
        self.known = read_all(log).iter().map(|stored| (stored.id, stored.position)).collect();
        self.expected.clear();
    }
}

/// A clock that tests set.
struct SetClock {
    now_ms: AtomicI64,
    elapsed_ms: AtomicU64,
    epoch: Option<String>,
}

impl SetClock {
    fn leap(&self, milliseconds: i64) {
        self.now_ms.fetch_add(milliseconds, Ordering::SeqCst);
    }

    fn pass(&self, milliseconds: u64) {
        self.elapsed_ms.fetch_add(milliseconds, Ordering::SeqCst);
        self.leap(milliseconds as i64);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        noon(self.now_ms.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms.load(Ordering::SeqCst))
    }

    fn epoch(&self) -> Option<String> {
        self.epoch.clone()
    }
}

struct Running {
    committer: Committer<Numbers>,
    thread: CommitterThread<Numbers>,
    log: Log,
    clock: Arc<SetClock>,
    rollbacks: Arc<AtomicU64>,
    gate: Arc<Gate>,
}

fn start(home: &Home, limits: CommitLimits) -> Running {
    start_at(home, limits, 0)
}

fn start_at(home: &Home, limits: CommitLimits, now_ms: i64) -> Running {
    start_by(home, limits, clock_at(now_ms))
}

/// A clock after a reboot.
fn clock_at(now_ms: i64) -> Arc<SetClock> {
    Arc::new(SetClock { now_ms: AtomicI64::new(now_ms), elapsed_ms: AtomicU64::new(0), epoch: None })
}

fn start_by(home: &Home, limits: CommitLimits, clock: Arc<SetClock>) -> Running {
    let Opened { log, writer, .. } = home.open();
    let rollbacks = Arc::new(AtomicU64::new(0));
    let gate = Arc::new(Gate::default());
    let known = read_all(&log).iter().map(|stored| (stored.id, stored.position)).collect();
    let admission =
        Numbers { known, expected: Vec::new(), rollbacks: Arc::clone(&rollbacks), gate: Arc::clone(&gate) };
    let (committer, thread) =
        Committer::start(writer, log.clone(), admission, Arc::clone(&clock) as _, limits).unwrap();
    Running { committer, thread, log, clock, rollbacks, gate }
}

fn ask(number: u64) -> Ask {
    Ask::Record(vec![report(number, 30)])
}

fn positions(outcome: Result<Outcome<No>, SubmitError>) -> Vec<u64> {
    match outcome {
        Ok(Outcome::Recorded(recorded)) => recorded.iter().map(|event| event.position.0).collect(),
        other => panic!("expected a record, got {other:?}"),
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap().block_on(future)
}

#[test]
fn concurrent_commands_get_contiguous_positions_and_refusals_fail_nobody_else() {
    let home = Home::on_disk();
    let running = start(&home, CommitLimits::default());
    let mut answers = run(async {
        let tasks: Vec<_> = (0..32u64)
            .map(|client| {
                let committer = running.committer.clone();
                tokio::spawn(async move {
                    let mut got = Vec::new();
                    for round in 0..20 {
                        let number = client * 1_000 + round;
                        if round % 5 == 4 {
                            let outcome = committer.submit(Ask::Refuse).await;
                            assert_eq!(outcome, Ok(Outcome::Answered(No::Refused)));
                        } else {
                            let events = vec![report(number, 30), report(number + 500, 30)];
                            let pair = positions(committer.submit(Ask::Record(events)).await);
                            assert_eq!(pair[1], pair[0] + 1);
                            got.extend(pair);
                        }
                    }
                    got
                })
            })
            .collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        all
    });
    answers.sort_unstable();
    assert_eq!(answers, (1..=32 * 16 * 2).collect::<Vec<u64>>());
    assert_eq!(read_all(&running.log).len(), answers.len());
    assert_eq!(running.rollbacks.load(Ordering::SeqCst), 0);
    assert!(home.files.syncs() < 32 * 16, "many commands share a synchronisation");
}

#[test]
fn the_same_command_again_is_answered_and_not_recorded() {
    let home = Home::in_memory();
    let running = start(&home, CommitLimits::default());
    run(async {
        assert_eq!(positions(running.committer.submit(ask(1)).await), [1]);
        let again = running.committer.submit(ask(1)).await;
        assert_eq!(again, Ok(Outcome::Answered(No::Earlier(Position(1)))));
        assert_eq!(positions(running.committer.submit(Ask::Record(Vec::new())).await), [0; 0]);
    });
    assert_eq!(read_all(&running.log).len(), 1);
}

#[test]
fn without_space_commands_are_turned_away_until_there_is_room() {
    let home = Home::in_memory();
    let running = start(&home, CommitLimits::default());
    run(async {
        running.committer.submit(ask(1)).await.unwrap();
        home.files.set_space_left(Some(100));
        assert_eq!(running.committer.submit(ask(2)).await, Err(SubmitError::NoSpace));
        assert_eq!(running.rollbacks.load(Ordering::SeqCst), 1);
        let syncs = home.files.syncs();
        assert_eq!(running.committer.submit(ask(3)).await, Err(SubmitError::NoSpace));
        assert_eq!(running.rollbacks.load(Ordering::SeqCst), 1, "not admitted at all");
        assert_eq!(home.files.syncs(), syncs);
    });
    home.files.set_space_left(None);
    wait_for("the committer to find room", || running.log.faults() == WriteState::Writing);
    run(async {
        // What was rolled back is not known any more, so it is recorded now.
        assert_eq!(positions(running.committer.submit(ask(2)).await), [2]);
    });
    assert_eq!(read_all(&running.log).len(), 2);
}

#[test]
fn a_failed_write_rolls_back_everyone_in_the_commit_and_a_repeat_succeeds() {
    let home = Home::in_memory();
    let running = start(&home, CommitLimits::default());
    run(async {
        running.gate.set(true);
        let waiting: Vec<_> = (1..=5)
            .map(|number| {
                let committer = running.committer.clone();
                tokio::spawn(async move { committer.submit(ask(number)).await })
            })
            .collect();
        home.files.set_write_fails(true);
        running.gate.set(false);
        for answer in waiting {
            let error = answer.await.unwrap().unwrap_err();
            assert!(matches!(error, SubmitError::Failed { .. }) && error.is_retryable(), "{error}");
        }
        assert!(running.rollbacks.load(Ordering::SeqCst) > 0);
        home.files.set_write_fails(false);
        assert_eq!(positions(running.committer.submit(ask(3)).await), [1]);
    });
    assert_eq!(read_all(&running.log).len(), 1);
}

#[test]
fn a_failed_sync_stops_the_committer() {
    let home = Home::in_memory();
    let running = start(&home, CommitLimits::default());
    run(async {
        running.committer.submit(ask(1)).await.unwrap();
        home.files.set_sync_fails(true);
        let error = running.committer.submit(ask(2)).await.unwrap_err();
        assert!(matches!(error, SubmitError::Stopped { .. }), "{error}");
        home.files.set_sync_fails(false);
        let error = running.committer.submit(ask(3)).await.unwrap_err();
        assert!(matches!(error, SubmitError::Stopped { .. }), "{error}");
    });
    assert_eq!(read_all(&running.log).len(), 1);
}

#[test]
fn too_large_a_request_fails_alone() {
    let home = Home::in_memory();
    let running = start(&home, CommitLimits::default());
    run(async {
        running.gate.set(true);
        let submit = |command: Ask| {
            let committer = running.committer.clone();
            tokio::spawn(async move { committer.submit(command).await })
        };
        let first = submit(ask(1));
        let large = submit(Ask::Record(vec![report(2, 70_000)]));
        let many = submit(Ask::Record((100..5_000).map(|number| report(number, 0)).collect()));
        running.gate.set(false);
        first.await.unwrap().unwrap();
        for answer in [large, many] {
            let error = answer.await.unwrap().unwrap_err();
            assert!(matches!(error, SubmitError::TooLarge { .. }) && !error.is_retryable(), "{error}");
        }
        // The overruled number is free again.
        assert_eq!(positions(running.committer.submit(ask(2)).await), [2]);
    });
    assert_eq!(running.rollbacks.load(Ordering::SeqCst), 2);
}

#[test]
fn a_full_queue_says_so_at_once() {
    let home = Home::in_memory();
    let limits = CommitLimits { queued_commands: 2, ..CommitLimits::default() };
    let running = start(&home, limits);
    run(async {
        running.gate.set(true);
        let mut waiting = Vec::new();
        let mut number = 0;
        loop {
            number += 1;
            let mut submitted = Box::pin(running.committer.submit(ask(number)));
            match futures_poll_once(&mut submitted).await {
                Some(answer) => {
                    assert_eq!(answer, Err(SubmitError::QueueFull));
                    break;
                }
                None => waiting.push(submitted),
            }
            assert!(number < 10, "the queue holds two, and one is being admitted");
        }
        running.gate.set(false);
        for submitted in waiting {
            submitted.await.unwrap();
        }
    });
}

/// Polls a future once; nothing if it is not ready.
async fn futures_poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[test]
fn stopping_finishes_what_was_taken_in_and_takes_nothing_more() {
    let home = Home::in_memory();
    let Running { committer, thread, log, gate, .. } = start(&home, CommitLimits::default());
    run(async {
        gate.set(true);
        let mut waiting: Vec<_> = (1..=10)
            .map(|number| {
                Box::pin({
                    let committer = committer.clone();
                    async move { committer.submit(ask(number)).await }
                })
            })
            .collect();
        for submitted in &mut waiting {
            assert_eq!(futures_poll_once(submitted).await, None, "it waits");
        }
        let stopping = std::thread::spawn(move || thread.stop().map(|(writer, _)| writer));
        // The door is closed before the queue is emptied.
        loop {
            let mut late = Box::pin(committer.submit(Ask::Refuse));
            match futures_poll_once(&mut late).await {
                // On a busy machine these fill the queue before the other thread gets to closing the door.
                Some(Err(SubmitError::QueueFull)) => std::thread::yield_now(),
                Some(answer) => {
                    assert!(matches!(answer, Err(SubmitError::Stopped { .. })), "{answer:?}");
                    break;
                }
                None => std::thread::yield_now(),
            }
        }
        gate.set(false);
        for submitted in waiting {
            positions(submitted.await);
        }
        assert!(stopping.join().unwrap().is_some());
        let error = committer.submit(ask(11)).await.unwrap_err();
        assert!(matches!(error, SubmitError::Stopped { .. }), "{error}");
    });
    assert_eq!(read_all(&log).len(), 10);
}

#[test]
fn an_admission_that_panics_stops_the_log_and_says_so() {
    let home = Home::in_memory();
    let running = start(&home, CommitLimits::default());
    run(async {
        running.committer.submit(ask(1)).await.unwrap();
        let error = running.committer.submit(Ask::Panic).await.unwrap_err();
        assert!(matches!(error, SubmitError::Stopped { .. }), "{error}");
    });
    assert!(matches!(running.log.faults(), WriteState::Stopped { .. }));
    assert!(running.thread.stop().is_none());
}

#[test]
fn a_clock_that_goes_back_is_clamped() {
    let home = Home::in_memory();
    let running = start(&home, CommitLimits::default());
    run(async {
        running.committer.submit(ask(1)).await.unwrap();
        running.clock.leap(-3_600_000);
        running.committer.submit(ask(2)).await.unwrap();
    });
    let times: Vec<Timestamp> = read_all(&running.log).iter().map(|stored| stored.recorded_at).collect();
    assert_eq!(times, [noon(0), noon(0)]);
}

const MINUTE: i64 = 60_000;

#[test]
fn a_clock_that_leaps_ahead_stops_writing_until_it_is_accepted() {
    let home = Home::on_disk();
    let running = start(&home, CommitLimits::default());
    run(async {
        running.committer.submit(ask(1)).await.unwrap();
        running.clock.pass(3_600_000);
        running.committer.submit(ask(2)).await.unwrap();
        running.clock.leap(6 * MINUTE);
        let error = running.committer.submit(ask(3)).await.unwrap_err();
        assert!(matches!(error, SubmitError::ClockStopped(_)), "{error}");
        assert!(matches!(running.log.faults(), WriteState::ClockStopped(_)));
    });
    event_log::accept_clock(&home.directory, &*running.clock).unwrap();
    wait_for("the acceptance to be seen", || running.log.faults() == WriteState::Writing);
    run(async {
        assert_eq!(positions(running.committer.submit(ask(3)).await), [3]);
        // What was accepted is that clock, not whatever it says later.
        running.clock.leap(6 * MINUTE);
        let error = running.committer.submit(ask(4)).await.unwrap_err();
        assert!(matches!(error, SubmitError::ClockStopped(_)), "{error}");
    });
}

#[test]
fn a_clock_that_is_set_right_again_needs_nobody() {
    let home = Home::in_memory();
    let running = start(&home, CommitLimits::default());
    run(async {
        running.committer.submit(ask(1)).await.unwrap();
        running.clock.leap(600 * MINUTE);
        assert!(running.committer.submit(ask(2)).await.is_err());
        running.clock.leap(-600 * MINUTE);
        assert_eq!(positions(running.committer.submit(ask(2)).await), [2]);
    });
    assert_eq!(read_all(&running.log)[1].recorded_at, noon(0));
}

const DAY: i64 = 24 * 60 * MINUTE;

#[test]
fn at_a_start_thirty_days_ahead_writing_waits_for_the_acceptance() {
    let home = Home::on_disk();
    let running = start(&home, CommitLimits::default());
    run(async { running.committer.submit(ask(1)).await.unwrap() });
    drop(running);
    let running = start_at(&home, CommitLimits::default(), 29 * DAY);
    run(async { assert_eq!(positions(running.committer.submit(ask(2)).await), [2]) });
    drop(running);
    let running = start_at(&home, CommitLimits::default(), 60 * DAY);
    assert!(matches!(running.log.faults(), WriteState::ClockStopped(_)), "said from the start");
    run(async {
        let error = running.committer.submit(ask(3)).await.unwrap_err();
        assert!(matches!(error, SubmitError::ClockStopped(_)), "{error}");
    });
    drop(running);
    // An acceptance holds over restarts.
    event_log::accept_clock(&home.directory, &*clock_at(60 * DAY)).unwrap();
    drop(start_at(&home, CommitLimits::default(), 60 * DAY));
    let running = start_at(&home, CommitLimits::default(), 61 * DAY);
    run(async { assert_eq!(positions(running.committer.submit(ask(3)).await), [3]) });
}

#[test]
fn an_acceptance_lets_no_later_leap_through() {
    let home = Home::on_disk();
    let running = start(&home, CommitLimits::default());
    run(async { running.committer.submit(ask(1)).await.unwrap() });
    drop(running);
    event_log::accept_clock(&home.directory, &*clock_at(60 * DAY)).unwrap();
    // Nothing is recorded by the accepted clock, and then it leaps.
    let running = start_at(&home, CommitLimits::default(), 60 * DAY);
    assert_eq!(running.log.faults(), WriteState::Writing);
    running.clock.leap(800 * DAY);
    run(async {
        let error = running.committer.submit(ask(2)).await.unwrap_err();
        assert!(matches!(error, SubmitError::ClockStopped(_)), "{error}");
    });
    drop(running);
    // Nor does a restart.
    let running = start_at(&home, CommitLimits::default(), 860 * DAY);
    assert!(matches!(running.log.faults(), WriteState::ClockStopped(_)));
    drop(running);
    let running = start_at(&home, CommitLimits::default(), 61 * DAY);
    run(async { assert_eq!(positions(running.committer.submit(ask(2)).await), [2]) });
    assert_eq!(read_all(&running.log)[1].recorded_at, noon(61 * DAY));
}

#[test]
fn a_log_that_ran_without_events_is_judged_by_when_it_ran() {
    let home = Home::on_disk();
    let running = start(&home, CommitLimits::default());
    run(async { running.committer.submit(ask(1)).await.unwrap() });
    running.clock.pass((90 * DAY).unsigned_abs());
    wait_for("the clock to be kept", || {
        let kept = std::fs::read_to_string(home.directory.join("clock")).unwrap_or_default();
        kept.contains(&noon(90 * DAY).to_string())
    });
    drop(running);
    let running = start_at(&home, CommitLimits::default(), 119 * DAY);
    run(async { assert_eq!(positions(running.committer.submit(ask(2)).await), [2]) });
}

#[test]
fn a_kept_clock_that_cannot_be_read_counts_as_none() {
    let home = Home::on_disk();
    let running = start(&home, CommitLimits::default());
    run(async { running.committer.submit(ask(1)).await.unwrap() });
    drop(running);
    std::fs::write(home.directory.join("clock"), "9999\u{0}").unwrap();
    let running = start_at(&home, CommitLimits::default(), 60 * DAY);
    assert!(matches!(running.log.faults(), WriteState::ClockStopped(_)));
}

#[test]
fn a_restart_takes_no_leap_that_was_refused_before_it() {
    let home = Home::on_disk();
    // Without a reboot the clock goes on counting what passes; with one, the refusal is remembered.
    for epoch in [Some("this boot".to_owned()), None] {
        let clock = Arc::new(SetClock { now_ms: 0.into(), elapsed_ms: 0.into(), epoch });
        let running = start_by(&home, CommitLimits::default(), Arc::clone(&clock));
        run(async {
            running.committer.submit(ask(100 + read_all(&running.log).len() as u64)).await.unwrap()
        });
        clock.leap(20 * DAY);
        wait_for("the leap is seen", || matches!(running.log.faults(), WriteState::ClockStopped(_)));
        let known = read_all(&running.log).len();
        // As after a kill: nothing is kept while it stops.
        let kept = std::fs::read(home.directory.join("clock")).unwrap();
        drop(running);
        std::fs::write(home.directory.join("clock"), kept).unwrap();
        clock.pass(10_000);
        let running = start_by(&home, CommitLimits::default(), Arc::clone(&clock));
        assert!(matches!(running.log.faults(), WriteState::ClockStopped(_)), "{:?}", clock.epoch);
        clock.leap(-20 * DAY);
        wait_for("the clock is right again", || running.log.faults() == WriteState::Writing);
        assert_eq!(read_all(&running.log).len(), known);
    }
}

#[test]
fn a_clock_accepted_by_mistake_lets_nothing_through_once_it_is_right_again() {
    let home = Home::on_disk();
    let running = start(&home, CommitLimits::default());
    run(async { running.committer.submit(ask(1)).await.unwrap() });
    running.clock.leap(400 * DAY);
    wait_for("the leap is seen", || matches!(running.log.faults(), WriteState::ClockStopped(_)));
    event_log::accept_clock(&home.directory, &*running.clock).unwrap();
    wait_for("it is accepted", || running.log.faults() == WriteState::Writing);
    running.clock.leap(-400 * DAY);
    wait_for("what is kept is the right clock", || {
        let kept = std::fs::read_to_string(home.directory.join("clock")).unwrap();
        kept.contains(&noon(0).to_string())
    });
    running.clock.leap(20 * DAY);
    wait_for("a leap is a leap again", || matches!(running.log.faults(), WriteState::ClockStopped(_)));
}

#[test]
fn a_kept_clock_counts_as_none_whichever_of_its_bits_is_flipped() {
    let home = Home::in_memory();
    let running = start(&home, CommitLimits::default());
    run(async { running.committer.submit(ask(1)).await.unwrap() });
    running.clock.pass((50 * DAY).unsigned_abs());
    drop(running);
    let path = home.directory.join("clock");
    let kept = home.files.read(&path).unwrap();
    for bit in 0..kept.len() * 8 {
        let mut flipped = kept.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        home.put(&path, flipped);
        let running = start_at(&home, CommitLimits::default(), 60 * DAY);
        assert!(matches!(running.log.faults(), WriteState::ClockStopped(_)), "bit {bit}");
    }
    home.put(&path, kept);
    let running = start_at(&home, CommitLimits::default(), 60 * DAY);
    assert_eq!(running.log.faults(), WriteState::Writing);
}
