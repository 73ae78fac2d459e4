//! Requests on their way into the log: their events, written one behind the other in one piece of memory.

use crate::stored::Stored;
use crate::writer::{AppendError, REQUEST_LIMIT_BYTES, REQUEST_LIMIT_EVENTS};
use bytes::Bytes;
use events::wire::{Blank, RecordedTime, TooLarge};
use events::{Event, Position, Recorded, Timestamp};
use std::sync::{Mutex, PoisonError};

/// From how many events on a request is written as JSON by two threads: some 200 µs of work, several times what
/// starting a thread costs.
const WRITTEN_BY_TWO_EVENTS: usize = 512;
/// What an event is taken to have as written, until more is known.
const EVENT_BYTES: usize = 640;

/// Requests whose events are recorded together.
#[derive(Default)]
pub(crate) struct Requests {
    requests: Vec<Vec<Event>>,
    written: Events,
}

/// Events as written, with blanks where position and recorded time go.
#[derive(Default)]
struct Events {
    text: Vec<u8>,
    blanks: Vec<Blank>,
}

impl Events {
    fn add(&mut self, events: &[Event]) -> Result<(), TooLarge> {
        self.blanks.reserve(events.len());
        for event in events {
            self.blanks.push(Blank::append(&mut self.text, event)?);
        }
        Ok(())
    }

    fn cut(&mut self, events: usize, bytes: usize) {
        self.blanks.truncate(events);
        self.text.truncate(bytes);
    }
}

impl Requests {
    /// None, with room for so many bytes of events.
    pub(crate) fn with_room(bytes: usize) -> Requests {
        let written = Events { text: Vec::with_capacity(bytes), blanks: Vec::new() };
        Requests { requests: Vec::new(), written }
    }

    /// Adds a request, within the limits of one; one that is beyond them leaves nothing behind.
    pub(crate) fn add(&mut self, events: Vec<Event>) -> Result<(), AppendError> {
        let (had_events, had_bytes) = (self.written.blanks.len(), self.written.text.len());
        let added = self.write(&events).map_err(AppendError::from).and_then(|()| {
            let bytes = self.written.text.len() - had_bytes;
            if events.len() > REQUEST_LIMIT_EVENTS || bytes > REQUEST_LIMIT_BYTES {
                return Err(AppendError::RequestTooLarge { events: events.len(), bytes });
            }
            Ok(())
        });
        match added {
            Ok(()) => self.requests.push(events),
            Err(_) => self.written.cut(had_events, had_bytes),
        }
        added
    }

    fn write(&mut self, events: &[Event]) -> Result<(), TooLarge> {
        if events.len() < WRITTEN_BY_TWO_EVENTS {
            return self.written.add(events);
        }
        let (front, back) = events.split_at(events.len() / 2);
        self.written.text.reserve(events.len() * EVENT_BYTES);
        let beside = Mutex::new(Events::default());
        let write_back = || {
            let mut beside = beside.lock().unwrap_or_else(PoisonError::into_inner);
            beside.text.reserve(back.len() * EVENT_BYTES);
            beside.add(back)
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().spawn_scoped(scope, write_back).ok();
            self.written.add(front)?;
            thread.map_or_else(write_back, |thread| thread.join().expect("writing events does not panic"))
        })?;
        let beside = beside.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.written.text.extend_from_slice(&beside.text);
        self.written.blanks.extend(beside.blanks);
        Ok(())
    }

    /// How many events they have.
    pub(crate) fn events(&self) -> usize {
        self.written.blanks.len()
    }

    /// How many bytes their events have as written.
    pub(crate) fn bytes(&self) -> usize {
        self.written.text.len()
    }

    /// Their events, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Event> {
        self.requests.iter().flatten()
    }

    /// Gives the events their positions, from `first` on, and their recorded time.
    pub(crate) fn stamped(mut self, first: Position, recorded_at: Timestamp) -> Stamped {
        let time = RecordedTime::of(recorded_at);
        let mut rest = self.written.text.as_mut_slice();
        let mut next = first;
        for blank in &self.written.blanks {
            let (event, others) = rest.split_at_mut(blank.size_bytes());
            blank.stamp(event, next, &time);
            rest = others;
            next = next.next();
        }
        let mut text = self.written.text;
        if text.capacity() - text.len() > text.len() / 4 {
            text.shrink_to_fit();
        }
        let (requests, blanks) = (self.requests, self.written.blanks);
        Stamped { requests, blanks, text: text.into(), first, recorded_at }
    }
}

/// Requests whose events have their positions.
pub(crate) struct Stamped {
    requests: Vec<Vec<Event>>,
    blanks: Vec<Blank>,
    text: Bytes,
    first: Position,
    recorded_at: Timestamp,
}

impl Stamped {
    /// Each request's events as the log holds them.
    pub(crate) fn stored(&self) -> impl Iterator<Item = impl ExactSizeIterator<Item = Stored>> {
        let (mut next, mut offset, mut blanks) = (self.first, 0, self.blanks.as_slice());
        self.requests.iter().map(move |request| {
            let (own, others) = blanks.split_at(request.len());
            let (first, start) = (next, offset);
            blanks = others;
            next = Position(first.0 + request.len() as u64);
            offset += own.iter().map(Blank::size_bytes).sum::<usize>();
            let mut end = start;
            (0..request.len()).map(move |place| {
                let (event, from) = (&request[place], end);
                end += own[place].size_bytes();
                Stored {
                    position: Position(first.0 + place as u64),
                    recorded_at: self.recorded_at,
                    id: event.id,
                    bytes: self.text.slice(from..end),
                }
            })
        })
    }

    /// Each request's events, recorded.
    pub(crate) fn into_recorded(self) -> Vec<Vec<Recorded>> {
        let Stamped { requests, first, recorded_at, .. } = self;
        let mut next = first;
        let mut record = |event| {
            let position = next;
            next = next.next();
            Recorded { position, recorded_at, event }
        };
        let record_all = |events: Vec<Event>| events.into_iter().map(&mut record).collect();
        requests.into_iter().map(record_all).collect()
    }
}
