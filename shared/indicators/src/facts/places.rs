//! Puts single facts in their places. Reports grow their digests here, the digests of others grow elsewhere.

use super::digest::{AlertStep, StepKind};
use super::reports::{Line, Row};
use super::vocabulary::Vocabulary;
use super::{
    AcknowledgedFact, Adopted, AlertFact, AmendmentFact, BaselineFact, DeadlineFact, Facts, Group,
    ResolvedFact, TargetFact, UnitChangeFact, digest, episode_period, lines, to_millisecond,
};
use events::{
    AlertId, BaselineEntered, DeadlineExtended, Event, IndicatorId, Period, PlanAmended, Position,
    ReportSubmitted, Timestamp, UnitChange, UnitId,
};
use plan::{Level, Names, Plan, Unit};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Facts {
    pub(super) fn plan_ref(&self) -> &Plan {
        &self.adopted.as_ref().expect("events are folded only after the adoption").plan
    }

    pub(super) fn known_unit(&self, unit: &UnitId) -> Result<(), String> {
        match self.plan_ref().unit(unit) {
            Some(_) => Ok(()),
            None => Err(format!("there is no unit `{unit}`")),
        }
    }

    /// The adoption as it was: without the units that were established later.
    pub(super) fn adopted_as_it_was(&self) -> Option<Adopted> {
        let mut adopted = Adopted::clone(self.adopted.as_ref()?);
        adopted.plan.units.truncate(self.adopted_units);
        Some(adopted)
    }

    pub(super) fn fold_report(
        &mut self,
        position: Position,
        recorded_at: Timestamp,
        event: &Event,
        data: &ReportSubmitted,
    ) -> Result<(), String> {
        let vocabulary = Arc::clone(self.vocabulary());
        let unit = vocabulary.unit(data.unit.as_str());
        let unit = unit.ok_or_else(|| format!("the plan has no unit `{}`", data.unit))?;
        let mut lines = Vec::with_capacity(data.lines.len());
        for line in &data.lines {
            let measure = vocabulary.measure(line.measure.as_str());
            let measure = measure.ok_or_else(|| format!("the plan has no measure `{}`", line.measure))?;
            lines.push(Line::new(measure, line.value));
        }
        let row = Row {
            position,
            recorded_ms: to_millisecond(recorded_at),
            effective_ms: to_millisecond(event.effective),
            event: event.id,
            document_date: data.document.date,
            history: data.history.is_some(),
        };
        let mut text = std::mem::take(&mut self.line);
        text.clear();
        lines::add_report(&mut text, &vocabulary, data.revision, &row, &lines);
        let pushed = self.push_report(unit, data.period, data.revision, row, lines.iter().copied(), &text);
        self.line = text;
        pushed
    }

    /// Takes in a report of a unit and measures of the plan, with its digest line.
    pub(super) fn push_report(
        &mut self,
        unit: u16,
        period: Period,
        revision: u32,
        row: Row,
        lines: impl Iterator<Item = Line>,
        text: &[u8],
    ) -> Result<(), String> {
        let reports = self.reports[usize::from(unit)].entry(period).or_default();
        let before = reports.len();
        if before as u64 + 1 != u64::from(revision) {
            return Err(format!("revision {revision} follows {before}"));
        }
        reports.digest.add(text);
        reports.push(row, lines);
        Ok(())
    }

    pub(super) fn place_adoption(&mut self, adopted: Adopted) -> Result<(), String> {
        let vocabulary = Vocabulary::of(&adopted.plan)
            .ok_or("the plan has more units or measures than this version can number")?;
        self.reports = vec![BTreeMap::new(); vocabulary.unit_count()];
        self.vocabulary = Some(Arc::new(vocabulary));
        self.adopted_units = adopted.plan.units.len();
        self.adopted = Some(Arc::new(adopted));
        Ok(())
    }

    pub(super) fn place_target(&mut self, indicator: IndicatorId, unit: Option<UnitId>, fact: TargetFact) {
        self.targets.entry(indicator).or_default().entry(unit).or_default().push(fact);
    }

    pub(super) fn place_unit_change(&mut self, unit: UnitId, fact: UnitChangeFact) -> Result<(), String> {
        match &fact.change {
            UnitChange::Establish { .. } => self.place_unit(&unit, &fact.change)?,
            UnitChange::Move { parent } => {
                self.known_unit(&unit)?;
                self.known_province(parent)?;
            }
            UnitChange::Rename { .. }
            | UnitChange::Retype { .. }
            | UnitChange::Recode { .. }
            | UnitChange::Merge { .. }
            | UnitChange::Split { .. }
            | UnitChange::Dissolve => self.known_unit(&unit)?,
        }
        let successors: Vec<UnitId> =
            fact.change.successors().into_iter().map(|(successor, _)| successor.clone()).collect();
        for successor in &successors {
            self.known_unit(successor)?;
        }
        let changes = self.unit_changes.entry(unit.clone()).or_default();
        changes.push(fact);
        let index = changes.len() - 1;
        for successor in successors {
            self.successions.entry(successor).or_default().push((unit.clone(), index));
        }
        Ok(())
    }

    /// Takes a unit that the plan did not have among its units: behind those that there are.
    fn place_unit(&mut self, id: &UnitId, change: &UnitChange) -> Result<(), String> {
        let UnitChange::Establish { name, unit_type, code, parent } = change else { return Ok(()) };
        if self.known_unit(id).is_ok() {
            return Err(format!("there is a unit `{id}` already"));
        }
        if let Some(parent) = parent {
            self.known_province(parent)?;
        }
        let vocabulary = self.vocabulary().with_unit(id.clone());
        let vocabulary = vocabulary.ok_or("there are more units than this version can number")?;
        self.vocabulary = Some(Arc::new(vocabulary));
        self.reports.push(BTreeMap::new());
        let adopted = self.adopted.as_mut().expect("events are folded only after the adoption");
        Arc::make_mut(adopted).plan.units.push(Unit {
            id: id.clone(),
            code: code.clone(),
            name: Names { vi: name.vi.clone(), en: name.en.clone() },
            level: Level::District,
            unit_type: unit_type.clone(),
            parent: parent.clone(),
        });
        self.amendments.forget_plans();
        Ok(())
    }

    fn known_province(&self, unit: &UnitId) -> Result<(), String> {
        match self.plan_ref().provinces().any(|province| province.id == *unit) {
            true => Ok(()),
            false => Err(format!("there is no province `{unit}`")),
        }
    }

    pub(super) fn fold_baseline(
        &mut self,
        position: Position,
        event: &Event,
        data: &BaselineEntered,
    ) -> Result<(), String> {
        self.known_unit(&data.unit)?;
        if self.plan_ref().indicator(&data.indicator).is_none() {
            return Err(format!("the plan has no indicator `{}`", data.indicator));
        }
        let fact = BaselineFact {
            period: data.period,
            value: data.value,
            document: data.document.clone(),
            effective: event.effective,
            event: event.id,
            position,
        };
        let group = Group::Baselines(data.unit.clone(), data.indicator.clone());
        self.digest_into(group, |text| digest::plan_changes::add_baseline(text, &fact));
        self.place_baseline(data.unit.clone(), data.indicator.clone(), fact);
        Ok(())
    }

    pub(super) fn place_baseline(&mut self, unit: UnitId, indicator: IndicatorId, fact: BaselineFact) {
        self.baselines.entry((unit, indicator)).or_default().push(fact);
    }

    pub(super) fn fold_amendment(
        &mut self,
        position: Position,
        event: &Event,
        data: &PlanAmended,
    ) -> Result<(), String> {
        let fact = AmendmentFact {
            changes: data.changes.clone(),
            effective: event.effective,
            instrument: data.instrument.clone(),
            event: event.id,
            position,
        };
        let mut line = Vec::new();
        digest::plan_changes::add_amendment(&mut line, &fact);
        self.place_amendment(fact)?;
        self.digest_into(Group::Amendments, |text| text.append(&mut line));
        Ok(())
    }

    pub(super) fn place_amendment(&mut self, fact: AmendmentFact) -> Result<(), String> {
        let adopted = self.adopted.as_deref().ok_or("no plan is adopted that could be amended")?;
        self.amendments.push(&adopted.plan, fact)
    }

    pub(super) fn fold_deadline(
        &mut self,
        position: Position,
        event: &Event,
        data: &DeadlineExtended,
    ) -> Result<(), String> {
        if let Some(unit) = &data.unit {
            self.known_unit(unit)?;
        }
        let fact = DeadlineFact {
            due_before: data.due_before,
            effective: event.effective,
            instrument: data.instrument.clone(),
            event: event.id,
            position,
        };
        let group = Group::Deadlines(data.period, data.unit.clone());
        self.digest_into(group, |text| digest::plan_changes::add_deadline(text, &fact));
        self.place_deadline(data.period, data.unit.clone(), fact);
        Ok(())
    }

    pub(super) fn place_deadline(&mut self, period: Period, unit: Option<UnitId>, fact: DeadlineFact) {
        self.deadlines.entry((period, unit)).or_default().push(fact);
    }

    pub(super) fn place_raised(&mut self, fact: AlertFact) -> Result<(), String> {
        let period = episode_period(fact.rule, fact.period);
        let key = (fact.rule, fact.unit.clone(), fact.indicator.clone(), period);
        if self.open_alerts.contains_key(&key) || self.alerts.contains_key(&fact.id) {
            return Err(format!("alert {} is raised twice", fact.id));
        }
        *self.episodes.entry((fact.rule, fact.unit.clone(), fact.indicator.clone())).or_default() += 1;
        self.open_alerts.insert(key, fact.id);
        self.step(&fact.unit, fact.position, fact.id, StepKind::Raised);
        self.alerts.insert(fact.id, fact);
        Ok(())
    }

    pub(super) fn place_resolved(&mut self, id: AlertId, fact: ResolvedFact) -> Result<UnitId, String> {
        let alert = self.alerts.get_mut(&id).filter(|alert| alert.resolved.is_none());
        let alert = alert.ok_or_else(|| format!("alert {id} is not open"))?;
        let position = fact.position;
        alert.resolved = Some(fact);
        let period = episode_period(alert.rule, alert.period);
        let unit = alert.unit.clone();
        self.open_alerts.remove(&(alert.rule, unit.clone(), alert.indicator.clone(), period));
        self.step(&unit, position, id, StepKind::Resolved);
        Ok(unit)
    }

    pub(super) fn place_acknowledged(
        &mut self,
        id: AlertId,
        fact: AcknowledgedFact,
    ) -> Result<UnitId, String> {
        let alert = self.alerts.get_mut(&id).ok_or_else(|| format!("alert {id} was never raised"))?;
        let index =
            u32::try_from(alert.acknowledgements.len()).expect("acknowledgements are counted in 32 bits");
        let (unit, position) = (alert.unit.clone(), fact.position);
        alert.acknowledgements.push(fact);
        self.step(&unit, position, id, StepKind::Acknowledged(index));
        Ok(unit)
    }

    fn step(&mut self, unit: &UnitId, position: Position, alert: AlertId, what: StepKind) {
        let step = AlertStep { position, alert, what };
        match self.alert_steps.get_mut(unit) {
            Some(steps) => steps.push(step),
            None => drop(self.alert_steps.insert(unit.clone(), vec![step])),
        }
    }
}
