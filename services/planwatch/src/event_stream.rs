//! Server-sent events: the log as it grows, resumed after every lost connection.

use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::output;
use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

/// The longest line of a stream, in bytes: an event and what is around it.
const LINE_LIMIT_BYTES: u64 = 256 * 1024;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEvent {
    /// Its position in the log.
    pub position: Option<u64>,
    /// Its type, such as `alert-raised`.
    pub kind: String,
    /// The event as recorded.
    pub data: String,
}

/// Hands out every event after a position (or from now on) until `each` says false.
///
/// The first connection has to succeed; a later one is tried for ever, and what came meanwhile is caught up.
pub fn follow(
    client: &Client,
    after: Option<u64>,
    mut each: impl FnMut(&StreamEvent) -> bool,
) -> Result<(), Failure> {
    let mut after = after;
    let mut body = client.stream(after)?;
    loop {
        let mut reader = StreamReader::new(body);
        while let Some(event) = reader.next_event() {
            after = event.position.or(after);
            if !each(&event) {
                return Ok(());
            }
        }
        output::say(format_args!("lost {}; connecting again", client.server()));
        let mut pause = FIRST_PAUSE;
        body = loop {
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
            match client.stream(after) {
                Ok(body) => break body,
                Err(failure) if failure.exit == Exit::Unreachable => {}
                Err(failure) => return Err(failure),
            }
        };
    }
}

/// Reads events out of a body.
pub struct StreamReader<R> {
    lines: BufReader<R>,
}

impl<R: Read> StreamReader<R> {
    /// Reads from a body.
    pub fn new(body: R) -> StreamReader<R> {
        StreamReader { lines: BufReader::new(body) }
    }

    /// The next event; none when the connection is lost or a line is longer than any of ours.
    pub fn next_event(&mut self) -> Option<StreamEvent> {
        let mut event = StreamEvent { position: None, kind: "message".to_owned(), data: String::new() };
        loop {
            let mut line = String::new();
            let read = (&mut self.lines).take(LINE_LIMIT_BYTES).read_line(&mut line).ok()?;
            if read == 0 || !line.ends_with('\n') {
                return None;
            }
            let line = line.trim_end_matches(['\n', '\r']);
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                // An empty line ends an event; one without data is no event.
                "" if line.is_empty() => {
                    if !event.data.is_empty() {
                        return Some(event);
                    }
                    event = StreamEvent { position: None, kind: "message".to_owned(), data: String::new() };
                }
                "id" => event.position = value.parse().ok(),
                "event" => value.clone_into(&mut event.kind),
                "data" => {
                    if !event.data.is_empty() {
                        event.data.push('\n');
                    }
                    event.data.push_str(value);
                }
                // Comments keep the connection open; other fields are not for us.
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_between_comments_and_a_torn_one_is_not_an_event() {
        let body = ": hello\n\nid: 41\nevent: alert-raised\ndata: {\"a\":\ndata: 1}\n\n: still here\nretry: 5\n\
                    \r\nid:42\r\ndata:x\r\n\r\nid: 43\ndata: torn";
        let mut reader = StreamReader::new(body.as_bytes());
        let event = |position, kind: &str, data: &str| {
            Some(StreamEvent { position: Some(position), kind: kind.into(), data: data.into() })
        };
        assert_eq!(reader.next_event(), event(41, "alert-raised", "{\"a\":\n1}"));
        assert_eq!(reader.next_event(), event(42, "message", "x"));
        assert_eq!(reader.next_event(), None);
    }
}
