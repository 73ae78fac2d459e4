//! HTTP as bytes on a socket, for requests that a library would not send.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long the server may be silent before the test fails.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);

/// An answer, taken apart.
#[derive(Debug, Clone)]
pub struct WireAnswer {
    /// The status.
    pub status: u16,
    /// The header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl WireAnswer {
    /// The value of a header, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Sends one request as it stands to `http://host:port` and reads until the server closes. The request has to
/// ask for that with `Connection: close`.
pub fn exchange(base: &str, request: &[u8]) -> std::io::Result<WireAnswer> {
    let host = base.strip_prefix("http://").expect("a base address");
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(SILENCE_LIMIT))?;
    stream.write_all(request)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    Ok(take_apart(&bytes))
}

fn take_apart(bytes: &[u8]) -> WireAnswer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    WireAnswer {
        status: status.expect("an answer has a status"),
        headers: headers.collect(),
        body: bytes[end + 4..].to_vec(),
    }
}
