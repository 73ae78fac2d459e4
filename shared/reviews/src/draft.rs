//! From the facts at a moment to the model of a review.

use crate::model::{
    CellEntry, EventEntry, FindingEntry, PeriodReporting, PlanHead, Review, ReviewHead, TargetChange,
    TargetEntry, Totals, UnitChangeEntry, UnitHead, UnitReport,
};
use events::{EventId, EventKind, Period, Position, Timestamp, UnitId};
use indicators::{Assessment, ReportProgress, TargetFact, Verdict, View};
use plan::{Indicator, Level, ReviewYear, Unit};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use thiserror::Error;

/// How reviews are written today.
pub(crate) const FORM: u32 = 1;

/// Why there is no review.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DraftError {
    /// The plan has no such review.
    #[error("the plan has no review of `{asked}`; it has {known}")]
    NoSuchReview {
        /// What was asked for.
        asked: String,
        /// The years that there are.
        known: String,
    },
    /// Events are set aside, so figures may be missing.
    #[error(
        "events from position {since} on are set aside because this version cannot read them: a review would rest on part of the log"
    )]
    Degraded {
        /// The first position that is set aside.
        since: Position,
    },
}

/// A review that still lacks when some of its events were recorded, which the facts do not keep.
#[derive(Debug, Clone)]
pub struct Draft {
    review: Review,
    sources: BTreeMap<Position, Source>,
}

#[derive(Debug, Clone)]
struct Source {
    kind: EventKind,
    unit: Option<UnitId>,
    id: EventId,
    recorded_at: Option<String>,
}

impl Draft {
    /// Makes the review of a year at the view's moment; `digest` is that of the facts at its cut.
    pub fn of(view: &View<'_>, year: &str, digest: String) -> Result<Draft, DraftError> {
        let plan = view.plan();
        let found = plan.reviews.iter().find(|review| review.review.to_string() == year);
        let Some(review) = found else {
            let known: Vec<String> = plan.reviews.iter().map(|review| review.review.to_string()).collect();
            let asked = year.chars().take(16).collect();
            return Err(DraftError::NoSuchReview { asked, known: known.join(" and ") });
        };
        let cut = view.moment().cut;
        let parked = view.facts().parked().values().map(|parked| parked.since);
        if let Some(since) = parked.filter(|since| *since <= cut).min() {
            return Err(DraftError::Degraded { since });
        }
        Ok(Drafting::new(view, review).draft(digest))
    }

    /// The positions whose recorded times [`Draft::finish`] needs.
    pub fn positions(&self) -> Vec<Position> {
        let lacking = self.sources.iter().filter(|(_, source)| source.recorded_at.is_none());
        lacking.map(|(position, _)| *position).collect()
    }

    /// Completes the review with those times, RFC 3339 in the plan's time zone, and the signed checkpoint of the cut.
    pub fn finish(self, recorded_at: impl Fn(Position) -> String, checkpoint: Option<String>) -> Review {
        let events = self.sources.into_iter().map(|(position, source)| EventEntry {
            position,
            kind: source.kind.name().to_owned(),
            unit: source.unit,
            id: source.id,
            recorded_at: source.recorded_at.unwrap_or_else(|| recorded_at(position)),
        });
        Review { events: events.collect(), checkpoint, ..self.review }
    }
}

struct Drafting<'v, 'a> {
    view: &'v View<'a>,
    review: &'a ReviewYear,
    /// Changes that take effect later are none of this review's.
    until: Timestamp,
    sources: BTreeMap<Position, Source>,
    /// Where the reports stand of which only the ids are known.
    reports: HashMap<EventId, (Position, UnitId, Timestamp)>,
}

impl<'v, 'a> Drafting<'v, 'a> {
    fn new(view: &'v View<'a>, review: &'a ReviewYear) -> Self {
        let end = view.plan().calendar.end_of_year(review.review.year());
        let mut drafting = Drafting {
            view,
            review,
            until: end.min(view.moment().as_of),
            sources: BTreeMap::new(),
            reports: HashMap::new(),
        };
        drafting.find_reports();
        drafting
    }

    fn periods(&self) -> impl Iterator<Item = Period> + use<> {
        let last = self.review.review.year();
        self.view.plan().calendar.periods().filter(move |period| period.year() <= last)
    }

