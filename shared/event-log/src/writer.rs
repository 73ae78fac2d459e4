//! The writer: gives events their positions and makes them durable.

use crate::clock::KeptClock;
use crate::directory;
use crate::frame::{Encoder, FRAME_LIMIT_EVENTS};
use crate::journal::{Journal, JournalError, NewFrame};
use crate::log::{Log, NEVER, Shared, timestamp};
use crate::other_copy;
use crate::requests::Requests;
use crate::stored::{Copied, Stored};
use crate::tail::Commit;
use crate::tree::Growth;
use crate::write_state::WriteState;
use bytes::Bytes;
use events::wire::TooLarge;
use events::{Event, EventId, PlanId, Position, Recorded, Timestamp, instant};
use metrics::{counter, gauge, histogram};
use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use thiserror::Error;

/// The most events of one request: they are one commit.
pub const REQUEST_LIMIT_EVENTS: usize = 4_096;
/// The most bytes of one request's events as written.
pub const REQUEST_LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// How long a commit waits for the index when that is too far behind.
const INDEX_PATIENCE: Duration = Duration::from_secs(10);

/// From how many events on a commit is hashed by a thread of its own, while the disk is waited for: some 100 µs, several
/// times what starting the thread costs.
const HASHED_BESIDE_EVENTS: usize = 256;

/// The one writer of a log. Its calls block on the disk; give it a thread of its own.
///
/// Dropping it waits until the index has everything. Readers go on reading.
pub struct Writer {
    shared: Arc<Shared>,
    journal: Journal,
    encoder: Encoder,
    applier: Option<JoinHandle<()>>,
    directory: PathBuf,
    clock_is_back: bool,
}

