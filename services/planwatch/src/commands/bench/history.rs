//! A made-up history as long as one likes: nine districts, every period, corrections without end, and what
//! alerts and targets do meanwhile. The same number of events always gives the same events.

use super::Size;
use super::made_up::{DENOMINATOR, SOURCE};
use events::{
    ActorId, AlertId, AlertRaised, AlertResolved, Date, Document, Event, EventData, IndicatorId, LineValue,
    MeasureId, Percent, Period, ReportLine, ReportSubmitted, Resolution, Rule, Severity, Summary,
    TargetChanged, TargetValue, Timestamp, UnitChange, UnitChanged, UnitId, ids,
};
use plan::{Level, MeasureKind, Plan};
use std::collections::{HashMap, VecDeque};

/// The last instant of the history, however long it is; the first is the plan's adoption.
const ENDS: &str = "2026-10-01T00:00:00Z";
/// Of so many events one raises an alert, and one ends or acknowledges one.
const ALERT_EVERY: u64 = 50;
/// Of so many events one sets a target.
const TARGET_EVERY: u64 = 500;
/// Of so many events one changes a unit.
const UNIT_CHANGE_EVERY: u64 = 20_011;
/// No document is older than this when it is recorded.
const DOCUMENT_DAYS: i64 = 20;

/// The history, event by event.
pub(super) struct History<'a> {
    plan: &'a Plan,
    size: Size,
    districts: Vec<UnitId>,
    rates: Vec<MeasureId>,
    indicators: Vec<IndicatorId>,
    actor: ActorId,
    total: u64,
    index: u64,
    revisions: HashMap<(UnitId, Period), u32>,
    target_revisions: HashMap<(IndicatorId, UnitId), u32>,
    unit_revisions: HashMap<UnitId, u32>,
    episodes: HashMap<(UnitId, IndicatorId), u32>,
    open: VecDeque<(AlertId, UnitId, IndicatorId)>,
    raised: u64,
}

