//! Admission of reports.

use super::parsed::ParsedReport;
use super::{
    Known, ParsedRequest, Slot, new_event, not_in_force, recorded_before, revision_conflict, unknown_unit,
};
use events::command::{Operation, ReadableParts, SubmitReport};
use events::ids::derived_id;
use events::{
    Date, EventData, EventId, FieldError, LineValue, MeasureId, Period, Refusal, RefusalKind, ReportLine,
    ReportSubmitted, UnitId,
};
use plan::{MeasureKind, Plan, Unit};
use std::collections::BTreeMap;

/// The reports of one request that were admitted before the one in hand.
#[derive(Default)]
struct Earlier<'a> {
    reports: BTreeMap<(UnitId, Period), Vec<&'a SubmitReport>>,
    /// In which place a content stands, by its digest.
    contents: BTreeMap<&'a str, usize>,
}

impl Earlier<'_> {
    fn next_revision(&self, known: &Known<'_>, report: &SubmitReport) -> u32 {
        let earlier = self.reports.get(&(report.unit.clone(), report.period)).map_or(0, Vec::len);
        let recorded = known.facts.next_revision(&report.unit, report.period);
        recorded + u32::try_from(earlier).expect("a batch is bounded")
    }

    fn stands(&self, known: &Known<'_>, unit: &UnitId, period: Period, measure: &MeasureId) -> bool {
        let earlier = self.reports.get(&(unit.clone(), period));
        let newest = earlier.into_iter().flatten().rev().find_map(|report| {
            report.lines.iter().find(|line| line.measure == *measure).map(|line| line.value)
        });
        match newest {
            Some(value) => !value.is_withdrawn(),
            None => known.facts.stands(unit, period, measure).is_some(),
        }
    }
}

/// Admits every report of a request, or names every field of every report that is wrong.
pub(super) fn admit(
    known: &Known<'_>,
    plan: &Plan,
    request: &ParsedRequest,
    reports: &[ParsedReport],
) -> Result<Vec<Slot>, Refusal> {
    let mut earlier = Earlier::default();
    let mut slots = Vec::with_capacity(reports.len());
    let mut errors = Vec::new();
    let mut kind = None;
    for (index, parsed) in reports.iter().enumerate() {
        match admit_one(known, plan, request, index, parsed, &mut earlier) {
            Ok(slot) => slots.push(slot),
            Err(refusal) => {
                kind = Some(graver(kind, refusal.kind));
                let below = refusal.errors.into_iter().map(|error| error.below(&parsed.pointer));
                errors.extend(below);
            }
        }
    }
    match kind {
        None => Ok(slots),
        Some(kind) => {
            let mut refusal = Refusal::of_fields(errors);
            refusal.kind = kind;
            Err(refusal)
        }
    }
}

/// Of two kinds the one that a caller has to mend first.
fn graver(before: Option<RefusalKind>, new: RefusalKind) -> RefusalKind {
    let rank = |kind: RefusalKind| match kind {
        RefusalKind::Malformed => 0,
        RefusalKind::TooLarge => 1,
        RefusalKind::Rules => 2,
        RefusalKind::Forbidden => 3,
        RefusalKind::NotFound => 4,
        RefusalKind::Conflict => 5,
        RefusalKind::Unavailable => 6,
    };
    match before {
        Some(before) if rank(before) <= rank(new) => before,
        _ => new,
    }
}

