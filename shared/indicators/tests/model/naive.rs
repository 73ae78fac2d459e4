//! The naive implementation: a list of events, scanned for every question.

mod cells;
mod fraction;
mod series;

use crate::log::{day_of, start_of_day};
use crate::tell::Question;
use events::Timestamp;
use jiff::SignedDuration;
use jiff::civil::{Date, date};
use serde_json::{Value, json};

/// The log as it is written.
pub(crate) struct Naive {
    events: Vec<Event>,
    plan: Value,
}

/// One event with its two times.
struct Event {
    position: u64,
    id: String,
    kind: String,
    effective: Timestamp,
    recorded_at: Timestamp,
    data: Value,
    /// Of a report: its period.
    period: i16,
}

/// The log as a question sees it.
pub(super) struct Asked<'a> {
    known: Vec<&'a Event>,
    plan: &'a Value,
    as_of: Timestamp,
    known_at: Timestamp,
    cut: u64,
}

/// The line of a measure and period that stands.
struct Line<'a> {
    value: &'a Value,
    event: &'a Event,
}

/// The last millisecond of a day in Vietnam.
fn end_of_day(day: Date) -> Timestamp {
    start_of_day(day.tomorrow().unwrap()) - SignedDuration::from_millis(1)
}

fn end_of_year(year: i16) -> Timestamp {
    end_of_day(date(year, 12, 31))
}

/// An instant as people in Vietnam write it.
fn written(instant: Timestamp) -> String {
    let ahead = instant + SignedDuration::from_hours(7);
    let text = format!("{ahead:.3}").replace('Z', "").replace(".000", "");
    // Milliseconds are written without zeros at their end.
    let text = if text.contains('.') { text.trim_end_matches('0').to_owned() } else { text };
    format!("{text}+07:00")
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} of {value}"))
}

fn number(text: &str) -> i16 {
    text.parse().unwrap()
}

impl Naive {
    /// Reads events as they are written, the adoption first.
    pub(crate) fn read(events: &[Value]) -> Naive {
        let instant = |event: &Value, field: &str| text(event, field).parse().unwrap();
        let read = |event: &Value| Event {
            position: text(event, "sequence").parse().unwrap(),
            id: text(event, "id").to_owned(),
            kind: text(event, "type").to_owned(),
            effective: instant(event, "time"),
            recorded_at: instant(event, "recordedtime"),
            data: event["data"].clone(),
            period: event["data"]["period"].as_str().map_or(0, number),
        };
        Naive { events: events.iter().map(read).collect(), plan: events[0]["data"]["plan"].clone() }
    }

    /// Answers a question about the log up to a position.
    pub(crate) fn answer(&self, question: &Question, cut: u64) -> Value {
        let asked = Asked {
            known: self
                .events
                .iter()
                .filter(|event| event.position <= cut && event.effective <= question.as_of)
                .collect(),
            plan: &self.plan,
            as_of: question.as_of,
            known_at: question.known_at,
            cut,
        };
        let indicator = asked.indicator(&question.indicator);
        if question.series {
            asked.series(&question.unit, indicator)
        } else {
            asked.cell(&question.unit, indicator)
        }
    }
}

