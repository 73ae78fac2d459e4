//! Admission of target changes.

use super::{
    Identity, Known, ParsedRequest, Slot, before_the_plan, identify, new_event, not_in_force,
    revision_conflict, unknown_unit,
};
use events::command::ChangeTarget;
use events::{EventData, FieldError, Mark, Refusal, Review, TargetChanged, TargetValue, UnitId};
use indicators::{Facts, TargetFact};
use plan::{Form, Indicator, Level, MeasureKind, Plan};

pub(super) fn admit(
    known: &Known<'_>,
    plan: &Plan,
    request: &ParsedRequest,
    change: &ChangeTarget,
) -> Result<Slot, Refusal> {
    let (id, request_digest) = match identify(known, plan, request)? {
        Identity::Before(acceptance) => return Ok(Slot::Before(acceptance)),
        Identity::New { id, request_digest } => (id, request_digest),
    };
    let errors = check(known, plan, change);
    if !errors.is_empty() {
        return Err(Refusal::of_fields(errors));
    }
    let indicator = plan.indicator(&change.indicator).expect("checked above");
    let own = settings(known.facts, indicator, change.unit.as_ref(), change.review);
    let next = u32::try_from(own.len() + 1).unwrap_or(u32::MAX);
    if let Some(given) = change.revision.filter(|given| *given != next) {
        let what = format!("the target of `{}` for {}", change.indicator, change.review);
        return Err(revision_conflict("/revision", given, next, &what));
    }
    let data = TargetChanged {
        indicator: change.indicator.clone(),
        unit: change.unit.clone(),
        review: change.review,
        value: change.value,
        mark: mark(known.facts, indicator, change),
        revision: next,
        effective: change.effective,
        instrument: change.instrument.clone(),
        reason: change.reason.clone(),
        request_digest,
    };
    let effective = plan.calendar.start_of_day(change.effective);
    new_event(known, plan, request, id, effective, EventData::TargetChanged(data))
}

fn settings<'a>(
    facts: &'a Facts,
    indicator: &Indicator,
    unit: Option<&UnitId>,
    review: Review,
) -> Vec<&'a TargetFact> {
    facts.targets(&indicator.id, unit).iter().filter(|fact| fact.review == review).collect()
}

/// A changed target keeps its mark; a unit's first own one takes the province's; a new one is to be attained,
/// unless the plan says how a target is meant that it does not restate.
fn mark(facts: &Facts, indicator: &Indicator, change: &ChangeTarget) -> Mark {
    let own = settings(facts, indicator, change.unit.as_ref(), change.review);
    let province = settings(facts, indicator, None, change.review);
    let kept = own.last().or(province.last()).map(|fact| fact.mark);
    let unrestated = indicator.not_restated.iter().find(|unrestated| unrestated.review == change.review);
    kept.or(unrestated.map(|unrestated| unrestated.mark)).unwrap_or(Mark::Attain)
}

fn check(known: &Known<'_>, plan: &Plan, change: &ChangeTarget) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let indicator = plan.indicator(&change.indicator);
    match indicator {
        None => errors.push(unknown_indicator(plan, change)),
        Some(indicator) => check_value(plan, indicator, change, &mut errors),
    }
    let review_exists = plan.reviews.iter().any(|review| review.review == change.review);
    if !review_exists {
        let years: Vec<String> = plan.reviews.iter().map(|review| review.review.to_string()).collect();
        errors.push(FieldError::new(
            "/review",
            "unknown-review",
            format!("the plan has no review {}", change.review),
            format!("use {}", years.join(" or ")),
        ));
    } else if change.effective.year() > change.review.year() {
        errors.push(FieldError::new(
            "/effective",
            "review-is-over",
            format!("the review {} has ended before {}", change.review, change.effective),
            "a target holds only from a day up to the end of its review's year",
        ));
    }
    if change.effective < plan.adopted {
        errors.push(before_the_plan(plan, change.effective));
    }
    if let Some(unit) = &change.unit {
        check_unit(known, plan, indicator, change, unit, &mut errors);
    } else if matches!(change.value, TargetValue::Withdrawn(_)) {
        errors.push(FieldError::new(
            "/withdrawn",
            "province-target-stays",
            "the province's target cannot be withdrawn",
            "name the unit whose own target is withdrawn, or set another value",
        ));
    }
    errors
}

