//! The writer: gives events their positions and makes them durable.

use crate::clock::KeptClock;
use crate::directory;
use crate::frame::{Encoder, FRAME_LIMIT_EVENTS};
use crate::journal::{Journal, JournalError, NewFrame};
use crate::log::{Log, NEVER, Shared, timestamp};
use crate::other_copy;
use crate::stored::{Copied, Stored};
use crate::tail::Commit;
use crate::tree::Growth;
use crate::write_state::WriteState;
use bytes::Bytes;
use events::wire::{TooLarge, Written};
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

/// An event as written, ready to be stamped.
pub(crate) struct Prepared {
    pub(crate) event: Event,
    pub(crate) written: Written,
}

impl Prepared {
    pub(crate) fn new(event: Event) -> Result<Prepared, TooLarge> {
        let written = Written::new(&event)?;
        Ok(Prepared { event, written })
    }
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
        let prepare = |events: Vec<Event>| events.into_iter().map(Prepared::new).collect();
        let prepared = requests.into_iter().map(prepare).collect::<Result<_, _>>()?;
        self.append_prepared(prepared, now)
    }

    pub(crate) fn append_prepared(
        &mut self,
        requests: Vec<Vec<Prepared>>,
        now: Timestamp,
    ) -> Result<Vec<Vec<Recorded>>, AppendError> {
        self.check(&requests)?;
        let recorded_at = self.recorded_time(now);
        let mut next = self.head().next();
        let mut answers = Vec::with_capacity(requests.len());
        let mut frames = Gathering::default();
        for request in requests {
            let mut recorded = Vec::with_capacity(request.len());
            let mut stored = Vec::with_capacity(request.len());
            for Prepared { event, mut written } in request {
                written.stamp(next, recorded_at);
                let bytes = Bytes::from(written.into_bytes());
                stored.push(Stored { position: next, recorded_at, id: event.id, bytes });
                recorded.push(Recorded { position: next, recorded_at, event });
                next = next.next();
            }
            frames.add(stored);
            answers.push(recorded);
        }
        self.commit(frames.finish())?;
        Ok(answers)
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
            frames.add(vec![stored]);
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
    fn check(&self, requests: &[Vec<Prepared>]) -> Result<(), AppendError> {
        let mut ids = HashSet::new();
        for request in requests {
            let bytes = request.iter().map(|prepared| prepared.written.bytes().len()).sum();
            if request.len() > REQUEST_LIMIT_EVENTS || bytes > REQUEST_LIMIT_BYTES {
                return Err(AppendError::RequestTooLarge { events: request.len(), bytes });
            }
            for Prepared { event, .. } in request {
                if event.plan != self.shared.plan {
                    let (found, expected) = (event.plan.clone(), self.shared.plan.clone());
                    return Err(AppendError::OtherPlan { found, expected });
                }
                // While the index is being made again this looks at the tail alone: it guards against
                // mistakes of whoever admits events, who knows every id.
                let known = || {
                    self.shared.tail.position_of(&event.id).is_some()
                        || self
                            .shared
                            .with_index(|index| Ok((index.position_of(&event.id)?, index.head())))
                            .0
                            .is_some_and(|position| position.is_some())
                };
                if !ids.insert(event.id) || known() {
                    return Err(AppendError::Duplicate { id: event.id });
                }
            }
        }
        Ok(())
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
        self.journal.append(&frames).map_err(|error| self.failed(error))
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
    fn add(&mut self, request: Vec<Stored>) {
        let bytes: usize = request.iter().map(|stored| stored.bytes.len()).sum();
        let too_many = self.open.len() + request.len() > FRAME_LIMIT_EVENTS;
        if !self.open.is_empty() && (too_many || self.open_bytes + bytes > REQUEST_LIMIT_BYTES) {
            self.whole.push(std::mem::take(&mut self.open).into());
            self.open_bytes = 0;
        }
        self.open_bytes += bytes;
        self.open.extend(request);
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