impl<'a> History<'a> {
    /// A history of so many events of a plan that was adopted and whose targets were set.
    pub(super) fn new(plan: &'a Plan, total: u64, size: Size) -> History<'a> {
        let rates = plan
            .measures
            .iter()
            .filter(|measure| measure.level == Level::District && measure.kind == MeasureKind::Rate);
        let rates: Vec<MeasureId> = rates.map(|measure| measure.id.clone()).collect();
        let fed = |indicator: &&plan::Indicator| rates.contains(&indicator.measure);
        History {
            plan,
            size,
            districts: plan.districts().map(|unit| unit.id.clone()).collect(),
            indicators: plan.indicators.iter().filter(fed).map(|of| of.id.clone()).collect(),
            rates,
            actor: ActorId::parse("operator-bench").expect("it is a slug"),
            total,
            index: 0,
            revisions: HashMap::new(),
            target_revisions: HashMap::new(),
            unit_revisions: HashMap::new(),
            episodes: HashMap::new(),
            open: VecDeque::new(),
            raised: 0,
        }
    }

    /// When the next event is recorded.
    pub(super) fn now(&self) -> Timestamp {
        let begins = self.plan.calendar.end_of_day(self.plan.adopted).as_millisecond();
        let ends = ENDS.parse::<Timestamp>().expect("it is an instant").as_millisecond();
        let passed = i128::from(ends - begins) * i128::from(self.index) / i128::from(self.total.max(1));
        let passed = i64::try_from(passed).expect("it lies between two instants");
        Timestamp::from_millisecond(begins + passed).expect("it lies between two instants")
    }

    fn event(&self, date: Date, data: EventData) -> Event {
        Event {
            id: ids::derived_id(&["bench", "history", &self.index.to_string()]),
            plan: self.plan.id.clone(),
            effective: self.plan.calendar.start_of_day(date),
            actor: self.actor.clone(),
            traceparent: None,
            data,
        }
    }

    fn report(&mut self, today: Date, luck: u64) -> Event {
        let unit = pick(&self.districts, self.index).clone();
        let years = i64::from(today.year() - self.plan.calendar.first_period.year());
        let back = i64::try_from(luck % (years.unsigned_abs() + 1)).expect("it is a number of years");
        let period = Period(today.year() - i16::try_from(back).expect("it is a number of years"));
        let days = i64::try_from((luck >> 8) % DOCUMENT_DAYS.unsigned_abs()).expect("it is small");
        let date = today.saturating_sub(jiff::Span::new().days(days));
        let date = date.max(self.plan.adopted).max(Date::constant(period.year(), 1, 1));
        let revision = self.revisions.entry((unit.clone(), period)).or_default();
        *revision += 1;
        let revision = *revision;
        let numerator = (luck >> 16) % (DENOMINATOR + 1);
        let (measures, source) = match self.size {
            Size::Small => (std::slice::from_ref(pick(&self.rates, luck >> 40)), None),
            Size::Real => (self.rates.as_slice(), Some(SOURCE.to_owned())),
        };
        let value = LineValue::Rate { numerator, denominator: DENOMINATOR };
        let lines =
            measures.iter().map(|of| ReportLine { measure: of.clone(), value, source: source.clone() });
        let data = ReportSubmitted {
            unit,
            period,
            revision,
            document: Document { number: format!("BENCH/{}", self.index), date },
            lines: lines.collect(),
            history: None,
            request_digest: None,
        };
        self.event(date, EventData::ReportSubmitted(data))
    }

    fn raise(&mut self, today: Date) -> Option<Event> {
        let unit = pick(&self.districts, self.raised).clone();
        let indicator = pick(&self.indicators, self.raised / self.districts.len() as u64).clone();
        if self.open.iter().any(|(_, of, about)| *of == unit && *about == indicator) {
            return None;
        }
        self.raised += 1;
        let episode = self.episodes.entry((unit.clone(), indicator.clone())).or_default();
        *episode += 1;
        let alert = ids::derived_id(&["bench", "alert", &self.raised.to_string()]);
        let data = AlertRaised {
            alert,
            rule: Rule::Behind,
            unit: unit.clone(),
            indicator: Some(indicator.clone()),
            period: Some(Period(today.year())),
            episode: *episode,
            severity: Severity::Warning,
            because: vec![ids::derived_id(&[
                "bench",
                "history",
                &(self.index.saturating_sub(1)).to_string(),
            ])],
            summary: summary("chậm", "behind"),
        };
        self.open.push_back((alert, unit, indicator));
        Some(self.event(today, EventData::AlertRaised(data)))
    }

    fn resolve(&mut self, today: Date) -> Option<Event> {
        let (alert, unit, indicator) = self.open.pop_front()?;
        let data = AlertResolved {
            alert,
            rule: Rule::Behind,
            unit,
            indicator: Some(indicator),
            resolution: Resolution::Recovered,
            because: Vec::new(),
            summary: summary("đã kịp", "recovered"),
        };
        Some(self.event(today, EventData::AlertResolved(data)))
    }

    fn target(&mut self, today: Date, luck: u64) -> Event {
        let unit = pick(&self.districts, luck).clone();
        let indicator = pick(&self.indicators, luck >> 8).clone();
        let revision = self.target_revisions.entry((indicator.clone(), unit.clone())).or_default();
        *revision += 1;
        let percent = Percent::parse(&(luck % 101).to_string()).expect("it is a percentage");
        let data = TargetChanged {
            indicator,
            unit: Some(unit),
            review: self.plan.reviews.last().expect("a plan has reviews").review,
            value: TargetValue::Percent(percent),
            mark: events::Mark::Attain,
            revision: *revision,
            effective: today,
            instrument: format!("{}/QĐ-UBND", self.index),
            reason: None,
            request_digest: None,
        };
        self.event(today, EventData::TargetChanged(data))
    }

    fn retype(&mut self, today: Date, luck: u64) -> Event {
        let unit = pick(&self.districts, luck).clone();
        let revision = self.unit_revisions.entry(unit.clone()).or_default();
        *revision += 1;
        let change = UnitChange::Retype { unit_type: format!("type-{revision}") };
        let data = UnitChanged {
            unit,
            change,
            revision: *revision,
            effective: today,
            instrument: format!("{}/NQ-UBTVQH15", self.index),
            reason: None,
            request_digest: None,
        };
        self.event(today, EventData::UnitChanged(data))
    }
}

impl Iterator for History<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if self.index >= self.total {
            return None;
        }
        let today = self.plan.calendar.date_of(self.now());
        let luck = scattered(self.index);
        let special = match self.index {
            index if index % UNIT_CHANGE_EVERY == UNIT_CHANGE_EVERY - 1 => Some(self.retype(today, luck)),
            index if index % TARGET_EVERY == TARGET_EVERY - 1 => Some(self.target(today, luck)),
            index if index % ALERT_EVERY == 0 => self.raise(today),
            index if index % ALERT_EVERY == ALERT_EVERY / 2 => self.resolve(today),
            _ => None,
        };
        let event = special.unwrap_or_else(|| self.report(today, luck));
        self.index += 1;
        Some(event)
    }
}

/// A number that looks like chance and is always the same (the finaliser of `splitmix64`).
fn scattered(index: u64) -> u64 {
    let mut mixed = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn pick<T>(list: &[T], number: u64) -> &T {
    let index = usize::try_from(number % list.len() as u64).expect("it is below the length of a list");
    &list[index]
}

fn summary(vi: &str, en: &str) -> Summary {
    Summary { vi: vi.to_owned(), en: en.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adopt::{BINH_DUONG, BINH_DUONG_NAME, read_plan};
    use events::Position;
    use indicators::Facts;

    #[test]
    fn the_history_is_always_the_same_and_folds_without_setting_anything_aside() {
        let plan = read_plan(BINH_DUONG_NAME, BINH_DUONG).unwrap();
        for size in [Size::Small, Size::Real] {
            let history = || History::new(&plan, 25_000, size).collect::<Vec<_>>();
            let (one, other) = (history(), history());
            assert!(one == other);
            let mut facts = Facts::new();
            let adopted = ingestion::adoption_events(&plan, true);
            for event in adopted.into_iter().chain(one) {
                let position: Position = facts.head().next();
                let recorded_at = plan.calendar.start_of_day(plan.adopted);
                facts.apply(&events::Recorded { position, recorded_at, event }).unwrap();
            }
            assert!(facts.parked().is_empty(), "{:?}", facts.parked());
            assert!(facts.alerts().count() > 400);
        }
    }
}