fn admit_one<'a>(
    known: &Known<'_>,
    plan: &Plan,
    request: &ParsedRequest,
    index: usize,
    parsed: &'a ParsedReport,
    earlier: &mut Earlier<'a>,
) -> Result<Slot, Refusal> {
    let (id, request_digest) = identity(known, plan, request, index, parsed);
    // Before the look at this request's own reports: what was answered under a key is answered so again.
    if let Some(before) = recorded_before(known, plan, &id, request_digest.as_deref())? {
        earlier.contents.entry(&parsed.digest).or_insert(index);
        return Ok(Slot::Before(before));
    }
    if let Some(place) = earlier.contents.get(parsed.digest.as_str()) {
        return Ok(Slot::Repeat(*place));
    }
    let report = match &parsed.report {
        Ok(report) => report,
        Err(unreadable) => {
            let by_the_rules = check(known, plan, &unreadable.parts, earlier);
            let mut errors = unreadable.errors.clone();
            errors.extend(by_the_rules.into_iter().filter(|error| !names_one_of(&unreadable.errors, error)));
            return Err(Refusal::of_fields(errors));
        }
    };
    let errors = check(known, plan, &ReadableParts::from(report), earlier);
    if !errors.is_empty() {
        return Err(Refusal::of_fields(errors));
    }
    if report.history.is_some() && !request.request.may_enter_history {
        return Err(Refusal::of_field(
            RefusalKind::Forbidden,
            FieldError::new(
                "/history",
                "no-right-to-enter-history",
                "you have no right to enter history",
                "ask an operator to enter the document",
            ),
        ));
    }
    let next = earlier.next_revision(known, report);
    if let Some(given) = report.revision.filter(|given| *given != next) {
        let what = format!("the report of `{}` for {}", report.unit, report.period);
        return Err(revision_conflict("/revision", given, next, &what));
    }
    let data = ReportSubmitted {
        unit: report.unit.clone(),
        period: report.period,
        revision: next,
        document: report.document.clone(),
        lines: report.lines.clone(),
        history: report.history.clone(),
        request_digest,
    };
    let effective = plan.calendar.start_of_day(report.document.date);
    let slot = new_event(known, plan, request, id, effective, EventData::ReportSubmitted(data))?;
    earlier.reports.entry((report.unit.clone(), report.period)).or_default().push(report);
    earlier.contents.insert(&parsed.digest, index);
    Ok(slot)
}

/// The id of a report's event: by the caller's key; in a batch without one by its content, so that the same
/// content is recorded once; else the request's own, or a fresh one.
fn identity(
    known: &Known<'_>,
    plan: &Plan,
    request: &ParsedRequest,
    index: usize,
    parsed: &ParsedReport,
) -> (EventId, Option<String>) {
    if let Some((id, digest)) = request.keyed_id(&plan.id, index) {
        return (id, Some(digest));
    }
    if request.request.operation == Operation::SubmitReports {
        let id = derived_id(&["content", plan.id.as_str(), &parsed.digest]);
        return (id, Some(parsed.digest.clone()));
    }
    (request.request.request_id.unwrap_or_else(known.fresh_id), None)
}

/// Whether another error is about the same place.
fn names_one_of(errors: &[FieldError], error: &FieldError) -> bool {
    errors.iter().any(|other| other.pointer == error.pointer)
}

/// Holds what can be read of a report against the rules of the plan.
fn check(known: &Known<'_>, plan: &Plan, parts: &ReadableParts, earlier: &Earlier<'_>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let unit = parts.unit.as_ref().and_then(|unit| plan.unit(unit));
    if let (Some(named), None) = (&parts.unit, unit) {
        errors.push(unknown_unit("/unit", plan, named));
    }
    if let Some(period) = parts.period {
        check_period(known, plan, period, &mut errors);
    }
    if let Some(document) = &parts.document {
        check_document(known, plan, parts, document.date, &mut errors);
    }
    if let (Some(unit), Some(document)) = (unit, &parts.document) {
        let document_day = plan.calendar.start_of_day(document.date);
        errors.extend(not_in_force(known.facts, plan, "/unit", &unit.id, document_day));
    }
    for (index, line) in &parts.lines {
        let pointer = format!("/lines/{index}");
        check_line(plan, unit, parts.period, line, &pointer, &mut errors);
        let (Some(unit), Some(period)) = (unit, parts.period) else { continue };
        if line.value.is_withdrawn()
            && plan.measure(&line.measure).is_some()
            && !earlier.stands(known, &unit.id, period, &line.measure)
        {
            errors.push(FieldError::new(
                format!("{pointer}/withdrawn"),
                "nothing-to-withdraw",
                format!("no line of `{}` stands for {period} to be withdrawn", line.measure),
                "withdraw only what is recorded and not withdrawn yet",
            ));
        }
    }
    errors
}

fn is_open(known: &Known<'_>, plan: &Plan, period: Period) -> bool {
    plan.calendar.has_period(period) && period.year() <= plan.calendar.year_of(known.now)
}

fn check_period(known: &Known<'_>, plan: &Plan, period: Period, errors: &mut Vec<FieldError>) {
    let calendar = &plan.calendar;
    if !calendar.has_period(period) {
        errors.push(FieldError::new(
            "/period",
            "period-outside-the-plan",
            format!("the plan has no period {period}"),
            format!("report a year from {} to {}", calendar.first_period, calendar.last_period),
        ));
    } else if !is_open(known, plan, period) {
        errors.push(FieldError::new(
            "/period",
            "period-in-the-future",
            format!("the period {period} has not begun"),
            "report it from 1 January of that year on",
        ));
    }
}

