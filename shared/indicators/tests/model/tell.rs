//! Random histories of a plan, and random questions about them.

use crate::log::{Log, day_of, start_of_day};
use crate::random::Random;
use events::Timestamp;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, ToSpan};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// When the last question is asked.
const END: Date = date(2033, 1, 1);

/// One event that is not recorded yet: the revision is counted when it is.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    recorded_at: Timestamp,
    kind: &'static str,
    unit: Option<String>,
    effective: Date,
    data: Value,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} from {} {}", self.recorded_at, self.kind, self.effective, self.data)
    }
}

/// A plan and what was recorded after its adoption.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    plan: Value,
    /// Targets of the plan's text that are not set at the adoption.
    pub(crate) left_out: Vec<(String, String)>,
    pub(crate) steps: Vec<Step>,
    /// The measures that are spoken of.
    measures: Vec<String>,
}

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) as_of: Timestamp,
    pub(crate) known_at: Timestamp,
    pub(crate) unit: String,
    pub(crate) indicator: String,
    pub(crate) series: bool,
}

fn plan_of_the_repository() -> Value {
    let text = include_str!("../../../../deploy/plans/binh-duong.toml");
    plan::file::read("binh-duong.toml", text).unwrap().canonical()
}

fn texts(items: &Value, wanted: impl Fn(&Value) -> bool) -> Vec<String> {
    let wanted = items.as_array().unwrap().iter().filter(|item| wanted(item));
    wanted.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

impl Told {
    /// The log of it; an error where a step cannot be folded.
    pub(crate) fn log(&self) -> Result<Log, String> {
        let is_left_out = |of: &str, review: &str| {
            self.left_out.iter().any(|(indicator, year)| indicator == of && year == review)
        };
        let mut log = Log::adopt(&self.plan, |of, review| !is_left_out(of, review));
        let mut revisions: BTreeMap<String, u64> = BTreeMap::new();
        for step in &self.steps {
            let mut data = step.data.clone();
            let about = ["unit", "period", "indicator", "review"].map(|field| data[field].to_string());
            let revision = revisions.entry(format!("{}{about:?}", step.kind)).or_default();
            *revision += 1;
            // Those of the plan's text came first.
            let first = u64::from(step.kind == "target-changed" && step.unit.is_none());
            data.as_object_mut().unwrap().insert("revision".into(), (*revision + first).into());
            let effective = start_of_day(step.effective);
            log.try_record(step.kind, step.unit.as_deref(), effective, step.recorded_at, data)?;
        }
        Ok(log)
    }

    fn districts(&self) -> Vec<String> {
        texts(&self.plan["units"], |unit| unit["level"] == "district")
    }

    fn province(&self) -> String {
        texts(&self.plan["units"], |unit| unit["level"] == "province").remove(0)
    }

    fn measure(&self, id: &str) -> &Value {
        self.plan["measures"].as_array().unwrap().iter().find(|measure| measure["id"] == id).unwrap()
    }

    fn fed_by(&self, measure: &str) -> Vec<String> {
        texts(&self.plan["indicators"], |indicator| indicator["measure"] == measure)
    }
}

/// A history of some measures from the adoption to at most 2032.
pub(crate) fn history(random: &mut Random) -> Told {
    let mut plan = plan_of_the_repository();
    if random.once_in(3) {
        vary(random, &mut plan);
    }
    let of_plan = texts(&plan["measures"], |_| true);
    let mut measures: Vec<String> = Vec::new();
    for _ in 0..random.between(1, 4) {
        measures.push(random.of_these(&of_plan).clone());
    }
    let mut told = Told { plan, left_out: Vec::new(), steps: Vec::new(), measures };
    for indicator in told.plan["indicators"].as_array().unwrap() {
        for target in indicator["targets"].as_array().unwrap() {
            if random.once_in(12) {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                told.left_out.push((text(&indicator["id"]), text(&target["review"])));
            }
        }
    }
    let mut now = start_of_day(date(2022, 3, 16)) + SignedDuration::from_hours(9);
    // Some histories are of a few months, some reach beyond the plan's last year.
    let longest_pause_days = *random.of_these(&[30, 100, 400, 400]);
    for _ in 0..random.between(1, 60) {
        now = later(random, now, longest_pause_days);
        if now >= start_of_day(date(2032, 12, 1)) {
            break;
        }
        match random.below(16) {
            0..=7 => {
                let measure = random.of_these(&told.measures).clone();
                let unit = reporter(random, &told, &measure);
                report(random, &mut told, now, &unit, None);
            }
            8..=11 => all_report(random, &mut told, now),
            12..=14 => change_target(random, &mut told, now),
            _ => change_unit(random, &mut told, now),
        }
    }
    told
}

/// A plan with other parameters than the repository's.
fn vary(random: &mut Random, plan: &mut Value) {
    for indicator in plan["indicators"].as_array_mut().unwrap() {
        let fields = indicator.as_object_mut().unwrap();
        if fields.contains_key("binds_districts") && random.once_in(3) {
            fields.remove("binds_districts");
        }
        if fields.contains_key("counts_from_level") && random.once_in(3) {
            fields.insert("counts_from_level".into(), random.between(1, 2).into());
        }
    }
    for measure in plan["measures"].as_array_mut().unwrap() {
        let fields = measure.as_object_mut().unwrap();
        if fields["kind"] == "attained" && random.once_in(2) {
            fields.insert("months".into(), random.between(0, 50).into());
        }
    }
    for review in plan["reviews"].as_array_mut().unwrap() {
        let fields = review.as_object_mut().unwrap();
        fields.remove("units_as_of");
        if random.once_in(2) {
            let year: i16 = fields["review"].as_str().unwrap().parse().unwrap();
            let day = date(year, random.between(1, 12) as i8, 28);
            fields.insert("units_as_of".into(), day.to_string().into());
        }
    }
    if random.once_in(2) {
        plan["thresholds"] = json!({"on_track": "1.10", "at_risk": "0.40"});
    }
}

/// Some time later, or the instant at which a year or a deadline begins, or just before it.
fn later(random: &mut Random, now: Timestamp, longest_pause_days: i64) -> Timestamp {
    match random.below(8) {
        0..=2 => now,
        3..=6 => now + SignedDuration::from_millis(random.between(0, longest_pause_days * 86_400_000)),
        _ => {
            let year = day_of(now).year();
            let edge = *random.of_these(&[date(year, 12, 1), date(year + 1, 1, 1), date(year, 7, 1)]);
            let edge = start_of_day(edge) - SignedDuration::from_millis(random.between(0, 1));
            edge.max(now)
        }
    }
}

fn reporter(random: &mut Random, told: &Told, measure: &str) -> String {
    if told.measure(measure)["level"] == "province" {
        told.province()
    } else {
        // The first few report again and again, so that corrections come about.
        let districts = told.districts();
        let among = random.between(1, districts.len() as i64) as usize;
        random.of_these(&districts[..among]).clone()
    }
}

/// A period that has begun; the latest ones are the most likely.
fn period(random: &mut Random, now: Timestamp) -> i16 {
    let latest = i64::from(day_of(now).year().min(2030));
    (if random.once_in(2) { latest } else { random.between(2021, latest) }) as i16
}

fn report(random: &mut Random, told: &mut Told, now: Timestamp, unit: &str, of_period: Option<i16>) {
    let today = day_of(now);
    let period = of_period.unwrap_or_else(|| period(random, now));
    let oldest = date(period, 1, 1);
    let age_days = match random.below(4) {
        0 | 1 => 0,
        2 => random.between(0, 31),
        _ => random.between(0, 700),
    };
    let document = today.saturating_sub(age_days.days()).max(oldest);
    let of_unit: Vec<String> = {
        let level = if unit == told.province() { "province" } else { "district" };
        let measures = told.measures.iter().filter(|measure| told.measure(measure)["level"] == level);
        measures.cloned().collect()
    };
    let mut lines: BTreeMap<String, Value> = BTreeMap::new();
    for _ in 0..random.between(1, 3) {
        let measure = random.of_these(&of_unit).clone();
        let mut line = value(random, told.measure(&measure), period);
        line.insert("measure".into(), measure.clone().into());
        lines.insert(measure, Value::Object(line));
    }
    let mut data = json!({
        "unit": unit,
        "period": period.to_string(),
        "document": {"number": "1/BC-UBND", "date": document.to_string()},
        "lines": lines.into_values().collect::<Vec<_>>(),
    });
    if (today - document).get_days() > 31 || random.once_in(20) {
        data["history"] = "old paper".into();
    }
    let unit = Some(unit.to_owned());
    told.steps.push(Step { recorded_at: now, kind: "report-submitted", unit, effective: document, data });
}

/// Every district reports a period, or all but one.
fn all_report(random: &mut Random, told: &mut Told, now: Timestamp) {
    let period = period(random, now);
    let mut districts = told.districts();
    if random.once_in(4) {
        let left_out = random.below(districts.len() as u64) as usize;
        districts.remove(left_out);
    }
    if told.measures.iter().any(|measure| told.measure(measure)["level"] == "district") {
        districts.iter().for_each(|unit| report(random, told, now, unit, Some(period)));
    }
}

fn value(random: &mut Random, measure: &Value, period: i16) -> Map<String, Value> {
    let value = if random.once_in(9) {
        json!({"withdrawn": true})
    } else {
        match measure["kind"].as_str().unwrap() {
            "rate" => {
                let denominator =
                    *random.of_these(&[0, 1, 2, 10, 20, 20, 100, 100, 10_000, 1_000_000_000_000]);
                let numerator = match random.below(4) {
                    0 => random.between(0, denominator),
                    // Twentieths meet the thresholds of paths and targets exactly.
                    _ => denominator / 20 * random.between(0, 20),
                };
                json!({"numerator": numerator, "denominator": denominator})
            }
            "level" => json!({"level": random.between(0, measure["highest"].as_i64().unwrap())}),
            _ if random.once_in(3) => json!({"attained": false}),
            _ if random.once_in(3) => {
                let year = random.between(2021, i64::from(period));
                json!({"attained": true, "recognised_year": year.to_string()})
            }
            _ => json!({"attained": true}),
        }
    };
    value.as_object().unwrap().clone()
}

fn near(random: &mut Random, now: Timestamp) -> Date {
    let days = random.between(-400, 400);
    day_of(now).saturating_add(days.days()).max(date(2022, 3, 16))
}

fn change_target(random: &mut Random, told: &mut Told, now: Timestamp) {
    let measure = random.of_these(&told.measures).clone();
    let fed = told.fed_by(&measure);
    let indicator = random.of_these(&fed).clone();
    let review = *random.of_these(&[2025_i16, 2030]);
    let effective = near(random, now).min(date(review, 12, 31));
    let measure = told.measure(&measure);
    let (is_district, kind) = (measure["level"] == "district", measure["kind"].as_str().unwrap());
    let own = (is_district && kind == "rate" && random.once_in(2)).then(|| {
        let districts = told.districts();
        random.of_these(&districts).clone()
    });
    let mut data = json!({
        "indicator": indicator,
        "review": review.to_string(),
        "mark": "attain",
        "effective": effective.to_string(),
        "instrument": format!("{}/QĐ-UBND", told.steps.len()),
    });
    match kind {
        _ if own.is_some() && random.once_in(4) => data["withdrawn"] = true.into(),
        "rate" => data["percent"] = percent(random).into(),
        _ if is_district && random.once_in(2) => data["percent"] = "100".into(),
        _ if is_district => data["percent"] = percent(random).into(),
        "level" => data["level"] = random.between(0, measure["highest"].as_i64().unwrap()).into(),
        _ => data["attained"] = true.into(),
    }
    if let Some(own) = &own {
        data["unit"] = own.clone().into();
    }
    told.steps.push(Step { recorded_at: now, kind: "target-changed", unit: own, effective, data });
}

fn percent(random: &mut Random) -> String {
    match random.below(3) {
        0 => (random.between(0, 20) * 5).to_string(),
        1 => random.between(0, 100).to_string(),
        _ => format!("{}.{:02}", random.between(0, 99), random.between(1, 9) * 11),
    }
}

fn change_unit(random: &mut Random, told: &mut Told, now: Timestamp) {
    let districts = told.districts();
    let unit = random.of_these(&districts).clone();
    let effective = near(random, now);
    let mut data = json!({
        "unit": unit,
        "effective": effective.to_string(),
        "instrument": "202/2025/QH15",
    });
    let change = match random.below(5) {
        0 => json!({"change": "rename", "name": "Khu vực"}),
        1 => json!({"change": "retype", "type": "reporting-area"}),
        2 => json!({"change": "recode", "code": "25840"}),
        _ => json!({"change": "dissolve"}),
    };
    data.as_object_mut().unwrap().append(&mut change.as_object().unwrap().clone());
    told.steps.push(Step { recorded_at: now, kind: "unit-changed", unit: Some(unit), effective, data });
}

/// Questions about random cells at random moments, most of them at the edges of something.
pub(crate) fn questions(
    random: &mut Random,
    told: &Told,
    log: &Log,
    moments: usize,
    cells: usize,
) -> Vec<Question> {
    let adopted = log.recorded_at[0];
    let mut edges: Vec<Timestamp> =
        told.steps.iter().flat_map(|step| [step.recorded_at, start_of_day(step.effective)]).collect();
    for year in 2021..=2032 {
        edges.extend([date(year + 1, 1, 1), date(year, 12, 1), date(year, 7, 1)].map(start_of_day));
    }
    let instant = |random: &mut Random| {
        let edge = *random.of_these(&edges) - SignedDuration::from_millis(random.between(-1, 1));
        edge.min(start_of_day(END))
    };
    let mut questions = Vec::new();
    for _ in 0..moments {
        // One in three asks at the end of everything about any moment, one what was known at a moment about it.
        let kind = random.below(3);
        let known_at = if kind == 0 { start_of_day(END) } else { instant(random).max(adopted) };
        let as_of = if kind == 1 { known_at } else { instant(random) };
        for number in 0..cells {
            let (unit, indicator) = cell(random, told);
            questions.push(Question { as_of, known_at, unit, indicator, series: number % 3 == 2 });
        }
    }
    questions
}

/// A cell, most often one that something was reported for.
fn cell(random: &mut Random, told: &Told) -> (String, String) {
    let spoken_of = random.of_these(&told.measures).clone();
    let measure = if random.once_in(6) {
        random.of_these(&texts(&told.plan["measures"], |_| true)).clone()
    } else {
        spoken_of
    };
    let indicator = random.of_these(&told.fed_by(&measure)).clone();
    let unit = if told.measure(&measure)["level"] == "province" || random.once_in(2) {
        told.province()
    } else {
        random.of_these(&told.districts()).clone()
    };
    (unit, indicator)
}
