//! The entries of the sample history, as the committed file holds them.

use anyhow::Context;
use events::Timestamp;
use events::command::Operation;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The committed file; `cargo run -p planwatch --example generate-sample` writes it.
pub(super) const FILE: &str = include_str!("../../../../deploy/sample/history.jsonl");

/// One thing that comes on one day.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// When it comes.
    pub(super) day: Timestamp,
    /// What is asked for.
    pub(super) operation: Operation,
    /// The body of the request, as it stands in the file.
    pub(super) body: Box<RawValue>,
}

/// The embedded entries, in the order of their days.
pub(super) fn embedded() -> anyhow::Result<Vec<Entry>> {
    (1..)
        .zip(FILE.lines())
        .map(|(number, line)| {
            serde_json::from_str(line).with_context(|| format!("line {number} of the sample history"))
        })
        .collect()
}