impl<'a> Asked<'a> {
    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &'a Event> {
        let kind = format!("planwatch.{kind}.v1");
        self.known.iter().copied().filter(move |event| event.kind == kind)
    }

    fn indicator(&self, id: &str) -> &'a Value {
        self.list("indicators").find(|indicator| indicator["id"] == id).unwrap()
    }

    fn list(&self, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.plan[name].as_array().unwrap().iter()
    }

    fn measure(&self, indicator: &Value) -> &'a Value {
        self.list("measures").find(|measure| measure["id"] == indicator["measure"]).unwrap()
    }

    fn is_province(&self, unit: &str) -> bool {
        self.list("units").any(|of| of["id"] == unit && of["level"] == "province")
    }

    fn province(&self) -> &'a str {
        text(self.list("units").find(|unit| unit["level"] == "province").unwrap(), "id")
    }

    fn periods(&self) -> std::ops::RangeInclusive<i16> {
        let calendar = &self.plan["calendar"];
        number(text(calendar, "first_period"))..=number(text(calendar, "last_period"))
    }

    /// The years of the reviews, in order.
    fn reviews(&self) -> impl Iterator<Item = i16> + use<'a> {
        self.list("reviews").map(|review| number(text(review, "review")))
    }

    fn has_ended(&self, year: i16) -> bool {
        self.as_of > end_of_year(year)
    }

    fn year_of_as_of(&self) -> i16 {
        day_of(self.as_of).year()
    }

    /// Whether a unit is in force at an instant: no dissolution of it holds by then.
    fn in_force(&self, unit: &str, at: Timestamp) -> bool {
        !self.of_kind("unit-changed").any(|event| {
            event.data["unit"] == unit && event.data["change"] == "dissolve" && event.effective <= at
        })
    }

    fn districts_in_force(&self, at: Timestamp) -> Vec<&'a str> {
        let districts = self.list("units").filter(|unit| unit["level"] == "district");
        districts.map(|unit| text(unit, "id")).filter(|unit| self.in_force(unit, at)).collect()
    }

    /// The reports of a unit and period that hold.
    fn reports(&self, unit: &str, period: i16) -> Vec<&'a Event> {
        let reports = self.of_kind("report-submitted");
        reports.filter(|event| event.period == period && event.data["unit"] == unit).collect()
    }

    /// Of the revisions that hold and name the measure the highest one, unless it takes the line back.
    fn standing(&self, unit: &str, period: i16, measure: &str) -> Option<Line<'a>> {
        let lines = self.reports(unit, period).into_iter().flat_map(|event| {
            let lines = event.data["lines"].as_array().unwrap().iter();
            lines.filter(|line| line["measure"] == measure).map(move |value| Line { value, event })
        });
        let highest = lines.max_by_key(|line| line.event.data["revision"].as_u64())?;
        (highest.value["withdrawn"] != true).then_some(highest)
    }

    /// The target set for exactly this unit, or for the province, that holds at the end of the review's year.
    fn setting(&self, indicator: &Value, unit: Option<&str>, review: i16) -> Option<&'a Event> {
        let settings = self.of_kind("target-changed").filter(|event| {
            event.data["indicator"] == indicator["id"]
                && event.data["unit"].as_str() == unit
                && number(text(&event.data, "review")) == review
                && event.effective <= end_of_year(review)
        });
        let latest = settings.max_by_key(|event| (event.effective, event.position))?;
        (latest.data["withdrawn"] != true).then_some(latest)
    }

    fn is_rate(&self, indicator: &Value) -> bool {
        self.measure(indicator)["kind"] == "rate"
    }

    /// Whether the indicator counts districts.
    fn is_share(&self, indicator: &Value) -> bool {
        let measure = self.measure(indicator);
        measure["level"] == "district" && measure["kind"] != "rate"
    }

    /// The target that binds a cell for a review.
    fn target(&self, unit: &str, indicator: &Value, review: i16) -> Option<&'a Event> {
        let of_province = self.setting(indicator, None, review);
        if self.is_province(unit) {
            of_province
        } else if self.is_rate(indicator) {
            let inherited = of_province.filter(|_| indicator["binds_districts"] == true);
            self.setting(indicator, Some(unit), review).or(inherited)
        } else {
            of_province.filter(|event| binds_every_district(event))
        }
    }

    /// The target that a status speaks of, and whether it goes on though a later review does not restate it.
    fn spoken(&self, unit: &str, indicator: &Value) -> Option<(&'a Event, bool)> {
        if self.is_share(indicator) && !self.is_province(unit) {
            let spoken = self.spoken(self.province(), indicator)?;
            return binds_every_district(spoken.0).then_some(spoken);
        }
        let target = |year: i16| self.target(unit, indicator, year);
        let reviews: Vec<i16> = self.reviews().collect();
        let next = reviews.iter().filter(|year| !self.has_ended(**year)).find_map(|year| target(*year));
        if let Some(next) = next {
            return Some((next, false));
        }
        let ended: Vec<i16> = reviews.iter().copied().filter(|year| self.has_ended(*year)).collect();
        let last = ended.into_iter().rev().find_map(|year| target(year).map(|event| (event, year)))?;
        Some((last.0, Some(last.1) != reviews.last().copied()))
    }

    /// What a cell says of its unit's report: the earliest overdue period, else the as-of year's.
    fn report_shown(&self, unit: &str) -> Value {
        let overdue = self.periods().find(|period| self.report(unit, *period)["state"] == "overdue");
        let current = self.year_of_as_of().clamp(*self.periods().start(), *self.periods().end());
        self.report(unit, overdue.unwrap_or(current))
    }

    fn report(&self, unit: &str, period: i16) -> Value {
        let calendar = &self.plan["calendar"];
        let due_day: Date = format!("{period}-{}", text(calendar, "due_before")).parse().unwrap();
        let due = start_of_day(due_day);
        let owed = period >= number(text(calendar, "duty_from")) && self.in_force(unit, due);
        let reports = self.reports(unit, period);
        // A report counts from when it was recorded, as history from its document's day; the earliest is the report.
        let judged_by = |event: &Event| {
            if event.data["history"].is_string() { event.effective } else { event.recorded_at }
        };
        let first = reports.into_iter().min_by_key(|event| (judged_by(event), event.position));
        let mut report = json!({
            "period": period.to_string(),
            "state": "awaited",
            "due": owed.then(|| written(due)),
            "received_at": null,
            "late": false,
        });
        if let Some(first) = first {
            let is_history = first.data["history"].is_string();
            report["state"] = "received".into();
            report["received_at"] = written(first.recorded_at).into();
            report["late"] = (owed && judged_by(first) >= due).into();
            if is_history {
                report["history"] = true.into();
            }
        } else if owed && due < self.as_of && due < self.known_at {
            report["state"] = "overdue".into();
        }
        report
    }
}

/// Whether a share's target is that every district has it.
fn binds_every_district(target: &Event) -> bool {
    target.data["percent"].as_str().is_some_and(|percent| percent.parse() == Ok(100_u8))
}
