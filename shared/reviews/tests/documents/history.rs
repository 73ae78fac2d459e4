//! A short history of a made-up plan: two districts, four indicators, one review of 2027, and texts that try to be more.

use events::{
    ActorId, Document, Event, EventData, LineValue, MeasureId, Percent, Period, PlanAdopted, Position,
    Recorded, ReportLine, ReportSubmitted, Review, TargetChanged, TargetValue, Timestamp, UnitChange,
    UnitChanged, UnitId,
};
use indicators::{Facts, Moment, View};
use plan::Plan;
use reviews::{Draft, DraftError};

/// What a person could type as a name or an instrument to become a formula, a table or a script.
pub(crate) const HOSTILE_NAME: &str = "=HYPERLINK(\"http://x\",\"y\")";
pub(crate) const HOSTILE_INSTRUMENT: &str = "@1|2 <script>alert('x')</script> --> \"q\", # [x](y)";

pub(crate) fn plan() -> Plan {
    let text = include_str!("../../../../tests/fixtures/plans/second.toml");
    plan::file::read("second.toml", text).unwrap()
}

pub(crate) struct History {
    pub(crate) facts: Facts,
    recorded: Vec<Recorded>,
    plan: Plan,
}

impl History {
    /// The plan and the targets of its text.
    pub(crate) fn adopted() -> History {
        let plan = plan();
        let mut history = History { facts: Facts::new(), recorded: Vec::new(), plan: plan.clone() };
        let adoption = PlanAdopted { plan: plan.canonical(), digest: plan.digest(), sample: true };
        history.record("2024-01-15", "2024-01-15T03:00:00Z", EventData::PlanAdopted(adoption));
        for indicator in &plan.indicators {
            for target in &indicator.targets {
                let data = TargetChanged {
                    indicator: indicator.id.clone(),
                    unit: None,
                    review: target.review,
                    value: target.value,
                    mark: target.mark,
                    revision: 1,
                    effective: plan.adopted,
                    instrument: plan.instrument.clone(),
                    reason: None,
                    request_digest: None,
                };
                history.record("2024-01-15", "2024-01-15T03:00:00Z", EventData::TargetChanged(data));
            }
        }
        history
    }

    /// The plan and what was reported, in time, late and not at all, until the review's year is over.
    pub(crate) fn lived() -> History {
        let mut history = History::adopted();
        history.report("bac", 2024, "2024-10-20", &[rate("households-online", 700, 1_000), level(3)]);
        history.report("nam", 2024, "2024-11-05", &[rate("households-online", 1_234, 2_000), level(4)]);
        history.report("an-binh-tinh", 2024, "2024-10-30", &[rate("services-online", 30, 60)]);
        history.change("nam", "2025-07-01", UnitChange::Rename { name: HOSTILE_NAME.into() });
        history.target("bac", "2026-01-01", "90");
        history.report("bac", 2027, "2027-10-20", &[rate("households-online", 875, 1_000), level(4)]);
        history.report("nam", 2027, "2027-10-20", &[rate("households-online", 1_900, 2_000), level(3)]);
        history.report("an-binh-tinh", 2027, "2027-10-20", &[attained(), rate("services-online", 45, 60)]);
        history
    }

    fn record(&mut self, effective: &str, recorded_at: &str, data: EventData) {
        let position: Position = self.facts.head().next();
        let event = Event {
            id: events::ids::derived_id(&["reviews-test", &position.to_string()]),
            plan: self.plan.id.clone(),
            effective: self.plan.calendar.start_of_day(effective.parse().unwrap()),
            actor: ActorId::parse("tester").unwrap(),
            traceparent: None,
            data,
        };
        let recorded = Recorded { position, recorded_at: instant(recorded_at), event };
        self.facts.apply(&recorded).unwrap();
        self.recorded.push(recorded);
    }

    pub(crate) fn report(&mut self, unit: &str, period: i16, date: &str, lines: &[ReportLine]) {
        let data = ReportSubmitted {
            unit: UnitId::parse(unit).unwrap(),
            period: Period(period),
            revision: self.facts.next_revision(&UnitId::parse(unit).unwrap(), Period(period)),
            document: Document { number: "1/BC".into(), date: date.parse().unwrap() },
            lines: lines.to_vec(),
            history: None,
            request_digest: None,
        };
        self.record(date, &format!("{date}T02:00:00Z"), EventData::ReportSubmitted(data));
    }

    fn change(&mut self, unit: &str, date: &str, change: UnitChange) {
        let data = UnitChanged {
            unit: UnitId::parse(unit).unwrap(),
            change,
            revision: 1,
            effective: date.parse().unwrap(),
            instrument: HOSTILE_INSTRUMENT.into(),
            reason: None,
            request_digest: None,
        };
        self.record(date, &format!("{date}T02:00:00Z"), EventData::UnitChanged(data));
    }

    fn target(&mut self, unit: &str, date: &str, percent: &str) {
        let data = TargetChanged {
            indicator: "households-online".parse().unwrap(),
            unit: Some(UnitId::parse(unit).unwrap()),
            review: Review(2027),
            value: TargetValue::Percent(Percent::parse(percent).unwrap()),
            mark: events::Mark::Attain,
            revision: 1,
            effective: date.parse().unwrap(),
            instrument: "12/QĐ-UBND".into(),
            reason: None,
            request_digest: None,
        };
        self.record(date, &format!("{date}T02:00:00Z"), EventData::TargetChanged(data));
    }

    /// The review of a year, with both times the same.
    pub(crate) fn review(&self, year: &str, at: &str) -> Result<reviews::Review, DraftError> {
        let at = instant(at);
        let cut = self.recorded.iter().filter(|recorded| recorded.recorded_at <= at).count();
        let view = View::new(&self.facts, Moment::at(Position(cut as u64), at)).unwrap();
        let draft = Draft::of(&view, year, self.facts.digest_at(Position(cut as u64)))?;
        let recorded_at = |position: Position| {
            let recorded = &self.recorded[usize::try_from(position.0).unwrap() - 1];
            self.plan.calendar.shown(recorded.recorded_at)
        };
        let checkpoint = format!("an-binh.example/log\n{cut}\nroot=\n\n— an-binh.example/log signature=\n");
        Ok(draft.finish(recorded_at, Some(checkpoint)))
    }
}

pub(crate) fn rate(measure: &str, numerator: u64, denominator: u64) -> ReportLine {
    line(measure, LineValue::Rate { numerator, denominator })
}

fn level(level: u8) -> ReportLine {
    line("office-level", LineValue::Level { level })
}

fn attained() -> ReportLine {
    line("data-centre", LineValue::Attained { attained: true, recognised_year: None })
}

fn line(measure: &str, value: LineValue) -> ReportLine {
    ReportLine { measure: MeasureId::parse(measure).unwrap(), value, source: None }
}

pub(crate) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}
