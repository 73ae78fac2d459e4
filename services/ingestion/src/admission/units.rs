//! Admission of unit changes.

use super::{
    Identity, Known, ParsedRequest, Slot, before_the_plan, dissolved, dissolved_since, identify, new_event,
    revision_conflict, unknown_unit,
};
use events::command::ChangeUnit;
use events::{EventData, FieldError, Refusal, UnitChange, UnitChanged};
use plan::{Level, Plan};

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
    let Some(unit) = plan.unit(&change.unit) else {
        errors.push(unknown_unit("/unit", plan, &change.unit));
        return errors;
    };
    let effective = plan.calendar.start_of_day(change.effective);
    let dissolves = change.change == UnitChange::Dissolve;
    if dissolves && unit.level == Level::Province {
        errors.push(FieldError::new(
            "/change",
            "province-stays",
            format!("`{}` is the province; the plan ends with it", unit.id),
            "dissolve districts only",
        ));
    }
    // A second dissolution is refused whatever its date: which of the two holds could not be told.
    let until = if dissolves { events::Timestamp::MAX } else { effective };
    if let Some(since) = dissolved_since(known.facts, plan, &unit.id, until) {
        errors.push(dissolved("/unit", &unit.id, since));
    }
    errors
}