fn check_document(
    known: &Known<'_>,
    plan: &Plan,
    parts: &ReadableParts,
    date: Date,
    errors: &mut Vec<FieldError>,
) {
    let calendar = &plan.calendar;
    let today = calendar.date_of(known.now);
    if date > today {
        errors.push(FieldError::new(
            "/document/date",
            "document-in-the-future",
            format!("the document is dated {date}; today is {today}"),
            "give the date that is printed on the document",
        ));
        return;
    }
    let open = parts.period.filter(|period| is_open(known, plan, *period));
    if let Some(period) = open.filter(|period| date.year() < period.year()) {
        errors.push(FieldError::new(
            "/document/date",
            "document-before-its-period",
            format!("the document is dated {date}, before the period {period} began"),
            format!("check the period; its documents are dated from {period}-01-01 on"),
        ));
        return;
    }
    let age_days = (today - date).get_days();
    if age_days > i32::from(calendar.history_after_days) && !parts.history {
        errors.push(FieldError::new(
            "/history",
            "history-required",
            format!(
                "the document is {age_days} days old; one older than {} days is entered as history",
                calendar.history_after_days
            ),
            "say in `history` why it is entered now",
        ));
    }
}

fn check_line(
    plan: &Plan,
    unit: Option<&Unit>,
    period: Option<Period>,
    line: &ReportLine,
    pointer: &str,
    errors: &mut Vec<FieldError>,
) {
    let Some(measure) = plan.measure(&line.measure) else {
        let ids = plan.measures.iter().filter(|measure| unit.is_none_or(|unit| unit.level == measure.level));
        let ids: Vec<&str> = ids.map(|measure| measure.id.as_str()).collect();
        errors.push(FieldError::new(
            format!("{pointer}/measure"),
            "unknown-measure",
            format!("the plan has no measure `{}`", line.measure),
            format!("use one of {}", ids.join(", ")),
        ));
        return;
    };
    if let Some(unit) = unit.filter(|unit| unit.level != measure.level) {
        errors.push(FieldError::new(
            format!("{pointer}/measure"),
            "measure-of-another-level",
            format!(
                "`{}` is reported by units of level {}; `{}` is of level {}",
                measure.id, measure.level, unit.id, unit.level
            ),
            "leave the line out, or report it for the right unit",
        ));
        return;
    }
    let wrong_kind = |expected: &str| {
        FieldError::new(
            pointer,
            "value-of-another-kind",
            format!("`{}` is measured as {expected}", measure.id),
            format!("give {expected}"),
        )
    };
    match (&measure.kind, line.value) {
        (_, LineValue::Withdrawn { .. }) | (MeasureKind::Rate, LineValue::Rate { .. }) => {}
        (MeasureKind::Rate, _) => errors.push(wrong_kind("`numerator` and `denominator`")),
        (MeasureKind::Level { highest }, LineValue::Level { level }) => {
            if level > *highest {
                errors.push(FieldError::new(
                    format!("{pointer}/level"),
                    "out-of-range",
                    format!("level {level} does not exist for `{}`", measure.id),
                    format!("give a level from 0 to {highest}"),
                ));
            }
        }
        (MeasureKind::Level { .. }, _) => errors.push(wrong_kind("`level`")),
        (MeasureKind::Attained { months }, LineValue::Attained { recognised_year, .. }) => {
            check_recognised_year(period, *months, recognised_year, pointer, errors);
        }
        (MeasureKind::Attained { .. }, _) => errors.push(wrong_kind("`attained`")),
    }
}

fn check_recognised_year(
    period: Option<Period>,
    months: Option<u16>,
    recognised_year: Option<Period>,
    pointer: &str,
    errors: &mut Vec<FieldError>,
) {
    let Some(year) = recognised_year else { return };
    let pointer = format!("{pointer}/recognised_year");
    if months.is_none() {
        errors.push(FieldError::new(
            pointer,
            "not-a-recognition",
            "this measure is no recognition that lapses",
            "leave `recognised_year` out",
        ));
    } else if let Some(period) = period.filter(|period| year > *period) {
        errors.push(FieldError::new(
            pointer,
            "recognised-after-its-period",
            format!("recognised in {year}, after the period {period}"),
            "give the year of the decision that recognised it",
        ));
    }
}
