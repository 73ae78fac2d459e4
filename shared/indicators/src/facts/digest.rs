//! The state digest: SHA-256 over the canonical JSON of the facts.
//!
//! Facts fall into groups: the adoption, the reports of a unit and period, the targets of an indicator and
//! unit, the changes of a unit, the alerts of a unit. A group's digest is the SHA-256 of its facts' canonical
//! JSON, one a line, in the order of their positions. The state digest is the SHA-256 of the canonical JSON
//! object of all group names and their digests. Group digests grow with the fold; [`Facts::digest`] can also
//! walk the facts themselves, and the two must agree.

use super::{
    AcknowledgedFact, Adopted, AlertFact, Facts, ResolvedFact, Revision, TargetFact, UnitChangeFact,
};
use events::{
    ActorId, AlertId, Date, EventId, IndicatorId, LineValue, Mark, MeasureId, Period, Position, Resolution,
    Review, Rule, Severity, TargetValue, UnitChange, UnitId, instant,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The digests of all groups, by their names.
#[derive(Clone, Default)]
pub(super) struct GroupDigests {
    groups: BTreeMap<Group, Sha256>,
    line: Vec<u8>,
}

/// A group of facts that is digested by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Plan,
    Reports(UnitId, Period),
    Targets(IndicatorId, Option<UnitId>),
    Unit(UnitId),
    Alerts(UnitId),
}

impl Group {
    fn name(&self) -> String {
        match self {
            Group::Plan => "plan".into(),
            Group::Reports(unit, period) => format!("reports/{unit}/{period}"),
            Group::Targets(indicator, unit) => {
                let unit = unit.as_ref().map_or(events::wire::NO_UNIT, UnitId::as_str);
                format!("targets/{indicator}/{unit}")
            }
            Group::Unit(unit) => format!("units/{unit}"),
            Group::Alerts(unit) => format!("alerts/{unit}"),
        }
    }
}

impl std::fmt::Debug for GroupDigests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GroupDigests").field("groups", &self.groups.len()).finish_non_exhaustive()
    }
}

// The fields of every line stand in alphabetical order, so that plain serialisation is canonical.

#[derive(Serialize)]
struct AdoptionLine<'a> {
    event: EventId,
    plan: &'a str,
    position: Position,
    sample: bool,
}

#[derive(Serialize)]
struct RevisionLine<'a> {
    document: Date,
    effective: String,
    event: EventId,
    history: bool,
    lines: Vec<MeasureLine<'a>>,
    position: Position,
    recorded: String,
    revision: u32,
}

#[derive(Serialize, Default)]
struct MeasureLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    attained: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    denominator: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<u8>,
    measure: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    numerator: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recognised_year: Option<Period>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawn: Option<bool>,
}

impl<'a> MeasureLine<'a> {
    fn of(measure: &'a MeasureId, value: LineValue) -> MeasureLine<'a> {
        let line = MeasureLine { measure: measure.as_str(), ..MeasureLine::default() };
        match value {
            LineValue::Rate { numerator, denominator } => {
                MeasureLine { numerator: Some(numerator), denominator: Some(denominator), ..line }
            }
            LineValue::Level { level } => MeasureLine { level: Some(level), ..line },
            LineValue::Attained { attained, recognised_year } => {
                MeasureLine { attained: Some(attained), recognised_year, ..line }
            }
            LineValue::Withdrawn { withdrawn } => MeasureLine { withdrawn: Some(withdrawn), ..line },
        }
    }
}

#[derive(Serialize)]
struct TargetLine<'a> {
    effective: String,
    event: EventId,
    instrument: &'a str,
    mark: Mark,
    position: Position,
    review: Review,
    value: TargetValue,
}

#[derive(Serialize)]
struct UnitLine<'a> {
    change: UnitChangeLine<'a>,
    effective: String,
    event: EventId,
    instrument: &'a str,
    position: Position,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum UnitChangeLine<'a> {
    Rename(&'a str),
    Retype(&'a str),
    Recode(&'a str),
    Dissolve(bool),
}

#[derive(Serialize)]
struct RaisedLine<'a> {
    because: &'a [EventId],
    episode: u32,
    event: EventId,
    indicator: Option<&'a IndicatorId>,
    period: Option<Period>,
    position: Position,
    raised: AlertId,
    recorded: String,
    rule: Rule,
    severity: Severity,
}

#[derive(Serialize)]
struct ResolvedLine<'a> {
    because: &'a [EventId],
    event: EventId,
    position: Position,
    recorded: String,
    resolution: Resolution,
    resolved: AlertId,
}

#[derive(Serialize)]
struct AcknowledgedLine<'a> {
    acknowledged: AlertId,
    by: &'a ActorId,
    event: EventId,
    note: &'a str,
    position: Position,
    recorded: String,
    review_by: Option<Date>,
}

impl GroupDigests {
    fn add(&mut self, group: Group, fact: &impl Serialize) {
        self.line.clear();
        serde_json::to_writer(&mut self.line, fact).expect("facts are plain data");
        self.line.push(b'\n');
        self.groups.entry(group).or_default().update(&self.line);
    }

    pub(super) fn add_adoption(&mut self, adopted: &Adopted) {
        let line = AdoptionLine {
            event: adopted.event,
            plan: &adopted.digest,
            position: adopted.position,
            sample: adopted.sample,
        };
        self.add(Group::Plan, &line);
    }

    pub(super) fn add_revision(&mut self, unit: &UnitId, period: Period, revision: &Revision) {
        let line = RevisionLine {
            document: revision.document_date,
            effective: instant::written(revision.effective),
            event: revision.event,
            history: revision.history,
            lines: revision.lines.iter().map(|(measure, value)| MeasureLine::of(measure, *value)).collect(),
            position: revision.position,
            recorded: instant::written(revision.recorded_at),
            revision: revision.revision,
        };
        self.add(Group::Reports(unit.clone(), period), &line);
    }

