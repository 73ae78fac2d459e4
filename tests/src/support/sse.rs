//! Server-sent events as a browser reads them.

use super::http::Http;
use super::wait::PATIENCE;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};

/// An event of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentEvent {
    /// The `id:`, which is the position in the log.
    pub position: u64,
    /// The `event:`, which is the type without its version.
    pub kind: String,
    /// The `data:`, which is the event as recorded.
    pub text: String,
}

impl SentEvent {
    /// The event as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("an event is JSON")
    }

    /// The part of the event that depends on its type.
    pub fn data(&self) -> Value {
        self.json()["data"].clone()
    }
}

/// An open stream; what it brings is kept until it is asked for.
#[derive(Debug)]
pub struct EventStream {
    events: Receiver<SentEvent>,
}

impl EventStream {
    /// Opens the stream after a position, or from now on; what is recorded after this returns will come.
    #[track_caller]
    pub fn open(http: &Http, after: Option<u64>) -> EventStream {
        let after = after.map(|after| after.to_string());
        let headers: Vec<(&str, &str)> =
            after.iter().map(|after| ("last-event-id", after.as_str())).collect();
        let body = http.open("/api/v1/stream", &headers);
        let (sender, events) = mpsc::channel();
        // It ends with the connection, or at the first event after its reader is gone.
        std::thread::spawn(move || read(body, |event| sender.send(event).is_ok()));
        EventStream { events }
    }

    /// The next event.
    #[track_caller]
    pub fn next(&self) -> SentEvent {
        match self.events.recv_timeout(PATIENCE) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => panic!("no event came for {PATIENCE:?}"),
            Err(RecvTimeoutError::Disconnected) => panic!("the stream ended"),
        }
    }

    /// Passes over events until one is as wanted, which is given.
    #[track_caller]
    pub fn find(&self, what: &str, wanted: impl Fn(&SentEvent) -> bool) -> SentEvent {
        let mut passed = Vec::new();
        loop {
            match self.events.recv_timeout(PATIENCE) {
                Ok(event) if wanted(&event) => return event,
                Ok(event) => passed.push(event.text),
                Err(error) => panic!("{what}: {error}; what came: {passed:#?}"),
            }
        }
    }
}

fn read(body: impl Read, mut each: impl FnMut(SentEvent) -> bool) {
    let (mut position, mut kind, mut data) = (0, String::new(), Vec::new());
    for line in BufReader::new(body).lines().map_while(Result::ok) {
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => position = value.parse().expect("an id is a position"),
            "event" => value.clone_into(&mut kind),
            "data" => data.push(value.to_owned()),
            "" if line.is_empty() => {
                let (kind, data) = (std::mem::take(&mut kind), std::mem::take(&mut data));
                // Without data it is no event: the position from which the stream goes on.
                if !data.is_empty() && !each(SentEvent { position, kind, text: data.join("\n") }) {
                    return;
                }
            }
            _ => {}
        }
    }
}
