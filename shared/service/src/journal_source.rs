//! The log as the bus reads it: for the mirror and for `log.read`.

use bus::{LogSource, LogSourceError, StoredEvent};
use event_log::{Log, ReadLimit, Stored};
use events::Position;
use tokio::sync::watch;

/// A log that the bus may read.
#[derive(Clone)]
pub struct JournalSource(Log);

impl JournalSource {
    /// Lets the bus read a log.
    pub fn new(log: Log) -> JournalSource {
        JournalSource(log)
    }
}

impl std::fmt::Debug for JournalSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JournalSource").field("plan", self.0.plan()).field("head", &self.0.head()).finish()
    }
}

impl LogSource for JournalSource {
    fn head(&self) -> Position {
        self.0.head()
    }

    fn watch(&self) -> watch::Receiver<Position> {
        self.0.watch()
    }

    fn read(&self, from: Position, events: usize, bytes: usize) -> Result<Vec<StoredEvent>, LogSourceError> {
        match self.0.read(from, ReadLimit { events, bytes }) {
            Ok(stored) => Ok(stored.into_iter().map(as_stored_event).collect()),
            Err(error) => Err(LogSourceError { position: from, source: Box::new(error) }),
        }
    }
}

fn as_stored_event(stored: Stored) -> StoredEvent {
    StoredEvent { position: stored.position, id: stored.id, bytes: stored.bytes }
}