    pub(super) fn add_target(&mut self, indicator: &IndicatorId, unit: Option<&UnitId>, fact: &TargetFact) {
        let line = TargetLine {
            effective: instant::written(fact.effective),
            event: fact.event,
            instrument: &fact.instrument,
            mark: fact.mark,
            position: fact.position,
            review: fact.review,
            value: fact.value,
        };
        self.add(Group::Targets(indicator.clone(), unit.cloned()), &line);
    }

    pub(super) fn add_unit_change(&mut self, unit: &UnitId, fact: &UnitChangeFact) {
        let change = match &fact.change {
            UnitChange::Rename { name } => UnitChangeLine::Rename(name),
            UnitChange::Retype { unit_type } => UnitChangeLine::Retype(unit_type),
            UnitChange::Recode { code } => UnitChangeLine::Recode(code),
            UnitChange::Dissolve => UnitChangeLine::Dissolve(true),
        };
        let line = UnitLine {
            change,
            effective: instant::written(fact.effective),
            event: fact.event,
            instrument: &fact.instrument,
            position: fact.position,
        };
        self.add(Group::Unit(unit.clone()), &line);
    }

    pub(super) fn add_raised(&mut self, alert: &AlertFact) {
        let line = RaisedLine {
            because: &alert.because,
            episode: alert.episode,
            event: alert.event,
            indicator: alert.indicator.as_ref(),
            period: alert.period,
            position: alert.position,
            raised: alert.id,
            recorded: instant::written(alert.raised_at),
            rule: alert.rule,
            severity: alert.severity,
        };
        self.add(Group::Alerts(alert.unit.clone()), &line);
    }

    pub(super) fn add_resolved(&mut self, alert: &AlertFact, fact: &ResolvedFact) {
        let line = ResolvedLine {
            because: &fact.because,
            event: fact.event,
            position: fact.position,
            recorded: instant::written(fact.at),
            resolution: fact.resolution,
            resolved: alert.id,
        };
        self.add(Group::Alerts(alert.unit.clone()), &line);
    }

    pub(super) fn add_acknowledged(&mut self, alert: &AlertFact, fact: &AcknowledgedFact) {
        let line = AcknowledgedLine {
            acknowledged: alert.id,
            by: &fact.by,
            event: fact.event,
            note: &fact.note,
            position: fact.position,
            recorded: instant::written(fact.at),
            review_by: fact.review_by,
        };
        self.add(Group::Alerts(alert.unit.clone()), &line);
    }

    pub(super) fn state_digest(&self) -> String {
        let groups: BTreeMap<String, String> = self
            .groups
            .iter()
            .map(|(group, hasher)| {
                let digest = hasher.clone().finalize();
                (group.name(), digest.iter().map(|byte| format!("{byte:02x}")).collect())
            })
            .collect();
        let text = serde_json::to_vec(&groups).expect("names and digests are plain data");
        events::strict_json::sha256_hex(&text)
    }
}

impl Facts {
    /// The digest of everything folded so far, from the group digests that grew with the fold.
    pub fn digest(&self) -> String {
        self.digests.state_digest()
    }

    /// The digest of the facts recorded up to a cut, computed by walking the facts.
    pub fn digest_at(&self, cut: Position) -> String {
        self.group_digests_at(cut).state_digest()
    }

    /// The group digests of the facts recorded up to a cut, as the fold would have grown them.
    pub(super) fn group_digests_at(&self, cut: Position) -> GroupDigests {
        let mut digests = GroupDigests::default();
        if let Some(adopted) = self.adopted.as_ref().filter(|adopted| adopted.position <= cut) {
            digests.add_adoption(adopted);
        }
        for (unit, periods) in &self.reports {
            for (period, revisions) in periods {
                for revision in revisions.as_slice().iter().filter(|revision| revision.position <= cut) {
                    digests.add_revision(unit, *period, revision);
                }
            }
        }
        for (indicator, of_indicator) in &self.targets {
            for (unit, facts) in of_indicator {
                for fact in facts.iter().filter(|fact| fact.position <= cut) {
                    digests.add_target(indicator, unit.as_ref(), fact);
                }
            }
        }
        for (unit, facts) in &self.unit_changes {
            for fact in facts.iter().filter(|fact| fact.position <= cut) {
                digests.add_unit_change(unit, fact);
            }
        }
        self.walk_alerts(cut, &mut digests);
        digests
    }

    fn walk_alerts(&self, cut: Position, digests: &mut GroupDigests) {
        enum Step<'a> {
            Raised(&'a AlertFact),
            Resolved(&'a AlertFact, &'a ResolvedFact),
            Acknowledged(&'a AlertFact, &'a AcknowledgedFact),
        }
        let mut steps = BTreeMap::new();
        for alert in self.alerts.values() {
            steps.insert(alert.position, Step::Raised(alert));
            if let Some(fact) = &alert.resolved {
                steps.insert(fact.position, Step::Resolved(alert, fact));
            }
            for fact in &alert.acknowledgements {
                steps.insert(fact.position, Step::Acknowledged(alert, fact));
            }
        }
        for (_, step) in steps.range(..=cut) {
            match step {
                Step::Raised(alert) => digests.add_raised(alert),
                Step::Resolved(alert, fact) => digests.add_resolved(alert, fact),
                Step::Acknowledged(alert, fact) => digests.add_acknowledged(alert, fact),
            }
        }
    }
}
