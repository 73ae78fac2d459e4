//! Admission of unit changes.

use super::{
    Identity, Known, ParsedRequest, Slot, before_the_plan, ended, identify, new_event, not_in_force,
    not_yet_in_force, revision_conflict, unknown_unit,
};
use events::command::ChangeUnit;
use events::{EventData, FieldError, Refusal, Timestamp, UnitChange, UnitChanged, UnitId};
use indicators::{Moment, View, shares_exceed_the_whole};
use plan::{Level, Plan, Unit};

/// The most units that there may be, as in a plan's file.
const UNITS_LIMIT: usize = 10_000;

pub(super) fn admit(
    known: &Known<'_>,
    plan: &Plan,
    request: &ParsedRequest,
    change: &ChangeUnit,
) -> Result<Slot, Refusal> {
    let (id, request_digest) = match identify(known, plan, request)? {
        Identity::Before(acceptance) => return Ok(Slot::Before(acceptance)),
        Identity::New { id, request_digest } => (id, request_digest),
    };
    let errors = check(known, plan, change);
    if !errors.is_empty() {
        return Err(Refusal::of_fields(errors));
    }
    let next = u32::try_from(known.facts.unit_changes(&change.unit).len() + 1).unwrap_or(u32::MAX);
    if let Some(given) = change.revision.filter(|given| *given != next) {
        return Err(revision_conflict("/revision", given, next, &format!("the unit `{}`", change.unit)));
    }
    let data = UnitChanged {
        unit: change.unit.clone(),
        change: change.change.clone(),
        revision: next,
        effective: change.effective,
        instrument: change.instrument.clone(),
        reason: change.reason.clone(),
        request_digest,
    };
    let effective = plan.calendar.start_of_day(change.effective);
    new_event(known, plan, request, id, effective, EventData::UnitChanged(data))
}

fn check(known: &Known<'_>, plan: &Plan, change: &ChangeUnit) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if change.effective < plan.adopted {
        errors.push(before_the_plan(plan, change.effective));
    }
    let effective = plan.calendar.start_of_day(change.effective);
    if let UnitChange::Establish { parent, .. } = &change.change {
        check_new_unit(plan, &change.unit, &mut errors);
        match parent {
            Some(parent) => check_province(plan, parent, &mut errors),
            None if plan.provinces().nth(1).is_some() => errors.push(FieldError::new(
                "/parent",
                "missing",
                "the plan has several provinces, and `parent` is missing",
                "name the province that the unit belongs to",
            )),
            None => {}
        }
        return errors;
    }
    let Some(unit) = plan.unit(&change.unit) else {
        errors.push(unknown_unit("/unit", plan, &change.unit));
        return errors;
    };
    errors.extend(not_yet_in_force(known.facts, plan, "/unit", &unit.id, effective));
    let ends = change.change.ends_the_unit();
    // A second end is refused whatever its date: which of the two holds could not be told.
    let until = if ends { Timestamp::MAX } else { effective };
    errors.extend(ended(known.facts, plan, "/unit", &unit.id, until));
    if ends && unit.level == Level::Province {
        errors.push(FieldError::new(
            "/change",
            "province-stays",
            format!("`{}` is a province; the plan ends with it", unit.id),
            "merge, split or dissolve districts only",
        ));
    } else if ends {
        errors.extend(takes_over_later(known, plan, &unit.id, effective));
    }
    match &change.change {
        UnitChange::Merge { into, .. } => {
            check_successor(known, plan, change, "/into", into, &mut errors);
        }
        UnitChange::Split { into } => {
            for (index, successor) in into.iter().enumerate() {
                let pointer = format!("/into/{index}/unit");
                check_successor(known, plan, change, &pointer, &successor.unit, &mut errors);
            }
            if shares_exceed_the_whole(into.iter().filter_map(|successor| successor.share)) {
                errors.push(FieldError::new(
                    "/into",
                    "shares-over-one",
                    format!("the shares of `{}` add up to more than the whole", unit.id),
                    "give each successor its part; together at most 1",
                ));
            }
        }
        UnitChange::Move { parent } => {
            check_move(known, plan, unit, parent, effective, &mut errors);
        }
        UnitChange::Establish { .. }
        | UnitChange::Rename { .. }
        | UnitChange::Retype { .. }
        | UnitChange::Recode { .. }
        | UnitChange::Dissolve => {}
    }
    errors
}

