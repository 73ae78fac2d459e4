//! The rules between the parts of a plan that types alone do not hold.

use super::section::quoted;
use super::{Finding, PERIODS_LIMIT, check_indicator};
use crate::{Calendar, Hysteresis, Level, MeasureKind, Plan};
use events::wire::Written;
use events::{ActorId, Event, EventData, EventId, PlanAdopted, UnitId};
use std::collections::{BTreeSet, HashSet};
use std::fmt::Display;
use std::hash::Hash;

/// The longest W3C trace context that an event may bring: version 00.
const TRACEPARENT_CHARS: usize = 55;

/// Checks a whole plan and notes everything that is wrong.
pub(super) fn check(plan: &Plan, findings: &mut Vec<Finding>) {
    rules(plan, findings);
    size(plan, findings);
}

/// Checks the rules between the parts of a plan, adopted or amended.
pub(super) fn rules(plan: &Plan, findings: &mut Vec<Finding>) {
    calendar(&plan.calendar, findings);
    reviews(plan, findings);
    thresholds(plan, findings);
    bodies(plan, findings);
    units(plan, findings);
    measures(plan, findings);
    decisions(plan, findings);
    check_indicator::indicators(plan, findings);
}

/// Refuses the second and every further entry with the same key.
pub(super) fn unique<T: Hash + Eq + Display>(
    list: &str,
    field: &str,
    entries: impl Iterator<Item = T>,
    findings: &mut Vec<Finding>,
) {
    let mut seen = HashSet::new();
    for (index, entry) in entries.enumerate() {
        if seen.contains(&entry) {
            let what = format!("`{entry}` stands twice in `{list}`");
            let remedy = "keep one of the two, or give this one another";
            findings.push(Finding::new(
                format!("{list}[{index}].{field}"),
                what,
                format!("{remedy} `{field}`"),
            ));
        } else {
            seen.insert(entry);
        }
    }
}

fn calendar(calendar: &Calendar, findings: &mut Vec<Finding>) {
    let (first, last, duty) = (calendar.first_period, calendar.last_period, calendar.duty_from);
    if last < first {
        let what = format!("the last period {last} is before the first period {first}");
        findings.push(Finding::new("calendar.last_period", what, "give the later year"));
        return;
    }
    if last.year() - first.year() >= PERIODS_LIMIT {
        let what = format!("from {first} to {last} there are more than {PERIODS_LIMIT} periods");
        findings.push(Finding::new("calendar.last_period", what, "give the plan's own years"));
    }
    if duty < first || last < duty {
        let what = format!("the duty begins in {duty}, outside {first} to {last}");
        findings.push(Finding::new("calendar.duty_from", what, "give one of the plan's periods"));
    }
}

fn reviews(plan: &Plan, findings: &mut Vec<Finding>) {
    let (first, last) = (plan.calendar.first_period, plan.calendar.last_period);
    if plan.reviews.is_empty() {
        let remedy = "add a `[[reviews]]` for each year at whose end targets are judged";
        findings.push(Finding::new("reviews", "the plan has no review", remedy));
    }
    for (index, entry) in plan.reviews.iter().enumerate() {
        let (key, review) = (format!("reviews[{index}]"), entry.review);
        if review.year() < first.year() || last.year() < review.year() {
            let what = format!("the review {review} is outside the periods {first} to {last}");
            findings.push(Finding::new(format!("{key}.review"), what, "give one of the plan's periods"));
        }
        if index > 0 && review <= plan.reviews[index - 1].review {
            let what = format!("the review {review} does not come after {}", plan.reviews[index - 1].review);
            let remedy = "put the reviews in the order of their years, each once";
            findings.push(Finding::new(format!("{key}.review"), what, remedy));
        }
        if let Some(day) = entry.units_as_of
            && (day < plan.adopted || review.year() < day.year())
        {
            let what = format!("{day} is not between the plan's adoption and the end of {review}");
            let remedy = "give the day that the recorded decision names, or leave it out";
            findings.push(Finding::new(format!("{key}.units_as_of"), what, remedy));
        }
    }
}

fn thresholds(plan: &Plan, findings: &mut Vec<Finding>) {
    let (at_risk, on_track) = (plan.thresholds.at_risk, plan.thresholds.on_track);
    if at_risk >= on_track {
        let what = format!("at risk from {at_risk} is not below on track from {on_track}");
        findings.push(Finding::new("thresholds.at_risk", what, "give a smaller ratio than `on_track`"));
    }
    let (behind, at_risk) = (&plan.alerts.behind, &plan.alerts.at_risk);
    hysteresis("alerts.behind", behind, findings);
    hysteresis("alerts.at_risk", at_risk, findings);
    if at_risk.fires_below <= behind.fires_below {
        let what = format!(
            "the alert at-risk fires below {}, no higher than behind, which fires below {}",
            at_risk.fires_below, behind.fires_below
        );
        let remedy = "give a larger ratio than `alerts.behind.fires_below`";
        findings.push(Finding::new("alerts.at_risk.fires_below", what, remedy));
    }
}

