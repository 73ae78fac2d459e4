//! The stream that holds a plan's events: its settings, and what it holds at its end.

use crate::connection::Bus;
use crate::names;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, LastRawMessageErrorKind, RetentionPolicy, State, StorageType,
};
use bytes::Bytes;
use events::{PlanId, Position};
use std::time::Duration;
use thiserror::Error;

/// How long the server remembers message ids. It only spares work: what keeps an event from being stored
/// twice is the expected last sequence.
pub const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);

/// Why a stream is not as it should be.
#[derive(Debug, Error)]
pub enum StreamError {
    /// It is not there.
    #[error("the stream `{stream}` does not exist yet; ingestion creates it when it starts")]
    Missing {
        /// Which.
        stream: String,
    },
    /// It is there with other settings.
    #[error(
        "the stream `{stream}` was created with other settings ({differences}); remove it, and it is created anew and refilled from the log"
    )]
    Differs {
        /// Which.
        stream: String,
        /// Which settings, as found and as wanted.
        differences: String,
    },
    /// JetStream did not answer, or refused. Trying again may help.
    #[error("JetStream did not answer for the stream `{stream}`: {reason}")]
    Unavailable {
        /// Which.
        stream: String,
        /// What it said.
        reason: String,
    },
}

fn wanted(plan: &PlanId, replicas: usize) -> Config {
    Config {
        name: names::stream(plan),
        description: Some(format!("Events of the plan {plan}; sequence = position in its log")),
        subjects: vec![names::event_subjects(plan)],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        storage: StorageType::File,
        num_replicas: replicas,
        duplicate_window: DUPLICATE_WINDOW,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        max_messages: -1,
        max_bytes: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        ..Config::default()
    }
}

fn differences(found: &Config, wanted: &Config) -> Vec<String> {
    let unlimited = |limit: i64| limit <= 0;
    let mut differences = Vec::new();
    let mut compare = |what: &str, agrees: bool, found: String| {
        if !agrees {
            differences.push(format!("{what} is {found}"));
        }
    };
    compare("subjects", found.subjects == wanted.subjects, found.subjects.join(", "));
    compare("storage", found.storage == wanted.storage, format!("{:?}", found.storage));
    compare("retention", found.retention == wanted.retention, format!("{:?}", found.retention));
    compare("discard", found.discard == wanted.discard, format!("{:?}", found.discard));
    compare("replicas", found.num_replicas == wanted.num_replicas, found.num_replicas.to_string());
    compare("max_msgs", unlimited(found.max_messages), found.max_messages.to_string());
    compare("max_bytes", unlimited(found.max_bytes), found.max_bytes.to_string());
    compare("max_age", found.max_age.is_zero(), format!("{:?}", found.max_age));
    compare(
        "max_msgs_per_subject",
        unlimited(found.max_messages_per_subject),
        found.max_messages_per_subject.to_string(),
    );
    compare("deny_delete", found.deny_delete, "false".to_owned());
    compare("deny_purge", found.deny_purge, "false".to_owned());
    compare("allow_direct", found.allow_direct, "false".to_owned());
    differences
}

impl Bus {
    /// Creates the plan's stream, or checks that the one that is there has the settings it should have.
    pub async fn ensure_stream(&self, plan: &PlanId, replicas: usize) -> Result<(), StreamError> {
        self.opened_stream(plan, replicas).await.map(|_| ())
    }

    /// As [`Bus::ensure_stream`], and gives what the stream holds.
    pub(crate) async fn opened_stream(&self, plan: &PlanId, replicas: usize) -> Result<State, StreamError> {
        let wanted = wanted(plan, replicas);
        let (config, state) = match self.stream_info(plan).await {
            Ok(info) => info,
            Err(StreamError::Missing { stream }) => {
                let created = self.jetstream().create_stream(wanted.clone()).await.map_err(|error| {
                    let reason = match error.kind() {
                        CreateStreamErrorKind::JetStream(error) => error.to_string(),
                        _ => error.to_string(),
                    };
                    StreamError::Unavailable { stream, reason }
                })?;
                let info = created.cached_info();
                tracing::info!(stream = %wanted.name, "Created the stream");
                (info.config.clone(), info.state.clone())
            }
            Err(error) => return Err(error),
        };
        let differences = differences(&config, &wanted);
        if differences.is_empty() {
            Ok(state)
        } else {
            Err(StreamError::Differs { stream: wanted.name, differences: differences.join("; ") })
        }
    }

    /// The last position that the plan's stream holds; none if there is no stream yet.
    pub async fn stream_head(&self, plan: &PlanId) -> Result<Option<Position>, StreamError> {
        match self.stream_info(plan).await {
            Ok((_, state)) => Ok(Some(Position(state.last_sequence))),
            Err(StreamError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the stream is and holds.
    pub(crate) async fn stream_info(&self, plan: &PlanId) -> Result<(Config, State), StreamError> {
        let stream = names::stream(plan);
        match self.jetstream().get_stream(&stream).await {
            Ok(found) => {
                let info = found.cached_info();
                Ok((info.config.clone(), info.state.clone()))
            }
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(refusal)
                    if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Err(StreamError::Missing { stream })
                }
                _ => Err(StreamError::Unavailable { stream, reason: error.to_string() }),
            },
        }
    }

    /// The event at a position of the plan's stream, byte for byte; none if the stream does not hold it.
    pub async fn stream_event(
        &self,
        plan: &PlanId,
        position: Position,
    ) -> Result<Option<Bytes>, StreamError> {
        let stream = names::stream(plan);
        let unavailable = |reason: String| StreamError::Unavailable { stream: stream.clone(), reason };
        let handle = self
            .jetstream()
            .get_stream_no_info(&stream)
            .await
            .map_err(|error| unavailable(error.to_string()))?;
        match handle.get_raw_message(position.0).await {
            Ok(message) => Ok(Some(message.payload)),
            Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => Ok(None),
            Err(error) => Err(unavailable(error.to_string())),
        }
    }
}
