//! The written form of an event: CloudEvents 1.0 in JSON, byte for byte what the log and the stream hold.
//!
//! Position and recorded time are known only when the log takes an event in, so an event is written first
//! with blanks of fixed width ([`Written`], [`Blank`]) and stamped later. A type is read by its version: an older one
//! is brought up to date by `upcast`, an unknown one stops the reader.

mod report_text;
mod writing;

pub use report_text::{LineText, ReportText, read_report};

use crate::event::{Document, Event, EventData, EventKind, Recorded, ReportLine, ReportSubmitted};
use crate::ids::{ActorId, EventId, MeasureId, PlanId, Position, UnitId};
use crate::instant;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::cell::RefCell;
use thiserror::Error;
use writing::Blanks;

/// The largest event, in bytes as written.
pub const EVENT_LIMIT_BYTES: usize = 60 * 1024;

/// The last token of a subject where no unit is meant, and the CloudEvents subject of such an event.
pub const NO_UNIT: &str = "_plan";

const BLANK_SEQUENCE: &str = "00000000000000000000";
const BLANK_INSTANT: &str = "0000-00-00T00:00:00.000Z";
const TYPE_PREFIX: &str = "planwatch.";
const SOURCE_PREFIX: &str = "/plans/";

thread_local! {
    /// Where events are written before their size is known, so that each takes one allocation of just that size.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// An event that is larger than [`EVENT_LIMIT_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the event is {size_bytes} bytes as written; the limit is {EVENT_LIMIT_BYTES}")]
pub struct TooLarge {
    /// How large it is.
    pub size_bytes: usize,
}

/// An event as written, with or without its stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    bytes: Vec<u8>,
    blanks: Blanks,
}

impl Written {
    /// Writes an event with blanks where position and recorded time go.
    pub fn new(event: &Event) -> Result<Written, TooLarge> {
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            let Blank { blanks, .. } = Blank::append(scratch, event)?;
            Ok(Written { bytes: scratch.clone(), blanks })
        })
    }

    /// Fills in position and recorded time; may be done again.
    pub fn stamp(&mut self, position: Position, recorded_at: Timestamp) {
        self.blanks.fill(&mut self.bytes, position, &RecordedTime::of(recorded_at));
    }

    /// The bytes as they stand.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives the bytes away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// An event written behind others in one piece of memory, with blanks where position and recorded time go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blank {
    size_bytes: usize,
    blanks: Blanks,
}

impl Blank {
    /// Writes an event at the end of `bytes`; leaves them as they were if it is too large.
    pub fn append(bytes: &mut Vec<u8>, event: &Event) -> Result<Blank, TooLarge> {
        let start = bytes.len();
        let blanks = writing::head(bytes, event);
        match &event.data {
            EventData::PlanAdopted(data) => write_data(bytes, data),
            EventData::ReportSubmitted(data) => writing::report(bytes, data),
            EventData::TargetChanged(data) => write_data(bytes, data),
            EventData::UnitChanged(data) => write_data(bytes, data),
            EventData::BaselineEntered(data) => write_data(bytes, data),
            EventData::PlanAmended(data) => write_data(bytes, data),
            EventData::DeadlineExtended(data) => write_data(bytes, data),
            EventData::AlertRaised(data) => write_data(bytes, data),
            EventData::AlertResolved(data) => write_data(bytes, data),
            EventData::AlertAcknowledged(data) => write_data(bytes, data),
        }
        bytes.push(b'}');
        let size_bytes = bytes.len() - start;
        if size_bytes > EVENT_LIMIT_BYTES {
            bytes.truncate(start);
            return Err(TooLarge { size_bytes });
        }
        Ok(Blank { size_bytes, blanks })
    }

    /// How many bytes the event takes.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Fills in position and recorded time; `bytes` are the event's.
    pub fn stamp(&self, bytes: &mut [u8], position: Position, recorded_at: &RecordedTime) {
        self.blanks.fill(bytes, position, recorded_at);
    }
}

/// A recorded time as it is written: many events that are recorded together have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedTime(String);

impl RecordedTime {
    /// Writes it, to the millisecond.
    pub fn of(recorded_at: Timestamp) -> RecordedTime {
        let text = instant::written(recorded_at);
        debug_assert_eq!(text.len(), instant::WRITTEN_CHARS);
        RecordedTime(text)
    }
}

impl Blanks {
    fn fill(self, bytes: &mut [u8], position: Position, recorded_at: &RecordedTime) {
        let mut number = position.0;
        for digit in bytes[self.sequence..][..BLANK_SEQUENCE.len()].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        bytes[self.recorded_at..][..recorded_at.0.len()].copy_from_slice(recorded_at.0.as_bytes());
    }
}

