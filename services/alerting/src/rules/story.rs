//! A small plan and a story told day by day, for the tests of the rules.

use super::{Decided, Scope, decide, next_instant};
use events::{
    ActorId, BaselineEntered, BaselineValue, Date, DeadlineExtended, Document, Event, EventData, KeyChange,
    KeyValue, LineValue, Mark, MeasureId, Period, PlanAdopted, PlanAmended, PlanId, Position, Recorded,
    ReportLine, ReportSubmitted, Review, TargetChanged, TargetValue, Timestamp, UnitChange, UnitChanged,
    UnitId, ids::derived_id,
};
use indicators::{Applied, Facts, Moment, View};
use plan::Plan;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// How many rounds of decisions may follow one event: a bound that no rule comes near.
const ROUNDS_LIMIT: usize = 8;

pub(super) struct Story {
    pub(super) facts: Facts,
    pub(super) now: Timestamp,
    pub(super) decided: Vec<Decided>,
    target_revisions: BTreeMap<String, u32>,
    poisoned: BTreeSet<Option<UnitId>>,
}

/// Three districts, a rate, a level, a recognition and a yes/no of the province.
pub(super) fn small_plan() -> Plan {
    let names = |text: &str| json!({"vi": format!("{text} (vi)"), "en": text});
    let unit = |id: &str, level: &str| json!({"id": id, "code": "1", "name": names(id), "level": level, "type": level});
    let target = |review: &str, key: &str, value: serde_json::Value, mark: &str| json!({"review": review, key: value, "mark": mark, "paragraph": "II.2"});
    let indicator = |id: &str, measure: &str, targets: serde_json::Value| {
        json!({"id": id, "name": names(id), "measure": measure, "base": names("all"), "paragraph": "II.2",
               "bodies": [], "targets": targets})
    };
    let mut rate = indicator(
        "life-skills",
        "life-skills",
        json!([
            target("2025", "percent", json!("50"), "attain"),
            target("2030", "percent", json!("70"), "attain")
        ]),
    );
    rate["binds_districts"] = json!(true);
    let mut literacy = indicator(
        "literacy",
        "literacy-level",
        json!([
            target("2025", "percent", json!("100"), "maintain"),
            target("2030", "percent", json!("100"), "maintain")
        ]),
    );
    literacy["counts_from_level"] = json!(2);
    let recognised = indicator(
        "learning-districts",
        "learning-district",
        json!([
            target("2025", "percent", json!("25"), "attain"),
            target("2030", "percent", json!("50"), "attain")
        ]),
    );
    let preschool =
        indicator("preschool", "preschool", json!([target("2025", "attained", json!(true), "attain")]));
    let plan = json!({
        "id": "small", "name": names("Small"), "instrument": "1/KH", "issuer": names("Committee"),
        "adopted": "2022-03-16",
        "calendar": {"time_zone": "Asia/Ho_Chi_Minh", "first_period": "2021", "last_period": "2030",
                     "duty_from": "2022", "due_before": "12-01", "paragraph": "V", "history_after_days": 31},
        "reviews": [{"review": "2025", "name": names("Interim"), "paragraph": "V"},
                    {"review": "2030", "name": names("Final"), "paragraph": "V"}],
        "thresholds": {"on_track": "0.95", "at_risk": "0.60"},
        "alerts": {"behind": {"fires_below": "0.60", "clears_from": "0.65"},
                   "at_risk": {"fires_below": "0.95", "clears_from": "0.97"}},
        "bodies": [],
        "units": [unit("ha", "province"), unit("dong", "district"), unit("tay", "district"), unit("nam", "district")],
        "measures": [
            {"id": "life-skills", "name": names("life-skills"), "level": "district", "kind": "rate"},
            {"id": "literacy-level", "name": names("literacy-level"), "level": "district", "kind": "level", "highest": 2},
            {"id": "learning-district", "name": names("learning-district"), "level": "district", "kind": "attained", "months": 36},
            {"id": "preschool", "name": names("preschool"), "level": "province", "kind": "attained"}],
        "indicators": [rate, literacy, recognised, preschool],
        "decisions": [],
    });
    Plan::from_canonical(&plan).expect("the small plan is a plan")
}

