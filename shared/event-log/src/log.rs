//! The log as readers see it.

use crate::files::FileLock;
use crate::index::{Index, IndexError};
use crate::journal::{JournalMap, JournalReadError};
use crate::stored::{Page, ReadLimit, Stored};
use crate::tail::Tail;
use crate::tree::LogTree;
use crate::write_state::WriteState;
use events::{EventId, PlanId, Position, Timestamp};
use metrics::counter;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use thiserror::Error;
use tokio::sync::watch;

/// The log, for reading; clones are cheap and share it. Reading never blocks the writer.
///
/// The directory is free for another process once the writer and every clone are gone.
#[derive(Clone)]
pub struct Log {
    pub(crate) shared: Arc<Shared>,
}

/// What the writer, the applier and the readers share.
pub(crate) struct Shared {
    pub(crate) plan: PlanId,
    pub(crate) head: watch::Sender<Position>,
    /// Milliseconds since 1970; [`NEVER`] before the first event.
    pub(crate) last_recorded_ms: AtomicI64,
    pub(crate) tail: Tail,
    pub(crate) tree: LogTree,
    /// Empty while the index is being opened again.
    pub(crate) index: RwLock<Option<Box<dyn Index>>>,
    /// Set by whoever meets damage in the index; the applier then makes it again.
    pub(crate) index_suspect: AtomicBool,
    pub(crate) journal: Arc<JournalMap>,
    pub(crate) write_state: Mutex<WriteState>,
    pub(crate) _lock: Box<dyn FileLock>,
}

/// No event was recorded yet.
pub(crate) const NEVER: i64 = i64::MIN;

/// Why the log could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// Neither the index nor the journal gave the events.
    #[error("cannot read the log at position {position}")]
    Journal {
        /// The position that was asked for.
        position: Position,
        /// What the journal said.
        #[source]
        source: JournalReadError,
    },
}

impl Log {
    /// The plan whose events it holds.
    pub fn plan(&self) -> &PlanId {
        &self.shared.plan
    }

    /// The last position that is durable; 0 while the log is empty.
    pub fn head(&self) -> Position {
        *self.shared.head.borrow()
    }

    /// A watch on the head. It carries the head and nothing else: read up to it, then wait again.
    pub fn watch(&self) -> watch::Receiver<Position> {
        self.shared.head.subscribe()
    }

    /// Reads a page of contiguous events from a position (inclusive) towards the head; empty beyond it.
    ///
    /// Blocks on the disk for the time of a page. Positions 0 and 1 both mean the start.
    pub fn read(&self, from: Position, limit: ReadLimit) -> Result<Vec<Stored>, ReadError> {
        let head = self.head();
        let mut page = Page::new(limit);
        let mut next = from.max(Position(1));
        while next <= head && !page.is_full() {
            if self.shared.tail.read(next, &mut page) {
                break;
            }
            // What is not in the tail is in the index: it leaves the one only after it is in the other.
            self.read_index(next, &mut page)?;
            let Some(reached) = page.next().filter(|reached| *reached > next) else { break };
            next = reached;
        }
        page.cut_from(head.next());
        Ok(page.into_stored())
    }

    /// Reads everything from a position (inclusive) to the head as it is when the end is reached.
    pub fn scan(&self, from: Position) -> Scan {
        Scan { log: self.clone(), next: from.max(Position(1)), page: Vec::new().into_iter() }
    }

    /// Reads one event by its position.
    pub fn event_at(&self, position: Position) -> Result<Option<Stored>, ReadError> {
        let found = self.read(position, ReadLimit { events: 1, bytes: 0 })?.pop();
        Ok(found.filter(|stored| stored.position == position))
    }

    /// Reads one event by its id.
    pub fn event_by_id(&self, id: &EventId) -> Result<Option<Stored>, ReadError> {
        if let Some(position) = self.shared.tail.position_of(id) {
            return self.event_at(position);
        }
        let (asked, covered) = self.shared.with_index(|index| Ok((index.position_of(id)?, index.head())));
        match asked {
            Some(Some(position)) => {
                if let Some(stored) = self.event_at(position)?.filter(|stored| stored.id == *id) {
                    return Ok(Some(stored));
                }
                self.shared.suspect_index(&format!("id {id} leads to another event"));
                self.search_journal(Position(1), id)
            }
            Some(None) => self.search_journal(covered.next(), id),
            None => self.search_journal(Position(1), id),
        }
    }

    /// The recorded time of the event at the head.
    pub fn last_recorded_at(&self) -> Option<Timestamp> {
        let milliseconds = self.shared.last_recorded_ms.load(Ordering::Acquire);
        (milliseconds != NEVER).then(|| timestamp(milliseconds))
    }

