//! `planwatch log checkpoint|prove|consistency`: the evidence of a log, as it is served or as it is kept.
//!
//! A running system signs at any size. Of a stopped one there is the last checkpoint, and proofs up to it.

use crate::client::Client;
use crate::exit::{Exit, Failure, Outcome};
use crate::log_place::{LogArguments, LogPlace};
use crate::output;
use anyhow::{Context, anyhow};
use clap::Args;
use event_log::{EvidenceError, Log};
use events::Position;
use evidence::{AddCheckpoint, ProofFile, SignedCheckpoint, TreeHash};
use ingestion::kept::{CHECKPOINT_NAME, read_kept};
use serde_json::{Value, json};
use std::path::Path;

/// Which log, and how it is printed.
#[derive(Debug, Args)]
pub struct CheckpointArguments {
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: LogArguments,
}

/// Which event, and within how much of the log.
#[derive(Debug, Args)]
pub struct ProveArguments {
    /// The event's position
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    position: u64,
    /// Within so many of the log's first events [default: those of the last checkpoint]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    size: Option<u64>,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: LogArguments,
}

/// Between which sizes.
#[derive(Debug, Args)]
pub struct ConsistencyArguments {
    /// The earlier size
    #[arg(long)]
    from: u64,
    /// The later size [default: that of the last checkpoint]
    #[arg(long)]
    to: Option<u64>,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: LogArguments,
}

/// Prints the last checkpoint.
pub fn checkpoint(arguments: &CheckpointArguments) -> Outcome {
    let place = arguments.log.open()?;
    let text = match place.client() {
        Some(client) => served(client, "/api/v1/log/checkpoint", &[])?,
        None => kept(&place)?.1.to_string(),
    };
    if !arguments.json {
        return print(&text);
    }
    let signed =
        SignedCheckpoint::parse(text.as_bytes()).context("the server's checkpoint cannot be read")?;
    let mut document = described(&signed);
    document["checkpoint"] = json!(text);
    output::json(&document);
    Ok(Exit::Done)
}

/// Prints the proof that an event is in the log.
pub fn prove(arguments: &ProveArguments) -> Outcome {
    let (position, size) = (arguments.position, arguments.size);
    let place = arguments.log.open()?;
    let text = match place.client() {
        Some(client) => {
            let path = format!("/api/v1/log/proof/{position}");
            served(client, &path, &[("size", size.map(|size| size.to_string()))])?
        }
        None => {
            let (log, checkpoint) = kept(&place)?;
            only_what_is_kept(size, &checkpoint)?;
            let proof = log.inclusion_proof(Position(position), checkpoint.claimed().size());
            ProofFile::new(proof.map_err(refused)?, checkpoint).context("the sizes differ")?.to_string()
        }
    };
    if !arguments.json {
        return print(&text);
    }
    let proof = ProofFile::parse(text.as_bytes()).context("the server's proof cannot be read")?;
    output::json(&json!({"position": position, "proof": text, "checkpoint": described(proof.checkpoint())}));
    Ok(Exit::Done)
}

/// Prints the proof that the log continues an earlier state of itself.
pub fn consistency(arguments: &ConsistencyArguments) -> Outcome {
    let (from, to) = (arguments.from, arguments.to);
    let place = arguments.log.open()?;
    let text = match place.client() {
        Some(client) => {
            let query = [("from", Some(from.to_string())), ("to", to.map(|to| to.to_string()))];
            served(client, "/api/v1/log/consistency", &query)?
        }
        None => {
            let (log, checkpoint) = kept(&place)?;
            only_what_is_kept(to, &checkpoint)?;
            let proof = log.consistency_proof(from, checkpoint.claimed().size()).map_err(refused)?;
            AddCheckpoint { old_size: from, hashes: proof.hashes, checkpoint }.to_string()
        }
    };
    if !arguments.json {
        return print(&text);
    }
    let proved = AddCheckpoint::parse(text.as_bytes()).context("the server's proof cannot be read")?;
    output::json(&json!({"from": from, "consistency": text, "checkpoint": described(&proved.checkpoint)}));
    Ok(Exit::Done)
}

