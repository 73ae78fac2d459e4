//! The state digest: SHA-256 over the canonical JSON of the facts.
//!
//! Facts fall into groups: the adoption, the reports of a unit and period, the targets of an indicator and
//! unit, the changes of a unit, the alerts of a unit, the baselines of a unit and indicator, the amendments, the
//! deadlines of a period and unit. A group's digest is the SHA-256 of its facts' canonical
//! JSON, one a line, in the order of their positions. The state digest is the SHA-256 of the canonical JSON
//! object of all group names and their digests. Group digests grow with the fold; [`Facts::digest`] can also
//! walk the facts themselves, and the two must agree.

use super::hash::RunningHash;
use super::reports::PeriodReports;
use super::vocabulary::Vocabulary;
use super::{AcknowledgedFact, Adopted, AlertFact, Facts, ResolvedFact, TargetFact, UnitChangeFact, lines};
use events::{
    ActorId, AlertId, Date, EventId, IndicatorId, Mark, Period, Position, Resolution, Review, Rule, Severity,
    Share, TargetValue, UnitChange, UnitId, instant,
};
use plan_changes::{add_amendment, add_baseline, add_deadline};
use serde::Serialize;
use std::collections::BTreeMap;

pub(super) mod plan_changes;

/// Of so many facts of a group the state of its digest is kept, so that the digest at an older cut costs at
/// most so many lines.
const MARK_EVERY: usize = 64;

/// The digest of one group, as it has grown so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct GroupDigest {
    hash: RunningHash,
    count: usize,
    /// The state before each fact whose number is a multiple of [`MARK_EVERY`].
    marks: Vec<RunningHash>,
}

impl GroupDigest {
    pub(super) fn add(&mut self, line: &[u8]) {
        if self.count.is_multiple_of(MARK_EVERY) {
            self.marks.push(self.hash.clone());
        }
        self.hash.update(line);
        self.count += 1;
    }

    pub(super) fn hash(&self) -> &RunningHash {
        &self.hash
    }

    /// How much memory it holds, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        self.marks.capacity() * size_of::<RunningHash>()
    }

    /// The marks that the facts from a number on have made.
    pub(super) fn marks_from(&self, fact: usize) -> &[RunningHash] {
        &self.marks[fact.div_ceil(MARK_EVERY).min(self.marks.len())..]
    }

    /// Goes on from what was written down: the marks passed since, and the state at the end.
    pub(super) fn go_on(&mut self, count: usize, marks: Vec<RunningHash>, hash: RunningHash) -> bool {
        self.marks.extend(marks);
        self.count = count;
        self.hash = hash;
        self.marks.len() == count.div_ceil(MARK_EVERY)
    }

    /// The state after the first `count` facts; `add_line` appends the line of a fact, by its number.
    fn after(&self, count: usize, mut add_line: impl FnMut(&mut Vec<u8>, usize)) -> RunningHash {
        if count >= self.count {
            return self.hash.clone();
        }
        let mark = count / MARK_EVERY;
        grown(self.marks.get(mark).cloned().unwrap_or_default(), mark * MARK_EVERY..count, &mut add_line)
    }
}

/// A state grown by the lines of some facts.
fn grown(
    mut hash: RunningHash,
    facts: std::ops::Range<usize>,
    add_line: &mut impl FnMut(&mut Vec<u8>, usize),
) -> RunningHash {
    let mut line = Vec::with_capacity(512);
    for fact in facts {
        line.clear();
        add_line(&mut line, fact);
        hash.update(&line);
    }
    hash
}

/// A group of facts that is digested by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Plan,
    Targets(IndicatorId, Option<UnitId>),
    Unit(UnitId),
    Alerts(UnitId),
    Baselines(UnitId, IndicatorId),
    Amendments,
    Deadlines(Period, Option<UnitId>),
}

impl Group {
    fn name(&self) -> String {
        match self {
            Group::Plan => "plan".into(),
            Group::Targets(indicator, unit) => {
                let unit = unit.as_ref().map_or(events::wire::NO_UNIT, UnitId::as_str);
                format!("targets/{indicator}/{unit}")
            }
            Group::Unit(unit) => format!("units/{unit}"),
            Group::Alerts(unit) => format!("alerts/{unit}"),
            Group::Baselines(unit, indicator) => format!("baselines/{unit}/{indicator}"),
            Group::Amendments => "amendments".into(),
            Group::Deadlines(period, unit) => {
                let unit = unit.as_ref().map_or(events::wire::NO_UNIT, UnitId::as_str);
                format!("deadlines/{period}/{unit}")
            }
        }
    }
}

