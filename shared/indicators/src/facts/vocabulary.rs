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
    /// The numbers of the names that fall into the same place, and the names: nearly always at most one.
    places: Vec<Vec<(Box<str>, u16)>>,
}

const PLACES: usize = 256;

/// Where a name is looked for: words of a plan differ in length, in their first letters or in their last.
fn place_of(name: &str) -> usize {
    let bytes = name.as_bytes();
    let letter = |index: usize| usize::from(bytes.get(index).copied().unwrap_or(0));
    let mixed =
        bytes.len() * 7 + letter(0) * 31 + letter(bytes.len() / 2) * 57 + letter(bytes.len().wrapping_sub(1));
    mixed % PLACES
}

impl<Id> Names<Id> {
    fn new(ids: Vec<Id>, text: impl Fn(&Id) -> &str) -> Names<Id> {
        let mut places = vec![Vec::new(); PLACES];
        for (id, number) in ids.iter().zip(0..) {
            places[place_of(text(id))].push((text(id).into(), number));
        }
        Names { ids, places }
    }

    fn push(&mut self, id: Id, text: impl Fn(&Id) -> &str) -> Option<()> {
        let number = u16::try_from(self.ids.len()).ok()?;
        self.places[place_of(text(&id))].push((text(&id).into(), number));
        self.ids.push(id);
        Some(())
    }

    fn number(&self, name: &str) -> Option<u16> {
        self.places[place_of(name)].iter().find(|(known, _)| **known == *name).map(|(_, number)| *number)
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

    /// The same words and one unit more, behind those that there are; none if it cannot be numbered.
    pub(super) fn with_unit(&self, unit: UnitId) -> Option<Vocabulary> {
        let mut more = self.clone();
        more.units.push(unit, UnitId::as_str)?;
        Some(more)
    }

    /// Whether units and measures have the same numbers in another one, which may know units beyond these.
    pub(super) fn goes_on_in(&self, other: &Vocabulary) -> bool {
        other.units.ids.starts_with(&self.units.ids) && self.measures.ids == other.measures.ids
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
