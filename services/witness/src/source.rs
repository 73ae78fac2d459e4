//! Where a log is looked at: its address, over HTTP, within bounds.

use evidence::{AddCheckpoint, FULL_TILE_HASHES, HASH_BYTES, NOTE_LIMIT_BYTES, TilePath};
use std::time::Duration;
use thiserror::Error;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long one answer may take, whole.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);
const TILE_LIMIT_BYTES: usize = FULL_TILE_HASHES * HASH_BYTES;

/// What a log shows: as C2SP tlog-tiles says, and a consistency proof besides where it has one to give.
pub(crate) trait Source {
    /// The signed note.
    fn checkpoint(&self) -> Result<Vec<u8>, FetchError>;
    /// A request to a witness: the proof that the tree of `to` continues that of `from`, and a checkpoint.
    fn consistency(&self, from: u64, to: u64) -> Result<Vec<u8>, FetchError>;
    /// A tile.
    fn tile(&self, path: TilePath) -> Result<Vec<u8>, FetchError>;
}

/// Why something could not be had from a log.
#[derive(Debug, Error)]
pub(crate) enum FetchError {
    /// There was no answer, or one that is too large.
    #[error("no answer from {url}, or one that breaks off or is too large")]
    NoAnswer {
        url: String,
        #[source]
        source: Box<ureq::Error>,
    },
    /// The answer is none.
    #[error("{url} answered with HTTP status {status}{}", redirection(*status))]
    Status { url: String, status: u16 },
}

fn redirection(status: u16) -> &'static str {
    if (300..400).contains(&status) { ", a redirection: set `follow` to where it leads" } else { "" }
}

impl FetchError {
    /// Whether there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, FetchError::Status { status: 404 | 410, .. })
    }
}

/// A log behind an address.
#[derive(Debug)]
pub(crate) struct HttpSource {
    agent: ureq::Agent,
    base: String,
}

impl HttpSource {
    /// Looks under an address without a slash at its end; nothing is asked yet.
    pub(crate) fn new(base: &str) -> HttpSource {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_LIMIT))
            .timeout_global(Some(ANSWER_LIMIT))
            .max_redirects(0)
            .user_agent(concat!("planwatch-witness/", env!("CARGO_PKG_VERSION")))
            .build();
        HttpSource { agent: config.new_agent(), base: base.to_owned() }
    }

    fn get(&self, path: &str, limit_bytes: usize) -> Result<Vec<u8>, FetchError> {
        let url = format!("{}/{path}", self.base);
        let no_answer = |source| FetchError::NoAnswer { url: url.clone(), source: Box::new(source) };
        let mut response = self.agent.get(&url).call().map_err(no_answer)?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(FetchError::Status { url, status });
        }
        let body = response.body_mut().with_config().limit(limit_bytes as u64 + 1);
        body.read_to_vec().map_err(no_answer)
    }
}

impl Source for HttpSource {
    fn checkpoint(&self) -> Result<Vec<u8>, FetchError> {
        self.get("checkpoint", NOTE_LIMIT_BYTES)
    }

    fn consistency(&self, from: u64, to: u64) -> Result<Vec<u8>, FetchError> {
        self.get(&format!("consistency?from={from}&to={to}"), AddCheckpoint::LIMIT_BYTES)
    }

    fn tile(&self, path: TilePath) -> Result<Vec<u8>, FetchError> {
        self.get(&path.to_string(), TILE_LIMIT_BYTES)
    }
}
