//! Alerting: decides from the log and the clock which alerts are raised and resolved.
//!
//! The rules are pure ([`rules::decide`]): what is open is among the facts, so they decide nothing twice. The
//! service follows the stream into a log copy of its own, folds it, decides when something new has come or
//! the clock has reached [`rules::next_instant`], and asks ingestion to record each decision ([`request()`]).
//! It has no state but the log's: after a restart, or with the copy gone, it folds and goes on.

mod in_flight;
mod knowledge;
mod request;
pub mod rules;
mod service;
mod watch;

pub use request::{ACTOR, request};
pub use service::{Config, Running, StartError, start};
