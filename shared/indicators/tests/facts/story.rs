//! Stories: a log told event by event, and the questions that are asked of it.

use events::{
    ActorId, BaselineEntered, BaselineValue, DeadlineExtended, Document, Event, EventData, IndicatorId,
    KeyChange, KeyValue, LineValue, MeasureId, Percent, Period, PlanAdopted, PlanAmended, Position, Recorded,
    ReportLine, ReportSubmitted, Review, TargetChanged, TargetValue, Timestamp, UnitChange, UnitChanged,
    UnitId,
};
use indicators::{Alert, AlertsQuery, Cell, Facts, Moment, Value, View, read_moment};
use plan::Plan;

/// When every question is asked, unless it says otherwise: after everything that is told.
pub(crate) const NOW: &str = "2033-01-01T00:00:00Z";

/// The nine districts, in the order of the plan.
pub(crate) const DISTRICTS: [&str; 9] = [
    "thu-dau-mot",
    "bau-bang",
    "dau-tieng",
    "ben-cat",
    "phu-giao",
    "tan-uyen",
    "di-an",
    "thuan-an",
    "bac-tan-uyen",
];

/// The province.
pub(crate) const PROVINCE: &str = "binh-duong";

/// One line of a report.
pub(crate) type Line = (&'static str, LineValue);

pub(crate) fn rate(measure: &'static str, numerator: u64, denominator: u64) -> Line {
    (measure, LineValue::Rate { numerator, denominator })
}

pub(crate) fn level(measure: &'static str, level: u8) -> Line {
    (measure, LineValue::Level { level })
}

pub(crate) fn attained(measure: &'static str, attained: bool) -> Line {
    (measure, LineValue::Attained { attained, recognised_year: None })
}

pub(crate) fn recognised(measure: &'static str, year: i16) -> Line {
    (measure, LineValue::Attained { attained: true, recognised_year: Some(Period(year)) })
}

pub(crate) fn withdrawn(measure: &'static str) -> Line {
    (measure, LineValue::WITHDRAWN)
}

pub(crate) fn percent(text: &str) -> TargetValue {
    TargetValue::Percent(Percent::parse(text).unwrap())
}

pub(crate) fn unit(id: &str) -> UnitId {
    UnitId::parse(id).unwrap()
}

pub(crate) fn indicator(id: &str) -> IndicatorId {
    IndicatorId::parse(id).unwrap()
}

pub(crate) fn binh_duong() -> Plan {
    let text = include_str!("../../../../deploy/plans/binh-duong.toml");
    plan::file::read("binh-duong.toml", text).expect("the plan file of the repository is right")
}

/// A log, its facts, and the day on which the next event is recorded.
#[derive(Clone)]
pub(crate) struct Story {
    pub(crate) plan: Plan,
    pub(crate) log: Vec<Recorded>,
    pub(crate) facts: Facts,
    now: Timestamp,
    document: Option<&'static str>,
    history: bool,
}

/// The plan of Bình Dương, adopted on 16 March 2022 with its 31 targets.
pub(crate) fn given() -> Story {
    given_plan(binh_duong(), |_, _| true)
}

/// A plan adopted on its date, with those of its targets that are kept.
pub(crate) fn given_plan(plan: Plan, keep: impl Fn(&str, Review) -> bool) -> Story {
    let adopted = plan.adopted;
    let now = plan.calendar.start_of_day(adopted);
    let mut story = Story {
        plan: plan.clone(),
        log: Vec::new(),
        facts: Facts::new(),
        now,
        document: None,
        history: false,
    };
    let data = PlanAdopted { plan: plan.canonical(), digest: plan.digest(), sample: false };
    story.record(now, EventData::PlanAdopted(data));
    for of in &plan.indicators {
        for target in of.targets.iter().filter(|target| keep(of.id.as_str(), target.review)) {
            let data = TargetChanged {
                indicator: of.id.clone(),
                unit: None,
                review: target.review,
                value: target.value,
                mark: target.mark,
                revision: 1,
                effective: adopted,
                instrument: plan.instrument.clone(),
                reason: None,
                request_digest: None,
            };
            story.record(now, EventData::TargetChanged(data));
        }
    }
    story
}

impl Story {
    /// The next position.
    pub(crate) fn next(&self) -> Position {
        self.facts.head().next()
    }

    /// Records an event as it is; what the fold says of it is asserted by who tells the story.
    pub(crate) fn record(&mut self, effective: Timestamp, data: EventData) -> &mut Story {
        let position = self.next();
        let id = events::ids::derived_id(&["story", &position.to_string()]);
        let event = Event {
            id,
            plan: self.plan.id.clone(),
            effective,
            actor: ActorId::parse("tester").unwrap(),
            traceparent: None,
            data,
        };
        let recorded = Recorded { position, recorded_at: self.now, event };
        self.facts.apply(&recorded).unwrap();
        self.log.push(recorded);
        self
    }

    /// What comes next is recorded at nine o'clock of this day, or at this instant.
    pub(crate) fn on(&mut self, moment: &str) -> &mut Story {
        let now = match events::command::read_date(moment) {
            Some(date) => self.plan.calendar.start_of_day(date) + jiff::SignedDuration::from_hours(9),
            None => moment.parse().unwrap(),
        };
        assert!(now >= self.now, "a story goes forward");
        self.now = now;
        self
    }

    /// The next report's document bears this date; otherwise the day on which it is recorded.
    pub(crate) fn document(&mut self, date: &'static str) -> &mut Story {
        self.document = Some(date);
        self
    }

    /// The next report is entered as history.
    pub(crate) fn history(&mut self) -> &mut Story {
        self.history = true;
        self
    }

    pub(crate) fn report(
        &mut self,
        of: &str,
        period: &str,
        lines: impl IntoIterator<Item = Line>,
    ) -> &mut Story {
        let calendar = &self.plan.calendar;
        let date = match self.document.take() {
            Some(date) => date.parse().unwrap(),
            None => calendar.date_of(self.now),
        };
        let effective = calendar.start_of_day(date);
        let (of, period) = (unit(of), Period::parse(period).unwrap());
        let line = |(measure, value)| ReportLine {
            measure: MeasureId::parse(measure).unwrap(),
            value,
            source: None,
        };
        let data = ReportSubmitted {
            revision: self.facts.next_revision(&of, period),
            unit: of,
            period,
            document: Document { number: "215/BC-UBND".into(), date },
            lines: lines.into_iter().map(line).collect(),
            history: std::mem::take(&mut self.history).then(|| "paper from before the plan".into()),
            request_digest: None,
        };
        self.record(effective, EventData::ReportSubmitted(data))
    }

    /// Each of the nine districts reports what `lines` gives for its place in the list.
    pub(crate) fn all_report(&mut self, period: &str, lines: impl Fn(usize) -> Vec<Line>) -> &mut Story {
        let document = self.document;
        for (place, of) in DISTRICTS.iter().enumerate() {
            self.document = document;
            self.report(of, period, lines(place));
        }
        self
    }

    /// A report of each period's November: period, numerator of 10,000.
    pub(crate) fn yearly(&mut self, of: &str, measure: &'static str, points: &[(i16, u64)]) -> &mut Story {
        for (year, numerator) in points {
            // No document is older than the plan's first period; 2021 is entered after the plan as history.
            if *year == 2021 {
                self.on("2022-03-20").document("2021-11-20").history();
            } else {
                self.on(&format!("{year}-11-20"));
            }
            self.report(of, &year.to_string(), [rate(measure, *numerator, 10_000)]);
        }
        self
    }

    pub(crate) fn target(
        &mut self,
        of: &str,
        own: Option<&str>,
        review: i16,
        value: TargetValue,
        effective: &str,
    ) -> &mut Story {
        let of_plan = self.plan.indicator(&indicator(of)).unwrap();
        let marks = of_plan.targets.iter().filter(|target| target.review.year() == review);
        let effective = effective.parse().unwrap();
        let data = TargetChanged {
            indicator: indicator(of),
            unit: own.map(unit),
            review: Review(review),
            value,
            mark: marks.map(|target| target.mark).next().unwrap_or(events::Mark::Attain),
            revision: 2,
            effective,
            instrument: "77/QĐ-UBND".into(),
            reason: None,
            request_digest: None,
        };
        self.record(self.plan.calendar.start_of_day(effective), EventData::TargetChanged(data))
    }

    pub(crate) fn change(&mut self, of: &str, change: UnitChange, effective: &str) -> &mut Story {
        let effective = effective.parse().unwrap();
        let data = UnitChanged {
            unit: unit(of),
            change,
            revision: 1,
            effective,
            instrument: "202/2025/QH15".into(),
            reason: None,
            request_digest: None,
        };
        self.record(self.plan.calendar.start_of_day(effective), EventData::UnitChanged(data))
    }

    /// Where a rate began is entered, on a document of a day; without figures it is taken back.
    pub(crate) fn baseline(
        &mut self,
        of: &str,
        about: &str,
        period: i16,
        figures: Option<(u64, u64)>,
        document: &str,
    ) -> &mut Story {
        let date = document.parse().unwrap();
        let figures = figures
            .map(|(numerator, denominator)| BaselineValue::Rate { numerator, denominator })
            .unwrap_or(BaselineValue::WITHDRAWN);
        let data = BaselineEntered {
            unit: unit(of),
            indicator: indicator(about),
            period: Period(period),
            value: figures,
            document: Document { number: "88/BC-CTK".into(), date },
            reason: None,
            revision: 1,
            request_digest: None,
        };
        self.record(self.plan.calendar.start_of_day(date), EventData::BaselineEntered(data))
    }

    /// Keys of the plan are given other values from a day on.
    pub(crate) fn amend(&mut self, changes: &[(&str, KeyValue)], effective: &str) -> &mut Story {
        let effective = effective.parse().unwrap();
        let change = |(key, value): &(&str, KeyValue)| KeyChange { key: (*key).into(), value: value.clone() };
        let data = PlanAmended {
            changes: changes.iter().map(change).collect(),
            revision: 1,
            effective,
            instrument: "5012/QĐ-UBND".into(),
            reason: None,
            request_digest: None,
        };
        self.record(self.plan.calendar.start_of_day(effective), EventData::PlanAmended(data))
    }

    /// The reports of a period may come later, of one unit or of all.
    pub(crate) fn extend(
        &mut self,
        period: i16,
        of: Option<&str>,
        due_before: &str,
        effective: &str,
    ) -> &mut Story {
        let effective = effective.parse().unwrap();
        let data = DeadlineExtended {
            period: Period(period),
            unit: of.map(unit),
            due_before: due_before.parse().unwrap(),
            revision: 1,
            effective,
            instrument: "4711/UBND-VX".into(),
            reason: None,
            request_digest: None,
        };
        self.record(self.plan.calendar.start_of_day(effective), EventData::DeadlineExtended(data))
    }

    /// The highest position recorded up to an instant.
    pub(crate) fn cut(&self, known_at: Timestamp) -> Position {
        let known = self.log.iter().take_while(|recorded| recorded.recorded_at <= known_at);
        known.last().map_or(Position::START, |recorded| recorded.position)
    }

    pub(crate) fn moment(&self, as_of: Option<&str>, known_at: Option<&str>) -> Moment {
        let now = NOW.parse().unwrap();
        let (known_at, as_of) = read_moment(&self.plan.calendar, as_of, known_at, now).unwrap();
        Moment { cut: self.cut(known_at), known_at, as_of }
    }

    /// Everything that is told, as of a day or an instant.
    pub(crate) fn as_of(&self, as_of: &str) -> View<'_> {
        View::new(&self.facts, self.moment(Some(as_of), None)).unwrap()
    }

    /// What was known on a day about that day.
    pub(crate) fn known_at(&self, known_at: &str) -> View<'_> {
        View::new(&self.facts, self.moment(None, Some(known_at))).unwrap()
    }

    /// What was known on one day about another.
    pub(crate) fn seen(&self, as_of: &str, known_at: &str) -> View<'_> {
        View::new(&self.facts, self.moment(Some(as_of), Some(known_at))).unwrap()
    }

    pub(crate) fn alerts_at(&self, cut: Position) -> Vec<Alert> {
        self.facts.alerts_at(&self.plan.calendar, cut, &AlertsQuery::default())
    }
}

