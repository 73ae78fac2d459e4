//! Admission of baselines, of amendments of the plan and of extended deadlines.

use super::{
    Identity, Known, ParsedRequest, Slot, before_the_plan, identify, new_event, not_in_force,
    revision_conflict, unknown_unit,
};
use events::command::{
    AmendPlan, AmendmentPreview, EnterBaseline, ExtendDeadline, KeyDifference, PREVIEW_LIMIT,
};
use events::{
    BaselineEntered, BaselineValue, Date, DeadlineExtended, EventData, FieldError, KeyValue, Period,
    PlanAmended, Refusal, Timestamp,
};
use indicators::{AMENDMENTS_LIMIT, Moment, ProposalError, ProposedPlans, View, differences};
use plan::{Form, Plan};

/// The first year that a baseline may be of.
const BASELINE_FROM: Period = Period(2000);
/// How far a deadline may be moved, in days.
const EXTENSION_LIMIT_DAYS: i32 = 366;

fn next(before: usize) -> u32 {
    u32::try_from(before + 1).unwrap_or(u32::MAX)
}

/// Decides on a baseline.
pub(super) fn baseline(
    known: &Known<'_>,
    plan: &Plan,
    request: &ParsedRequest,
    baseline: &EnterBaseline,
) -> Result<Slot, Refusal> {
    let (id, request_digest) = match identify(known, plan, request)? {
        Identity::Before(acceptance) => return Ok(Slot::Before(acceptance)),
        Identity::New { id, request_digest } => (id, request_digest),
    };
    let errors = check_baseline(known, plan, baseline);
    if !errors.is_empty() {
        return Err(Refusal::of_fields(errors));
    }
    let next = next(known.facts.baselines(&baseline.unit, &baseline.indicator).len());
    if let Some(given) = baseline.revision.filter(|given| *given != next) {
        let what = format!("the baseline of `{}` for `{}`", baseline.unit, baseline.indicator);
        return Err(revision_conflict("/revision", given, next, &what));
    }
    let data = BaselineEntered {
        unit: baseline.unit.clone(),
        indicator: baseline.indicator.clone(),
        period: baseline.period,
        value: baseline.value,
        document: baseline.document.clone(),
        reason: baseline.reason.clone(),
        revision: next,
        request_digest,
    };
    let effective = plan.calendar.start_of_day(baseline.document.date);
    new_event(known, plan, request, id, effective, EventData::BaselineEntered(data))
}

fn check_baseline(known: &Known<'_>, plan: &Plan, baseline: &EnterBaseline) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let unit = plan.unit(&baseline.unit);
    if unit.is_none() {
        errors.push(unknown_unit("/unit", plan, &baseline.unit));
    }
    let indicator = plan.indicator(&baseline.indicator);
    match (unit, indicator) {
        (_, None) => {
            let ids: Vec<&str> = plan.indicators.iter().map(|indicator| indicator.id.as_str()).collect();
            errors.push(FieldError::new(
                "/indicator",
                "unknown-indicator",
                format!("the plan has no indicator `{}`", baseline.indicator),
                format!("use one of {}", ids.join(", ")),
            ));
        }
        (_, Some(indicator)) if !matches!(plan.form(indicator), Form::Rate { .. }) => {
            errors.push(FieldError::new(
                "/indicator",
                "no-rate",
                format!("`{}` is no rate, and only rates have a path that begins somewhere", indicator.id),
                "enter baselines of rates only",
            ));
        }
        (Some(unit), Some(indicator)) if !plan.has_cell(unit.level, indicator) => {
            errors.push(FieldError::new(
                "/unit",
                "no-such-cell",
                format!("`{}` does not report `{}`", unit.id, indicator.id),
                "name the province, or an indicator that this unit reports",
            ));
        }
        (_, Some(_)) => {}
    }
    let last = plan.calendar.last_period;
    if baseline.period < BASELINE_FROM || last < baseline.period {
        errors.push(FieldError::new(
            "/period",
            "unknown-period",
            format!("{} is no year that a baseline may be of", baseline.period),
            format!("give a year from {BASELINE_FROM} to {last}"),
        ));
    }
    let date = baseline.document.date;
    if date > plan.calendar.date_of(known.now) {
        errors.push(FieldError::new(
            "/document/date",
            "in-the-future",
            format!("{date} lies ahead"),
            "give the date printed on the document",
        ));
    }
    if date.year() < baseline.period.year() {
        errors.push(FieldError::new(
            "/document/date",
            "before-its-period",
            format!("the document of {date} cannot know the year {}", baseline.period),
            "give the date printed on the document, and the year that its figures are of",
        ));
    }
    if matches!(baseline.value, BaselineValue::Withdrawn { .. }) {
        let entered = known.facts.baselines(&baseline.unit, &baseline.indicator).last();
        if !entered.is_some_and(|fact| matches!(fact.value, BaselineValue::Rate { .. })) {
            errors.push(FieldError::new(
                "/withdrawn",
                "nothing-to-withdraw",
                format!("no baseline is entered for `{}` of `{}`", baseline.indicator, baseline.unit),
                "withdraw only a baseline that was entered",
            ));
        }
    }
    errors
}

