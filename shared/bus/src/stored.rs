//! One event as the log holds it: position, id and the very bytes.

use bytes::Bytes;
use events::wire::{self, Envelope, ReadError};
use events::{EventId, Position};

/// An event as stored. Its bytes are final: log, stream and every copy hold the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the log, and its sequence in the stream.
    pub position: Position,
    /// Its id.
    pub id: EventId,
    /// The event as written, CloudEvents in JSON.
    pub bytes: Bytes,
}

impl StoredEvent {
    /// Reads position and id from the bytes themselves.
    pub fn read(bytes: Bytes) -> Result<StoredEvent, ReadError> {
        Self::read_with_envelope(bytes).map(|(event, _)| event)
    }

    pub(crate) fn read_with_envelope(bytes: Bytes) -> Result<(StoredEvent, Envelope), ReadError> {
        let envelope = wire::read_envelope(&bytes)?;
        Ok((StoredEvent { position: envelope.position, id: envelope.id, bytes }, envelope))
    }
}