fn write_data(bytes: &mut Vec<u8>, data: &impl Serialize) {
    serde_json::to_writer(bytes, data).expect("event data serialises to memory");
}

/// Writes a recorded event; the same event always gives the same bytes.
pub fn write(recorded: &Recorded) -> Result<Vec<u8>, TooLarge> {
    let mut written = Written::new(&recorded.event)?;
    written.stamp(recorded.position, recorded.recorded_at);
    Ok(written.into_bytes())
}

/// Why stored bytes were not read as an event.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The bytes are no CloudEvent of ours.
    #[error("the bytes are no event of planwatch: {reason}")]
    Envelope {
        /// What is wrong.
        reason: String,
    },
    /// A type or version that this build does not know: a newer planwatch wrote it. The reader stops.
    #[error(
        "event {position} is of type `{type_name}`, which this version of planwatch does not know; install the version that wrote it"
    )]
    UnknownType {
        /// Where it is.
        position: Position,
        /// Its CloudEvents type.
        type_name: String,
    },
    /// The envelope is ours, the data is not: a poison event. Readers park its unit and go on.
    #[error("event {} of type `{}` has data that cannot be read: {reason}", envelope.position, envelope.kind.name())]
    Data {
        /// What could be read.
        envelope: Box<Envelope>,
        /// What is wrong with the data.
        reason: String,
    },
}

/// The part of a written event around its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The id.
    pub id: EventId,
    /// The plan.
    pub plan: PlanId,
    /// The type.
    pub kind: EventKind,
    /// The version of the type in which the data is written.
    pub version: u32,
    /// The CloudEvents subject: the unit, or [`NO_UNIT`].
    pub subject: String,
    /// The effective time.
    pub effective: Timestamp,
    /// Who asked.
    pub actor: ActorId,
    /// The trace context.
    pub traceparent: Option<String>,
    /// The recorded time.
    pub recorded_at: Timestamp,
    /// The position.
    pub position: Position,
}

#[derive(Deserialize)]
struct RawEnvelope<'a> {
    #[serde(borrow)]
    specversion: Cow<'a, str>,
    id: EventId,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(rename = "type", borrow)]
    type_name: Cow<'a, str>,
    #[serde(borrow)]
    subject: Cow<'a, str>,
    time: Timestamp,
    actor: ActorId,
    traceparent: Option<String>,
    recordedtime: Timestamp,
    #[serde(borrow)]
    sequence: Cow<'a, str>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Reads an event that the log or the stream holds, whatever version wrote it.
pub fn read(bytes: &[u8]) -> Result<Recorded, ReadError> {
    match report(bytes) {
        Some(recorded) => Ok(recorded),
        None => read_any(bytes),
    }
}

/// A report in the form in which this version writes it; none for everything else.
fn report(bytes: &[u8]) -> Option<Recorded> {
    let mut lines = Vec::new();
    let text = read_report(bytes, |line| {
        let measure = MeasureId::parse(line.measure).ok()?;
        lines.push(ReportLine { measure, value: line.value, source: line.source.map(str::to_owned) });
        Some(())
    })?;
    let data = ReportSubmitted {
        unit: UnitId::parse(text.unit).ok()?,
        period: text.period,
        revision: text.revision,
        document: Document { number: text.document_number.to_owned(), date: text.document_date },
        lines,
        history: text.history.map(str::to_owned),
        request_digest: text.request_digest.map(str::to_owned),
    };
    Some(Recorded {
        position: text.position,
        recorded_at: Timestamp::from_millisecond(text.recorded_ms).ok()?,
        event: Event {
            id: text.id,
            plan: PlanId::parse(text.plan).ok()?,
            effective: Timestamp::from_millisecond(text.effective_ms).ok()?,
            actor: ActorId::parse(text.actor).ok()?,
            traceparent: text.traceparent.map(str::to_owned),
            data: EventData::ReportSubmitted(data),
        },
    })
}

/// The general reader: the oracle of every faster one.
pub fn read_any(bytes: &[u8]) -> Result<Recorded, ReadError> {
    let raw: RawEnvelope<'_> =
        serde_json::from_slice(bytes).map_err(|error| ReadError::Envelope { reason: error.to_string() })?;
    let envelope = envelope_of(&raw)?;
    let data = match upcast(envelope.kind, envelope.version, raw.data) {
        Ok(data) => data,
        Err(UpcastError::UnknownVersion) => {
            return Err(ReadError::UnknownType {
                position: envelope.position,
                type_name: raw.type_name.into_owned(),
            });
        }
        Err(UpcastError::Data(error)) => {
            return Err(ReadError::Data { envelope: Box::new(envelope), reason: error.to_string() });
        }
    };
    Ok(Recorded {
        position: envelope.position,
        recorded_at: envelope.recorded_at,
        event: Event {
            id: envelope.id,
            plan: envelope.plan,
            effective: envelope.effective,
            actor: envelope.actor,
            traceparent: envelope.traceparent,
            data,
        },
    })
}

