//! An event as the log holds it: its bytes and what is known about them without reading them.

use bytes::Bytes;
use events::{EventId, Position, Timestamp};

/// An event as the log holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place in the log.
    pub position: Position,
    /// When the log took it in, to the millisecond.
    pub recorded_at: Timestamp,
    /// Its id.
    pub id: EventId,
    /// Its CloudEvents JSON, byte for byte as recorded.
    pub bytes: Bytes,
}

/// An event of another log, to be copied as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its place in the log; the same in the copy.
    pub position: Position,
    /// Its CloudEvents JSON, byte for byte as the other log holds it.
    pub bytes: Bytes,
}

impl From<Stored> for Copied {
    fn from(stored: Stored) -> Copied {
        Copied { position: stored.position, bytes: stored.bytes }
    }
}

/// How much one read hands out at most. At least one event is handed out where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimit {
    /// The most events.
    pub events: usize,
    /// The most bytes of events; the last one may go beyond it only if it is the only one.
    pub bytes: usize,
}

impl Default for ReadLimit {
    /// A page of 1,024 events or 1 MiB.
    fn default() -> ReadLimit {
        ReadLimit { events: 1_024, bytes: 1024 * 1024 }
    }
}

/// A page that is being filled up to its limit.
pub(crate) struct Page {
    limit: ReadLimit,
    bytes: usize,
    stored: Vec<Stored>,
}

impl Page {
    pub(crate) fn new(limit: ReadLimit) -> Page {
        Page { limit, bytes: 0, stored: Vec::new() }
    }

    /// Takes one event in, or says that the page is full.
    pub(crate) fn take(&mut self, stored: &Stored) -> bool {
        let bytes = self.bytes.saturating_add(stored.bytes.len());
        let fits = self.stored.len() < self.limit.events && bytes <= self.limit.bytes;
        if fits || self.stored.is_empty() {
            self.bytes = bytes;
            self.stored.push(stored.clone());
            return true;
        }
        false
    }

    pub(crate) fn is_full(&self) -> bool {
        !self.stored.is_empty() && (self.stored.len() >= self.limit.events || self.bytes >= self.limit.bytes)
    }

    /// The position that comes next, if the page holds anything.
    pub(crate) fn next(&self) -> Option<Position> {
        self.stored.last().map(|stored| stored.position.next())
    }

    /// Forgets what was taken in at or after `position`.
    pub(crate) fn cut_from(&mut self, position: Position) {
        while self.stored.last().is_some_and(|stored| stored.position >= position) {
            let stored = self.stored.pop().expect("the last one was just seen");
            self.bytes -= stored.bytes.len();
        }
    }

    pub(crate) fn into_stored(self) -> Vec<Stored> {
        self.stored
    }
}