/// The checkpoint that covers a position: of a running system the one of exactly that size.
pub fn covering(place: &LogPlace, position: Position) -> Result<Option<SignedCheckpoint>, Failure> {
    let Some(client) = place.client() else {
        let Some((_, folder)) = place.directory() else { return Ok(None) };
        let kept = read_kept(&folder.join(CHECKPOINT_NAME)).map_err(Failure::refused)?;
        return Ok(kept.filter(|kept| kept.claimed().size() >= position.0));
    };
    let query = [("size", Some(position.to_string()))];
    let answer = client.get(&format!("/api/v1/log/proof/{position}"), &query)?;
    // A log that signs nothing has none, nor has one before its first event.
    if answer.status == 404 {
        return Ok(None);
    }
    let text = text_of(answer)?;
    let proof = ProofFile::parse(text.as_bytes()).context("the server's proof cannot be read")?;
    Ok(Some(proof.checkpoint().clone()))
}

/// Refuses a root that was computed from the events where the log signed another one for the same size.
pub fn agrees(signed: &SignedCheckpoint, position: Position, root: TreeHash) -> Result<(), Failure> {
    let claimed = signed.claimed();
    if claimed.size() == position.0 && claimed.root() != root {
        return Err(Failure::refused(anyhow!(
            "the first {position} events have the root {root}, the checkpoint of this size says {}: they are not those \
             that were signed; `planwatch log verify` tells where they differ",
            claimed.root()
        )));
    }
    Ok(())
}

/// What a checkpoint says, for programs. Nothing of it is verified here.
pub fn described(signed: &SignedCheckpoint) -> Value {
    let claimed = signed.claimed();
    json!({
        "origin": claimed.origin(),
        "size": claimed.size(),
        "root": claimed.root().to_string(),
        "signed_by": signers(signed),
    })
}

/// The keys that a checkpoint's signature lines name, as `<name>+<id>`.
pub fn signers(signed: &SignedCheckpoint) -> Vec<String> {
    signed.named_keys().map(|(name, id)| format!("{name}+{id:08x}")).collect()
}

fn served(client: &Client, path: &str, query: &[(&str, Option<String>)]) -> Result<String, Failure> {
    text_of(client.get(path, query)?)
}

fn text_of(answer: crate::client::Answer) -> Result<String, Failure> {
    if answer.status != 200 {
        return Err(answer.failure());
    }
    Ok(String::from_utf8(answer.body).context("the server's answer is no text")?)
}

/// The log in a directory, and its last checkpoint.
fn kept(place: &LogPlace) -> Result<(&Log, SignedCheckpoint), Failure> {
    let (log, folder) = place.directory().context("the log is neither served nor in a directory")?;
    let path: &Path = &folder.join(CHECKPOINT_NAME);
    let kept = read_kept(path).map_err(Failure::refused)?;
    let kept = kept.ok_or_else(|| {
        Failure::refused(anyhow!("nothing was ever signed for this log: there is no `{}`", path.display()))
    })?;
    Ok((log, kept))
}

fn only_what_is_kept(size: Option<u64>, kept: &SignedCheckpoint) -> Result<(), Failure> {
    let signed = kept.claimed().size();
    match size {
        Some(size) if size != signed => Err(Failure::refused(anyhow!(
            "nothing runs on this directory, so nothing is signed but the last checkpoint, of {signed} events: leave the \
             size out, or start the system"
        ))),
        Some(_) | None => Ok(()),
    }
}

fn refused(error: EvidenceError) -> Failure {
    Failure::refused(error)
}

/// Prints a text that ends with a line end, byte for byte.
fn print(text: &str) -> Outcome {
    output::line(text.strip_suffix('\n').unwrap_or(text));
    Ok(Exit::Done)
}