/// An amendment that can be recorded: what it changes and what would be in force with it.
struct Proposed {
    plans: ProposedPlans,
    effective: Timestamp,
}

fn propose(known: &Known<'_>, adopted: &Plan, amendment: &AmendPlan) -> Result<Proposed, Refusal> {
    let mut errors = Vec::new();
    if amendment.effective < adopted.adopted {
        errors.push(before_the_plan(adopted, amendment.effective));
    }
    let recorded = known.facts.amendments();
    if recorded.len() >= AMENDMENTS_LIMIT {
        errors.push(FieldError::new(
            "",
            "too-many-amendments",
            format!("the plan has been amended {AMENDMENTS_LIMIT} times, which is the limit"),
            "adopt the amended plan into a new log",
        ));
    }
    let effective = adopted.calendar.start_of_day(amendment.effective);
    let proposed = ProposedPlans::new(adopted, recorded, &amendment.changes, effective);
    match proposed {
        Ok(plans) if errors.is_empty() => {
            let before = known.facts.plan_at(known.facts.head(), effective).unwrap_or(adopted);
            let same =
                |change: &events::KeyChange| before.value_of(&change.key).as_ref() == Some(&change.value);
            if amendment.changes.iter().all(same) {
                return Err(Refusal::of_fields(vec![FieldError::new(
                    "/changes",
                    "nothing-changes",
                    format!("on {} every key has the value given already", amendment.effective),
                    "leave the amendment out, or check the values",
                )]));
            }
            Ok(Proposed { plans, effective })
        }
        Ok(_) => Err(Refusal::of_fields(errors)),
        Err(ProposalError::Itself(wrong)) => {
            errors.extend(wrong.into_iter().map(|error| {
                let pointer = match error.change {
                    Some(index) if error.in_key => format!("/changes/{index}/key"),
                    Some(index) => format!("/changes/{index}/value"),
                    None => "/changes".to_owned(),
                };
                FieldError::new(pointer, error.code, error.what, error.remedy)
            }));
            Err(Refusal::of_fields(errors))
        }
        Err(ProposalError::Later { effective, instrument, what }) => {
            let day = adopted.calendar.date_of(effective);
            errors.push(FieldError::new(
                "/changes",
                "plan-would-be-wrong-later",
                format!("with it the amendment of {day} ({instrument}) would make a wrong plan: {what}"),
                "amend what takes effect later first, or give another value",
            ));
            Err(Refusal::of_fields(errors))
        }
    }
}

/// Decides on an amendment.
pub(super) fn amendment(
    known: &Known<'_>,
    plan: &Plan,
    request: &ParsedRequest,
    amendment: &AmendPlan,
) -> Result<Slot, Refusal> {
    let (id, request_digest) = match identify(known, plan, request)? {
        Identity::Before(acceptance) => return Ok(Slot::Before(acceptance)),
        Identity::New { id, request_digest } => (id, request_digest),
    };
    let Proposed { effective, .. } = propose(known, known.adopted_plan()?, amendment)?;
    let next = next(known.facts.amendments().len());
    if let Some(given) = amendment.revision.filter(|given| *given != next) {
        return Err(revision_conflict("/revision", given, next, "the plan"));
    }
    let data = PlanAmended {
        changes: amendment.changes.clone(),
        revision: next,
        effective: amendment.effective,
        instrument: amendment.instrument.clone(),
        reason: amendment.reason.clone(),
        request_digest,
    };
    new_event(known, plan, request, id, effective, EventData::PlanAmended(data))
}

