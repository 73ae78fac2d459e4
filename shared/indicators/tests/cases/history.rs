//! What a table says was recorded, as a log; what could not have been recorded is refused.

use crate::log::{Log, day_of, start_of_day};
use crate::table::Row;
use events::Timestamp;
use jiff::civil::Date;
use plan::Plan;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The log of one case.
pub(crate) struct History {
    pub(crate) plan: Plan,
    pub(crate) log: Log,
    canonical: Value,
    /// What stands by the highest revision: unit, period and measure.
    standing: BTreeMap<(String, String, String), bool>,
    revisions: BTreeMap<(String, String), u32>,
}

/// Reads a moment as the tables write it: a day, or a day and a time of day in Vietnam.
fn read_instant(text: &str, hour_of_day: i64) -> Result<Timestamp, String> {
    let (day, time) = text.split_once(' ').unwrap_or((text, ""));
    let date: Date = day.parse().map_err(|_| format!("`{day}` is no day"))?;
    let midnight = start_of_day(date);
    if time.is_empty() {
        return Ok(midnight + jiff::SignedDuration::from_hours(hour_of_day));
    }
    let time: jiff::civil::Time = time.parse().map_err(|_| format!("`{time}` is no time of day"))?;
    let since_midnight = jiff::civil::Time::midnight().until(time).map_err(|error| error.to_string())?;
    Ok(midnight + since_midnight.to_duration(date).map_err(|error| error.to_string())?)
}

impl History {
    /// The plan of Bình Dương as adopted, without some of its targets.
    pub(crate) fn new(plan_without: &[(String, String)]) -> History {
        let text = include_str!("../../../../deploy/plans/binh-duong.toml");
        let plan = plan::file::read("binh-duong.toml", text).unwrap();
        let canonical = plan.canonical();
        let is_without =
            |of: &str, review: &str| plan_without.iter().any(|(id, year)| id == of && year == review);
        let log = Log::adopt(&canonical, |of, review| !is_without(of, review));
        History { plan, log, canonical, standing: BTreeMap::new(), revisions: BTreeMap::new() }
    }

    /// Records what one row says, once for each of its units.
    pub(crate) fn record(&mut self, row: &Row) -> Result<(), String> {
        let [recorded, document, units, what] = row.cells.as_slice() else {
            return Err("a row of what was recorded has four columns".into());
        };
        let recorded_at = read_instant(recorded, 9)?;
        let last = self.log.recorded_at.last().copied().unwrap();
        if recorded_at < last {
            return Err("the recorded time goes back".into());
        }
        let date: Date = document.parse().map_err(|_| format!("`{document}` is no day"))?;
        for unit in self.units(units)? {
            self.record_one(recorded_at, date, &unit, what)?;
        }
        Ok(())
    }

    /// `di-an`, `di-an, ben-cat`, `all` (the nine districts) or `all but di-an, ben-cat`.
    fn units(&self, text: &str) -> Result<Vec<String>, String> {
        let listed =
            |text: &str| -> Result<Vec<String>, String> {
                let known = |id: &str| self.plan.units.iter().any(|unit| unit.id.as_str() == id);
                let ids = text.split(',').map(str::trim);
                ids.map(|id| {
                    if known(id) { Ok(id.to_owned()) } else { Err(format!("the plan has no unit `{id}`")) }
                })
                .collect()
            };
        let all = || self.plan.districts().map(|unit| unit.id.as_str().to_owned());
        match text.strip_prefix("all") {
            Some("") => Ok(all().collect()),
            Some(rest) => {
                let but = listed(rest.strip_prefix(" but ").ok_or("`all` is followed by ` but `")?)?;
                Ok(all().filter(|id| !but.contains(id)).collect())
            }
            None => listed(text),
        }
    }

    fn record_one(
        &mut self,
        recorded_at: Timestamp,
        date: Date,
        unit: &str,
        what: &str,
    ) -> Result<(), String> {
        let (head, body) = what.split_once(": ").ok_or("what was recorded is written `WORD …: …`")?;
        let words: Vec<&str> = head.split(' ').collect();
        match words.as_slice() {
            [kind @ ("report" | "history"), period] => {
                self.record_report(recorded_at, date, unit, period, body, *kind == "history")
            }
            ["target", indicator, review] => {
                self.record_target(recorded_at, date, unit, indicator, review, body)
            }
            ["unit"] => self.record_unit_change(recorded_at, date, unit, body),
            _ => Err(format!("`{head}` is neither a report nor a target nor a unit change")),
        }
    }