/// The name of the group of the reports of a unit and period.
fn reports_name(unit: &UnitId, period: Period) -> String {
    format!("reports/{unit}/{period}")
}

/// What happened to an alert, by its place among the steps of its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AlertStep {
    pub(super) position: Position,
    pub(super) alert: AlertId,
    pub(super) what: StepKind,
}

/// Which part of an alert's fact a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepKind {
    Raised,
    Resolved,
    /// By its place among the acknowledgements.
    Acknowledged(u32),
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
    Establish {
        code: &'a str,
        name: NameLine<'a>,
        parent: Option<&'a UnitId>,
        #[serde(rename = "type")]
        unit_type: &'a str,
    },
    Merge {
        into: &'a UnitId,
        share: Option<ShareLine>,
    },
    Split(Vec<SuccessorLine<'a>>),
    Move(&'a UnitId),
}

#[derive(Serialize)]
struct NameLine<'a> {
    en: &'a str,
    vi: &'a str,
}

#[derive(Serialize)]
struct ShareLine {
    denominator: u64,
    numerator: u64,
}

impl ShareLine {
    fn of(share: Share) -> ShareLine {
        ShareLine { denominator: share.denominator, numerator: share.numerator }
    }
}

#[derive(Serialize)]
struct SuccessorLine<'a> {
    share: Option<ShareLine>,
    unit: &'a UnitId,
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

fn add_json(text: &mut Vec<u8>, fact: &impl Serialize) {
    serde_json::to_writer(&mut *text, fact).expect("facts are plain data");
    text.push(b'\n');
}

pub(super) fn add_adoption(text: &mut Vec<u8>, adopted: &Adopted) {
    let line = AdoptionLine {
        event: adopted.event,
        plan: &adopted.digest,
        position: adopted.position,
        sample: adopted.sample,
    };
    add_json(text, &line);
}

pub(super) fn add_target(text: &mut Vec<u8>, fact: &TargetFact) {
    let line = TargetLine {
        effective: instant::written(fact.effective),
        event: fact.event,
        instrument: &fact.instrument,
        mark: fact.mark,
        position: fact.position,
        review: fact.review,
        value: fact.value,
    };
    add_json(text, &line);
}

pub(super) fn add_unit_change(text: &mut Vec<u8>, fact: &UnitChangeFact) {
    let change = match &fact.change {
        UnitChange::Rename { name } => UnitChangeLine::Rename(name),
        UnitChange::Retype { unit_type } => UnitChangeLine::Retype(unit_type),
        UnitChange::Recode { code } => UnitChangeLine::Recode(code),
        UnitChange::Dissolve => UnitChangeLine::Dissolve(true),
        UnitChange::Establish { name, unit_type, code, parent } => UnitChangeLine::Establish {
            code,
            name: NameLine { en: &name.en, vi: &name.vi },
            parent: parent.as_ref(),
            unit_type,
        },
        UnitChange::Merge { into, share } => UnitChangeLine::Merge { into, share: share.map(ShareLine::of) },
        UnitChange::Split { into } => UnitChangeLine::Split(
            into.iter()
                .map(|successor| SuccessorLine {
                    share: successor.share.map(ShareLine::of),
                    unit: &successor.unit,
                })
                .collect(),
        ),
        UnitChange::Move { parent } => UnitChangeLine::Move(parent),
    };
    let line = UnitLine {
        change,
        effective: instant::written(fact.effective),
        event: fact.event,
        instrument: &fact.instrument,
        position: fact.position,
    };
    add_json(text, &line);
}

pub(super) fn add_raised(text: &mut Vec<u8>, alert: &AlertFact) {
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
    add_json(text, &line);
}

pub(super) fn add_resolved(text: &mut Vec<u8>, alert: AlertId, fact: &ResolvedFact) {
    let line = ResolvedLine {
        because: &fact.because,
        event: fact.event,
        position: fact.position,
        recorded: instant::written(fact.at),
        resolution: fact.resolution,
        resolved: alert,
    };
    add_json(text, &line);
}

pub(super) fn add_acknowledged(text: &mut Vec<u8>, alert: AlertId, fact: &AcknowledgedFact) {
    let line = AcknowledgedLine {
        acknowledged: alert,
        by: &fact.by,
        event: fact.event,
        note: &fact.note,
        position: fact.position,
        recorded: instant::written(fact.at),
        review_by: fact.review_by,
    };
    add_json(text, &line);
}

/// Appends the line of a fact of a group, by its number.
type AddLine<'a> = &'a mut dyn FnMut(&mut Vec<u8>, usize);

