//! Another copy of the log: what this one has lost is put back from there.

use crate::stored::{Copied, ReadLimit, Stored};
use events::wire::{self, EVENT_LIMIT_BYTES};
use events::{PlanId, Position, Timestamp, instant};
use std::io;

/// The most that is put back from another copy at once; what is missing beyond it follows in the next round.
const ROUND_LIMIT: ReadLimit = ReadLimit { events: 65_536, bytes: 64 * 1024 * 1024 };

/// Another copy of a log, such as the stream on the bus. It holds nothing that the log had not acknowledged.
pub trait OtherCopy: Send + Sync {
    /// The last position that it holds.
    fn head(&self) -> Position;

    /// Its events from a position on, in order: at least one where there is one, within the limit.
    fn read(&self, from: Position, limit: ReadLimit) -> io::Result<Vec<Copied>>;
}

/// Whether a copy goes on behind the last event that is here, with the same history up to it.
///
/// A log that holds nothing is not filled: which of the two is right is then a person's decision.
pub(crate) fn goes_on(copy: &dyn OtherCopy, last: Option<&Stored>) -> bool {
    last.is_some_and(|last| copy.head() > last.position && agrees(copy, last))
}

fn agrees(copy: &dyn OtherCopy, last: &Stored) -> bool {
    match copy.read(last.position, ReadLimit { events: 1, bytes: 0 }) {
        Ok(read) => {
            read.first().is_some_and(|copied| copied.position == last.position && copied.bytes == last.bytes)
        }
        Err(error) => {
            tracing::warn!(position = %last.position, %error, "The other copy of the log cannot be read");
            false
        }
    }
}

/// Reads the events behind `last` from a copy with the same history, up to `until` or as many as one round
/// puts back; every one of them is checked to be an event of this log.
pub(crate) fn behind(
    copy: &dyn OtherCopy,
    plan: &PlanId,
    last: &Stored,
    until: Position,
) -> Option<Vec<Stored>> {
    let mut found: Vec<Stored> = Vec::new();
    let mut bytes = 0;
    while bytes < ROUND_LIMIT.bytes && found.len() < ROUND_LIMIT.events {
        let before = found.last().unwrap_or(last);
        let next = before.position.next();
        if next > until {
            break;
        }
        let limit = ReadLimit { events: ROUND_LIMIT.events - found.len(), ..ReadLimit::default() };
        let read = match copy.read(next, limit) {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!(position = %next, %error, "The other copy of the log cannot be read");
                return None;
            }
        };
        if read.is_empty() {
            break;
        }
        for copied in read {
            let before = found.last().unwrap_or(last);
            if copied.position > until {
                return Some(found);
            }
            if copied.position != before.position.next() {
                return None;
            }
            match parse(plan, copied, Some(before.recorded_at)) {
                Ok(stored) => {
                    bytes += stored.bytes.len();
                    found.push(stored);
                }
                Err(what) => {
                    tracing::warn!(position = %before.position.next(), "The other copy holds no event of this log: {what}");
                    return None;
                }
            }
        }
    }
    Some(found)
}

/// Reads what stands in a copied event and checks that it belongs at its place in this plan's log.
pub(crate) fn parse(
    plan: &PlanId,
    Copied { position, bytes }: Copied,
    last_recorded_at: Option<Timestamp>,
) -> Result<Stored, String> {
    if bytes.len() > EVENT_LIMIT_BYTES {
        return Err(format!("it has {} bytes, an event at most {EVENT_LIMIT_BYTES}", bytes.len()));
    }
    let envelope = wire::read_envelope(&bytes).map_err(|error| error.to_string())?;
    if envelope.position != position {
        return Err(format!("its sequence is {}", envelope.position));
    }
    if envelope.plan != *plan {
        return Err(format!("it is of plan `{}`", envelope.plan));
    }
    let recorded_at = instant::to_millisecond(envelope.recorded_at);
    if last_recorded_at.is_some_and(|last| recorded_at < last) {
        return Err(format!("its recorded time {recorded_at} is before that of the event before"));
    }
    Ok(Stored { position, recorded_at, id: envelope.id, bytes })
}