    fn find_reports(&mut self) {
        let view = self.view;
        for unit in &view.plan().units {
            for period in self.periods() {
                for revision in view.facts().revisions(&unit.id, period).iter() {
                    let place = (revision.position, unit.id.clone(), revision.recorded_at);
                    self.reports.insert(revision.event, place);
                }
            }
        }
    }

    fn draft(mut self, digest: String) -> Draft {
        let view = self.view;
        let (plan, moment) = (view.plan(), view.moment());
        let calendar = &plan.calendar;
        if let Some(adopted) = view.facts().adopted() {
            self.rests_on(adopted.position, EventKind::PlanAdopted, None, adopted.event);
        }
        let (reports, reporting) = self.reports_and_summary();
        let targets: Vec<TargetEntry> =
            plan.indicators.iter().filter_map(|indicator| self.target_entry(indicator)).collect();
        let target_changes = self.target_changes();
        let unit_changes = self.unit_changes();
        self.rest_on_plan_changes();
        let findings = self.findings();
        let year = self.review.review.year();
        let review = Review {
            form: FORM,
            plan: PlanHead {
                id: plan.id.clone(),
                name: plan.name.clone(),
                instrument: plan.instrument.clone(),
                issuer: plan.issuer.clone(),
            },
            review: ReviewHead {
                year: self.review.review,
                name: self.review.name.clone(),
                paragraph: self.review.paragraph.clone(),
                ended: moment.as_of >= calendar.start_of_year(year + 1),
                units_as_of: self.review.units_as_of,
                from: plan.adopted,
                to: calendar.date_of(calendar.end_of_year(year)),
            },
            sample: view.facts().adopted().is_some_and(|adopted| adopted.sample),
            as_of: calendar.shown(moment.as_of),
            known_at: calendar.shown(moment.known_at),
            position: moment.cut,
            digest,
            checkpoint: None,
            totals: totals(targets.iter().filter_map(|entry| entry.province.as_ref())),
            district_totals: totals(targets.iter().flat_map(|entry| &entry.districts)),
            units: self.units(),
            targets,
            reporting,
            reports,
            target_changes,
            unit_changes,
            findings,
            events: Vec::new(),
        };
        Draft { review, sources: self.sources }
    }

    fn rests_on(&mut self, position: Position, kind: EventKind, unit: Option<UnitId>, id: EventId) {
        self.sources.entry(position).or_insert(Source { kind, unit, id, recorded_at: None });
    }

    fn rests_on_report(&mut self, id: EventId) {
        let Some((position, unit, recorded_at)) = self.reports.get(&id).cloned() else { return };
        let recorded_at = Some(self.view.plan().calendar.shown(recorded_at));
        let source = Source { kind: EventKind::ReportSubmitted, unit: Some(unit), id, recorded_at };
        self.sources.entry(position).or_insert(source);
    }

    /// Whether a unit is, or was until some day of the review's period, in force.
    fn units(&self) -> Vec<UnitHead> {
        let now = self.view.units_now().into_iter();
        now.map(|unit| UnitHead {
            id: unit.id,
            name: unit.name,
            code: unit.code,
            unit_type: unit.unit_type,
            level: unit.level,
            in_force: unit.in_force,
        })
        .collect()
    }