/// What an amendment that was admitted would change; nothing more where it was recorded before.
pub(super) fn preview(
    known: &Known<'_>,
    adopted: &Plan,
    amendment: &AmendPlan,
    slot: &Slot,
) -> Result<AmendmentPreview, Refusal> {
    let calendar = &adopted.calendar;
    let (revision, already_recorded) = match slot {
        Slot::New { revision, .. } => (*revision, false),
        Slot::Before(acceptance) => (acceptance.revision, true),
        Slot::Repeat(_) => return Err(Refusal::of_fields(Vec::new())),
    };
    let mut preview = AmendmentPreview {
        revision,
        already_recorded,
        changes: Vec::new(),
        as_of: calendar.shown(known.now),
        as_if_in_force: false,
        cells: Vec::new(),
        more_cells: 0,
    };
    if already_recorded {
        return Ok(preview);
    }
    let facts = known.facts;
    let effective = calendar.start_of_day(amendment.effective);
    let before = facts.plan_at(facts.head(), effective).unwrap_or(adopted);
    preview.changes = amendment
        .changes
        .iter()
        .map(|change| KeyDifference {
            key: change.key.clone(),
            from: before.value_of(&change.key).unwrap_or(KeyValue::Nothing),
            to: change.value.clone(),
        })
        .collect();
    preview.as_if_in_force = effective > known.now;
    let plans = if preview.as_if_in_force {
        propose(known, adopted, &AmendPlan { effective: calendar.date_of(known.now), ..amendment.clone() })
    } else {
        propose(known, adopted, amendment)
    };
    // What lies ahead may be wrong beside what is in force today; then no cell can be shown as if it were here.
    let Ok(Proposed { plans, .. }) = plans else { return Ok(preview) };
    let Some(view) = View::new(facts, Moment::at(facts.head(), known.now)) else { return Ok(preview) };
    let mut cells = differences(&view.cells(), &view.with_plans(&plans).cells());
    preview.more_cells = cells.len().saturating_sub(PREVIEW_LIMIT);
    cells.truncate(PREVIEW_LIMIT);
    preview.cells = cells;
    Ok(preview)
}

/// Decides on an extension of a deadline.
pub(super) fn deadline(
    known: &Known<'_>,
    plan: &Plan,
    request: &ParsedRequest,
    extension: &ExtendDeadline,
) -> Result<Slot, Refusal> {
    let (id, request_digest) = match identify(known, plan, request)? {
        Identity::Before(acceptance) => return Ok(Slot::Before(acceptance)),
        Identity::New { id, request_digest } => (id, request_digest),
    };
    let errors = check_deadline(known, plan, extension);
    if !errors.is_empty() {
        return Err(Refusal::of_fields(errors));
    }
    let next = next(known.facts.deadlines(extension.period, extension.unit.as_ref()).len());
    if let Some(given) = extension.revision.filter(|given| *given != next) {
        let whose = extension.unit.as_ref().map_or("all units".to_owned(), |unit| format!("`{unit}`"));
        let what = format!("the deadline of {whose} for {}", extension.period);
        return Err(revision_conflict("/revision", given, next, &what));
    }
    let data = DeadlineExtended {
        period: extension.period,
        unit: extension.unit.clone(),
        due_before: extension.due_before,
        revision: next,
        effective: extension.effective,
        instrument: extension.instrument.clone(),
        reason: extension.reason.clone(),
        request_digest,
    };
    let effective = plan.calendar.start_of_day(extension.effective);
    new_event(known, plan, request, id, effective, EventData::DeadlineExtended(data))
}

fn check_deadline(known: &Known<'_>, plan: &Plan, extension: &ExtendDeadline) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let calendar = &plan.calendar;
    if !calendar.has_period(extension.period) || extension.period < calendar.duty_from {
        errors.push(FieldError::new(
            "/period",
            "unknown-period",
            format!("no report is due for {}", extension.period),
            format!("give a year from {} to {}", calendar.duty_from, calendar.last_period),
        ));
    } else {
        let planned = calendar.due_before.in_year(extension.period.year());
        errors.extend(check_due(planned, extension));
    }
    if extension.effective < plan.adopted {
        errors.push(before_the_plan(plan, extension.effective));
    }
    if let Some(unit) = &extension.unit {
        if plan.unit(unit).is_none() {
            errors.push(unknown_unit("/unit", plan, unit));
        } else if calendar.has_period(extension.period) {
            errors.extend(not_in_force(known.facts, plan, "/unit", unit, calendar.due(extension.period)));
        }
    }
    errors
}

fn check_due(planned: Date, extension: &ExtendDeadline) -> Option<FieldError> {
    let due_before = extension.due_before;
    let moved_days = due_before.since(planned).map_or(i32::MAX, |span| span.get_days());
    if moved_days <= 0 {
        return Some(FieldError::new(
            "/due_before",
            "not-later",
            format!("{due_before} is not later than the plan's own deadline, which is before {planned}"),
            "give a later day: a deadline is only ever extended",
        ));
    }
    (moved_days > EXTENSION_LIMIT_DAYS).then(|| {
        FieldError::new(
            "/due_before",
            "too-far",
            format!("{due_before} is more than {EXTENSION_LIMIT_DAYS} days after the plan's {planned}"),
            format!("give a day within {EXTENSION_LIMIT_DAYS} days, and check the year"),
        )
    })
}
