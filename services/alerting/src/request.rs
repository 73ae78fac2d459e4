//! A decision as a request to ingestion, the one writer.

use crate::rules::Decided;
use events::command::{Operation, Request};
use events::{ActorId, Timestamp};

/// Under which name alerting asks; ingestion takes what happens to alerts from nobody else.
pub const ACTOR: &str = "service-alerting";

/// The request that records a decision. Ingestion derives the event's id from the episode, so that the same
/// decision, sent again, is answered as the first time. It refuses a decision of a clock that is ahead of its own.
pub fn request(decided: &Decided, decided_at: Timestamp) -> Request {
    let operation = match decided {
        Decided::Raise(_) => Operation::RaiseAlert,
        Decided::Resolve(_) => Operation::ResolveAlert,
    };
    Request {
        operation,
        actor: ActorId::parse(ACTOR).expect("the name is a slug"),
        may_enter_history: false,
        request_id: None,
        idempotency_key: None,
        traceparent: None,
        decided_at: Some(decided_at),
        dry_run: false,
        subject: None,
        body: serde_json::to_string(decided).expect("a decision is plain data"),
    }
}
