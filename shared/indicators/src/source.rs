//! A source: what a recorded event tells of where a figure comes from.

use events::{Document, EventData, EventId, IndicatorId, Period, Position, Recorded, UnitId};
use plan::Calendar;
use serde::Serialize;

/// One event that a figure rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The unit it is about.
    pub unit: Option<UnitId>,
    /// The indicator it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indicator: Option<IndicatorId>,
    /// The period of a report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// The revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// The paper behind a report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    /// Why an old document was entered as history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// The legal instrument of a target or a change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// When it holds officially, RFC 3339 in the plan's time zone.
    pub effective: String,
    /// When the log took it in, RFC 3339 in the plan's time zone.
    pub recorded_at: String,
}

impl Source {
    /// What an event tells.
    pub fn of(recorded: &Recorded, calendar: &Calendar) -> Source {
        let event = &recorded.event;
        let mut source = Source {
            event: event.id,
            position: recorded.position,
            kind: event.data.kind().name().to_owned(),
            unit: event.data.unit().cloned(),
            indicator: None,
            period: None,
            revision: None,
            document: None,
            history: None,
            instrument: None,
            effective: calendar.shown(event.effective),
            recorded_at: calendar.shown(recorded.recorded_at),
        };
        match &event.data {
            EventData::ReportSubmitted(data) => {
                source.period = Some(data.period);
                source.revision = Some(data.revision);
                source.document = Some(data.document.clone());
                source.history = data.history.clone();
            }
            EventData::TargetChanged(data) => {
                source.indicator = Some(data.indicator.clone());
                source.revision = Some(data.revision);
                source.instrument = Some(data.instrument.clone());
            }
            EventData::UnitChanged(data) => {
                source.revision = Some(data.revision);
                source.instrument = Some(data.instrument.clone());
            }
            EventData::BaselineEntered(data) => {
                source.indicator = Some(data.indicator.clone());
                source.period = Some(data.period);
                source.revision = Some(data.revision);
                source.document = Some(data.document.clone());
            }
            EventData::PlanAmended(data) => {
                source.revision = Some(data.revision);
                source.instrument = Some(data.instrument.clone());
            }
            EventData::DeadlineExtended(data) => {
                source.period = Some(data.period);
                source.revision = Some(data.revision);
                source.instrument = Some(data.instrument.clone());
            }
            EventData::PlanAdopted(_)
            | EventData::AlertRaised(_)
            | EventData::AlertResolved(_)
            | EventData::AlertAcknowledged(_) => {}
        }
        source
    }
}
