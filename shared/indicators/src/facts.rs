//! The facts: the plain left fold of the log, each fact with the event and the position it came from.

use crate::facts::digest::{AlertStep, Group, GroupDigest};
use crate::facts::plans::Amendments;
use crate::facts::reports::PeriodReports;
use crate::facts::vocabulary::Vocabulary;
use events::{
    AlertId, Event, EventData, IndicatorId, LineValue, MeasureId, Period, Position, Recorded, Rule,
    Timestamp, UnitChange, UnitId,
};
use plan::Plan;
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;

mod batch;
mod bytes;
mod digest;
mod fact;
mod hash;
mod history;
mod lines;
mod places;
mod plans;
mod reports;
mod segment;
mod vocabulary;

pub use batch::{Batch, Preparer};
pub use fact::{
    AcknowledgedFact, Adopted, AlertFact, AmendmentFact, BaselineFact, DeadlineFact, Parked, ResolvedFact,
    TargetFact, UnitChangeFact,
};
pub use plans::{AMENDMENTS_LIMIT, ProposalError, ProposedPlans};
pub use reports::{Revision, Revisions};
pub use segment::{SEGMENT_VERSION, SegmentError, SegmentHead};

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// It is among the facts.
    Folded,
    /// It is set aside, and so is everything later of the same unit.
    Parked,
}

/// Why the fold cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FoldError {
    /// An event is missing or comes twice.
    #[error("the fold is at position {head} and was given {given}: read the log from {head} on")]
    OutOfOrder {
        /// The last position folded.
        head: Position,
        /// What came.
        given: Position,
    },
    /// The log does not begin with a plan that this version reads.
    #[error("position {position} cannot begin a log: {why}")]
    NoPlan {
        /// Where.
        position: Position,
        /// What is wrong.
        why: String,
    },
}

/// The facts that the log tells up to its head.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    head: Position,
    head_recorded_at: Option<Timestamp>,
    adopted: Option<Arc<Adopted>>,
    /// How many units the plan was adopted with; those behind them were established later.
    adopted_units: usize,
    vocabulary: Option<Arc<Vocabulary>>,
    /// By the number of the unit.
    reports: Vec<BTreeMap<Period, PeriodReports>>,
    targets: BTreeMap<IndicatorId, BTreeMap<Option<UnitId>, Vec<TargetFact>>>,
    unit_changes: BTreeMap<UnitId, Vec<UnitChangeFact>>,
    baselines: BTreeMap<(UnitId, IndicatorId), Vec<BaselineFact>>,
    amendments: Amendments,
    deadlines: BTreeMap<(Period, Option<UnitId>), Vec<DeadlineFact>>,
    /// By successor, in log order: which unit went over into it, by which of its changes.
    successions: BTreeMap<UnitId, Vec<(UnitId, usize)>>,
    alerts: BTreeMap<AlertId, AlertFact>,
    open_alerts: BTreeMap<(Rule, UnitId, Option<IndicatorId>, Option<Period>), AlertId>,
    episodes: BTreeMap<(Rule, UnitId, Option<IndicatorId>), u32>,
    /// What happened to the alerts of each unit, in order.
    alert_steps: BTreeMap<UnitId, Vec<AlertStep>>,
    parked: BTreeMap<Option<UnitId>, Parked>,
    /// The digests of all groups but the reports, which keep their own.
    digests: BTreeMap<Group, GroupDigest>,
    /// The line that is being added to a digest.
    line: Vec<u8>,
}

/// Why an event is set aside that could be folded.
const EARLIER: &str = "an earlier event of this unit is set aside";

/// An overdue report and a missed review stand for themselves; every other rule has one open alert a cell.
fn episode_period(rule: Rule, period: Option<Period>) -> Option<Period> {
    match rule {
        Rule::Overdue | Rule::Missed => period,
        Rule::Behind | Rule::AtRisk | Rule::Regressing | Rule::DataQuality => None,
    }
}

impl Facts {
    /// No facts: where every fold begins.
    pub fn new() -> Facts {
        Facts::default()
    }

    /// The last position folded.
    pub fn head(&self) -> Position {
        self.head
    }

    /// The recorded time of the last event folded.
    pub fn head_recorded_at(&self) -> Option<Timestamp> {
        self.head_recorded_at
    }

    /// The plan, once position 1 is folded; behind its units stand those that were established since.
    pub fn adopted(&self) -> Option<&Arc<Adopted>> {
        self.adopted.as_ref()
    }