fn hysteresis(key: &str, bounds: &Hysteresis, findings: &mut Vec<Finding>) {
    if bounds.clears_from < bounds.fires_below {
        let what = format!(
            "the alert clears from {} on while it still fires below {}",
            bounds.clears_from, bounds.fires_below
        );
        let remedy = "give `fires_below` or a larger ratio";
        findings.push(Finding::new(format!("{key}.clears_from"), what, remedy));
    }
}

fn bodies(plan: &Plan, findings: &mut Vec<Finding>) {
    for (index, body) in plan.bodies.iter().enumerate() {
        if let Err(error) = ActorId::parse(&body.id) {
            let remedy = "give a short id in that form, as in `so-gddt`";
            findings.push(Finding::new(format!("bodies[{index}].id"), error.to_string(), remedy));
        }
    }
    unique("bodies", "id", plan.bodies.iter().map(|body| &body.id), findings);
}

fn units(plan: &Plan, findings: &mut Vec<Finding>) {
    unique("units", "id", plan.units.iter().map(|unit| &unit.id), findings);
    let of_level = |level| {
        plan.units.iter().enumerate().filter(move |(_, unit)| unit.level == level).map(|(index, _)| index)
    };
    if of_level(Level::Province).next().is_none() {
        let remedy = "add the unit with `level = \"province\"`";
        findings.push(Finding::new("units", "the plan has no province", remedy));
    }
    parents(plan, findings);
    if of_level(Level::District).next().is_none() {
        let remedy = "add at least one unit with `level = \"district\"`";
        findings.push(Finding::new("units", "the plan has no district", remedy));
    }
}

/// Where a plan has several provinces, each district says which one it belongs to.
fn parents(plan: &Plan, findings: &mut Vec<Finding>) {
    let provinces: BTreeSet<&UnitId> = plan.provinces().map(|unit| &unit.id).collect();
    for (index, unit) in plan.units.iter().enumerate() {
        let key = format!("units[{index}].parent");
        match (unit.level, &unit.parent) {
            (Level::District, Some(parent)) if !provinces.contains(parent) => {
                let what = format!("the plan has no province `{parent}`");
                findings.push(Finding::new(key, what, "name a unit with `level = \"province\"`"));
            }
            (Level::District, None) if provinces.len() > 1 => {
                let what = "there are several provinces, and this does not say which one it belongs to";
                findings.push(Finding::new(key, what, "add `parent` with the id of its province"));
            }
            (Level::Province, Some(_)) => {
                let what = "a province belongs to nothing above it";
                findings.push(Finding::new(key, what, "leave it out, or make it a district"));
            }
            (Level::District, _) | (Level::Province, None) => {}
        }
    }
}

fn measures(plan: &Plan, findings: &mut Vec<Finding>) {
    unique("measures", "id", plan.measures.iter().map(|measure| &measure.id), findings);
    for (index, measure) in plan.measures.iter().enumerate() {
        match measure.kind {
            MeasureKind::Level { highest: 0 } => {
                let what = "a measure whose highest level is 0 tells nothing";
                let key = format!("measures[{index}].highest");
                findings.push(Finding::new(key, what, "give the highest level that there is, from 1"));
            }
            MeasureKind::Attained { months: Some(0) } => {
                let remedy =
                    "give the months after the year of recognition, or leave it out if it does not lapse";
                let what = "a recognition of 0 months lapses with its own year";
                findings.push(Finding::new(format!("measures[{index}].months"), what, remedy));
            }
            MeasureKind::Rate | MeasureKind::Level { .. } | MeasureKind::Attained { .. } => {}
        }
    }
}

fn decisions(plan: &Plan, findings: &mut Vec<Finding>) {
    unique("decisions", "number", plan.decisions.iter().map(|decision| decision.number), findings);
}

/// The plan is embedded in `plan-adopted`, with the longest actor and trace context that may come with it.
fn size(plan: &Plan, findings: &mut Vec<Finding>) {
    let actor = "a".repeat(events::ids::SLUG_LIMIT_BYTES);
    let adopted = Event {
        id: EventId::nil(),
        plan: plan.id.clone(),
        effective: plan.calendar.start_of_day(plan.adopted),
        actor: ActorId::parse(&actor).expect("letters are an id"),
        traceparent: Some("0".repeat(TRACEPARENT_CHARS)),
        data: EventData::PlanAdopted(PlanAdopted {
            plan: plan.canonical(),
            digest: plan.digest(),
            sample: true,
        }),
    };
    if let Err(error) = Written::new(&adopted) {
        let what = format!("the plan is too large for the event that adopts it: {error}");
        findings.push(Finding::new("", what, "shorten its texts or split the plan"));
    }
}

/// Says which names there are.
pub(super) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    format!("use one of {}", quoted(names))
}
