//! The endpoints of the evidence: `log.checkpoint`, `log.proof`, `log.consistency`, `log.tile` and `log.keys`.
//!
//! A reply is `{"ok": …}` or `{"refused": Refusal}`, as that of every other question. A log without keys signs
//! nothing and still shows its tiles; so does one that contradicts its last checkpoint, which a person has to
//! look into.

use crate::kept::Contradiction;
use crate::notary::{Notary, NotaryError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bus::{Endpoint, RequestContext, ServiceError};
use bytes::Bytes;
use event_log::{EvidenceError, Log};
use events::{FieldError, Position, Refusal, RefusalKind};
use evidence::TilePath;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

/// How many questions of one endpoint are worked on at once; the bus lets the rest wait.
const QUESTIONS_AT_ONCE: usize = 8;

/// Who signs for the log.
#[derive(Clone)]
pub(crate) enum Signing {
    /// The notary.
    By(Arc<Notary>),
    /// Nobody: no keys are configured.
    Nobody,
    /// Nobody: the log is not the one that was signed.
    Contradicted(Arc<Contradiction>),
}

impl Signing {
    /// Why nothing may be recorded, if that is so.
    pub(crate) fn contradiction(&self) -> Option<&Contradiction> {
        match self {
            Signing::Contradicted(contradiction) => Some(contradiction),
            Signing::By(_) | Signing::Nobody => None,
        }
    }

    fn notary(&self) -> Result<&Notary, Refusal> {
        match self {
            Signing::By(notary) => Ok(notary),
            Signing::Nobody => Err(Refusal::new(
                RefusalKind::NotFound,
                "this log signs nothing: name a directory with keys in the configuration of ingestion (`keys`)",
            )),
            Signing::Contradicted(why) => Err(Refusal::new(RefusalKind::Unavailable, why.to_string())),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofQuestion {
    position: Position,
    #[serde(default)]
    size: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsistencyQuestion {
    from: u64,
    #[serde(default)]
    to: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TileQuestion {
    path: String,
}

/// Every endpoint of the evidence.
pub(crate) fn endpoints(log: &Log, signing: &Signing) -> Vec<Endpoint> {
    let proof_log = log.clone();
    let tile_log = log.clone();
    vec![
        endpoint("log.checkpoint", signing, |signing, _: Nothing| {
            let latest = signing.notary()?.latest().ok_or_else(|| {
                Refusal::new(
                    RefusalKind::Unavailable,
                    "no checkpoint has been signed yet; try again in a moment",
                )
            })?;
            Ok(json!({"checkpoint": latest.to_string(), "size": latest.claimed().size()}))
        }),
        endpoint("log.keys", signing, |signing, _: Nothing| {
            let keys = signing.notary()?.keys();
            let vkeys: String = keys.verifying().iter().map(|key| format!("{key}\n")).collect();
            Ok(json!({"origin": keys.name().as_str(), "vkeys": vkeys}))
        }),
        endpoint("log.proof", signing, move |signing, asked: ProofQuestion| {
            let size = proof_log.tree_size();
            if asked.position.0 == 0 || asked.position.0 > size {
                return Err(unknown_position(asked.position, size));
            }
            if let Some(within) = asked.size.filter(|within| !(asked.position.0..=size).contains(within)) {
                let reason =
                    format!("position {} is not within {within} of the log's {size} events", asked.position);
                let remedy = format!("give a size from {} to {size}, or none", asked.position);
                return Err(wrong("/size", reason, remedy));
            }
            let proof = signing.notary()?.prove(asked.position, asked.size).map_err(refusal)?;
            Ok(json!({"proof": proof.to_string()}))
        }),
        endpoint("log.consistency", signing, |signing, asked: ConsistencyQuestion| {
            let notary = signing.notary()?;
            match notary.consistency(asked.from, asked.to) {
                Ok(proved) => Ok(json!({"consistency": proved.to_string()})),
                Err(NotaryError::Evidence(EvidenceError::Beyond { asked: beyond, size })) => {
                    let pointer = if asked.to == Some(beyond) { "/to" } else { "/from" };
                    let reason = format!("{beyond} is more than the {size} events that can be compared with");
                    Err(wrong(pointer, reason, "give two sizes of the log, the smaller one as `from`"))
                }
                Err(error) => Err(refusal(error)),
            }
        }),
        endpoint("log.tile", signing, move |_, asked: TileQuestion| {
            let path: TilePath = asked.path.parse().map_err(|error: evidence::PathError| {
                Refusal::new(RefusalKind::NotFound, error.to_string())
            })?;
            let tile = tile_log.tile(&path).map_err(|error| refusal(error.into()))?;
            let tile = tile.ok_or_else(|| {
                let size = tile_log.tree_size();
                Refusal::new(
                    RefusalKind::NotFound,
                    format!("`{path}` is not, or not yet, in the tree of {size} events"),
                )
            })?;
            Ok(json!({"tile": STANDARD.encode(tile)}))
        }),
    ]
}

/// An endpoint whose answers are worked out where blocking is allowed.
fn endpoint<Question: DeserializeOwned + Send + 'static>(
    name: &'static str,
    signing: &Signing,
    answer: impl Fn(&Signing, Question) -> Result<Value, Refusal> + Send + Sync + 'static,
) -> Endpoint {
    let (signing, answer) = (signing.clone(), Arc::new(answer));
    Endpoint::new(name, QUESTIONS_AT_ONCE, move |RequestContext { payload, .. }| {
        let (signing, answer) = (signing.clone(), Arc::clone(&answer));
        async move {
            let question: Question = serde_json::from_slice(&payload).map_err(|error| {
                ServiceError::new(400, format!("this is no question to `{name}`: {error}"))
            })?;
            let answered = tokio::task::spawn_blocking(move || answer(&signing, question)).await;
            let answered = answered.map_err(|error| ServiceError::new(503, error.to_string()))?;
            let reply = match answered {
                Ok(answer) => json!({"ok": answer}),
                Err(refusal) => json!({"refused": refusal}),
            };
            Ok(Bytes::from(reply.to_string()))
        }
    })
}

fn refusal(error: NotaryError) -> Refusal {
    let why: &dyn std::error::Error = &error;
    tracing::warn!(error = why, "Evidence could not be given");
    Refusal::new(RefusalKind::Unavailable, error.to_string())
}

fn wrong(pointer: &str, reason: impl Into<String>, remedy: impl Into<String>) -> Refusal {
    Refusal::of_field(
        RefusalKind::Rules,
        FieldError::new(pointer, "beyond-the-log", reason.into(), remedy.into()),
    )
}

fn unknown_position(position: Position, size: u64) -> Refusal {
    Refusal::of_field(
        RefusalKind::NotFound,
        FieldError::new(
            "",
            "unknown-position",
            format!("the log has {size} events, none at position {position}"),
            format!("take a position from 1 to {size}, as answers and the list of events name them"),
        ),
    )
}