fn unknown_indicator(plan: &Plan, change: &ChangeTarget) -> FieldError {
    let ids: Vec<&str> = plan.indicators.iter().map(|indicator| indicator.id.as_str()).collect();
    FieldError::new(
        "/indicator",
        "unknown-indicator",
        format!("the plan has no indicator `{}`", change.indicator),
        format!("use one of {}", ids.join(", ")),
    )
}

fn check_value(plan: &Plan, indicator: &Indicator, change: &ChangeTarget, errors: &mut Vec<FieldError>) {
    let kind = &plan.measure_of(indicator).kind;
    let expected = match (plan.form(indicator), kind, change.value) {
        (_, _, TargetValue::Withdrawn(_))
        | (Form::Rate { .. } | Form::Share { .. }, _, TargetValue::Percent(_))
        | (Form::State, MeasureKind::Attained { .. }, TargetValue::Attained(true)) => return,
        (Form::State, MeasureKind::Level { highest }, TargetValue::Level(level)) if level <= *highest => {
            return;
        }
        (Form::Rate { .. } | Form::Share { .. }, _, _) => {
            "`percent`, a decimal string from 0 to 100".to_owned()
        }
        (Form::State, MeasureKind::Level { highest }, _) => format!("`level`, from 0 to {highest}"),
        (Form::State, MeasureKind::Attained { .. } | MeasureKind::Rate, _) => "`attained`: true".to_owned(),
    };
    let field = match change.value {
        TargetValue::Percent(_) => "/percent",
        TargetValue::Level(_) => "/level",
        TargetValue::Attained(_) => "/attained",
        TargetValue::Withdrawn(_) => "/withdrawn",
    };
    errors.push(FieldError::new(
        field,
        "value-of-another-kind",
        format!("a target of `{}` is not given like this", indicator.id),
        format!("give {expected}"),
    ));
}

fn check_unit(
    known: &Known<'_>,
    plan: &Plan,
    indicator: Option<&Indicator>,
    change: &ChangeTarget,
    unit: &UnitId,
    errors: &mut Vec<FieldError>,
) {
    let Some(found) = plan.unit(unit) else {
        errors.push(unknown_unit("/unit", plan, unit));
        return;
    };
    if found.level == Level::Province {
        errors.push(FieldError::new(
            "/unit",
            "province-named",
            format!("`{unit}` is the province; its target is the one without `unit`"),
            "leave `unit` out",
        ));
        return;
    }
    let effective = plan.calendar.start_of_day(change.effective);
    errors.extend(not_in_force(known.facts, plan, "/unit", unit, effective));
    let Some(indicator) = indicator else { return };
    if plan.form(indicator) != (Form::Rate { by_districts: true }) {
        errors.push(FieldError::new(
            "/unit",
            "no-target-of-its-own",
            format!("a unit has no target of its own for `{}`", indicator.id),
            "units have targets of their own for rates that districts report; leave `unit` out",
        ));
        return;
    }
    if matches!(change.value, TargetValue::Withdrawn(_)) {
        let own = settings(known.facts, indicator, Some(unit), change.review);
        let latest = own
            .iter()
            .filter(|fact| fact.effective <= effective)
            .max_by_key(|fact| (fact.effective, fact.position));
        if latest.is_none_or(|fact| matches!(fact.value, TargetValue::Withdrawn(_))) {
            errors.push(FieldError::new(
                "/withdrawn",
                "nothing-to-withdraw",
                format!("`{unit}` has no target of its own for `{}` on {}", indicator.id, change.effective),
                "withdraw only a target that the unit has on that day",
            ));
        }
    }
}
