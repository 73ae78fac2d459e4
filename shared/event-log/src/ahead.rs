//! Reading on several threads: runs of events are read and worked on ahead, and handed out in order.

use crate::log::{Log, ReadError};
use crate::stored::{ReadLimit, Stored};
use events::Position;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// How many events are one run; with events as large as they may be a run is 30 MiB.
const RUN_EVENTS: u64 = 512;
/// How many runs may wait for their turn besides those that are being worked on.
const RUNS_AHEAD: u64 = 2;
/// More threads than this read no faster: what takes the runs is one thread.
const THREADS_LIMIT: usize = 8;

/// What the threads share.
struct Runs<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    /// The next run that nobody has taken on.
    next: u64,
    /// The run that is handed out next.
    wanted: u64,
    ready: BTreeMap<u64, Result<T, ReadError>>,
    stopped: bool,
}

/// What the thread that hands out does next.
enum Next<T> {
    HandOut(Result<T, ReadError>),
    WorkOn(u64),
}

impl<T> Runs<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Whoever panicked changed nothing halfway: every change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next run on, once there is room for it.
    fn take(&self, count: u64, at_most: u64) -> Option<u64> {
        let mut state = self.lock();
        while !state.stopped && state.next < count && state.next >= state.wanted + at_most {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped || state.next >= count {
            return None;
        }
        state.next += 1;
        Some(state.next - 1)
    }

    fn finish(&self, run: u64, done: Result<T, ReadError>) {
        self.lock().ready.insert(run, done);
        self.changed.notify_all();
    }

    /// What the thread that hands out is to do next: hand out the next run in order if it is ready, else take one
    /// on itself if there is room, else wait. None once everything was stopped.
    fn next(&self, count: u64, at_most: u64) -> Option<Next<T>> {
        let mut state = self.lock();
        loop {
            let wanted = state.wanted;
            if let Some(done) = state.ready.remove(&wanted) {
                state.wanted += 1;
                self.changed.notify_all();
                return Some(Next::HandOut(done));
            }
            if state.stopped {
                return None;
            }
            if state.next < count && state.next < wanted + at_most {
                state.next += 1;
                return Some(Next::WorkOn(state.next - 1));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }
}

/// Stops everybody when it goes, however it goes.
struct StopsAll<'a, T>(&'a Runs<T>);

impl<T> Drop for StopsAll<'_, T> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Log {
    /// Reads the events from one position to another (both inclusive, the second at most the head), works on
    /// runs of them on as many threads as there are processors, this one among them, and hands what came of it to
    /// `take`, in order, on the thread that asks. Ends early where `take` breaks or an event cannot be read.
    ///
    /// What waits for its turn is bounded, whatever is slow. With one processor everything happens on the
    /// thread that asks.
    pub fn read_ahead<T: Send>(
        &self,
        from: Position,
        to: Position,
        work: impl Fn(Vec<Stored>) -> T + Sync,
        take: impl FnMut(T) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        self.read_ahead_on(threads, from, to, work, take)
    }

    /// [`Log::read_ahead`] on so many threads, the one that asks among them.
    pub fn read_ahead_on<T: Send>(
        &self,
        threads: usize,
        from: Position,
        to: Position,
        work: impl Fn(Vec<Stored>) -> T + Sync,
        mut take: impl FnMut(T) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let from = from.max(Position(1));
        let to = to.min(self.head());
        let count = (to.0 + 1).saturating_sub(from.0).div_ceil(RUN_EVENTS);
        let read = |run: u64| {
            let first = from.0 + run * RUN_EVENTS;
            self.read_run(Position(first), to.0.min(first + RUN_EVENTS - 1)).map(&work)
        };
        let threads = threads.min(THREADS_LIMIT).min(usize::try_from(count).unwrap_or(usize::MAX));
        if threads <= 1 {
            for run in 0..count {
                if take(read(run)?).is_break() {
                    break;
                }
            }
            return Ok(());
        }
        let state = State { next: 0, wanted: 0, ready: BTreeMap::new(), stopped: false };
        let runs = Runs { state: Mutex::new(state), changed: Condvar::new() };
        let at_most = threads as u64 + RUNS_AHEAD;
        thread::scope(|scope| {
            let _stops_all = StopsAll(&runs);
            // The thread that hands out is one of them: it works as well while it would have to wait.
            for _ in 1..threads {
                scope.spawn(|| {
                    while let Some(run) = runs.take(count, at_most) {
                        // A panic in `work` must not leave the others waiting for this run.
                        let stops_all = StopsAll(&runs);
                        let done = read(run);
                        std::mem::forget(stops_all);
                        runs.finish(run, done);
                    }
                });
            }
            let mut handed_out = 0;
            while handed_out < count {
                match runs.next(count, at_most) {
                    Some(Next::WorkOn(run)) => runs.finish(run, read(run)),
                    Some(Next::HandOut(done)) => {
                        if take(done?).is_break() {
                            break;
                        }
                        handed_out += 1;
                    }
                    None => break,
                }
            }
            Ok(())
        })
    }

    /// Reads a run whole, whatever its size.
    fn read_run(&self, first: Position, last: u64) -> Result<Vec<Stored>, ReadError> {
        let mut run: Vec<Stored> = Vec::new();
        loop {
            let next = run.last().map_or(first, |stored| stored.position.next());
            let missing = usize::try_from((last + 1).saturating_sub(next.0)).unwrap_or(usize::MAX);
            if missing == 0 {
                return Ok(run);
            }
            let page = self.read(next, ReadLimit { events: missing, bytes: usize::MAX })?;
            if page.is_empty() {
                return Ok(run);
            }
            if run.is_empty() {
                run = page;
            } else {
                run.extend(page);
            }
        }
    }
}
