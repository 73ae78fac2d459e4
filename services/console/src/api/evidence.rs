//! The log's evidence: checkpoint, proofs, tiles and keys, in the forms and under the paths of C2SP.
//!
//! Open to all, since it is hashes and signatures; the entries themselves are for those who may read the log.

use crate::backend::{Peer, answer_of};
use crate::edge::Edge;
use crate::parameters::Parameters;
use crate::problem::Problem;
use ::evidence::{Resource, TilePath, push_entry};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use events::{FieldError, Position};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

const TEXT: &str = "text/plain; charset=utf-8";
const BINARY: &str = "application/octet-stream";
/// What stands under the path of a full tile never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Neither does a partial one, but the full one takes its place soon.
const FOR_A_MINUTE: &str = "public, max-age=60";
/// The last checkpoint is another one every second.
const NOT_AT_ALL: &str = "no-cache";
/// The largest size of a log that is asked about.
const SIZE_LIMIT: u64 = 1 << 62;

/// `GET /log/checkpoint`: the last checkpoint, a signed note.
pub async fn checkpoint(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    Parameters::of(&uri, &[]).finish()?;
    let note = ask(&edge, "log.checkpoint", json!({}), "checkpoint").await?;
    Ok(file(note, TEXT, NOT_AT_ALL))
}

/// `GET /log/vkeys`: the public keys of all that sign or signed, one a line.
pub async fn vkeys(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    Parameters::of(&uri, &[]).finish()?;
    let keys = ask(&edge, "log.keys", json!({}), "vkeys").await?;
    Ok(file(keys, TEXT, NOT_AT_ALL))
}

/// `GET /log/proof/{position}`: the proof that the event at a position is in the log, a `.tlog-proof`.
pub async fn proof(
    State(edge): State<Edge>,
    position: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(&uri, &["size"]);
    let size = parameters.whole("size", 1, SIZE_LIMIT);
    parameters.finish()?;
    let position = position.ok().and_then(|Path(text)| decimal(&text)).ok_or_else(|| {
        let error = FieldError::new(
            "",
            "unknown-position",
            "the path names no position",
            "write a whole number from 1 on, as in `/api/v1/log/proof/42`",
        );
        Problem::not_found("there is no such position").with_errors(vec![error])
    })?;
    let proof = ask(&edge, "log.proof", json!({"position": position, "size": size}), "proof").await?;
    Ok(file(proof, TEXT, NOT_AT_ALL))
}

/// `GET /log/consistency`: the proof that the log of one size begins with all of an earlier one, and the
/// checkpoint of the later size: the very text with which a witness is asked.
pub async fn consistency(State(edge): State<Edge>, uri: Uri) -> Result<Response, Problem> {
    let mut parameters = Parameters::of(&uri, &["from", "to"]);
    parameters.required("from");
    let from = parameters.whole("from", 0, SIZE_LIMIT);
    let to = parameters.whole("to", 0, SIZE_LIMIT);
    parameters.finish()?;
    let proved = ask(&edge, "log.consistency", json!({"from": from, "to": to}), "consistency").await?;
    Ok(file(proved, TEXT, NOT_AT_ALL))
}

/// `GET /log/tile/{path}`: a tile of hashes; or with a token a bundle of entries, `entries/…`.
pub async fn tile(
    State(edge): State<Edge>,
    path: Result<Path<String>, PathRejection>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    Parameters::of(&uri, &[]).finish()?;
    let rest = path.map_or_else(|_| String::new(), |Path(path)| path);
    let path: TilePath = format!("tile/{rest}").parse().map_err(|error: ::evidence::PathError| {
        let error = FieldError::new(
            "",
            "no-tile",
            error.to_string(),
            "write a path as C2SP tlog-tiles has it, below `/api/v1/log/`",
        );
        Problem::not_found("there is no such tile").with_errors(vec![error])
    })?;
    if path.resource == Resource::Entries {
        edge.access().identify(&method, &headers, Timestamp::now())?;
        let bundle = entries(&edge, &path).await?;
        // Whose figures these are is for those who may read them; nothing between keeps them.
        return Ok(([(header::CONTENT_TYPE, BINARY)], bundle).into_response());
    }
    let encoded = ask(&edge, "log.tile", json!({"path": path.to_string()}), "tile").await?;
    let tile = STANDARD.decode(encoded).map_err(|error| garbled(&error.to_string()))?;
    Ok(file(tile, BINARY, if path.is_full() { FOR_EVER } else { FOR_A_MINUTE }))
}

/// The entries of a bundle, byte for byte as recorded, each behind its length.
async fn entries(edge: &Edge, path: &TilePath) -> Result<Vec<u8>, Problem> {
    let not_there = || Problem::not_found(format!("`{path}` is not, or not yet, in the log"));
    let before = path.index.checked_mul(256).ok_or_else(not_there)?;
    let (mut bundle, mut next) = (Vec::new(), Position(before + 1));
    let end = before + path.width() as u64 + 1;
    while next.0 < end {
        let missing = usize::try_from(end - next.0).expect("a bundle has at most 256 entries");
        let page = edge.backend().read(next, missing).await?;
        if page.is_empty() {
            return Err(not_there());
        }
        for event in page.iter().take(missing) {
            if event.position != next || !push_entry(&mut bundle, &event.bytes) {
                return Err(garbled("its events are not those that were asked for"));
            }
            next = next.next();
        }
    }
    Ok(bundle)
}

/// Asks ingestion, and takes one text out of its answer.
async fn ask(
    edge: &Edge,
    endpoint: &'static str,
    question: Value,
    field: &'static str,
) -> Result<String, Problem> {
    let answer = answer_of(edge.backend(), Peer::Ingestion, endpoint, question).await?;
    let mut answer: Map<String, Value> =
        serde_json::from_str(answer.get()).map_err(|error| garbled(&error.to_string()))?;
    match answer.remove(field) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(garbled(&format!("`{field}` is missing"))),
    }
}

fn garbled(why: &str) -> Problem {
    let error = crate::backend::BackendError::Garbled { peer: Peer::Ingestion, why: why.to_owned() };
    error.into()
}

fn file(content: impl Into<Bytes>, media_type: &'static str, cache: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, cache)];
    (headers, content.into()).into_response()
}

/// A position as it is written in a path: one spelling.
fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text && number > 0).then_some(number)
}
