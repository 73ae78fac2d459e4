//! A request whose body has been read; what could not be read is kept as its errors.

use events::command::{
    AcknowledgeAlert, AmendPlan, Answer, BATCH_LIMIT, ChangeTarget, ChangeUnit, EnterBaseline,
    ExtendDeadline, Operation, ReadableParts, Request, SubmitReport, read_alert_id, read_body,
};
use events::ids::derived_id;
use events::strict_json::{canonical, sha256_hex};
use events::{AlertId, AlertRaised, AlertResolved, EventId, FieldError, PlanId, Refusal, RefusalKind};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A request, read.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedRequest {
    /// As it came.
    pub request: Request,
    /// What it asks for.
    pub parsed: Parsed,
    /// SHA-256 of the body in canonical form.
    pub digest: String,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// One report, or several that are recorded together.
    Reports(Vec<ParsedReport>),
    /// A target change.
    Target(ChangeTarget),
    /// A unit change.
    Unit(ChangeUnit),
    /// A baseline.
    Baseline(EnterBaseline),
    /// An amendment of the plan.
    Amendment(AmendPlan),
    /// An extension of a deadline.
    Deadline(ExtendDeadline),
    /// An alert that fired.
    Raise(Box<AlertRaised>),
    /// An alert that cleared.
    Resolve(Box<AlertResolved>),
    /// An acknowledgement of an alert.
    Acknowledge(AlertId, AcknowledgeAlert),
}

/// One report of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedReport {
    /// The report, or every field that cannot be read.
    pub report: Result<SubmitReport, Unreadable>,
    /// Where it stands in the body; empty for a single report.
    pub pointer: String,
    /// SHA-256 of its content in canonical form; the order of the lines is no content.
    pub digest: String,
}

/// A report that cannot be read as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable {
    /// Every field that cannot be read.
    pub errors: Vec<FieldError>,
    /// What can be read, for the rules to look at.
    pub parts: ReadableParts,
}

fn read_report(value: &Value) -> Result<SubmitReport, Unreadable> {
    SubmitReport::read(value).map_err(|errors| Unreadable { errors, parts: ReadableParts::of(value) })
}

impl ParsedRequest {
    /// Reads the body of a request. A body that is wrong altogether is refused here; in a batch, reports that
    /// are wrong are kept with their errors, so that all rows can be named together.
    pub fn read(request: Request) -> Result<ParsedRequest, Answer> {
        Self::try_read(request).map_err(Answer::Refused)
    }

    fn try_read(request: Request) -> Result<ParsedRequest, Refusal> {
        let value = read_body(request.body.as_bytes())?;
        let digest = digest_of(&value);
        let parsed = match request.operation {
            Operation::SubmitReport => {
                let report = ParsedReport {
                    report: read_report(&value),
                    pointer: String::new(),
                    digest: digest.clone(),
                };
                Parsed::Reports(vec![report])
            }
            Operation::SubmitReports => Parsed::Reports(read_batch(&value)?),
            Operation::ChangeTarget => {
                Parsed::Target(ChangeTarget::read(&value).map_err(Refusal::of_fields)?)
            }
            Operation::ChangeUnit => Parsed::Unit(ChangeUnit::read(&value).map_err(Refusal::of_fields)?),
            Operation::EnterBaseline => {
                Parsed::Baseline(EnterBaseline::read(&value).map_err(Refusal::of_fields)?)
            }
            Operation::AmendPlan => Parsed::Amendment(AmendPlan::read(&value).map_err(Refusal::of_fields)?),
            Operation::ExtendDeadline => {
                Parsed::Deadline(ExtendDeadline::read(&value).map_err(Refusal::of_fields)?)
            }
            Operation::RaiseAlert => Parsed::Raise(Box::new(read_internal(value)?)),
            Operation::ResolveAlert => Parsed::Resolve(Box::new(read_internal(value)?)),
            Operation::AcknowledgeAlert => {
                let alert = read_alert_id(request.subject.as_deref().unwrap_or_default())?;
                let body = AcknowledgeAlert::read(&value).map_err(Refusal::of_fields)?;
                Parsed::Acknowledge(alert, body)
            }
        };
        Ok(ParsedRequest { request, parsed, digest })
    }

    /// The id that an idempotency key gives to the thing at `index` of this request, with the digest that its
    /// event keeps; none without a key.
    pub(super) fn keyed_id(&self, plan: &PlanId, index: usize) -> Option<(EventId, String)> {
        let key = self.request.idempotency_key.as_deref()?;
        let index = index.to_string();
        let operation = self.request.operation.name();
        let words = ["key", plan.as_str(), self.request.actor.as_str(), operation, key, &index];
        Some((derived_id(&words), self.bound_digest()))
    }

    /// What a key binds: the body, and the alert where the path names one.
    fn bound_digest(&self) -> String {
        match &self.request.subject {
            Some(subject) => sha256_hex(format!("{subject} {}", self.digest).as_bytes()),
            None => self.digest.clone(),
        }
    }
}

fn digest_of(value: &Value) -> String {
    sha256_hex(&canonical(value))
}

fn content_digest(report: &Value) -> String {
    let mut report = report.clone();
    if let Some(Value::Array(lines)) = report.get_mut("lines") {
        lines.sort_by_cached_key(canonical);
    }
    digest_of(&report)
}

fn read_internal<T: DeserializeOwned>(value: Value) -> Result<T, Refusal> {
    serde_json::from_value(value)
        .map_err(|error| Refusal::new(RefusalKind::Malformed, format!("the alert cannot be read: {error}")))
}

/// A batch is a list of reports, or an object whose `reports` is one.
fn read_batch(value: &Value) -> Result<Vec<ParsedReport>, Refusal> {
    let (reports, prefix) = match value {
        Value::Array(reports) => (reports, ""),
        Value::Object(object) if object.len() == 1 => match object.get("reports") {
            Some(Value::Array(reports)) => (reports, "/reports"),
            _ => return Err(no_batch()),
        },
        _ => return Err(no_batch()),
    };
    if reports.is_empty() {
        return Err(Refusal::of_fields(vec![FieldError::new(
            prefix,
            "empty",
            "the batch holds no report",
            "send at least one report",
        )]));
    }
    if reports.len() > BATCH_LIMIT {
        return Err(Refusal::of_field(
            RefusalKind::TooLarge,
            FieldError::new(
                prefix,
                "too-many-reports",
                format!("the batch holds {} reports; the limit is {BATCH_LIMIT}", reports.len()),
                "split it; what must be recorded together has to fit one batch",
            ),
        ));
    }
    let parsed = reports.iter().enumerate().map(|(index, report)| ParsedReport {
        report: read_report(report),
        pointer: format!("{prefix}/{index}"),
        digest: content_digest(report),
    });
    Ok(parsed.collect())
}

fn no_batch() -> Refusal {
    Refusal::of_fields(vec![FieldError::new(
        "",
        "no-batch",
        "the body is neither a list of reports nor an object with `reports`",
        "send `[…]` or `{\"reports\": […]}`",
    )])
}