/// Why events were not recorded. None of the call's events was.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The disk is full. The journal was cut back to the last whole frame; it goes on when there is room.
    #[error("there is no space left for the log; make room and try again")]
    NoSpace(#[source] io::Error),
    /// A write failed and was cut back.
    #[error("the log could not be written; try again")]
    Write(#[source] io::Error),
    /// The disk did not confirm a write: nothing is written until a restart.
    #[error("the log stopped writing: {why}; restart the service, then ask again")]
    Stopped {
        /// What happened.
        why: String,
        /// The disk's error, the first time.
        #[source]
        source: Option<io::Error>,
    },
    /// The index is too far behind.
    #[error("the index of the log is too far behind; try again in a moment")]
    IndexBehind,
    /// An event is too large.
    #[error(transparent)]
    EventTooLarge(#[from] TooLarge),
    /// A request has too many events or bytes to be recorded as one.
    #[error(
        "the request has {events} events of {bytes} bytes; the limits are {REQUEST_LIMIT_EVENTS} events and \
         {REQUEST_LIMIT_BYTES} bytes, split it"
    )]
    RequestTooLarge {
        /// How many events.
        events: usize,
        /// How many bytes.
        bytes: usize,
    },
    /// An event belongs to another plan.
    #[error("the event is of plan `{found}`, the log of `{expected}`")]
    OtherPlan {
        /// The event's plan.
        found: PlanId,
        /// The log's plan.
        expected: PlanId,
    },
    /// The log holds an event with this id: whoever admits events has to give the first answer again.
    #[error("an event with id {id} is recorded already")]
    Duplicate {
        /// The id.
        id: EventId,
    },
    /// A copy does not continue the head.
    #[error("the copy lacks position {expected}: it got {found}; read the missing ones first")]
    Gap {
        /// The position that comes next.
        expected: Position,
        /// The position that was given.
        found: Position,
    },
    /// The copy holds another event at this position than the log it copies.
    #[error(
        "position {position} holds another event than the log that is copied; a person has to decide which one \
         is right"
    )]
    Fork {
        /// The position.
        position: Position,
    },
    /// Bytes to be copied are no event of this log.
    #[error("what came for position {position} is no event of this log: {what}")]
    NotAnEvent {
        /// The position.
        position: Position,
        /// What is wrong.
        what: String,
    },
    /// What is held at a position could not be read for comparison.
    #[error(transparent)]
    Read(#[from] crate::log::ReadError),
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        journal: Journal,
        applier: JoinHandle<()>,
        directory: PathBuf,
    ) -> Writer {
        let applier = Some(applier);
        Writer { shared, journal, encoder: Encoder::plain(), applier, directory, clock_is_back: false }
    }

    /// The log that it writes, for reading.
    pub fn log(&self) -> Log {
        Log { shared: Arc::clone(&self.shared) }
    }

    /// Records requests and waits until they are on disk; every inner list is one request.
    ///
    /// A request's events are in one frame, so that a crash keeps all of them or none; all requests that fit
    /// into one frame share one synchronisation. Positions are contiguous in the order given. The recorded time
    /// is `now`, to the millisecond, or that of the last event if the clock went back. Readers see the events on
    /// return.
    pub fn append(
        &mut self,
        requests: Vec<Vec<Event>>,
        now: Timestamp,
    ) -> Result<Vec<Vec<Recorded>>, AppendError> {
        let mut gathered = Requests::default();
        for events in requests {
            gathered.add(events)?;
        }
        self.append_requests(gathered, now)
    }

    /// [`Writer::append`] of requests that are written already.
    pub(crate) fn append_requests(
        &mut self,
        requests: Requests,
        now: Timestamp,
    ) -> Result<Vec<Vec<Recorded>>, AppendError> {
        self.check(&requests)?;
        let events = requests.events();
        let requests = requests.stamped(self.head().next(), self.recorded_time(now));
        let mut frames = Gathering::with_room(events);
        for request in requests.stored() {
            frames.add(request);
        }
        self.commit(frames.finish())?;
        Ok(requests.into_recorded())
    }

    /// Records events of another log as they are, and waits until they are on disk; gives the new head.
    ///
    /// They have to continue the head without a gap. Positions already held are compared and left out.
    pub fn append_copy(&mut self, copied: Vec<Copied>) -> Result<Position, AppendError> {
        let log = self.log();
        let head = self.head();
        let mut next = head.next();
        let mut last_recorded_at = log.last_recorded_at();
        let mut frames = Gathering::default();
        for Copied { position, bytes } in copied {
            if position < next {
                // Within one call a position may come twice, too; then the first is not recorded yet.
                let held = match frames.find(position) {
                    Some(held) => held.clone(),
                    None => log.event_at(position)?.map_or_else(Bytes::new, |stored| stored.bytes),
                };
                if held != bytes {
                    return Err(AppendError::Fork { position });
                }
                continue;
            }
            if position > next {
                return Err(AppendError::Gap { expected: next, found: position });
            }
            let stored = other_copy::parse(&self.shared.plan, Copied { position, bytes }, last_recorded_at)
                .map_err(|what| AppendError::NotAnEvent { position, what })?;
            last_recorded_at = Some(stored.recorded_at);
            frames.add([stored].into_iter());
            next = next.next();
        }
        self.commit(frames.finish())?;
        Ok(self.head())
    }

    /// The time of day last taken as right, by this log or by a person.
    pub(crate) fn kept_clock(&self) -> Option<KeptClock> {
        directory::kept_clock(self.shared.journal.files(), &self.directory)
    }

    /// Keeps the time of day taken as right, for the next start.
    pub(crate) fn keep_clock(&self, kept: &KeptClock) {
        if let Err(error) = directory::keep_clock(self.shared.journal.files(), &self.directory, kept) {
            let directory = self.directory.display();
            tracing::warn!(%directory, %error, "Could not keep the time of day; the next start may ask for it");
        }
    }

    /// Tries whether there is room again after [`AppendError::NoSpace`]; true if there is.
    pub fn look_for_space(&mut self) -> bool {
        let found = self.journal.look_for_space().is_ok();
        if found && self.log().faults() == WriteState::NoSpace {
            self.shared.set_write_state(WriteState::Writing);
        }
        found
    }

    pub(crate) fn set_write_state(&self, state: WriteState) {
        self.shared.set_write_state(state);
    }

    fn head(&self) -> Position {
        *self.shared.head.borrow()
    }

    /// Checks what has to hold before anything gets a position.
    fn check(&self, requests: &Requests) -> Result<(), AppendError> {
        let mut ids = HashSet::with_capacity(requests.events());
        for event in requests.iter() {
            if event.plan != self.shared.plan {
                let (found, expected) = (event.plan.clone(), self.shared.plan.clone());
                return Err(AppendError::OtherPlan { found, expected });
            }
            if !ids.insert(event.id) {
                return Err(AppendError::Duplicate { id: event.id });
            }
        }
        // While the index is being made again this looks at the tail alone: it guards against mistakes of
        // whoever admits events, who knows every id. The tail first: an event is in the index before it goes.
        let in_index = || {
            let known = self.shared.with_index(|index| {
                for id in &ids {
                    if index.position_of(id)?.is_some() {
                        return Ok((Some(*id), index.head()));
                    }
                }
                Ok((None, index.head()))
            });
            known.0.flatten()
        };
        match self.shared.tail.first_known(&ids).or_else(in_index) {
            Some(id) => Err(AppendError::Duplicate { id }),
            None => Ok(()),
        }
    }

    /// The recorded time of events taken in now: never before that of the last one.
    fn recorded_time(&mut self, now: Timestamp) -> Timestamp {
        let now = instant::to_millisecond(now);
        let last = self.shared.last_recorded_ms.load(Ordering::Acquire);
        if last == NEVER || now.as_millisecond() >= last {
            self.clock_is_back = false;
            return now;
        }
        let last = timestamp(last);
        counter!("planwatch_log_clock_clamped_total").increment(1);
        if !self.clock_is_back {
            self.clock_is_back = true;
            tracing::warn!(clock = %now, recorded_at = %last, "The clock went back; recording the last time again");
        }
        last
    }

    /// Writes and synchronises frames, and shows them to readers.
    fn commit(&mut self, commits: Vec<Commit>) -> Result<(), AppendError> {
        let Some(last) = commits.last().and_then(|commit| commit.last()) else { return Ok(()) };
        let (head, recorded_ms) = (last.position, last.recorded_at.as_millisecond());
        if !self.shared.tail.wait_for_room(INDEX_PATIENCE) {
            return Err(AppendError::IndexBehind);
        }
        let started = Instant::now();
        let events: usize = commits.iter().map(|commit| commit.len()).sum();
        let tree = self.shared.tree.frontier();
        let hash = || Growth::of(tree.clone(), commits.iter().flat_map(|commit| commit.iter()));
        let growth = std::thread::scope(|scope| -> Result<Growth, AppendError> {
            // A large commit is hashed while it is written and synchronised.
            let beside = events >= HASHED_BESIDE_EVENTS;
            let thread = || std::thread::Builder::new().spawn_scoped(scope, hash).ok();
            let hashing = beside.then(thread).flatten();
            self.write(&commits)?;
            Ok(hashing.map_or_else(hash, |hashing| hashing.join().expect("hashing does not panic")))
        })?;
        if self.log().faults() == WriteState::NoSpace {
            self.shared.set_write_state(WriteState::Writing);
        }
        for commit in commits {
            self.shared.tail.push(commit);
        }
        self.shared.last_recorded_ms.store(recorded_ms, Ordering::Release);
        self.shared.tree.grow(growth, || {
            self.shared.head.send_replace(head);
        });
        self.shared.tail.wake();
        counter!("planwatch_log_commits_total").increment(1);
        counter!("planwatch_log_events_total").increment(events as u64);
        histogram!("planwatch_log_commit_seconds").record(started.elapsed());
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; nothing is decided by it")]
        gauge!("planwatch_log_head").set(head.0 as f64);
        Ok(())
    }

    /// Writes commits as frames and synchronises them.
    fn write(&mut self, commits: &[Commit]) -> Result<(), AppendError> {
        let mut frames = Vec::with_capacity(commits.len());
        for commit in commits {
            let first = commit.first().expect("a commit is never empty").position;
            frames.push(NewFrame { first, bytes: self.encoder.encode(commit) });
        }
        let appended = self.journal.append(&frames).map_err(|error| self.failed(error));
        if let Some(frame) = frames.pop() {
            self.encoder.reuse(frame.bytes);
        }
        appended
    }

    fn failed(&self, error: JournalError) -> AppendError {
        counter!("planwatch_log_failed_commits_total").increment(1);
        match error {
            JournalError::NoSpace(source) => {
                self.shared.set_write_state(WriteState::NoSpace);
                AppendError::NoSpace(source)
            }
            JournalError::Write(source) => AppendError::Write(source),
            JournalError::Stopped { what, source } => {
                if source.is_some() {
                    self.shared.set_write_state(WriteState::Stopped { why: what.to_owned() });
                }
                AppendError::Stopped { why: what.to_owned(), source }
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.tail.close();
        if let Some(applier) = self.applier.take()
            && applier.join().is_err()
        {
            tracing::error!("The thread that keeps the index of the log panicked");
        }
    }
}

/// Requests gathered into frames; a request is never split.
#[derive(Default)]
struct Gathering {
    whole: Vec<Commit>,
    open: Vec<Stored>,
    open_bytes: usize,
}

impl Gathering {
    fn with_room(events: usize) -> Gathering {
        let open = Vec::with_capacity(events.min(FRAME_LIMIT_EVENTS));
        Gathering { open, ..Gathering::default() }
    }

    fn add(&mut self, request: impl ExactSizeIterator<Item = Stored>) {
        let (before, had_bytes) = (self.open.len(), self.open_bytes);
        self.open.extend(request);
        self.open_bytes += self.open[before..].iter().map(|stored| stored.bytes.len()).sum::<usize>();
        let is_too_much = self.open.len() > FRAME_LIMIT_EVENTS || self.open_bytes > REQUEST_LIMIT_BYTES;
        if before > 0 && is_too_much {
            let request = self.open.split_off(before);
            self.whole.push(std::mem::replace(&mut self.open, request).into());
            self.open_bytes -= had_bytes;
        }
    }

    fn find(&self, position: Position) -> Option<&Bytes> {
        let mut gathered = self.whole.iter().flat_map(|commit| commit.iter()).chain(&self.open);
        gathered.find(|stored| stored.position == position).map(|stored| &stored.bytes)
    }

    fn finish(mut self) -> Vec<Commit> {
        if !self.open.is_empty() {
            self.whole.push(self.open.into());
        }
        self.whole
    }
}
