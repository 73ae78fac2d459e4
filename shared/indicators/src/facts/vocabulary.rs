//! The units and measures of a plan by number: what the facts are kept and decoded by.

use events::{MeasureId, UnitId};
use plan::Plan;

/// The units and the measures of a plan, each in the plan's order, and by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Vocabulary {
    units: Names<UnitId>,
    measures: Names<MeasureId>,
}

/// Names and their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Names<Id> {
    ids: Vec<Id>,
    /// In the order of the names.
    sorted: Vec<(Box<str>, u16)>,
}

impl<Id> Names<Id> {
    fn new(ids: Vec<Id>, text: impl Fn(&Id) -> &str) -> Names<Id> {
        let mut sorted: Vec<(Box<str>, u16)> = ids.iter().map(|id| text(id).into()).zip(0..).collect();
        sorted.sort_unstable();
        Names { ids, sorted }
    }

    fn number(&self, name: &str) -> Option<u16> {
        let found = self.sorted.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        Some(self.sorted[found].1)
    }
}

impl Vocabulary {
    /// None if the plan has more units or measures than can be numbered in 16 bits.
    pub(super) fn of(plan: &Plan) -> Option<Vocabulary> {
        let units: Vec<UnitId> = plan.units.iter().map(|unit| unit.id.clone()).collect();
        let measures: Vec<MeasureId> = plan.measures.iter().map(|measure| measure.id.clone()).collect();
        let limit = usize::from(u16::MAX);
        (units.len() <= limit && measures.len() <= limit).then(|| Vocabulary {
            units: Names::new(units, UnitId::as_str),
            measures: Names::new(measures, MeasureId::as_str),
        })
    }

    pub(super) fn unit(&self, name: &str) -> Option<u16> {
        self.units.number(name)
    }

    pub(super) fn measure(&self, name: &str) -> Option<u16> {
        self.measures.number(name)
    }

    pub(super) fn unit_id(&self, unit: u16) -> &UnitId {
        &self.units.ids[usize::from(unit)]
    }

    pub(super) fn measure_id(&self, measure: u16) -> &MeasureId {
        &self.measures.ids[usize::from(measure)]
    }

    pub(super) fn unit_count(&self) -> usize {
        self.units.ids.len()
    }

    pub(super) fn measure_count(&self) -> usize {
        self.measures.ids.len()
    }
}
