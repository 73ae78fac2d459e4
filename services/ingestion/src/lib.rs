//! Ingestion: admits commands, records them in the log and mirrors them to the stream.
//!
//! Ingestion is the one writer. A request is read ([`admission::ParsedRequest`]), admitted against
//! everything recorded so far ([`admission::admit`], a pure function), given the next positions, made durable
//! by one `fdatasync`, and only then answered. Refusals record nothing and bind no idempotency key.
//!
//! With keys it is the log's notary as well: it signs checkpoints of what is durable, never one that
//! contradicts an earlier one, gives every recorded event its receipt, and shows proofs and tiles.

pub mod admission;
mod adoption;
mod compared;
mod evidence_endpoints;
#[cfg(test)]
mod fixture;
pub mod kept;
pub mod keys;
mod notary;
mod service;
mod stream_copy;
mod writer;

pub use adoption::{AdoptError, adopt, adoption_events, compare_with};
pub use notary::NotaryError;
pub use service::{Config, Running, StartError, start};