pub(super) fn rate(measure: &str, numerator: u64, denominator: u64) -> (String, LineValue) {
    (measure.to_owned(), LineValue::Rate { numerator, denominator })
}

pub(super) fn level(measure: &str, level: u8) -> (String, LineValue) {
    (measure.to_owned(), LineValue::Level { level })
}

pub(super) fn attained(measure: &str, attained: bool) -> (String, LineValue) {
    (measure.to_owned(), LineValue::Attained { attained, recognised_year: None })
}

pub(super) fn withdrawn(measure: &str) -> (String, LineValue) {
    (measure.to_owned(), LineValue::WITHDRAWN)
}

/// The small plan has been adopted on 16 March 2022 with its targets, and nothing reported.
pub(super) fn given_the_plan() -> Story {
    let plan = small_plan();
    let mut story = Story {
        facts: Facts::new(),
        now: plan.calendar.start_of_day("2022-03-16".parse().unwrap()),
        decided: Vec::new(),
        target_revisions: BTreeMap::new(),
        poisoned: BTreeSet::new(),
    };
    story.record(EventData::PlanAdopted(PlanAdopted {
        plan: plan.canonical(),
        digest: plan.digest(),
        sample: false,
    }));
    for indicator in &plan.indicators {
        for target in &indicator.targets {
            let data = story.target_changed(
                (indicator.id.as_str(), None),
                target.review.year(),
                target.value,
                target.mark,
                plan.adopted,
            );
            story.record(data);
        }
    }
    assert_eq!(story.decided, [], "nothing follows from the plan alone");
    story
}

