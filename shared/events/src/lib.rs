//! Events, ids and times as types, and the form in which they are written.
//!
//! Everything that planwatch knows is an [`Event`] in one append-only log. This crate says what an event
//! is ([`event`]), how it is written and read back ([`wire`], CloudEvents 1.0 in JSON), what may be asked
//! of the log ([`command`]) and how a refusal is worded ([`refusal`]). It is pure: no clock, no disk, no
//! network, no random numbers.

pub mod command;
pub mod event;
pub mod ids;
pub mod instant;
pub mod percent;
pub mod refusal;
pub mod strict_json;
pub mod wire;

pub use event::{
    AlertAcknowledged, AlertRaised, AlertResolved, BaselineEntered, BaselineValue, DeadlineExtended,
    Document, Event, EventData, EventKind, KeyChange, KeyTexts, KeyValue, LineValue, Mark, PlanAdopted,
    PlanAmended, Recorded, ReportLine, ReportSubmitted, Resolution, Rule, Severity, Share, Successor,
    Summary, TargetChanged, TargetValue, UnitChange, UnitChanged, UnitName,
};
pub use ids::{ActorId, AlertId, EventId, IndicatorId, MeasureId, Period, PlanId, Position, Review, UnitId};
pub use jiff::{Timestamp, civil::Date};
pub use percent::Percent;
pub use refusal::{FieldError, Refusal, RefusalKind};