    /// The districts that are judged: those in force on the day that was decided, else at the year's end or now.
    fn districts(&self) -> Vec<&'a Unit> {
        let plan = self.view.plan();
        let on = match self.review.units_as_of {
            Some(date) => plan.calendar.end_of_day(date).min(self.until),
            None => self.until,
        };
        plan.units
            .iter()
            .filter(|unit| unit.level == Level::District && self.view.in_force(&unit.id, on))
            .collect()
    }

    fn target_entry(&mut self, indicator: &Indicator) -> Option<TargetEntry> {
        let view = self.view;
        let plan = view.plan();
        let province = self.cell(plan.province(), indicator);
        let districts: Vec<CellEntry> = self
            .districts()
            .into_iter()
            .filter(|unit| plan.has_cell(unit.level, indicator))
            .filter_map(|unit| self.cell(unit, indicator))
            .collect();
        if province.is_none() && districts.is_empty() {
            return None;
        }
        let with = |verdict: Verdict| {
            let those = districts.iter().filter(|cell| cell.verdict == Some(verdict));
            those.map(|cell| cell.unit.clone()).collect()
        };
        Some(TargetEntry {
            indicator: indicator.id.clone(),
            name: indicator.name.clone(),
            base: indicator.base.clone(),
            paragraph: indicator.paragraph.clone(),
            met: with(Verdict::Met),
            not_met: with(Verdict::NotMet),
            no_data: with(Verdict::NoData),
            province,
            districts,
        })
    }

    fn cell(&mut self, unit: &Unit, indicator: &Indicator) -> Option<CellEntry> {
        let assessed = self.view.assess(unit, indicator, self.review)?;
        let Assessment {
            target, target_event, period, value, verdict, not_judged, distance, because, ..
        } = assessed;
        for event in because {
            self.rests_on_report(event);
        }
        let facts = self.view.facts();
        let own = facts.targets(&indicator.id, Some(&unit.id)).iter();
        let all = own.chain(facts.targets(&indicator.id, None));
        let found = all.filter(|fact| fact.event == target_event).map(|fact| fact.position).next();
        if let Some(position) = found {
            let of_unit = facts.targets(&indicator.id, Some(&unit.id));
            let is_own = of_unit.iter().any(|fact| fact.event == target_event);
            let unit = is_own.then(|| unit.id.clone());
            self.rests_on(position, EventKind::TargetChanged, unit, target_event);
        }
        Some(CellEntry { unit: unit.id.clone(), target, period, value, verdict, not_judged, distance })
    }

    fn reports_and_summary(&mut self) -> (Vec<UnitReport>, Vec<PeriodReporting>) {
        let (view, calendar) = (self.view, &self.view.plan().calendar);
        let this_year = calendar.year_of(view.moment().as_of);
        let (mut reports, mut summary) = (Vec::new(), Vec::new());
        for period in self.periods().filter(|period| period.year() <= this_year) {
            let mut sums =
                PeriodReporting { period, owed: 0, received: 0, on_time: 0, late: 0, overdue: 0, awaited: 0 };
            for unit in &view.plan().units {
                let report = self.report(unit, period);
                if report.due.is_none() && report.state != ReportProgress::Received {
                    continue;
                }
                if report.due.is_some() {
                    sums.owed += 1;
                    match report.state {
                        ReportProgress::Received => {
                            sums.received += 1;
                            *(if report.late { &mut sums.late } else { &mut sums.on_time }) += 1;
                        }
                        ReportProgress::Overdue => sums.overdue += 1,
                        ReportProgress::Awaited => sums.awaited += 1,
                    }
                }
                reports.push(report);
            }
            summary.push(sums);
        }
        (reports, summary)
    }

    fn report(&mut self, unit: &Unit, period: Period) -> UnitReport {
        let (view, moment) = (self.view, self.view.moment());
        let state = view.report_of(unit, period);
        let first = view.facts().first_revision_at(&unit.id, period, moment.cut, moment.as_of);
        if let Some(first) = first {
            self.rests_on_report(first.event);
        }
        let holds = |revision: &indicators::Revision| {
            revision.position <= moment.cut && revision.effective <= moment.as_of
        };
        let revisions = view.facts().revisions(&unit.id, period).iter().filter(holds).count();
        let measures = || view.plan().measures.iter().filter(|measure| measure.level == unit.level);
        let stands = |measure: &&plan::Measure| {
            let named = view.facts().last_naming_at(&unit.id, period, &measure.id, moment.cut, moment.as_of);
            named.is_some_and(|(_, value)| !value.is_withdrawn())
        };
        UnitReport {
            unit: unit.id.clone(),
            period,
            state: state.state,
            late: state.late,
            history: state.history,
            due: state.due,
            received_at: state.received_at,
            revisions: whole(revisions),
            measures: whole(measures().filter(stands).count()),
            of: whole(measures().count()),
        }
    }

    fn holds(&self, position: Position, effective: Timestamp) -> bool {
        position <= self.view.moment().cut && effective <= self.until
    }

    fn target_changes(&mut self) -> Vec<TargetChange> {
        let view = self.view;
        let plan = view.plan();
        let adopted = plan.calendar.start_of_day(plan.adopted);
        let owners: Vec<Option<&UnitId>> =
            std::iter::once(None).chain(plan.units.iter().map(|unit| Some(&unit.id))).collect();
        let mut changes = Vec::new();
        for indicator in &plan.indicators {
            for owner in &owners {
                let mut facts: Vec<&TargetFact> = view
                    .facts()
                    .targets(&indicator.id, *owner)
                    .iter()
                    .filter(|fact| self.holds(fact.position, fact.effective))
                    .collect();
                facts.sort_by_key(|fact| (fact.effective, fact.position));
                for (index, fact) in facts.iter().enumerate() {
                    // What the plan's own text sets is no change of it.
                    if fact.effective == adopted && fact.instrument == plan.instrument {
                        continue;
                    }
                    let before = facts[..index].iter().rev().find(|before| before.review == fact.review);
                    changes.push(TargetChange {
                        indicator: indicator.id.clone(),
                        unit: owner.cloned(),
                        review: fact.review,
                        before: before.map(|before| before.value),
                        value: fact.value,
                        effective: plan.calendar.date_of(fact.effective),
                        instrument: fact.instrument.clone(),
                        event: fact.event,
                        position: fact.position,
                    });
                    self.rests_on(fact.position, EventKind::TargetChanged, owner.cloned(), fact.event);
                }
            }
        }
        changes.sort_by_key(|change| (change.effective, change.position));
        changes
    }

    /// Amendments of the plan and extended deadlines of the review's periods are among the events.
    fn rest_on_plan_changes(&mut self) {
        let facts = self.view.facts();
        let as_of = self.view.moment().as_of;
        // Whose units a review counts is decided whenever it is in force, after the review's year as well.
        for fact in facts.amendments() {
            if fact.position <= self.view.moment().cut && fact.effective <= as_of {
                self.rests_on(fact.position, EventKind::PlanAmended, None, fact.event);
            }
        }
        let last = self.review.review.year();
        for (_, unit, fact) in facts.all_deadlines().filter(|(period, ..)| period.year() <= last) {
            if fact.position <= self.view.moment().cut && fact.effective <= as_of {
                self.rests_on(fact.position, EventKind::DeadlineExtended, unit.cloned(), fact.event);
            }
        }
    }

    /// What looks wrong in the periods up to the review's year.
    fn findings(&mut self) -> Vec<FindingEntry> {
        let found = self.view.findings(None, None);
        let last = self.review.review.year();
        let of_review = found.into_iter().filter(|finding| finding.period.year() <= last);
        let entries: Vec<FindingEntry> = of_review
            .map(|finding| FindingEntry {
                rule: finding.rule.name().to_owned(),
                unit: finding.unit,
                measure: finding.measure,
                period: finding.period,
                severity: finding.severity,
                sentence: finding.sentence,
                because: finding.evidence.iter().map(|of| of.part.event).collect(),
            })
            .collect();
        for event in entries.iter().flat_map(|entry| &entry.because) {
            self.rests_on_report(*event);
        }
        entries
    }

    fn unit_changes(&mut self) -> Vec<UnitChangeEntry> {
        let view = self.view;
        let mut changes = Vec::new();
        let mut seen = BTreeSet::new();
        for unit in &view.plan().units {
            for fact in view.facts().unit_changes(&unit.id) {
                if !self.holds(fact.position, fact.effective) || !seen.insert(fact.position) {
                    continue;
                }
                let change = match serde_json::to_value(&fact.change) {
                    Ok(Value::Object(change)) => change,
                    Ok(_) | Err(_) => serde_json::Map::new(),
                };
                changes.push(UnitChangeEntry {
                    unit: unit.id.clone(),
                    change,
                    effective: view.plan().calendar.date_of(fact.effective),
                    instrument: fact.instrument.clone(),
                    event: fact.event,
                    position: fact.position,
                });
                self.rests_on(fact.position, EventKind::UnitChanged, Some(unit.id.clone()), fact.event);
            }
        }
        changes.sort_by_key(|change| (change.effective, change.position));
        changes
    }
}

fn totals<'a>(cells: impl Iterator<Item = &'a CellEntry>) -> Totals {
    let mut totals = Totals::default();
    for cell in cells {
        totals.targets += 1;
        match cell.verdict {
            Some(Verdict::Met) => totals.met += 1,
            Some(Verdict::NotMet) => totals.not_met += 1,
            Some(Verdict::NoData) => totals.no_data += 1,
            None => totals.not_judged += 1,
        }
    }
    totals
}

fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