    /// The highest position recorded at or before an instant; 0 if there is none.
    pub fn position_at(&self, instant: Timestamp) -> Result<Position, ReadError> {
        let head = self.head();
        if self.last_recorded_at().is_some_and(|last| last <= instant) {
            return Ok(head);
        }
        if let Some(position) = self.shared.tail.last_recorded_by(instant) {
            return Ok(position);
        }
        // Without an answer of the index every event is looked at, from the first on.
        let (asked, _) = self.shared.with_index(|index| Ok((index.run_at(instant)?, index.head())));
        let Some(start) = asked.unwrap_or(Some(Position(1))) else { return Ok(Position::START) };
        let mut found = Position::START;
        for stored in self.scan(start) {
            let stored = stored?;
            if stored.recorded_at > instant {
                break;
            }
            found = stored.position;
        }
        Ok(found)
    }

    /// Whether the log takes events, and if not, why.
    pub fn faults(&self) -> WriteState {
        self.shared.write_state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The last position that the index holds; between it and the head events are served from memory.
    pub fn indexed(&self) -> Position {
        self.shared.with_index(|index| Ok(((), index.head()))).1
    }

    /// Whether the journal's full files are merged and compressed: nothing of that is left to be done in the
    /// background.
    pub fn is_compact(&self) -> bool {
        self.shared.journal.is_compact()
    }

    /// Reads from the index, or from the journal where the index does not give what it should.
    fn read_index(&self, from: Position, page: &mut Page) -> Result<(), ReadError> {
        let (read, _) = self.shared.with_index(|index| {
            if index.head() < from {
                // It is being made again and is not there yet.
                return Ok((None, index.head()));
            }
            index.read(from, page)?;
            Ok((Some(()), index.head()))
        });
        if read.flatten().is_some() {
            return Ok(());
        }
        page.cut_from(from);
        counter!("planwatch_log_journal_reads_total").increment(1);
        let mut frames = self.shared.journal.frames(from, self.head());
        loop {
            let frame = frames.read_next().map_err(|source| ReadError::Journal { position: from, source })?;
            let Some(frame) = frame else { return Ok(()) };
            if !frame.iter().filter(|stored| stored.position >= from).all(|stored| page.take(stored)) {
                return Ok(());
            }
        }
    }

    /// Looks through the journal for an id: only while the index does not cover it.
    fn search_journal(&self, from: Position, id: &EventId) -> Result<Option<Stored>, ReadError> {
        // What the index does not cover is in the tail, unless it is being made again.
        let until = match self.shared.tail.first() {
            Some(first) => Position(first.0 - 1),
            None => self.head(),
        };
        let mut frames = self.shared.journal.frames(from, until);
        let failed = |source| ReadError::Journal { position: from, source };
        while let Some(frame) = frames.read_next().map_err(failed)? {
            if let Some(found) = frame.into_iter().find(|stored| stored.id == *id) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

impl Shared {
    /// Asks the index. No answer if there is none just now or if it is damaged; then the applier is told.
    /// The second value is the position up to which it answers.
    pub(crate) fn with_index<T>(
        &self,
        ask: impl FnOnce(&dyn Index) -> Result<(T, Position), IndexError>,
    ) -> (Option<T>, Position) {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let Some(index) = index.as_deref() else { return (None, Position::START) };
        match ask(index) {
            Ok((answer, head)) => (Some(answer), head),
            Err(error) => {
                self.suspect_index(&error.to_string());
                (None, Position::START)
            }
        }
    }

    pub(crate) fn suspect_index(&self, why: &str) {
        if !self.index_suspect.swap(true, Ordering::AcqRel) {
            tracing::warn!(why, "The index of the log is damaged; reading from the journal");
        }
    }

    pub(crate) fn set_write_state(&self, state: WriteState) {
        *self.write_state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

pub(crate) fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).expect("only milliseconds of instants are kept")
}

/// Events in order, read page by page.
pub struct Scan {
    log: Log,
    next: Position,
    page: std::vec::IntoIter<Stored>,
}

impl Iterator for Scan {
    type Item = Result<Stored, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.len() == 0 {
            match self.log.read(self.next, ReadLimit::default()) {
                Ok(page) => self.page = page.into_iter(),
                Err(error) => {
                    // Nothing comes after an error: the next page would meet it again.
                    self.next = Position(u64::MAX);
                    return Some(Err(error));
                }
            }
        }
        let stored = self.page.next()?;
        self.next = stored.position.next();
        Some(Ok(stored))
    }
}
