//! Statements of the province that those of its districts exclude.

use super::{Evidence, Finding, FindingRule, Line};
use crate::evaluate::View;
use crate::standing::StateValue;
use events::{LineValue, MeasureId, Period};
use plan::{Measure, Unit};

/// A level of the province that holds only where every district has its own.
struct LevelLaw {
    province: &'static str,
    from_level: u8,
    districts: &'static str,
    needed_level: u8,
}

/// What the laws say of levels; a plan without these measures is held to none of it.
const LEVEL_LAWS: [LevelLaw; 1] = [LevelLaw {
    // Decree 20/2014/NĐ-CP, article 21.
    province: "province-literacy-level",
    from_level: 2,
    districts: "literacy-level",
    needed_level: 2,
}];

/// A yes of the province (first) that makes no sense without one yes among the districts (second).
const RECOGNITIONS: [(&str, &str); 1] = [("learning-province", "learning-district")];

impl View<'_> {
    pub(super) fn law_findings(&self, measure: &Measure, lines: &[Line<'_>], found: &mut Vec<Finding>) {
        for line in lines {
            found.extend(self.level_contradiction(measure, line));
            found.extend(self.province_contradiction(measure, line));
        }
    }

    /// A district that never reported contradicts nothing: what is not known is no level.
    fn level_contradiction(&self, measure: &Measure, line: &Line<'_>) -> Option<Finding> {
        let law = LEVEL_LAWS.iter().find(|law| law.province == measure.id.as_str())?;
        let of_districts = self.district_measure(law.districts)?;
        let LineValue::Level { level } = line.standing.value else { return None };
        if level < law.from_level {
            return None;
        }
        let below = |value| matches!(value, StateValue::Level(level) if level < law.needed_level);
        let against = self.districts_where(line.unit, of_districts, line.period, below);
        if against.is_empty() {
            return None;
        }
        let names = self.names_of(&against);
        let sentence = [
            format!(
                "kỳ {} tỉnh báo mức độ {level}, nhưng chưa đạt mức độ {}: {} (Nghị định 20/2014/NĐ-CP, Điều 21).",
                line.period, law.needed_level, names[0]
            ),
            format!(
                "in period {} the province says level {level}, but below level {} are: {} (Decree 20/2014/NĐ-CP, article 21).",
                line.period, law.needed_level, names[1]
            ),
        ];
        let evidence = std::iter::once(line.evidence()).chain(against).collect();
        Some(self.finding(FindingRule::LevelContradiction, measure, line, evidence, sentence))
    }

    fn province_contradiction(&self, measure: &Measure, line: &Line<'_>) -> Option<Finding> {
        let (_, districts) = RECOGNITIONS.iter().find(|(province, _)| *province == measure.id.as_str())?;
        let of_districts = self.district_measure(districts)?;
        let LineValue::Attained { attained: true, .. } = line.standing.value else { return None };
        let recognised = |value| matches!(value, StateValue::Attained { attained: true, .. });
        if !self.districts_where(line.unit, of_districts, line.period, recognised).is_empty() {
            return None;
        }
        let not = |value| matches!(value, StateValue::Attained { attained: false, .. });
        let against = self.districts_where(line.unit, of_districts, line.period, not);
        let sentence = [
            format!("kỳ {} tỉnh báo được công nhận, nhưng chưa có huyện nào được công nhận.", line.period),
            format!("in period {} the province says it is recognised, but not one district is.", line.period),
        ];
        let evidence = std::iter::once(line.evidence()).chain(against).collect();
        Some(self.finding(FindingRule::ProvinceContradiction, measure, line, evidence, sentence))
    }

    fn district_measure(&self, id: &str) -> Option<&Measure> {
        self.plan().measure(&MeasureId::parse(id).ok()?)
    }

    /// The districts in force at a period's end whose state by then is as wanted, with the lines that say so.
    fn districts_where(
        &self,
        province: &Unit,
        measure: &Measure,
        period: Period,
        wanted: impl Fn(StateValue) -> bool,
    ) -> Vec<Evidence> {
        let end = self.plan().calendar.end_of_year(period.year());
        let districts = self.districts_in_force(&province.id, end).into_iter();
        districts
            .filter_map(|unit| {
                let state = self.state(unit, measure, period.year(), end)?;
                let standing = self.standing(&unit.id, state.period, &measure.id)?;
                wanted(state.value).then(|| Line { unit, period: state.period, standing }.evidence())
            })
            .collect()
    }

    fn names_of(&self, evidence: &[Evidence]) -> [String; 2] {
        let units = evidence.iter().filter_map(|of| self.plan().unit(&of.part.unit));
        let names: Vec<_> = units.map(|unit| self.unit_now(unit).name).collect();
        let listed = |pick: fn(&plan::Names) -> &str| names.iter().map(pick).collect::<Vec<_>>().join(", ");
        [listed(|names| &names.vi), listed(|names| &names.en)]
    }
}