    /// How much memory the facts hold, in bytes: what is reserved for reports, and the alerts without their texts.
    /// What else there is does not grow with the log for long.
    pub fn held_bytes(&self) -> usize {
        let reports = self.reports.iter().flat_map(BTreeMap::values).map(PeriodReports::held_bytes);
        let steps = self.alert_steps.values().map(|steps| steps.capacity() * size_of::<AlertStep>());
        let digests = self.digests.values().map(GroupDigest::held_bytes);
        let alerts = self.alerts.len() * size_of::<(AlertId, AlertFact)>();
        reports.chain(steps).chain(digests).sum::<usize>() + alerts
    }

    /// Folds the next event.
    ///
    /// An event that cannot be folded parks its unit: it and everything later of that unit is set aside and
    /// shown as degraded, until a version that can fold it replays the log.
    pub fn apply(&mut self, recorded: &Recorded) -> Result<Applied, FoldError> {
        self.advance(recorded.position)?;
        let event = &recorded.event;
        if self.adopted.is_none() && !matches!(event.data, EventData::PlanAdopted(_)) {
            self.head = Position(recorded.position.0 - 1);
            return Err(FoldError::NoPlan {
                position: recorded.position,
                why: format!("it is `{}`, not `plan-adopted`", event.data.kind().name()),
            });
        }
        self.head_recorded_at = Some(recorded.recorded_at);
        let unit = event.data.unit().cloned();
        if self.parked.contains_key(&unit) || self.parked.contains_key(&None) {
            self.park(unit, recorded.position, EARLIER);
            return Ok(Applied::Parked);
        }
        match self.fold(recorded.position, recorded.recorded_at, event) {
            Ok(()) => Ok(Applied::Folded),
            Err(why) if recorded.position == Position(1) => {
                self.head = Position::START;
                self.head_recorded_at = None;
                Err(FoldError::NoPlan { position: recorded.position, why })
            }
            Err(why) => {
                self.park(unit, recorded.position, &why);
                Ok(Applied::Parked)
            }
        }
    }

    /// Takes note of an event whose data cannot be read: its unit is parked.
    pub fn apply_unreadable(
        &mut self,
        position: Position,
        recorded_at: Timestamp,
        unit: Option<UnitId>,
        why: &str,
    ) -> Result<Applied, FoldError> {
        if self.adopted.is_none() {
            return Err(FoldError::NoPlan { position, why: why.to_owned() });
        }
        self.advance(position)?;
        self.head_recorded_at = Some(recorded_at);
        self.park(unit, position, why);
        Ok(Applied::Parked)
    }

    /// Reads stored bytes and folds them; data that cannot be read parks its unit, an unknown type stops the fold.
    pub fn apply_bytes(&mut self, bytes: &[u8]) -> Result<Applied, ApplyError> {
        match events::wire::read(bytes) {
            Ok(recorded) => Ok(self.apply(&recorded)?),
            Err(events::wire::ReadError::Data { envelope, reason }) => {
                let unit = UnitId::parse(&envelope.subject).ok();
                Ok(self.apply_unreadable(envelope.position, envelope.recorded_at, unit, &reason)?)
            }
            Err(error) => Err(ApplyError::Read(error)),
        }
    }

    fn advance(&mut self, position: Position) -> Result<(), FoldError> {
        if position != self.head.next() {
            return Err(FoldError::OutOfOrder { head: self.head, given: position });
        }
        self.head = position;
        Ok(())
    }

    fn park(&mut self, unit: Option<UnitId>, position: Position, why: &str) {
        let parked = self.parked.entry(unit).or_insert_with(|| Parked {
            since: position,
            events: 0,
            why: why.to_owned(),
        });
        parked.events += 1;
    }

