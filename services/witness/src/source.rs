//! Where a log is looked at: its address, over HTTP, within bounds.

use evidence::{AddCheckpoint, FULL_TILE_HASHES, HASH_BYTES, NOTE_LIMIT_BYTES, TilePath};
use std::time::{Duration, Instant};
use thiserror::Error;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long one answer may take, whole.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);
/// How long all answers of one look may take.
const LOOK_LIMIT: Duration = Duration::from_secs(120);
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
    /// The answers before took all the time there is.
    #[error("the log took more than {} s for its answers; {url} was not asked any more", LOOK_LIMIT.as_secs())]
    TooSlow { url: String },
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

/// One look at a log behind an address, which ends within its time.
#[derive(Debug)]
pub(crate) struct HttpLook<'a> {
    source: &'a HttpSource,
    until: Instant,
}

impl HttpSource {
    /// Looks under an address without a slash at its end; nothing is asked yet.
    pub(crate) fn new(base: &str) -> HttpSource {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_LIMIT))
            .max_redirects(0)
            .user_agent(concat!("planwatch-witness/", env!("CARGO_PKG_VERSION")))
            .build();
        HttpSource { agent: config.new_agent(), base: base.to_owned() }
    }

    /// Begins to look.
    pub(crate) fn look(&self) -> HttpLook<'_> {
        HttpLook { source: self, until: Instant::now() + LOOK_LIMIT }
    }
}

impl HttpLook<'_> {
    fn get(&self, path: &str, limit_bytes: usize) -> Result<Vec<u8>, FetchError> {
        let url = format!("{}/{path}", self.source.base);
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(FetchError::TooSlow { url });
        }
        let no_answer = |source| FetchError::NoAnswer { url: url.clone(), source: Box::new(source) };
        let request =
            self.source.agent.get(&url).config().timeout_global(Some(left.min(ANSWER_LIMIT))).build();
        let mut response = request.call().map_err(no_answer)?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(FetchError::Status { url, status });
        }
        let body = response.body_mut().with_config().limit(limit_bytes as u64 + 1);
        body.read_to_vec().map_err(no_answer)
    }
}

impl Source for HttpLook<'_> {
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
