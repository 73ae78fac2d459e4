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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// Serves what is written to the connection; gives the address under which it does.
    fn serving(write: impl Fn(&mut dyn Write) -> std::io::Result<()> + Send + 'static) -> HttpSource {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for mut connection in listener.incoming().map_while(Result::ok) {
                let _asked = connection.read(&mut [0; 4096]);
                // Whoever has read enough closes.
                let _closed = write(&mut connection);
            }
        });
        HttpSource::new(&format!("http://{address}/log"))
    }

    #[test]
    fn an_answer_is_read_up_to_its_bound() {
        let whole = |bytes: usize| {
            serving(move |out| {
                write!(out, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {bytes}\r\n\r\n")?;
                out.write_all(&vec![b'x'; bytes])
            })
        };
        let path = TilePath::full(evidence::Resource::Hashes { level: 0 }, 0);
        assert_eq!(whole(TILE_LIMIT_BYTES).look().tile(path).unwrap().len(), TILE_LIMIT_BYTES);
        let error = whole(TILE_LIMIT_BYTES + 2).look().tile(path).unwrap_err();
        assert!(matches!(error, FetchError::NoAnswer { .. }), "{error}");
        let endless = serving(|out| {
            out.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")?;
            loop {
                out.write_all(&[b'x'; 4096])?;
            }
        });
        let error = endless.look().checkpoint().unwrap_err();
        assert!(matches!(error, FetchError::NoAnswer { .. }), "{error}");
    }

    #[test]
    fn a_log_that_answers_drop_by_drop_is_given_up() {
        let slow = serving(|out| {
            out.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")?;
            loop {
                out.write_all(b"x")?;
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let look = HttpLook { source: &slow, until: Instant::now() + Duration::from_millis(300) };
        let error = look.checkpoint().unwrap_err();
        assert!(matches!(error, FetchError::NoAnswer { .. }), "{error}");
        let error = look.consistency(1, 2).unwrap_err();
        assert!(matches!(error, FetchError::TooSlow { .. }), "{error}");
        assert!(error.to_string().contains("/log/consistency?from=1&to=2"), "{error}");
    }

    #[test]
    fn what_is_no_answer_says_what_it_is() {
        let status = |line: &'static str| {
            serving(move |out| {
                write!(
                    out,
                    "HTTP/1.1 {line}\r\nlocation: /elsewhere\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
                )
            })
        };
        let moved = status("301 Moved Permanently").look().checkpoint().unwrap_err();
        assert!(moved.to_string().contains("set `follow` to where it leads"), "{moved}");
        assert!(!moved.is_not_found());
        assert!(status("404 Not Found").look().checkpoint().unwrap_err().is_not_found());
        let broken = serving(|out| out.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort"));
        assert!(matches!(broken.look().checkpoint(), Err(FetchError::NoAnswer { .. })));
    }
}