    fn fold(&mut self, position: Position, recorded_at: Timestamp, event: &Event) -> Result<(), String> {
        match &event.data {
            EventData::PlanAdopted(data) => {
                if self.adopted.is_some() {
                    return Err("a log holds one adoption; this is a second one".into());
                }
                let plan = Plan::from_canonical(&data.plan).map_err(|error| error.to_string())?;
                if plan.id != event.plan {
                    return Err(format!("the plan is `{}`, the log is of `{}`", plan.id, event.plan));
                }
                let adopted = Adopted {
                    plan,
                    digest: data.digest.clone(),
                    sample: data.sample,
                    event: event.id,
                    position,
                };
                self.place_adoption(adopted.clone())?;
                self.digest_into(Group::Plan, |text| digest::add_adoption(text, &adopted));
            }
            EventData::ReportSubmitted(data) => self.fold_report(position, recorded_at, event, data)?,
            EventData::TargetChanged(data) => {
                if let Some(unit) = &data.unit {
                    self.known_unit(unit)?;
                }
                if self.plan_ref().indicator(&data.indicator).is_none() {
                    return Err(format!("the plan has no indicator `{}`", data.indicator));
                }
                let fact = TargetFact {
                    review: data.review,
                    value: data.value,
                    mark: data.mark,
                    effective: event.effective,
                    instrument: data.instrument.clone(),
                    event: event.id,
                    position,
                };
                let group = Group::Targets(data.indicator.clone(), data.unit.clone());
                self.digest_into(group, |text| digest::add_target(text, &fact));
                self.place_target(data.indicator.clone(), data.unit.clone(), fact);
            }
            EventData::UnitChanged(data) => {
                let fact = UnitChangeFact {
                    change: data.change.clone(),
                    effective: event.effective,
                    instrument: data.instrument.clone(),
                    event: event.id,
                    position,
                };
                let mut line = Vec::new();
                digest::add_unit_change(&mut line, &fact);
                self.place_unit_change(data.unit.clone(), fact)?;
                self.digest_into(Group::Unit(data.unit.clone()), |text| text.append(&mut line));
            }
            EventData::BaselineEntered(data) => self.fold_baseline(position, event, data)?,
            EventData::PlanAmended(data) => self.fold_amendment(position, event, data)?,
            EventData::DeadlineExtended(data) => self.fold_deadline(position, event, data)?,
            EventData::AlertRaised(data) => {
                self.known_unit(&data.unit)?;
                let fact = AlertFact {
                    id: data.alert,
                    rule: data.rule,
                    unit: data.unit.clone(),
                    indicator: data.indicator.clone(),
                    period: data.period,
                    episode: data.episode,
                    severity: data.severity,
                    because: data.because.clone(),
                    summary: data.summary.clone(),
                    raised_at: recorded_at,
                    event: event.id,
                    position,
                    acknowledgements: Vec::new(),
                    resolved: None,
                };
                let (unit, mut line) = (fact.unit.clone(), Vec::new());
                digest::add_raised(&mut line, &fact);
                self.place_raised(fact)?;
                self.digest_into(Group::Alerts(unit), |text| text.append(&mut line));
            }
            EventData::AlertResolved(data) => {
                let fact = ResolvedFact {
                    resolution: data.resolution,
                    because: data.because.clone(),
                    at: recorded_at,
                    event: event.id,
                    position,
                };
                let mut line = Vec::new();
                digest::add_resolved(&mut line, data.alert, &fact);
                let unit = self.place_resolved(data.alert, fact)?;
                self.digest_into(Group::Alerts(unit), |text| text.append(&mut line));
            }
            EventData::AlertAcknowledged(data) => {
                let fact = AcknowledgedFact {
                    by: event.actor.clone(),
                    note: data.note.clone(),
                    review_by: data.review_by,
                    at: recorded_at,
                    event: event.id,
                    position,
                };
                let mut line = Vec::new();
                digest::add_acknowledged(&mut line, data.alert, &fact);
                let unit = self.place_acknowledged(data.alert, fact)?;
                self.digest_into(Group::Alerts(unit), |text| text.append(&mut line));
            }
        }
        Ok(())
    }

    fn digest_into(&mut self, group: Group, add_line: impl FnOnce(&mut Vec<u8>)) {
        self.line.clear();
        add_line(&mut self.line);
        self.digests.entry(group).or_default().add(&self.line);
    }

    fn vocabulary(&self) -> &Arc<Vocabulary> {
        self.vocabulary.as_ref().expect("events are folded only after the adoption")
    }

    fn period_reports(&self, unit: &UnitId, period: Period) -> Option<&PeriodReports> {
        let unit = self.vocabulary.as_ref()?.unit(unit.as_str())?;
        self.reports[usize::from(unit)].get(&period)
    }

