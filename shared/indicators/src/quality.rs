//! Data quality as findings: what looks wrong in the figures that stand. Nothing is refused for it.

use crate::cell::Value;
use crate::evaluate::{View, rate_value};
use crate::explanation::Part;
use crate::standing::Standing;
use events::{IndicatorId, LineValue, MeasureId, Period, Severity, UnitId};
use plan::{Indicator, Measure, Names, Unit};
use serde::Serialize;

mod bounds;
mod laws;
mod rates;
mod states;

pub use bounds::{FINDING_RULES, FindingRule, RuleBounds};

/// Something that looks wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which rule found it.
    pub rule: FindingRule,
    /// The unit whose figure it is.
    pub unit: UnitId,
    /// The measure.
    pub measure: MeasureId,
    /// The indicators that the measure feeds.
    pub indicators: Vec<IndicatorId>,
    /// The period of the figure.
    pub period: Period,
    /// How grave.
    pub severity: Severity,
    /// The figures it rests on, with their events.
    pub evidence: Vec<Evidence>,
    /// What it says.
    pub sentence: Names,
}

/// A figure that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The period.
    pub period: Period,
    /// The line.
    #[serde(flatten)]
    pub part: Part,
}

/// A unit's line of a period that stands.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    unit: &'a Unit,
    period: Period,
    standing: Standing,
}

impl Line<'_> {
    fn evidence(&self) -> Evidence {
        let revision = self.standing.revision;
        let value = match self.standing.value {
            LineValue::Rate { numerator, denominator: 0 } => {
                Value::Rate { numerator, denominator: 0, percent: String::new() }
            }
            LineValue::Rate { numerator, denominator } => rate_value(numerator, denominator),
            LineValue::Level { level } => Value::Level { level },
            LineValue::Attained { attained, .. } => Value::Attained { attained, lapsed: false },
            LineValue::Withdrawn { .. } => Value::Attained { attained: false, lapsed: false },
        };
        Evidence {
            period: self.period,
            part: Part {
                unit: self.unit.id.clone(),
                value,
                revision: revision.revision,
                event: revision.event,
                position: revision.position,
                document_date: revision.document_date.to_string(),
                history: revision.history,
            },
        }
    }
}

impl View<'_> {
    /// Everything that looks wrong at the moment, for all units or one that it speaks of, for all indicators or one;
    /// in the order of the plan, then by period.
    pub fn findings(&self, unit: Option<&Unit>, indicator: Option<&Indicator>) -> Vec<Finding> {
        let plan = self.plan();
        let mut found = Vec::new();
        for of in &plan.units {
            for measure in plan.measures.iter().filter(|measure| measure.level == of.level) {
                if indicator.is_some_and(|asked| asked.measure != measure.id) {
                    continue;
                }
                let lines = self.lines(of, measure);
                self.rate_findings(measure, &lines, &mut found);
                self.state_findings(measure, &lines, &mut found);
                self.law_findings(measure, &lines, &mut found);
            }
        }
        let speaks_of = |finding: &Finding, asked: &Unit| {
            finding.unit == asked.id || finding.evidence.iter().any(|of| of.part.unit == asked.id)
        };
        found.retain(|finding| unit.is_none_or(|asked| speaks_of(finding, asked)));
        found
    }

    /// Every line of a unit's measure that stands, oldest period first.
    fn lines<'u>(&self, unit: &'u Unit, measure: &Measure) -> Vec<Line<'u>> {
        let periods = self.plan().calendar.periods();
        periods
            .filter_map(|period| {
                let standing = self.standing(&unit.id, period, &measure.id)?;
                Some(Line { unit, period, standing })
            })
            .collect()
    }

    fn finding(
        &self,
        rule: FindingRule,
        measure: &Measure,
        line: &Line<'_>,
        evidence: Vec<Evidence>,
        sentence: [String; 2],
    ) -> Finding {
        let name = self.unit_now(line.unit).name;
        let [vi, en] = sentence;
        Finding {
            rule,
            unit: line.unit.id.clone(),
            measure: measure.id.clone(),
            indicators: self.plan().fed_by(&measure.id).map(|indicator| indicator.id.clone()).collect(),
            period: line.period,
            severity: rule.bounds().severity,
            evidence,
            sentence: Names {
                vi: format!("{} – {}: {vi}", name.vi, measure.name.vi),
                en: format!("{} – {}: {en}", name.en, measure.name.en),
            },
        }
    }
}
