//! What every command that records something may name: the key that binds it, and how the answer is printed.

use crate::client::{Client, ServerArguments};
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use clap::Args;
use serde_json::{Map, Value};

/// How something is recorded, and where.
#[derive(Debug, Args)]
pub(crate) struct RecordingArguments {
    /// A key under which the same answer is given again
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

impl RecordingArguments {
    /// The server that is asked to record.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.server.client()
    }

    /// The key that binds the request, where one is given.
    pub(crate) fn key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// Has a body recorded as it stands, and prints what was answered.
    pub(crate) fn record(&self, path: &str, body: &[u8]) -> Outcome {
        let answer = self.client()?.post(path, body, self.key())?.value()?;
        Ok(self.recorded(&answer))
    }

    /// Prints what was answered.
    pub(crate) fn recorded(&self, answer: &Value) -> Exit {
        output::acceptance(answer, self.json);
        Exit::Done
    }
}

/// A JSON object of the fields that are given.
pub(crate) fn body<const FIELDS: usize>(fields: [(&str, Option<Value>); FIELDS]) -> Vec<u8> {
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>()).to_string().into_bytes()
}
