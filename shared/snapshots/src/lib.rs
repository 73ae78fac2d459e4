//! Facts on disk, so that a start folds only what came since: segments that are bound to the log that they were
//! folded from, and what keeps them while a log is folded.
//!
//! They can always be made again from the log and are never evidence: what is not right is refused, said in the
//! log lines, and folded again.

#[cfg(test)]
mod fixture;
mod keeper;
mod segments;

pub use keeper::{FoldError, Keeper, fold};
pub use segments::{Loaded, SEGMENT_EVENTS, Snapshots};
