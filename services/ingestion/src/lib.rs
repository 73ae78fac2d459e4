//! Ingestion: admits commands, records them in the log and mirrors them to the stream.
//!
//! Ingestion is the one writer. A request is read ([`admission::ParsedRequest`]), admitted against
//! everything recorded so far ([`admission::admit`], a pure function), given the next positions, made durable
//! by one `fdatasync`, and only then answered. Refusals record nothing and bind no idempotency key.

pub mod admission;
mod adoption;
mod service;
mod stream_copy;
mod writer;

pub use adoption::{AdoptError, adopt, adoption_events, compare_with};
pub use service::{Config, Running, StartError, start};
