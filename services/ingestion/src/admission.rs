//! Admission: from a request and everything recorded so far to the events it becomes, or a refusal.
//!
//! A pure function: the same facts and the same request always give the same decision. A request is admitted
//! whole or not at all.

mod alerts;
mod parsed;
mod plan_changes;
mod reports;
mod targets;
mod units;

pub use parsed::{Parsed, ParsedReport, ParsedRequest, Unreadable};

use events::command::{Acceptance, Answer, Preview};
use events::wire::{EVENT_LIMIT_BYTES, Written};
use events::{
    Event, EventData, EventId, FieldError, Position, Recorded, Refusal, RefusalKind, Timestamp, UnitChange,
    UnitId,
};
use indicators::Facts;
use plan::{Calendar, Plan};

/// What admission knows and is given.
pub struct Known<'a> {
    /// Everything recorded so far, and admitted before this request in the same commit.
    pub facts: &'a Facts,
    /// The present.
    pub now: Timestamp,
    /// Finds an event that the log holds by its id.
    pub find: &'a dyn Fn(&EventId) -> Option<Recorded>,
    /// Gives an id that was never given before.
    pub fresh_id: &'a dyn Fn() -> EventId,
}

/// What a request becomes.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// New events, and with them the answers of those that were recorded before under the same key: one
    /// slot for each thing asked for, in its order.
    Record(Vec<Slot>),
    /// Nothing to record: a refusal, a preview, or the first answer again.
    Answer(Answer),
}

/// The place of one thing in the answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Slot {
    /// It is to be recorded.
    New {
        /// The event.
        event: Box<Event>,
        /// The revision it becomes.
        revision: u32,
    },
    /// It was recorded before.
    Before(Acceptance),
    /// It is the same as an earlier one of this request, the one in this place.
    Repeat(usize),
}

impl<'a> Known<'a> {
    /// The plan in force: as adopted, with the amendments that have taken effect.
    fn plan(&self) -> Result<&'a Plan, Refusal> {
        self.facts.plan_at(self.facts.head(), self.now).ok_or_else(no_plan)
    }

    /// The plan as it was adopted.
    fn adopted_plan(&self) -> Result<&'a Plan, Refusal> {
        self.facts.adopted().map(|adopted| &adopted.plan).ok_or_else(no_plan)
    }
}

fn no_plan() -> Refusal {
    let detail = "no plan has been adopted into this log yet; try again shortly";
    Refusal::new(RefusalKind::Unavailable, detail)
}

/// Decides on a request.
pub fn admit(known: &Known<'_>, request: &ParsedRequest) -> Decision {
    let slots = known.plan().and_then(|plan| match &request.parsed {
        Parsed::Reports(reports) => reports::admit(known, plan, request, reports),
        Parsed::Target(change) => targets::admit(known, plan, request, change).map(|slot| vec![slot]),
        Parsed::Unit(change) => units::admit(known, plan, request, change).map(|slot| vec![slot]),
        Parsed::Baseline(baseline) => {
            plan_changes::baseline(known, plan, request, baseline).map(|slot| vec![slot])
        }
        Parsed::Amendment(amendment) => {
            plan_changes::amendment(known, plan, request, amendment).map(|slot| vec![slot])
        }
        Parsed::Deadline(extension) => {
            plan_changes::deadline(known, plan, request, extension).map(|slot| vec![slot])
        }
        Parsed::Raise(alert) => alerts::raise(known, plan, request, alert).map(|slot| vec![slot]),
        Parsed::Resolve(alert) => alerts::resolve(known, plan, request, alert).map(|slot| vec![slot]),
        Parsed::Acknowledge(id, body) => {
            alerts::acknowledge(known, plan, request, *id, body).map(|slot| vec![slot])
        }
    });
    match slots {
        Err(refusal) => Decision::Answer(Answer::Refused(refusal)),
        Ok(slots) if request.request.dry_run => Decision::Answer(preview(known, request, &slots)),
        Ok(slots) => match answers_if_all_before(&slots) {
            Some(acceptances) => Decision::Answer(Answer::Recorded(acceptances)),
            None => Decision::Record(slots),
        },
    }
}

fn answers_if_all_before(slots: &[Slot]) -> Option<Vec<Acceptance>> {
    let before = |slot: &Slot| match slot {
        Slot::Before(acceptance) => Some(acceptance.clone()),
        Slot::New { .. } | Slot::Repeat(_) => None,
    };
    slots
        .iter()
        .map(|slot| match slot {
            Slot::Repeat(place) => before(&slots[*place]),
            Slot::New { .. } | Slot::Before(_) => before(slot),
        })
        .collect()
}