/// The questions.
pub(crate) trait Ask {
    fn ask(&self, of: &str, about: &str) -> Cell;

    /// The cell in one line: `period | value | target | baseline | expected | pace | status`.
    fn told(&self, of: &str, about: &str) -> String {
        told(&self.ask(of, about))
    }

    fn status(&self, of: &str, about: &str) -> &'static str {
        self.ask(of, about).status.map_or("-", indicators::Status::name)
    }

    /// The verdicts of 2025 and 2030.
    fn verdicts(&self, of: &str, about: &str) -> [Option<indicators::Verdict>; 2] {
        let cell = self.ask(of, about);
        [2025, 2030].map(|year| cell.verdicts.get(&Review(year)).copied().flatten())
    }
}

impl Ask for View<'_> {
    fn ask(&self, of: &str, about: &str) -> Cell {
        let plan = self.plan();
        self.cell(plan.unit(&unit(of)).unwrap(), plan.indicator(&indicator(about)).unwrap())
    }
}

pub(crate) fn told(cell: &Cell) -> String {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    [
        or_dash(cell.period.map(|period| period.to_string())),
        or_dash(cell.value.as_ref().map(value_told)),
        or_dash(cell.target.as_ref().map(|target| {
            let percent = target.percent.map(|percent| format!("{percent}%"));
            let level = target.level.map(|level| format!("level {level}"));
            let yes = target.attained.map(|attained| if attained { "yes" } else { "no" }.to_owned());
            let goes_on = if target.restated == Some(false) { " goes on" } else { "" };
            format!("{}: {}{goes_on}", target.review, percent.or(level).or(yes).unwrap())
        })),
        or_dash(cell.baseline.as_ref().map(|baseline| format!("{}: {}", baseline.period, baseline.percent))),
        or_dash(cell.expected.clone()),
        or_dash(cell.pace.clone()),
        cell.status.map_or("-", indicators::Status::name).to_owned(),
    ]
    .join(" | ")
}

pub(crate) fn value_told(value: &Value) -> String {
    match value {
        Value::Rate { numerator, denominator, percent } => format!("{numerator}/{denominator}={percent}"),
        Value::Level { level } => format!("level {level}"),
        Value::Attained { lapsed: true, .. } => "lapsed".into(),
        Value::Attained { attained, .. } => if *attained { "yes" } else { "no" }.into(),
        Value::Share { count, of, percent, needed, stale, lapsed } => {
            let mut text = format!("{count}/{of}={percent}");
            if let Some(needed) = needed {
                text.push_str(&format!(" needs {needed}"));
            }
            for (word, units) in [("stale", stale), ("lapsed", lapsed)] {
                if !units.is_empty() {
                    let units: Vec<&str> = units.iter().map(UnitId::as_str).collect();
                    text.push_str(&format!(" {word} {}", units.join(",")));
                }
            }
            text
        }
    }
}