fn check_new_unit(plan: &Plan, unit: &UnitId, errors: &mut Vec<FieldError>) {
    if plan.unit(unit).is_some() {
        errors.push(FieldError::new(
            "/unit",
            "unit-exists",
            format!("there is a unit `{unit}` already, in force or not"),
            "give the new unit an id of its own: ids are never used again",
        ));
    }
    if plan.units.len() >= UNITS_LIMIT {
        errors.push(FieldError::new(
            "/unit",
            "too-many-units",
            format!("there are {UNITS_LIMIT} units, as many as a plan may have"),
            "adopt a new plan into a log of its own",
        ));
    }
}

/// A district moves from the province that it belongs to on the day to another one.
fn check_move(
    known: &Known<'_>,
    plan: &Plan,
    unit: &Unit,
    parent: &UnitId,
    effective: Timestamp,
    errors: &mut Vec<FieldError>,
) {
    if unit.level == Level::Province {
        errors.push(FieldError::new(
            "/unit",
            "not-a-district",
            format!("`{}` is a province", unit.id),
            "move districts only",
        ));
        return;
    }
    check_province(plan, parent, errors);
    let then = Moment::at(known.facts.head(), effective);
    let Some(view) = View::new(known.facts, then) else { return };
    if view.province_of(unit, effective) != parent {
        return;
    }
    let one = plan.provinces().nth(1).is_none();
    errors.push(FieldError::new(
        "/parent",
        if one { "no-other-province" } else { "belongs-there-already" },
        format!("`{}` belongs to `{parent}` on that day", unit.id),
        if one {
            "the plan has one province; a unit that leaves it is dissolved here"
        } else {
            "name another province"
        },
    ));
}

fn check_province(plan: &Plan, parent: &UnitId, errors: &mut Vec<FieldError>) {
    match plan.unit(parent) {
        None => errors.push(unknown_unit("/parent", plan, parent)),
        Some(unit) if unit.level == Level::District => errors.push(FieldError::new(
            "/parent",
            "not-a-province",
            format!("`{parent}` is a district"),
            format!("name a province, as in `{}`", plan.province().id),
        )),
        Some(_) => {}
    }
}

/// Who takes a unit over is another district that is in force on that day: so no unit goes over into one that
/// has gone over itself, and nothing goes round in a circle.
fn check_successor(
    known: &Known<'_>,
    plan: &Plan,
    change: &ChangeUnit,
    pointer: &str,
    into: &UnitId,
    errors: &mut Vec<FieldError>,
) {
    let Some(successor) = plan.unit(into) else {
        errors.push(unknown_unit(pointer, plan, into));
        return;
    };
    if *into == change.unit {
        errors.push(FieldError::new(
            pointer,
            "into-itself",
            format!("`{into}` cannot go over into itself"),
            "name the unit that takes it over; establish it first if it is new",
        ));
        return;
    }
    if successor.level == Level::Province {
        errors.push(FieldError::new(
            pointer,
            "not-a-district",
            format!("`{into}` is a province"),
            "name the district that takes it over",
        ));
        return;
    }
    let effective = plan.calendar.start_of_day(change.effective);
    errors.extend(not_in_force(known.facts, plan, pointer, into, effective));
}

/// A unit that is to take over another one on a day cannot end on that day or before.
fn takes_over_later(
    known: &Known<'_>,
    plan: &Plan,
    unit: &UnitId,
    effective: Timestamp,
) -> Option<FieldError> {
    let later = known.facts.successions(unit).filter(|(_, fact)| fact.effective >= effective);
    let (predecessor, fact) = later.max_by_key(|(_, fact)| (fact.effective, fact.position))?;
    let day = plan.calendar.date_of(fact.effective);
    Some(FieldError::new(
        "/effective",
        "takes-over-later",
        format!("`{unit}` takes over `{predecessor}` on {day}, so it is in force on that day"),
        "let it end on a later day",
    ))
}