/// What a dry run says: of reports, which revision each becomes or became; of an amendment, what it would change;
/// of anything else, that it is right.
fn preview(known: &Known<'_>, request: &ParsedRequest, slots: &[Slot]) -> Answer {
    if let (Parsed::Amendment(amendment), [slot]) = (&request.parsed, slots) {
        let preview =
            known.adopted_plan().and_then(|plan| plan_changes::preview(known, plan, amendment, slot));
        return match preview {
            Ok(preview) => Answer::AmendmentChecked(Box::new(preview)),
            Err(refusal) => Answer::Refused(refusal),
        };
    }
    let Parsed::Reports(reports) = &request.parsed else { return Answer::Checked(Vec::new()) };
    let revision = |slot: &Slot| match slot {
        Slot::New { revision, .. } => Some((*revision, false)),
        Slot::Before(acceptance) => Some((acceptance.revision, true)),
        Slot::Repeat(_) => None,
    };
    let previews = reports.iter().zip(slots).filter_map(|(parsed, slot)| {
        let report = parsed.report.as_ref().ok()?;
        let (revision, already_recorded) = match slot {
            Slot::Repeat(place) => (revision(&slots[*place])?.0, true),
            Slot::New { .. } | Slot::Before(_) => revision(slot)?,
        };
        Some(Preview { unit: report.unit.clone(), period: report.period, revision, already_recorded })
    });
    Answer::Checked(previews.collect())
}

/// The revision that an event became, as callers are told.
fn revision_of(data: &EventData) -> u32 {
    match data {
        EventData::ReportSubmitted(data) => data.revision,
        EventData::TargetChanged(data) => data.revision,
        EventData::UnitChanged(data) => data.revision,
        EventData::BaselineEntered(data) => data.revision,
        EventData::PlanAmended(data) => data.revision,
        EventData::DeadlineExtended(data) => data.revision,
        EventData::PlanAdopted(_)
        | EventData::AlertRaised(_)
        | EventData::AlertResolved(_)
        | EventData::AlertAcknowledged(_) => 1,
    }
}

/// The digest of the request that an event keeps, so that the same key with another body is found out.
fn request_digest_of(data: &EventData) -> Option<&str> {
    match data {
        EventData::ReportSubmitted(data) => data.request_digest.as_deref(),
        EventData::TargetChanged(data) => data.request_digest.as_deref(),
        EventData::UnitChanged(data) => data.request_digest.as_deref(),
        EventData::BaselineEntered(data) => data.request_digest.as_deref(),
        EventData::PlanAmended(data) => data.request_digest.as_deref(),
        EventData::DeadlineExtended(data) => data.request_digest.as_deref(),
        EventData::AlertAcknowledged(data) => data.request_digest.as_deref(),
        EventData::PlanAdopted(_) | EventData::AlertRaised(_) | EventData::AlertResolved(_) => None,
    }
}

/// How a recorded event is answered, now and whenever the same key comes again.
pub fn acceptance(calendar: &Calendar, recorded: &Recorded) -> Acceptance {
    acceptance_of(
        calendar,
        recorded.event.id,
        recorded.position,
        revision_of(&recorded.event.data),
        recorded.recorded_at,
    )
}

fn acceptance_of(
    calendar: &Calendar,
    event: EventId,
    position: Position,
    revision: u32,
    recorded_at: Timestamp,
) -> Acceptance {
    Acceptance { event, position, revision, recorded_at: calendar.shown(recorded_at), receipt: None }
}

/// Looks whether a request's event is recorded already; a key that was used for another body is a conflict.
fn recorded_before(
    known: &Known<'_>,
    plan: &Plan,
    id: &EventId,
    request_digest: Option<&str>,
) -> Result<Option<Acceptance>, Refusal> {
    let Some(recorded) = (known.find)(id) else { return Ok(None) };
    if request_digest.is_some() && request_digest_of(&recorded.event.data) != request_digest {
        return Err(key_conflict());
    }
    Ok(Some(acceptance(&plan.calendar, &recorded)))
}

/// The one thing that a request asks for: recorded before under its key, or to be made under this id.
enum Identity {
    Before(Acceptance),
    New { id: EventId, request_digest: Option<String> },
}

/// Finds out which it is: by the caller's key, else under a fresh id.
fn identify(known: &Known<'_>, plan: &Plan, request: &ParsedRequest) -> Result<Identity, Refusal> {
    let (id, request_digest) = match request.keyed_id(&plan.id, 0) {
        Some((id, digest)) => (id, Some(digest)),
        None => (request.request.request_id.unwrap_or_else(known.fresh_id), None),
    };
    let before = recorded_before(known, plan, &id, request_digest.as_deref())?;
    Ok(before.map_or(Identity::New { id, request_digest }, Identity::Before))
}

/// Where events of a unit are set aside, nothing more is recorded for it: what it would be judged against is unknown.
fn not_set_aside(facts: &Facts, unit: Option<&UnitId>) -> Result<(), Refusal> {
    let parked = facts.parked();
    let Some(parked) = parked.get(&None).or_else(|| parked.get(&unit.cloned())) else { return Ok(()) };
    let detail = format!(
        "events from position {} on cannot be read by this version ({}); nothing is recorded for this unit until a \
         version that reads them runs",
        parked.since, parked.why
    );
    Err(Refusal::new(RefusalKind::Unavailable, detail))
}