    fn record_report(
        &mut self,
        recorded_at: Timestamp,
        date: Date,
        unit: &str,
        period: &str,
        body: &str,
        is_history: bool,
    ) -> Result<(), String> {
        let day = day_of(recorded_at);
        let year: i16 = period.parse().map_err(|_| format!("`{period}` is no period"))?;
        let age_days = (day - date).get_days();
        if date > day {
            return Err("the document is of a day after the day on which it was recorded".into());
        }
        if date < jiff::civil::date(year, 1, 1) {
            return Err("the document is of a day before 1 January of its period".into());
        }
        if age_days > 31 && !is_history {
            return Err("a document more than 31 days back must be entered as history".into());
        }
        let mut lines = Vec::new();
        for line in body.split(';').map(str::trim) {
            let (measure, value) = line.split_once(' ').ok_or_else(|| format!("`{line}` has no value"))?;
            let known = self.canonical["measures"].as_array().unwrap();
            if !known.iter().any(|of| of["id"] == measure) {
                return Err(format!("the plan has no measure `{measure}`"));
            }
            let key = (unit.to_owned(), period.to_owned(), measure.to_owned());
            let mut fields = read_value(value)?;
            let withdrawn = fields.contains_key("withdrawn");
            if withdrawn && self.standing.get(&key) != Some(&true) {
                return Err(format!("`{measure}` does not stand and so cannot be withdrawn"));
            }
            self.standing.insert(key, !withdrawn);
            fields.insert("measure".into(), measure.into());
            lines.push(Value::Object(fields));
        }
        let revision = self.revisions.entry((unit.to_owned(), period.to_owned())).or_default();
        *revision += 1;
        let mut data = json!({
            "unit": unit,
            "period": period,
            "revision": *revision,
            "document": {"number": "215/BC-UBND", "date": date.to_string()},
            "lines": lines,
        });
        if is_history {
            data["history"] = "paper of an earlier year".into();
        }
        self.log.record("report-submitted", Some(unit), start_of_day(date), recorded_at, data);
        Ok(())
    }

    fn record_target(
        &mut self,
        recorded_at: Timestamp,
        date: Date,
        unit: &str,
        indicator: &str,
        review: &str,
        body: &str,
    ) -> Result<(), String> {
        let year: i16 = review.parse().map_err(|_| format!("`{review}` is no review"))?;
        if date.to_string().as_str() < self.canonical["adopted"].as_str().unwrap() {
            return Err("a target is effective before the plan".into());
        }
        if date > jiff::civil::date(year, 12, 31) {
            return Err("a target for a review whose year has ended before it is effective".into());
        }
        let own = (unit != self.plan.province().id.as_str()).then_some(unit);
        let indicators = self.canonical["indicators"].as_array().unwrap();
        let of =
            indicators.iter().find(|of| of["id"] == indicator).ok_or("the plan has no such indicator")?;
        let of_review = |list: &str| {
            let settings = of[list].as_array()?;
            settings.iter().find(|setting| setting["review"] == review).map(|setting| setting["mark"].clone())
        };
        let mark = of_review("targets").or_else(|| of_review("not_restated"));
        let mut data = json!({
            "indicator": indicator,
            "review": review,
            "mark": mark.unwrap_or_else(|| "attain".into()),
            "revision": 2,
            "effective": date.to_string(),
            "instrument": "77/QĐ-UBND",
        });
        match body.split_once(' ').unwrap_or((body, "")) {
            (number, "%") => data["percent"] = number.into(),
            ("level", number) => {
                data["level"] = number.parse::<u8>().map_err(|_| format!("`{body}` is no level"))?.into();
            }
            ("yes", "") => data["attained"] = true.into(),
            ("withdrawn", "") => data["withdrawn"] = true.into(),
            _ => return Err(format!("`{body}` is no target")),
        }
        if let Some(own) = own {
            data["unit"] = own.into();
        }
        self.log.record("target-changed", own, start_of_day(date), recorded_at, data);
        Ok(())
    }

    fn record_unit_change(
        &mut self,
        recorded_at: Timestamp,
        date: Date,
        unit: &str,
        body: &str,
    ) -> Result<(), String> {
        let mut data = json!({
            "unit": unit,
            "revision": 1,
            "effective": date.to_string(),
            "instrument": "202/2025/QH15",
        });
        let (change, rest) = body.split_once(' ').unwrap_or((body, ""));
        data["change"] = change.into();
        match change {
            "retype" => data["type"] = rest.into(),
            "rename" => data["name"] = rest.into(),
            "recode" => data["code"] = rest.into(),
            "dissolve" => {}
            _ => return Err(format!("`{body}` is no change of a unit")),
        }
        self.log.record("unit-changed", Some(unit), start_of_day(date), recorded_at, data);
        Ok(())
    }
}

/// `118400/214000`, `2` (a level), `yes`, `yes 2021` (recognised in 2021), `no` or `withdrawn`.
fn read_value(text: &str) -> Result<Map<String, Value>, String> {
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is no whole number"));
    let value = if let Some((numerator, denominator)) = text.split_once('/') {
        let (numerator, denominator) = (number(numerator)?, number(denominator)?);
        if numerator > denominator {
            return Err(format!("the numerator of `{text}` is more than the denominator"));
        }
        json!({"numerator": numerator, "denominator": denominator})
    } else {
        match text.split_once(' ').unwrap_or((text, "")) {
            ("yes", "") => json!({"attained": true}),
            ("yes", year) => json!({"attained": true, "recognised_year": year}),
            ("no", "") => json!({"attained": false}),
            ("withdrawn", "") => json!({"withdrawn": true}),
            (level, "") => json!({"level": number(level)?}),
            _ => return Err(format!("`{text}` is no value")),
        }
    };
    match value {
        Value::Object(fields) => Ok(fields),
        _ => unreachable!("every value above is an object"),
    }
}
