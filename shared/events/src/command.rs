//! What may be asked of the log: the requests as people write them, read into types with every wrong field named.
//!
//! Reading needs no knowledge of the plan: shapes, bounds and dates are checked here, units, measures,
//! revisions and calendars by ingestion's admission.

mod fields;
mod plan_changes;
mod report;
mod units;

pub use fields::{Fields, read_date};
pub use plan_changes::{
    AmendPlan, AmendmentPreview, CHANGES_LIMIT, CellDifference, EnterBaseline, ExtendDeadline, KeyDifference,
    PREVIEW_LIMIT,
};
pub use report::{ReadableParts, SubmitReport};
pub use units::ChangeUnit;

use crate::event::TargetValue;
use crate::ids::{ActorId, AlertId, EventId, IndicatorId, Position, Review, UnitId};
use crate::percent::Percent;
use crate::refusal::{FieldError, Refusal, RefusalKind};
use crate::strict_json::{self, StrictJsonError};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// The most lines that one report may hold.
pub const LINES_LIMIT: usize = 200;
/// The most reports in one batch: they are recorded in one commit.
pub const BATCH_LIMIT: usize = 4_096;
/// The largest body of a request for one thing, in bytes.
pub const BODY_LIMIT_BYTES: usize = 256 * 1024;
/// The largest body of a batch, in bytes.
pub const BATCH_BODY_LIMIT_BYTES: usize = 8 * 1024 * 1024;
/// The most units that one unit may be split into.
pub const SUCCESSORS_LIMIT: usize = 100;
/// The largest count in a rate: 10¹².
pub const COUNT_LIMIT: u64 = 1_000_000_000_000;
/// The longest number of a document or name of an instrument, in characters.
pub const TITLE_LIMIT_CHARS: usize = 200;
/// The longest reason, source or note, in characters.
pub const TEXT_LIMIT_CHARS: usize = 2_000;
/// The longest idempotency key, in bytes of printable ASCII.
pub const KEY_LIMIT_BYTES: usize = 128;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Record one report; the body is a [`SubmitReport`].
    SubmitReport,
    /// Record several reports or none; the body is a list of them.
    SubmitReports,
    /// Change one target; the body is a [`ChangeTarget`].
    ChangeTarget,
    /// Change one unit; the body is a [`ChangeUnit`].
    ChangeUnit,
    /// Enter a baseline; the body is an [`EnterBaseline`].
    EnterBaseline,
    /// Amend the plan; the body is an [`AmendPlan`].
    AmendPlan,
    /// Extend a deadline; the body is an [`ExtendDeadline`].
    ExtendDeadline,
    /// Acknowledge the alert that `subject` names; the body is an [`AcknowledgeAlert`].
    AcknowledgeAlert,
    /// Record that an alert fired; alerting alone asks for it. The body is an [`crate::AlertRaised`].
    RaiseAlert,
    /// Record that an alert cleared; alerting alone asks for it. The body is an [`crate::AlertResolved`].
    ResolveAlert,
}

impl Operation {
    /// The word for it: scope of idempotency keys, label of metrics.
    pub fn name(self) -> &'static str {
        match self {
            Operation::SubmitReport => "submit-report",
            Operation::SubmitReports => "submit-reports",
            Operation::ChangeTarget => "change-target",
            Operation::ChangeUnit => "change-unit",
            Operation::EnterBaseline => "enter-baseline",
            Operation::AmendPlan => "amend-plan",
            Operation::ExtendDeadline => "extend-deadline",
            Operation::AcknowledgeAlert => "acknowledge-alert",
            Operation::RaiseAlert => "raise-alert",
            Operation::ResolveAlert => "resolve-alert",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A request to ingestion, as it travels between services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What is asked for.
    pub operation: Operation,
    /// Who asks, as the console has established it.
    pub actor: ActorId,
    /// Whether the actor may enter documents older than the bound as history.
    pub may_enter_history: bool,
    /// An id for what is asked, made by whoever passes the request on: the same request sent again after a lost
    /// answer is recorded once. It becomes the event's id where the caller gave no key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<EventId>,
    /// The caller's key under which the same answer is given again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// When the clock of whoever decides by the clock was read: of what happens to alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// Check and answer, record nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// The id in the path, where the operation is about one thing that exists (an alert).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The body, byte for byte as the caller sent it (lossless for UTF-8; anything else was refused before).
    pub body: String,
}

/// One recorded event, as the caller is told about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The event's id.
    pub event: EventId,
    /// Its position in the log.
    pub position: Position,
    /// The revision it became: of this unit and period, of this target, of this unit.
    pub revision: u32,
    /// When the log took it in, RFC 3339 in the plan's time zone.
    pub recorded_at: String,
    /// The proof that the event is in the log, a `.tlog-proof` at the tree size of the request's last position;
    /// none of a log that signs nothing.
    pub receipt: Option<String>,
}

/// What a dry run says about one report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The unit.
    pub unit: UnitId,
    /// The period.
    pub period: crate::ids::Period,
    /// The revision it would become, or became when it was recorded before.
    pub revision: u32,
    /// Whether the same content is recorded already.
    pub already_recorded: bool,
}

