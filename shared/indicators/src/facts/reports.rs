//! The reports of one unit and period, with an index from each measure to the revisions that name it.

use super::fact::Revision;
use events::MeasureId;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;

/// Every revision of one unit and period, in order.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "Vec<Revision>")]
pub(super) struct PeriodReports {
    revisions: Vec<Revision>,
    /// Which revisions name a measure, in order: a correction of one line must not make reading the others
    /// slower.
    naming: BTreeMap<MeasureId, Vec<u32>>,
}

impl PeriodReports {
    pub(super) fn push(&mut self, revision: Revision) {
        let index = u32::try_from(self.revisions.len()).expect("revisions are counted in 32 bits");
        for (measure, _) in &revision.lines {
            self.naming.entry(measure.clone()).or_default().push(index);
        }
        self.revisions.push(revision);
    }

    pub(super) fn as_slice(&self) -> &[Revision] {
        &self.revisions
    }

    /// The revisions that name a measure, the highest first.
    pub(super) fn naming(&self, measure: &MeasureId) -> impl Iterator<Item = &Revision> {
        let indexes = self.naming.get(measure).map_or(&[] as &[u32], Vec::as_slice);
        indexes.iter().rev().map(|index| &self.revisions[*index as usize])
    }
}

impl From<Vec<Revision>> for PeriodReports {
    fn from(revisions: Vec<Revision>) -> PeriodReports {
        let mut reports = PeriodReports::default();
        revisions.into_iter().for_each(|revision| reports.push(revision));
        reports
    }
}

impl Serialize for PeriodReports {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.revisions.serialize(serializer)
    }
}
