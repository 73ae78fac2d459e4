//! The events with which a log begins: the plan, then each of its targets.

use event_log::{AppendError, Log, Writer};
use events::ids::{derived_id, derived_trace};
use events::{ActorId, Event, EventData, PlanAdopted, PlanId, Position, TargetChanged, Timestamp};
use plan::Plan;
use plan::file::PlanError;
use serde_json::Value;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// How many differences between two plans are shown.
const DIFFERENCES_SHOWN: usize = 20;

/// Why a log cannot be written under the plan that was given.
#[derive(Debug, Error)]
pub enum AdoptError {
    /// The log is empty and no plan file was given.
    #[error("the log is empty and no plan file is named; set `plan_file` in the configuration")]
    NoPlanFile,
    /// The plan file cannot be read.
    #[error("cannot read the plan file `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The plan file is wrong.
    #[error("the plan file is wrong:\n{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Wrong {
        /// Every mistake, with its place.
        errors: Vec<PlanError>,
    },
    /// The plan file is of another plan.
    #[error("the plan file is of plan `{found}`, the configuration of `{asked}`; name the right file")]
    OtherPlan {
        /// The id in the file.
        found: PlanId,
        /// The id in the configuration.
        asked: PlanId,
    },
    /// The log was begun under another text of the plan. The log governs.
    #[error("the plan file differs from the plan that the log adopted:\n{}\nthe log governs: leave the file out, or start a new log", differences.join("\n"))]
    Differs {
        /// Each difference as `pointer: log says …, file says …`.
        differences: Vec<String>,
    },
    /// Position 1 is no adoption that can be read.
    #[error("the log does not begin with a plan that this version reads")]
    NoAdoption,
    /// The adoption was not recorded.
    #[error("cannot record the adoption")]
    Append(#[from] AppendError),
    /// The first event cannot be read.
    #[error("cannot read the first event")]
    Read(#[from] event_log::ReadError),
}

/// Records the adoption of a plan in an empty log, as of now.
pub fn adopt(writer: &mut Writer, plan: &Plan, sample: bool, now: Timestamp) -> Result<(), AppendError> {
    writer.append(vec![adoption_events(plan, sample)], now).map(|_| ())
}

/// Compares a plan with the one that a log has adopted; an empty log has none and agrees.
pub(crate) fn compare(log: &Log, plan: &Plan) -> Result<(), AdoptError> {
    log.event_at(Position(1))?.map_or(Ok(()), |first| compare_with(&first.bytes, plan))
}

/// Compares a plan with the one whose adoption is the first event of a log.
pub fn compare_with(adoption: &[u8], plan: &Plan) -> Result<(), AdoptError> {
    let Ok(EventData::PlanAdopted(adopted)) = events::wire::read(adoption).map(|first| first.event.data)
    else {
        return Err(AdoptError::NoAdoption);
    };
    if adopted.digest == plan.digest() {
        return Ok(());
    }
    let mut differences = Vec::new();
    find_differences("", &adopted.plan, &plan.canonical(), &mut differences);
    differences.truncate(DIFFERENCES_SHOWN);
    Err(AdoptError::Differs { differences })
}

/// Adopts the plan file into an empty log; compares it with the adopted plan otherwise, if one is named.
pub(crate) fn adopt_or_compare(
    log: &Log,
    writer: &mut Writer,
    id: &PlanId,
    plan_file: Option<&Path>,
) -> Result<(), AdoptError> {
    let is_empty = log.head() == Position::START;
    let Some(path) = plan_file else {
        return if is_empty { Err(AdoptError::NoPlanFile) } else { Ok(()) };
    };
    let text = std::fs::read_to_string(path)
        .map_err(|source| AdoptError::Unreadable { path: path.to_owned(), source })?;
    let plan = plan::file::read(&path.display().to_string(), &text)
        .map_err(|errors| AdoptError::Wrong { errors })?;
    if plan.id != *id {
        return Err(AdoptError::OtherPlan { found: plan.id, asked: id.clone() });
    }
    if is_empty {
        adopt(writer, &plan, false, Timestamp::now())?;
        tracing::info!(plan = %plan.id, "Adopted the plan of `{}`", path.display());
        return Ok(());
    }
    compare(log, &plan)
}

fn find_differences(pointer: &str, log: &Value, file: &Value, differences: &mut Vec<String>) {
    if differences.len() >= DIFFERENCES_SHOWN || log == file {
        return;
    }
    match (log, file) {
        (Value::Object(log), Value::Object(file)) => {
            let names: std::collections::BTreeSet<&String> = log.keys().chain(file.keys()).collect();
            for name in names {
                let none = Value::Null;
                let (log, file) = (log.get(name).unwrap_or(&none), file.get(name).unwrap_or(&none));
                find_differences(&format!("{pointer}/{name}"), log, file, differences);
            }
        }
        (Value::Array(log), Value::Array(file)) if log.len() == file.len() => {
            for (index, (log, file)) in log.iter().zip(file).enumerate() {
                find_differences(&format!("{pointer}/{index}"), log, file, differences);
            }
        }
        (log, file) => {
            differences.push(format!("{pointer}: the log says {}, the file says {}", short(log), short(file)))
        }
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The adoption of a plan and the targets of its text, in the order of the plan; the same plan always gives the same events.
pub fn adoption_events(plan: &Plan, sample: bool) -> Vec<Event> {
    let actor = ActorId::parse("service-ingestion").expect("the name is a slug");
    let digest = plan.digest();
    let effective = plan.calendar.start_of_day(plan.adopted);
    let event = |id, data| Event {
        id,
        plan: plan.id.clone(),
        effective,
        actor: actor.clone(),
        traceparent: Some(derived_trace(&id)),
        data,
    };
    let adopted = PlanAdopted { plan: plan.canonical(), digest: digest.clone(), sample };
    let id = derived_id(&["plan-adopted", plan.id.as_str(), &digest]);
    let mut events = vec![event(id, EventData::PlanAdopted(adopted))];
    for indicator in &plan.indicators {
        for target in &indicator.targets {
            let review = target.review.to_string();
            let words = ["plan-target", plan.id.as_str(), &digest, indicator.id.as_str(), &review];
            let changed = TargetChanged {
                indicator: indicator.id.clone(),
                unit: None,
                review: target.review,
                value: target.value,
                mark: target.mark,
                revision: 1,
                effective: plan.adopted,
                instrument: plan.instrument.clone(),
                reason: Some(target.paragraph.clone()),
                request_digest: None,
            };
            events.push(event(derived_id(&words), EventData::TargetChanged(changed)));
        }
    }
    events
}