/// Makes the event that a request becomes, and refuses one that would be larger than the log takes.
fn new_event(
    known: &Known<'_>,
    plan: &Plan,
    request: &ParsedRequest,
    id: EventId,
    effective: Timestamp,
    data: EventData,
) -> Result<Slot, Refusal> {
    not_set_aside(known.facts, data.unit())?;
    let revision = revision_of(&data);
    let event = Event {
        id,
        plan: plan.id.clone(),
        effective,
        actor: request.request.actor.clone(),
        traceparent: request.request.traceparent.clone().or_else(|| Some(events::ids::derived_trace(&id))),
        data,
    };
    within_size(event).map(|event| Slot::New { event: Box::new(event), revision })
}

fn key_conflict() -> Refusal {
    Refusal::of_field(
        RefusalKind::Conflict,
        FieldError::new(
            "",
            "idempotency-key-reused",
            "this idempotency key was used for another body",
            "use a new key for a new request; repeat the first body to get the first answer again",
        ),
    )
}

/// Refuses an event that would be larger than the log takes.
fn within_size(event: Event) -> Result<Event, Refusal> {
    match Written::new(&event) {
        Ok(_) => Ok(event),
        Err(error) => Err(Refusal::of_field(
            RefusalKind::TooLarge,
            FieldError::new(
                "",
                "event-too-large",
                error.to_string(),
                format!("shorten texts or split it: an event is at most {EVENT_LIMIT_BYTES} bytes"),
            ),
        )),
    }
}

fn revision_conflict(pointer: &str, given: u32, next: u32, what: &str) -> Refusal {
    let current = next - 1;
    Refusal::of_field(
        RefusalKind::Conflict,
        FieldError::new(
            pointer,
            "revision-conflict",
            format!("revision {given} was asked for, but {what} is at revision {current}"),
            format!("read what is recorded, then send revision {next} or leave the revision out"),
        ),
    )
}

fn unknown_unit(pointer: &str, plan: &Plan, unit: &UnitId) -> FieldError {
    let ids: Vec<&str> = plan.units.iter().map(|unit| unit.id.as_str()).take(40).collect();
    FieldError::new(
        pointer,
        "unknown-unit",
        format!("the plan has no unit `{unit}`"),
        format!("use one of {}", ids.join(", ")),
    )
}

fn before_the_plan(plan: &Plan, effective: events::Date) -> FieldError {
    FieldError::new(
        "/effective",
        "before-the-plan",
        format!("{effective} lies before the plan, which was adopted on {}", plan.adopted),
        "give the date from which the instrument holds",
    )
}

/// Why a unit is not in force at an instant by everything recorded: it is not established by then, or has been
/// merged, split or dissolved.
fn not_in_force(
    facts: &Facts,
    plan: &Plan,
    pointer: &str,
    unit: &UnitId,
    at: Timestamp,
) -> Option<FieldError> {
    not_yet_in_force(facts, plan, pointer, unit, at).or_else(|| ended(facts, plan, pointer, unit, at))
}

fn not_yet_in_force(
    facts: &Facts,
    plan: &Plan,
    pointer: &str,
    unit: &UnitId,
    at: Timestamp,
) -> Option<FieldError> {
    let first = facts.unit_changes(unit).first().filter(|_| facts.is_established(unit))?;
    (first.effective > at).then(|| {
        let since = plan.calendar.date_of(first.effective);
        FieldError::new(
            pointer,
            "unit-not-established",
            format!("the unit `{unit}` is in force only from {since}"),
            "check the unit and the date; what belongs to a predecessor is reported there",
        )
    })
}

/// Why a unit is no longer in force at an instant, if that is so.
fn ended(facts: &Facts, plan: &Plan, pointer: &str, unit: &UnitId, at: Timestamp) -> Option<FieldError> {
    let ends = facts.unit_changes(unit).iter().filter(|fact| fact.change.ends_the_unit());
    let end = ends.filter(|fact| fact.effective <= at).min_by_key(|fact| (fact.effective, fact.position))?;
    let since = plan.calendar.date_of(end.effective);
    let (code, what) = match &end.change {
        UnitChange::Merge { into, .. } => ("unit-merged", format!("merged into `{into}`")),
        UnitChange::Split { into } => {
            let into: Vec<&str> = into.iter().map(|successor| successor.unit.as_str()).collect();
            ("unit-split", format!("split into `{}`", into.join("`, `")))
        }
        _ => ("unit-dissolved", "dissolved".to_owned()),
    };
    Some(FieldError::new(
        pointer,
        code,
        format!("the unit `{unit}` is {what} from {since}"),
        "check the unit and the date; what belongs to a successor is reported there",
    ))
}