/// How the state of a group at a cut is come by.
#[derive(Clone, Copy)]
enum Way {
    /// From what grew with the fold.
    Grown,
    /// From the facts alone.
    Walked,
}

impl Facts {
    /// The digest of everything folded so far, from the group digests that grew with the fold.
    pub fn digest(&self) -> String {
        self.state_digest(self.head, Way::Grown)
    }

    /// The digest of the facts recorded up to a cut: of each group at most 64 lines are made again.
    pub fn digest_at(&self, cut: Position) -> String {
        self.state_digest(cut, Way::Grown)
    }

    /// The digest of the facts recorded up to a cut, computed by walking all facts: the two others must agree
    /// with it.
    pub fn walked_digest_at(&self, cut: Position) -> String {
        self.state_digest(cut, Way::Walked)
    }

    fn state_digest(&self, cut: Position, way: Way) -> String {
        let mut groups: BTreeMap<String, String> = BTreeMap::new();
        let mut add = |name: String, digest: &GroupDigest, count: usize, line: AddLine<'_>| {
            // A group without facts is no group.
            if count > 0 {
                let line = |text: &mut Vec<u8>, fact: usize| line(text, fact);
                let hash = match way {
                    Way::Grown => digest.after(count, line),
                    Way::Walked => grown(RunningHash::default(), 0..count, &mut { line }),
                };
                groups.insert(name, hexadecimal(&hash.digest()));
            }
        };
        if let Some(vocabulary) = &self.vocabulary {
            for (unit, periods) in (0..).zip(&self.reports) {
                for (period, reports) in periods {
                    let name = reports_name(vocabulary.unit_id(unit), *period);
                    let line = &mut |text: &mut Vec<u8>, index| add_report(text, vocabulary, reports, index);
                    add(name, &reports.digest, reports.known_at(cut), line);
                }
            }
        }
        for (group, digest) in &self.digests {
            let (count, line): (usize, AddLine<'_>) = match group {
                Group::Plan => {
                    let Some(adopted) = &self.adopted else { continue };
                    (usize::from(adopted.position <= cut), &mut |text, _| add_adoption(text, adopted))
                }
                Group::Targets(indicator, unit) => {
                    let facts = self.targets(indicator, unit.as_ref());
                    let count = facts.partition_point(|fact| fact.position <= cut);
                    (count, &mut |text, index| add_target(text, &facts[index]))
                }
                Group::Unit(unit) => {
                    let facts = self.unit_changes(unit);
                    let count = facts.partition_point(|fact| fact.position <= cut);
                    (count, &mut |text, index| add_unit_change(text, &facts[index]))
                }
                Group::Baselines(unit, indicator) => {
                    let facts = self.baselines(unit, indicator);
                    let count = facts.partition_point(|fact| fact.position <= cut);
                    (count, &mut |text, index| add_baseline(text, &facts[index]))
                }
                Group::Amendments => {
                    let facts = self.amendments();
                    let count = facts.partition_point(|fact| fact.position <= cut);
                    (count, &mut |text, index| add_amendment(text, &facts[index]))
                }
                Group::Deadlines(period, unit) => {
                    let facts = self.deadlines(*period, unit.as_ref());
                    let count = facts.partition_point(|fact| fact.position <= cut);
                    (count, &mut |text, index| add_deadline(text, &facts[index]))
                }
                Group::Alerts(unit) => {
                    let steps = self.alert_steps.get(unit).map_or(&[] as &[AlertStep], Vec::as_slice);
                    let count = steps.partition_point(|step| step.position <= cut);
                    (count, &mut |text, index| self.add_step(text, &steps[index]))
                }
            };
            add(group.name(), digest, count, line);
        }
        let text = serde_json::to_vec(&groups).expect("names and digests are plain data");
        events::strict_json::sha256_hex(&text)
    }

    fn add_step(&self, text: &mut Vec<u8>, step: &AlertStep) {
        let alert = self.alerts.get(&step.alert).expect("a step is of an alert among the facts");
        match step.what {
            StepKind::Raised => add_raised(text, alert),
            StepKind::Resolved => {
                let fact = alert.resolved.as_ref().expect("a step that ended an alert is among its facts");
                add_resolved(text, alert.id, fact);
            }
            StepKind::Acknowledged(index) => {
                add_acknowledged(text, alert.id, &alert.acknowledgements[index as usize])
            }
        }
    }
}

fn add_report(text: &mut Vec<u8>, vocabulary: &Vocabulary, reports: &PeriodReports, index: usize) {
    let revision = u32::try_from(index).expect("revisions are counted in 32 bits") + 1;
    lines::add_report(text, vocabulary, revision, &reports.row(index), reports.lines(index));
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