    /// Every revision of a unit and period, in order.
    pub fn revisions(&self, unit: &UnitId, period: Period) -> Revisions<'_> {
        Revisions { reports: self.period_reports(unit, period) }
    }

    /// Every revision of a unit and period that names a measure, in order.
    pub fn revisions_naming(
        &self,
        unit: &UnitId,
        period: Period,
        measure: &MeasureId,
    ) -> impl Iterator<Item = Revision> {
        let measure = self.vocabulary.as_ref().and_then(|known| known.measure(measure.as_str()));
        let reports = self.period_reports(unit, period);
        reports.zip(measure).into_iter().flat_map(|(reports, measure)| reports.naming(measure))
    }

    /// The highest recorded revision of a unit and period that names a measure, and what it says of it.
    pub fn last_naming(
        &self,
        unit: &UnitId,
        period: Period,
        measure: &MeasureId,
    ) -> Option<(Revision, LineValue)> {
        let measure = self.vocabulary.as_ref()?.measure(measure.as_str())?;
        self.period_reports(unit, period)?.last_naming(measure)
    }

    /// The highest revision that names a measure of those recorded up to a cut and effective by an instant, and
    /// what it says of it. Costs the logarithm of how often the measure was reported.
    pub fn last_naming_at(
        &self,
        unit: &UnitId,
        period: Period,
        measure: &MeasureId,
        cut: Position,
        as_of: Timestamp,
    ) -> Option<(Revision, LineValue)> {
        let measure = self.vocabulary.as_ref()?.measure(measure.as_str())?;
        self.period_reports(unit, period)?.last_naming_at(measure, cut, as_of)
    }

    /// Of the revisions recorded up to a cut and effective by an instant the one that was there first: judged by
    /// when it was recorded, as history by its document's date.
    pub fn first_revision_at(
        &self,
        unit: &UnitId,
        period: Period,
        cut: Position,
        as_of: Timestamp,
    ) -> Option<Revision> {
        self.period_reports(unit, period)?.first_at(cut, as_of)
    }

    /// The number that the next report of a unit and period gets.
    pub fn next_revision(&self, unit: &UnitId, period: Period) -> u32 {
        let before = self.period_reports(unit, period).map_or(0, PeriodReports::len);
        u32::try_from(before).expect("revisions are counted in 32 bits") + 1
    }

    /// What stands for a measure by the highest recorded revision, whatever the documents' dates.
    pub fn stands(&self, unit: &UnitId, period: Period, measure: &MeasureId) -> Option<LineValue> {
        self.last_naming(unit, period, measure).map(|(_, value)| value).filter(|value| !value.is_withdrawn())
    }

    /// Every setting of the target of an indicator, for a unit of its own or for the province, in log order.
    pub fn targets(&self, indicator: &IndicatorId, unit: Option<&UnitId>) -> &[TargetFact] {
        self.targets
            .get(indicator)
            .and_then(|of_indicator| of_indicator.get(&unit.cloned()))
            .map_or(&[], Vec::as_slice)
    }

    /// Every change of a unit, in log order.
    pub fn unit_changes(&self, unit: &UnitId) -> &[UnitChangeFact] {
        self.unit_changes.get(unit).map_or(&[], Vec::as_slice)
    }

    /// Every change by which another unit went over into this one, in log order.
    pub fn successions(&self, unit: &UnitId) -> impl Iterator<Item = (&UnitId, &UnitChangeFact)> {
        let listed = self.successions.get(unit).map_or(&[] as &[(UnitId, usize)], Vec::as_slice);
        listed.iter().map(|(predecessor, index)| (predecessor, &self.unit_changes(predecessor)[*index]))
    }

    /// Whether a unit was not in the plan as it was adopted.
    pub fn is_established(&self, unit: &UnitId) -> bool {
        self.unit_changes(unit)
            .first()
            .is_some_and(|fact| matches!(fact.change, UnitChange::Establish { .. }))
    }

    /// Finds an alert by its id.
    pub fn alert(&self, id: &AlertId) -> Option<&AlertFact> {
        self.alerts.get(id)
    }

    /// Every alert that was ever raised, by id.
    pub fn alerts(&self) -> impl Iterator<Item = &AlertFact> {
        self.alerts.values()
    }

    /// Every alert that is open at the head.
    pub fn open_alerts(&self) -> impl Iterator<Item = &AlertFact> {
        self.open_alerts.values().filter_map(|id| self.alerts.get(id))
    }

    /// The open alert of a rule on a cell; of an overdue report or a missed review, for that period.
    pub fn open_alert(
        &self,
        rule: Rule,
        unit: &UnitId,
        indicator: Option<&IndicatorId>,
        period: Option<Period>,
    ) -> Option<&AlertFact> {
        let key = (rule, unit.clone(), indicator.cloned(), episode_period(rule, period));
        self.open_alerts.get(&key).and_then(|id| self.alerts.get(id))
    }

    /// How many episodes a rule has had on a cell.
    pub fn episodes(&self, rule: Rule, unit: &UnitId, indicator: Option<&IndicatorId>) -> u32 {
        self.episodes.get(&(rule, unit.clone(), indicator.cloned())).copied().unwrap_or(0)
    }

    /// The units whose events are set aside; none stands for the plan itself.
    pub fn parked(&self) -> &BTreeMap<Option<UnitId>, Parked> {
        &self.parked
    }
}

/// Milliseconds since 1970; what is finer is dropped, as in what the log writes.
fn to_millisecond(instant: Timestamp) -> i64 {
    events::instant::to_millisecond(instant).as_millisecond()
}

/// Why stored bytes were not folded.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// They are no event, or one of a newer version.
    #[error(transparent)]
    Read(events::wire::ReadError),
    /// The fold cannot go on.
    #[error(transparent)]
    Fold(#[from] FoldError),
}