impl Story {
    pub(super) fn view(&self) -> View<'_> {
        View::new(&self.facts, Moment::at(self.facts.head(), self.now)).expect("the plan is adopted")
    }

    fn date(&self, text: &str) -> Date {
        text.parse().expect("a date of the story")
    }

    /// Lets time pass up to nine o'clock of a day; what the clock alone brings is decided when it comes.
    pub(super) fn on(mut self, day: &str) -> Story {
        let calendar = small_plan().calendar;
        let nine = calendar.start_of_day(self.date(day)) + jiff::SignedDuration::from_hours(9);
        while let Some(instant) = next_instant(&self.view(), self.now).filter(|instant| *instant <= nine) {
            self.now = instant;
            self.settle(Scope::everything());
        }
        self.now = nine;
        self
    }

    /// A unit reports today.
    pub(super) fn report(self, unit: &str, period: i16, lines: &[(String, LineValue)]) -> Story {
        let today = small_plan().calendar.date_of(self.now);
        self.report_of(today, unit, period, lines)
    }

    fn report_of(mut self, date: Date, unit: &str, period: i16, lines: &[(String, LineValue)]) -> Story {
        let unit = UnitId::parse(unit).unwrap();
        let data = EventData::ReportSubmitted(ReportSubmitted {
            revision: self.facts.next_revision(&unit, Period(period)),
            unit,
            period: Period(period),
            document: Document { number: "1/BC".into(), date },
            lines: lines
                .iter()
                .map(|(measure, value)| ReportLine {
                    measure: MeasureId::parse(measure).unwrap(),
                    value: *value,
                    source: None,
                })
                .collect(),
            history: None,
            request_digest: None,
        });
        self.happens(data);
        self
    }

    /// Every district reports the same.
    pub(super) fn all_report(mut self, period: i16, lines: &[(String, LineValue)]) -> Story {
        for unit in ["dong", "tay", "nam"] {
            self = self.report(unit, period, lines);
        }
        self
    }

    /// A target is changed today.
    pub(super) fn target(
        self,
        of: (&str, Option<&str>),
        review: i16,
        percent: &str,
        effective: &str,
    ) -> Story {
        let value = TargetValue::Percent(events::Percent::parse(percent).unwrap());
        self.target_value(of, review, value, effective)
    }

    pub(super) fn target_value(
        mut self,
        of: (&str, Option<&str>),
        review: i16,
        value: TargetValue,
        effective: &str,
    ) -> Story {
        let effective = self.date(effective);
        let data = self.target_changed(of, review, value, Mark::Attain, effective);
        self.happens(data);
        self
    }

    fn target_changed(
        &mut self,
        (indicator, unit): (&str, Option<&str>),
        review: i16,
        value: TargetValue,
        mark: Mark,
        effective: Date,
    ) -> EventData {
        let revision = self.target_revisions.entry(format!("{indicator} {unit:?} {review}")).or_default();
        *revision += 1;
        EventData::TargetChanged(TargetChanged {
            indicator: indicator.parse().unwrap(),
            unit: unit.map(|unit| unit.parse().unwrap()),
            review: Review(review),
            value,
            mark,
            revision: *revision,
            effective,
            instrument: "2/QĐ".into(),
            reason: None,
            request_digest: None,
        })
    }

    /// A unit is dissolved.
    pub(super) fn dissolve(self, unit: &str, effective: &str) -> Story {
        self.change(unit, UnitChange::Dissolve, effective)
    }

    /// A unit changes.
    pub(super) fn change(mut self, unit: &str, change: UnitChange, effective: &str) -> Story {
        let data = EventData::UnitChanged(UnitChanged {
            unit: unit.parse().unwrap(),
            change,
            revision: 1,
            effective: self.date(effective),
            instrument: "3/NQ".into(),
            reason: None,
            request_digest: None,
        });
        self.happens(data);
        self
    }

    /// Where a rate began is entered, out of 100.
    pub(super) fn baseline(mut self, unit: &str, indicator: &str, period: i16, percent: u64) -> Story {
        let date = small_plan().calendar.date_of(self.now);
        let data = EventData::BaselineEntered(BaselineEntered {
            unit: unit.parse().unwrap(),
            indicator: indicator.parse().unwrap(),
            period: Period(period),
            value: BaselineValue::Rate { numerator: percent, denominator: 100 },
            document: Document { number: "4/BC".into(), date },
            reason: None,
            revision: 1,
            request_digest: None,
        });
        self.happens(data);
        self
    }

    /// Keys of the plan are given other values.
    pub(super) fn amend(mut self, changes: &[(&str, &str)], effective: &str) -> Story {
        let change = |(key, value): &(&str, &str)| KeyChange {
            key: (*key).to_owned(),
            value: KeyValue::Text((*value).to_owned()),
        };
        let data = EventData::PlanAmended(PlanAmended {
            changes: changes.iter().map(change).collect(),
            revision: 1,
            effective: self.date(effective),
            instrument: "5/QĐ".into(),
            reason: None,
            request_digest: None,
        });
        self.happens(data);
        self
    }

    /// The reports of a period may come later.
    pub(super) fn extend(mut self, period: i16, unit: Option<&str>, due_before: &str) -> Story {
        let effective = small_plan().calendar.date_of(self.now);
        let data = EventData::DeadlineExtended(DeadlineExtended {
            period: Period(period),
            unit: unit.map(|unit| unit.parse().unwrap()),
            due_before: self.date(due_before),
            revision: 1,
            effective,
            instrument: "6/UBND".into(),
            reason: None,
            request_digest: None,
        });
        self.happens(data);
        self
    }

    /// An event that the fold cannot read: its unit is set aside from here on.
    pub(super) fn poison(mut self, unit: &str) -> Story {
        let position = self.facts.head().next();
        let unit: UnitId = unit.parse().unwrap();
        self.poisoned.insert(Some(unit.clone()));
        let applied = self.facts.apply_unreadable(position, self.now, Some(unit), "it is poison");
        assert_eq!(applied, Ok(Applied::Parked));
        self.settle(Scope::everything());
        self
    }

    fn happens(&mut self, data: EventData) {
        self.record(data.clone());
        let scope = Scope::touched_by(&self.facts, &data);
        self.settle(scope);
    }

    /// Lets the rules decide until nothing follows. What the scope leaves out must have nothing to decide.
    fn settle(&mut self, scope: Scope) {
        for _ in 0..ROUNDS_LIMIT {
            let decided = decide(&self.view(), &scope);
            if decided.is_empty() {
                let elsewhere = decide(&self.view(), &Scope::everything());
                assert_eq!(elsewhere, [], "the scope of the event leaves nothing out");
                return;
            }
            for decision in decided {
                let data = match decision.clone() {
                    Decided::Raise(raised) => EventData::AlertRaised(raised),
                    Decided::Resolve(resolved) => EventData::AlertResolved(resolved),
                };
                self.record_as(transition_id(&decision), data);
                self.decided.push(decision);
            }
        }
        panic!("the rules go on deciding");
    }

    fn record(&mut self, data: EventData) {
        self.record_as(derived_id(&["story", &self.facts.head().to_string()]), data);
    }

    fn record_as(&mut self, id: events::EventId, data: EventData) {
        let plan = small_plan();
        let effective = match &data {
            EventData::PlanAdopted(_) => plan.calendar.start_of_day(plan.adopted),
            EventData::ReportSubmitted(data) => plan.calendar.start_of_day(data.document.date),
            EventData::TargetChanged(data) => plan.calendar.start_of_day(data.effective),
            EventData::UnitChanged(data) => plan.calendar.start_of_day(data.effective),
            EventData::BaselineEntered(data) => plan.calendar.start_of_day(data.document.date),
            EventData::PlanAmended(data) => plan.calendar.start_of_day(data.effective),
            EventData::DeadlineExtended(data) => plan.calendar.start_of_day(data.effective),
            EventData::AlertRaised(_) | EventData::AlertResolved(_) | EventData::AlertAcknowledged(_) => {
                self.now
            }
        };
        let event = Event {
            id,
            plan: PlanId::parse("small").unwrap(),
            effective,
            actor: ActorId::parse("story").unwrap(),
            traceparent: None,
            data,
        };
        let position = Position(self.facts.head().0 + 1);
        let unit = event.data.unit().cloned();
        let applied = self.facts.apply(&Recorded { position, recorded_at: self.now, event });
        let set_aside = self.facts.parked().contains_key(&unit) && self.poisoned.contains(&unit);
        let expected = if set_aside { Applied::Parked } else { Applied::Folded };
        assert_eq!(applied, Ok(expected), "position {position}");
    }

    /// What was decided on a place since this was last asked, whatever was decided elsewhere.
    #[track_caller]
    pub(super) fn then(mut self, place: &str, expected: &[&str]) -> Story {
        let said: Vec<String> = self
            .decided
            .drain(..)
            .map(|decided| in_words(&decided))
            .filter_map(|words| words.strip_prefix(&format!("{place}: ")).map(str::to_owned))
            .collect();
        assert_eq!(said, expected, "on {place}");
        self
    }
}

/// `dong life-skills: behind raised for 2023, warning` or `dong life-skills: behind resolved, recovered`.
pub(super) fn in_words(decided: &Decided) -> String {
    let place = match decided.indicator() {
        Some(indicator) => format!("{} {indicator}", decided.unit()),
        None => decided.unit().to_string(),
    };
    match decided {
        Decided::Raise(raised) => {
            let period = raised.period.map_or("no period".into(), |period| period.to_string());
            format!("{place}: {} raised for {period}, {}", raised.rule, word(raised.severity))
        }
        Decided::Resolve(resolved) => {
            format!("{place}: {} resolved, {}", resolved.rule, word(resolved.resolution))
        }
    }
}

/// The word that is written into the log.
fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

/// An event id that follows from the episode and what becomes of it.
pub(super) fn transition_id(decided: &Decided) -> events::EventId {
    let transition = match decided {
        Decided::Raise(_) => "raised",
        Decided::Resolve(_) => "resolved",
    };
    derived_id(&["transition", &decided.alert().to_string(), transition])
}
