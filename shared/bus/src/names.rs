//! The names on the bus: streams, subjects and inboxes, each made from a plan's id in one place.

use events::PlanId;
use events::wire::{self, Envelope};

/// The stream that holds a plan's events: `PLANWATCH_BINH_DUONG` for `binh-duong`.
pub fn stream(plan: &PlanId) -> String {
    // An id has no underscore, so two plans never share a name.
    format!("PLANWATCH_{}", plan.as_str().to_ascii_uppercase().replace('-', "_"))
}

/// Every subject on which a plan's events are published.
pub fn event_subjects(plan: &PlanId) -> String {
    format!("planwatch.{plan}.event.>")
}

/// The subject of one event.
pub fn event_subject(envelope: &Envelope) -> String {
    wire::subject(&envelope.plan, envelope.kind, Some(&envelope.subject))
}

/// Where ingestion publishes the log's signed checkpoints, outside the stream.
pub fn checkpoint(plan: &PlanId) -> String {
    format!("planwatch.{plan}.checkpoint")
}

/// The subject of a service's endpoint: `planwatch.binh-duong.ingestion.submit`.
pub fn endpoint(plan: &PlanId, service: &str, endpoint: &str) -> String {
    format!("planwatch.{plan}.{service}.{endpoint}")
}

/// The prefix under which a user receives answers; no other user may listen there.
pub fn inbox_prefix(user: &str) -> String {
    format!("_INBOX_{user}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_its_stream_and_subjects() {
        let plan = PlanId::parse("binh-duong").unwrap();
        assert_eq!(stream(&plan), "PLANWATCH_BINH_DUONG");
        assert_eq!(event_subjects(&plan), "planwatch.binh-duong.event.>");
        assert_eq!(endpoint(&plan, "ingestion", "log.read"), "planwatch.binh-duong.ingestion.log.read");
    }
}