/// Ingestion's answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Everything asked for is durable (or was before, under the same key).
    Recorded(Vec<Acceptance>),
    /// Nothing was recorded because none was asked for; this is what would be.
    Checked(Vec<Preview>),
    /// Nothing was recorded because none was asked for; this is what the amendment would do.
    AmendmentChecked(Box<AmendmentPreview>),
    /// Nothing was recorded.
    Refused(Refusal),
}

/// A request to change a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeTarget {
    /// What the target is for.
    pub indicator: IndicatorId,
    /// Whose own target; none for the province's.
    pub unit: Option<UnitId>,
    /// At whose end it is judged.
    pub review: Review,
    /// The new value.
    pub value: TargetValue,
    /// From when it holds.
    pub effective: Date,
    /// The legal instrument.
    pub instrument: String,
    /// Why.
    pub reason: Option<String>,
    /// The revision this must become.
    pub revision: Option<u32>,
}

/// A request to acknowledge an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcknowledgeAlert {
    /// What the person means to do.
    pub note: String,
    /// By when someone looks again.
    pub review_by: Option<Date>,
}

/// Reads a body as JSON; what cannot be parsed is a refusal of its own kind (400), a doubled key is one by the rules.
pub fn read_body(body: &[u8]) -> Result<Value, Refusal> {
    strict_json::parse(body).map_err(|error| match &error {
        StrictJsonError::Syntax { .. } => Refusal::of_field(
            RefusalKind::Malformed,
            FieldError::new("", "malformed", error.to_string(), "send one JSON document in UTF-8"),
        ),
        StrictJsonError::DuplicateKey { pointer, .. } => Refusal::of_field(
            RefusalKind::Rules,
            FieldError::new(
                pointer.clone(),
                "duplicate-key",
                error.to_string(),
                "keep one of the two: which one was meant cannot be told",
            ),
        ),
    })
}

impl ChangeTarget {
    /// Reads a target change; every wrong field is named.
    pub fn read(value: &Value) -> Result<ChangeTarget, Vec<FieldError>> {
        let mut fields = Fields::of(value, "")?;
        let indicator = fields.id("indicator", "unknown-indicator", IndicatorId::parse);
        let unit = fields.optional_id("unit", "unknown-unit", UnitId::parse);
        let review = fields.id("review", "unknown-review", Review::parse);
        let percent = fields.optional_text("percent", TITLE_LIMIT_CHARS);
        let level = fields.optional_whole("level", 255);
        let attained = fields.optional_flag("attained");
        let withdrawn = fields.optional_flag("withdrawn");
        let effective = fields.date("effective");
        let instrument = fields.text("instrument", TITLE_LIMIT_CHARS);
        let reason = fields.optional_text("reason", TEXT_LIMIT_CHARS);
        let revision = fields.optional_revision("revision");
        let value = match (percent, level, attained, withdrawn) {
            (Some(percent), None, None, None) => match Percent::parse(&percent) {
                Ok(percent) => Some(TargetValue::Percent(percent)),
                Err(error) => {
                    fields.refuse(
                        "percent",
                        "not-a-percentage",
                        error.to_string(),
                        "write a decimal string from 0 to 100 with at most two places",
                    );
                    None
                }
            },
            (None, Some(level), None, None) => u8::try_from(level).ok().map(TargetValue::Level),
            (None, None, Some(attained), None) => Some(TargetValue::Attained(attained)),
            (None, None, None, Some(true)) => Some(TargetValue::Withdrawn(true)),
            (None, None, None, Some(false)) => {
                fields.refuse(
                    "withdrawn",
                    "not-withdrawn",
                    "`withdrawn` is false",
                    "leave it out, or write true to take the unit's own target back",
                );
                None
            }
            (None, None, None, None) => {
                if !fields.has_errors() {
                    fields.refuse(
                        "percent",
                        "missing",
                        "no value is given",
                        "give one of `percent`, `level`, `attained` or `withdrawn`",
                    );
                }
                None
            }
            _ => {
                fields.refuse(
                    "",
                    "mixed-values",
                    "more than one value is given",
                    "give exactly one of `percent`, `level`, `attained` or `withdrawn`",
                );
                None
            }
        };
        fields.finish(|| {
            Some(ChangeTarget {
                indicator: indicator?,
                unit,
                review: review?,
                value: value?,
                effective: effective?,
                instrument: instrument?,
                reason,
                revision,
            })
        })
    }
}

impl AcknowledgeAlert {
    /// Reads an acknowledgement; every wrong field is named.
    pub fn read(value: &Value) -> Result<AcknowledgeAlert, Vec<FieldError>> {
        let mut fields = Fields::of(value, "")?;
        let note = fields.text("note", TEXT_LIMIT_CHARS);
        let review_by = fields.optional_date("review_by");
        fields.finish(|| Some(AcknowledgeAlert { note: note?, review_by }))
    }
}

/// Reads the id of an alert from a path.
pub fn read_alert_id(text: &str) -> Result<AlertId, Refusal> {
    AlertId::parse_str(text).map_err(|_| {
        Refusal::of_field(
            RefusalKind::NotFound,
            FieldError::new(
                "",
                "unknown-alert",
                format!("there is no alert `{text}`"),
                "take the id from the list of alerts",
            ),
        )
    })
}
