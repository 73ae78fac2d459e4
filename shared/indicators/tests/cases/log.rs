//! A log in its written form, made event by event from plain JSON.

use events::{Position, Timestamp};
use indicators::{Applied, Facts};
use serde_json::{Value, json};

/// How far Vietnam's clock is ahead of UTC, all year.
const AHEAD_SECONDS: i64 = 7 * 3_600;

/// The instant at which a day begins in Vietnam.
pub(crate) fn start_of_day(date: jiff::civil::Date) -> Timestamp {
    let midnight = date.to_datetime(jiff::civil::Time::midnight());
    let utc = jiff::tz::TimeZone::UTC.to_timestamp(midnight).unwrap();
    utc - jiff::SignedDuration::from_secs(AHEAD_SECONDS)
}

/// The day in Vietnam on which an instant falls.
pub(crate) fn day_of(instant: Timestamp) -> jiff::civil::Date {
    let ahead = instant + jiff::SignedDuration::from_secs(AHEAD_SECONDS);
    jiff::tz::TimeZone::UTC.to_datetime(ahead).date()
}

/// Events as they are written, with when each was recorded, and the facts that they fold to.
pub(crate) struct Log {
    pub(crate) events: Vec<Value>,
    pub(crate) recorded_at: Vec<Timestamp>,
    pub(crate) facts: Facts,
}

impl Log {
    /// A plan in canonical form adopted on a day, with those of its targets that are kept.
    pub(crate) fn adopt(plan: &Value, keep: impl Fn(&str, &str) -> bool) -> Log {
        let mut log = Log { events: Vec::new(), recorded_at: Vec::new(), facts: Facts::new() };
        let adopted = plan["adopted"].as_str().unwrap();
        let now = start_of_day(adopted.parse().unwrap());
        log.record("plan-adopted", None, now, now, json!({"plan": plan, "digest": "0".repeat(64)}));
        for of in plan["indicators"].as_array().unwrap() {
            let id = of["id"].as_str().unwrap();
            for target in of["targets"].as_array().unwrap() {
                let review = target["review"].as_str().unwrap();
                if !keep(id, review) {
                    continue;
                }
                let mut data = target.clone();
                let fields = data.as_object_mut().unwrap();
                fields.remove("paragraph");
                fields.insert("indicator".into(), id.into());
                fields.insert("revision".into(), 1.into());
                fields.insert("effective".into(), adopted.into());
                fields.insert("instrument".into(), plan["instrument"].clone());
                log.record("target-changed", None, now, now, data);
            }
        }
        log
    }

    /// Records an event at the next position; one that is set aside is a slip of the test.
    pub(crate) fn record(
        &mut self,
        kind: &str,
        unit: Option<&str>,
        effective: Timestamp,
        recorded_at: Timestamp,
        data: Value,
    ) {
        self.try_record(kind, unit, effective, recorded_at, data).unwrap();
    }

    /// Records an event at the next position and folds it; an error where it is set aside.
    pub(crate) fn try_record(
        &mut self,
        kind: &str,
        unit: Option<&str>,
        effective: Timestamp,
        recorded_at: Timestamp,
        data: Value,
    ) -> Result<(), String> {
        let position = self.events.len() + 1;
        let event = json!({
            "specversion": "1.0",
            "id": format!("00000000-0000-7000-8000-{position:012}"),
            "source": "/plans/binh-duong",
            "type": format!("planwatch.{kind}.v1"),
            "subject": unit.unwrap_or("_plan"),
            "datacontenttype": "application/json",
            "time": format!("{effective:.3}"),
            "actor": "tester",
            "recordedtime": format!("{recorded_at:.3}"),
            "sequence": format!("{position:020}"),
            "data": data,
        });
        let bytes = serde_json::to_vec(&event).unwrap();
        let applied = self.facts.apply_bytes(&bytes).map_err(|error| error.to_string())?;
        if applied != Applied::Folded {
            return Err(format!("set aside: {event}"));
        }
        self.events.push(event);
        self.recorded_at.push(recorded_at);
        Ok(())
    }

    /// The highest position recorded up to an instant.
    pub(crate) fn cut(&self, known_at: Timestamp) -> Position {
        let known = self.recorded_at.iter().filter(|recorded_at| **recorded_at <= known_at).count();
        Position(u64::try_from(known).unwrap())
    }
}
