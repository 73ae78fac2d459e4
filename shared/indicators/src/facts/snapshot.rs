//! A snapshot: the facts as bytes, so that a restart need not fold the whole log again.
//!
//! A first line holds the form's version and the SHA-256 of all that follows; the rest is JSON: the position,
//! the state digest and the facts. A restored fold goes on exactly as the one that was written: the group
//! digests are grown again from the facts themselves, and the state digest that follows from them must be the
//! one that was written.

use super::reports::PeriodReports;
use super::{AlertFact, Facts, Parked, TargetFact, UnitChangeFact, episode_period};
use crate::facts::Adopted;
use events::{IndicatorId, Period, Position, Timestamp, UnitId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;

/// The version in which snapshots are written; others are refused, and the log is folded instead.
pub const SNAPSHOT_VERSION: u32 = 1;

const TITLE: &str = "planwatch-facts";

/// Why a snapshot is not used. The log holds all of it: fold from position 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// The first line is not that of a snapshot.
    #[error("this is no snapshot of facts; fold the log from the beginning")]
    NoSnapshot,
    /// Another version of planwatch wrote it.
    #[error(
        "the snapshot is of version {found}, this planwatch reads {SNAPSHOT_VERSION}; fold the log from the beginning"
    )]
    Version {
        /// The version it says.
        found: u32,
    },
    /// The bytes are not those that were written.
    #[error("the snapshot was changed since it was written; fold the log from the beginning")]
    Changed,
    /// The content cannot be read.
    #[error("the snapshot cannot be read: {reason}; fold the log from the beginning")]
    Unreadable {
        /// What is wrong.
        reason: String,
    },
    /// The facts do not give the digest that was written with them.
    #[error(
        "the facts of the snapshot have the digest {found}, {written} was written; fold the log from the beginning"
    )]
    Digest {
        /// What the snapshot says.
        written: String,
        /// What its facts give.
        found: String,
    },
}

/// The targets of an indicator, for a unit of its own or for the province.
type TargetsOf<'a> = (Cow<'a, IndicatorId>, Option<Cow<'a, UnitId>>, Cow<'a, [TargetFact]>);

/// What stands after the first line. Open alerts, episodes and group digests follow from it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content<'a> {
    position: Position,
    digest: String,
    recorded_at: Option<Timestamp>,
    adopted: Option<Cow<'a, Adopted>>,
    reports: Cow<'a, BTreeMap<UnitId, BTreeMap<Period, PeriodReports>>>,
    targets: Vec<TargetsOf<'a>>,
    unit_changes: Cow<'a, BTreeMap<UnitId, Vec<UnitChangeFact>>>,
    alerts: Vec<Cow<'a, AlertFact>>,
    parked: Vec<(Option<Cow<'a, UnitId>>, Cow<'a, Parked>)>,
}

impl Facts {
    /// Writes everything that was folded.
    pub fn snapshot(&self) -> Vec<u8> {
        let targets = self.targets.iter().flat_map(|(indicator, of_indicator)| {
            of_indicator.iter().map(move |(unit, facts)| {
                (Cow::Borrowed(indicator), unit.as_ref().map(Cow::Borrowed), Cow::Borrowed(facts.as_slice()))
            })
        });
        let parked = self.parked.iter();
        let content = Content {
            position: self.head,
            digest: self.digest(),
            recorded_at: self.head_recorded_at,
            adopted: self.adopted.as_deref().map(Cow::Borrowed),
            reports: Cow::Borrowed(&self.reports),
            targets: targets.collect(),
            unit_changes: Cow::Borrowed(&self.unit_changes),
            alerts: self.alerts.values().map(Cow::Borrowed).collect(),
            parked: parked
                .map(|(unit, parked)| (unit.as_ref().map(Cow::Borrowed), Cow::Borrowed(parked)))
                .collect(),
        };
        let json = serde_json::to_vec(&content).expect("facts are plain data with text for keys");
        let mut bytes = first_line(&json).into_bytes();
        bytes.extend_from_slice(&json);
        bytes
    }

    /// Reads a snapshot back; refuses one whose bytes or whose digest are not those that were written.
    pub fn restore(bytes: &[u8]) -> Result<Facts, SnapshotError> {
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(SnapshotError::NoSnapshot)?;
        let (line, json) = bytes.split_at(end + 1);
        let line = std::str::from_utf8(line).map_err(|_| SnapshotError::NoSnapshot)?;
        let mut words = line.split_ascii_whitespace();
        if words.next() != Some(TITLE) {
            return Err(SnapshotError::NoSnapshot);
        }
        let found: u32 = words.next().and_then(|word| word.parse().ok()).ok_or(SnapshotError::NoSnapshot)?;
        if found != SNAPSHOT_VERSION {
            return Err(SnapshotError::Version { found });
        }
        if first_line(json) != line {
            return Err(SnapshotError::Changed);
        }
        let content: Content<'_> = serde_json::from_slice(json)
            .map_err(|error| SnapshotError::Unreadable { reason: error.to_string() })?;
        let written = content.digest.clone();
        let facts = Facts::of_content(content);
        let found = facts.digest();
        if found == written { Ok(facts) } else { Err(SnapshotError::Digest { written, found }) }
    }

    fn of_content(content: Content<'_>) -> Facts {
        let mut facts = Facts {
            head: content.position,
            head_recorded_at: content.recorded_at,
            adopted: content.adopted.map(|adopted| Arc::new(adopted.into_owned())),
            reports: content.reports.into_owned(),
            unit_changes: content.unit_changes.into_owned(),
            ..Facts::default()
        };
        for (indicator, unit, of_unit) in content.targets {
            let of_indicator = facts.targets.entry(indicator.into_owned()).or_default();
            of_indicator.insert(unit.map(Cow::into_owned), of_unit.into_owned());
        }
        for alert in content.alerts.into_iter().map(Cow::into_owned) {
            let cell = (alert.rule, alert.unit.clone(), alert.indicator.clone());
            if alert.resolved.is_none() {
                let (rule, unit, indicator) = cell.clone();
                let key = (rule, unit, indicator, episode_period(rule, alert.period));
                facts.open_alerts.insert(key, alert.id);
            }
            *facts.episodes.entry(cell).or_default() += 1;
            facts.alerts.insert(alert.id, alert);
        }
        for (unit, parked) in content.parked {
            facts.parked.insert(unit.map(Cow::into_owned), parked.into_owned());
        }
        facts.digests = facts.group_digests_at(facts.head);
        facts
    }
}

fn first_line(json: &[u8]) -> String {
    format!("{TITLE} {SNAPSHOT_VERSION} {}\n", events::strict_json::sha256_hex(json))
}

/// Serde form of a revision's lines: as in the event that brought them, without their sources.
pub(super) mod lines {
    use events::{LineValue, MeasureId, ReportLine};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::facts) fn serialize<S: Serializer>(
        lines: &[(MeasureId, LineValue)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let line = |(measure, value): &(MeasureId, LineValue)| ReportLine {
            measure: measure.clone(),
            value: *value,
            source: None,
        };
        serializer.collect_seq(lines.iter().map(line))
    }

    pub(in crate::facts) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Box<[(MeasureId, LineValue)]>, D::Error> {
        let lines = Vec::<ReportLine>::deserialize(deserializer)?;
        Ok(lines.into_iter().map(|line| (line.measure, line.value)).collect())
    }
}