/// Reads the part around the data only.
pub fn read_envelope(bytes: &[u8]) -> Result<Envelope, ReadError> {
    let raw: RawEnvelope<'_> =
        serde_json::from_slice(bytes).map_err(|error| ReadError::Envelope { reason: error.to_string() })?;
    envelope_of(&raw)
}

fn envelope_of(raw: &RawEnvelope<'_>) -> Result<Envelope, ReadError> {
    let broken = |reason: String| ReadError::Envelope { reason };
    if raw.specversion != "1.0" {
        return Err(broken(format!("specversion is `{}`, not 1.0", raw.specversion)));
    }
    let plan = raw
        .source
        .strip_prefix(SOURCE_PREFIX)
        .and_then(|plan| PlanId::parse(plan).ok())
        .ok_or_else(|| broken(format!("source is `{}`, not {SOURCE_PREFIX}<plan>", raw.source)))?;
    let position: Position = raw
        .sequence
        .parse()
        .map(Position)
        .ok()
        .filter(|position| position.0 > 0 && raw.sequence.len() == BLANK_SEQUENCE.len())
        .ok_or_else(|| broken(format!("sequence is `{}`, not a position of 20 digits", raw.sequence)))?;
    let unknown = || ReadError::UnknownType { position, type_name: raw.type_name.clone().into_owned() };
    let (name, version) =
        raw.type_name.strip_prefix(TYPE_PREFIX).and_then(|rest| rest.rsplit_once(".v")).ok_or_else(|| {
            broken(format!("type is `{}`, not {TYPE_PREFIX}<name>.v<version>", raw.type_name))
        })?;
    let kind = EventKind::of_name(name).ok_or_else(unknown)?;
    let version = version.parse().map_err(|_| unknown())?;
    Ok(Envelope {
        id: raw.id,
        plan,
        kind,
        version,
        subject: raw.subject.clone().into_owned(),
        effective: raw.time,
        actor: raw.actor.clone(),
        traceparent: raw.traceparent.clone(),
        recorded_at: raw.recordedtime,
        position,
    })
}

enum UpcastError {
    UnknownVersion,
    Data(serde_json::Error),
}

/// Brings the data of any version that was ever written up to today's types.
///
/// A changed shape gets an arm of its own here, which reads the old shape and makes the new one, and the
/// old example file under `examples/` stays and keeps being read by the tests.
fn upcast(kind: EventKind, version: u32, data: &RawValue) -> Result<EventData, UpcastError> {
    fn current<'a, T: Deserialize<'a>>(data: &'a RawValue) -> Result<T, UpcastError> {
        serde_json::from_str(data.get()).map_err(UpcastError::Data)
    }
    match (kind, version) {
        (EventKind::PlanAdopted, 1) => current(data).map(EventData::PlanAdopted),
        (EventKind::ReportSubmitted, 1) => current(data).map(EventData::ReportSubmitted),
        (EventKind::TargetChanged, 1) => current(data).map(EventData::TargetChanged),
        (EventKind::UnitChanged, 1) => current(data).map(EventData::UnitChanged),
        (EventKind::BaselineEntered, 1) => current(data).map(EventData::BaselineEntered),
        (EventKind::PlanAmended, 1) => current(data).map(EventData::PlanAmended),
        (EventKind::DeadlineExtended, 1) => current(data).map(EventData::DeadlineExtended),
        (EventKind::AlertRaised, 1) => current(data).map(EventData::AlertRaised),
        (EventKind::AlertResolved, 1) => current(data).map(EventData::AlertResolved),
        (EventKind::AlertAcknowledged, 1) => current(data).map(EventData::AlertAcknowledged),
        (
            EventKind::PlanAdopted
            | EventKind::ReportSubmitted
            | EventKind::TargetChanged
            | EventKind::UnitChanged
            | EventKind::BaselineEntered
            | EventKind::PlanAmended
            | EventKind::DeadlineExtended
            | EventKind::AlertRaised
            | EventKind::AlertResolved
            | EventKind::AlertAcknowledged,
            _,
        ) => Err(UpcastError::UnknownVersion),
    }
}

/// The NATS subject of an event: `planwatch.<plan>.event.<type>.<unit>`.
pub fn subject(plan: &PlanId, kind: EventKind, unit: Option<&str>) -> String {
    format!("planwatch.{plan}.event.{}.{}", kind.name(), unit.unwrap_or(NO_UNIT))
}
