//! Admission of what happens to alerts.

use super::{Identity, Known, ParsedRequest, Slot, acceptance_of, identify, new_event};
use events::command::AcknowledgeAlert;
use events::ids::derived_id;
use events::{
    AlertAcknowledged, AlertId, AlertRaised, AlertResolved, EventData, EventId, FieldError, Refusal,
    RefusalKind, Review, Rule, Timestamp,
};
use indicators::{Moment, ReportProgress, Verdict, View};
use plan::Plan;

/// The id of the event that raises or resolves an episode: the same whenever it is decided again.
fn transition_id(alert: AlertId, transition: &str) -> EventId {
    derived_id(&["alert-transition", &alert.to_string(), transition])
}

/// What happens to an alert holds from the moment on.
fn moment(known: &Known<'_>) -> Timestamp {
    events::instant::to_millisecond(known.now)
}

/// An episode is raised once: deciding it again is answered as the first time.
pub(super) fn raise(
    known: &Known<'_>,
    plan: &Plan,
    request: &ParsedRequest,
    alert: &AlertRaised,
) -> Result<Slot, Refusal> {
    if let Some(fact) = known.facts.alert(&alert.alert) {
        let (event, position, at) = (fact.event, fact.position, fact.raised_at);
        return Ok(Slot::Before(acceptance_of(&plan.calendar, event, position, 1, at)));
    }
    if plan.unit(&alert.unit).is_none() {
        return Err(Refusal::of_fields(vec![super::unknown_unit("/unit", plan, &alert.unit)]));
    }
    if known.facts.open_alert(alert.rule, &alert.unit, alert.indicator.as_ref(), alert.period).is_some() {
        return Err(Refusal::of_field(
            RefusalKind::Conflict,
            FieldError::new(
                "/alert",
                "already-open",
                format!("an alert `{}` is open on this cell of `{}`", alert.rule, alert.unit),
                "wait until the open episode is resolved",
            ),
        ));
    }
    decided_by_now(known, plan, request)?;
    holds_by_the_clock(known, plan, alert)?;
    let id = transition_id(alert.alert, "raised");
    new_event(known, plan, request, id, moment(known), EventData::AlertRaised(alert.clone()))
}

/// What the rules decide is a function of the log and of a clock: one that is ahead of this one has seen targets
/// take effect, units end and reviews close that have not.
fn decided_by_now(known: &Known<'_>, plan: &Plan, request: &ParsedRequest) -> Result<(), Refusal> {
    let why = match request.request.decided_at {
        Some(decided_at) if events::instant::to_millisecond(decided_at) <= known.now => return Ok(()),
        Some(decided_at) => format!(
            "it was decided at {}, which is still ahead: it is {}",
            plan.calendar.shown(decided_at),
            plan.calendar.shown(known.now)
        ),
        None => "it does not say when it was decided".to_owned(),
    };
    Err(Refusal::of_field(
        RefusalKind::Conflict,
        FieldError::new(
            "",
            "decided-ahead",
            why,
            "set the clock of the machine that alerting runs on right; it decides again by itself",
        ),
    ))
}

/// What the clock raises has to hold by this clock and these facts as well: alerting's own clock may be wrong
/// and its copy of the log behind, and an alert that was recorded stays in the log.
fn holds_by_the_clock(known: &Known<'_>, plan: &Plan, alert: &AlertRaised) -> Result<(), Refusal> {
    let Some(view) = View::new(known.facts, Moment::at(known.facts.head(), known.now)) else { return Ok(()) };
    let unit = plan.unit(&alert.unit).expect("the unit was looked up before");
    let indicator = alert.indicator.as_ref().and_then(|indicator| plan.indicator(indicator));
    let (holds, what) = match (alert.rule, alert.period, indicator) {
        (Rule::Overdue, Some(period), _) => {
            (view.report_of(unit, period).state == ReportProgress::Overdue, "no report is overdue")
        }
        (Rule::Missed, Some(period), Some(indicator)) => {
            let verdicts = view.cell(unit, indicator).verdicts;
            let missed = verdicts.get(&Review(period.year())) == Some(&Some(Verdict::NotMet));
            (missed, "no review is missed")
        }
        (Rule::Overdue | Rule::Missed, _, _) => (false, "it names nothing that time can miss"),
        (Rule::Behind | Rule::AtRisk | Rule::Regressing | Rule::DataQuality, _, _) => (true, ""),
    };
    if holds {
        return Ok(());
    }
    let period = alert.period.map_or(String::new(), |period| format!(" for {period}"));
    Err(Refusal::of_field(
        RefusalKind::Conflict,
        FieldError::new(
            "/rule",
            "does-not-hold",
            format!("as of {}, {what} of `{}`{period}", plan.calendar.shown(known.now), alert.unit),
            "check the clock of the machine that alerting runs on, and whether it follows the log",
        ),
    ))
}

/// An episode is resolved once.
pub(super) fn resolve(
    known: &Known<'_>,
    plan: &Plan,
    request: &ParsedRequest,
    alert: &AlertResolved,
) -> Result<Slot, Refusal> {
    let Some(fact) = known.facts.alert(&alert.alert) else { return Err(no_alert(alert.alert)) };
    if let Some(resolved) = &fact.resolved {
        let (event, position, at) = (resolved.event, resolved.position, resolved.at);
        return Ok(Slot::Before(acceptance_of(&plan.calendar, event, position, 1, at)));
    }
    decided_by_now(known, plan, request)?;
    let id = transition_id(alert.alert, "resolved");
    new_event(known, plan, request, id, moment(known), EventData::AlertResolved(alert.clone()))
}

/// An open alert can be acknowledged, by several people and again.
pub(super) fn acknowledge(
    known: &Known<'_>,
    plan: &Plan,
    request: &ParsedRequest,
    alert: AlertId,
    body: &AcknowledgeAlert,
) -> Result<Slot, Refusal> {
    let (id, request_digest) = match identify(known, plan, request)? {
        Identity::Before(acceptance) => return Ok(Slot::Before(acceptance)),
        Identity::New { id, request_digest } => (id, request_digest),
    };
    let Some(fact) = known.facts.alert(&alert) else { return Err(no_alert(alert)) };
    let today = plan.calendar.date_of(known.now);
    let mut errors = Vec::new();
    if let Some(resolved) = &fact.resolved {
        errors.push(FieldError::new(
            "",
            "not-open",
            format!("the alert was resolved at {}", plan.calendar.shown(resolved.at)),
            "only an open alert is acknowledged",
        ));
    }
    if let Some(review_by) = body.review_by.filter(|review_by| *review_by < today) {
        errors.push(FieldError::new(
            "/review_by",
            "in-the-past",
            format!("{review_by} is past; today is {today}"),
            "give the day by which someone looks again",
        ));
    }
    if !errors.is_empty() {
        return Err(Refusal::of_fields(errors));
    }
    let data = AlertAcknowledged {
        alert,
        unit: fact.unit.clone(),
        note: body.note.clone(),
        review_by: body.review_by,
        request_digest,
    };
    new_event(known, plan, request, id, moment(known), EventData::AlertAcknowledged(data))
}

fn no_alert(alert: AlertId) -> Refusal {
    Refusal::of_field(
        RefusalKind::NotFound,
        FieldError::new(
            "",
            "unknown-alert",
            format!("there is no alert `{alert}`"),
            "take the id from the list of alerts",
        ),
    )
}
