//! Server-sent events over a real connection.

use crate::support::{Ask, Console};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A stream that is read until it holds what a test waits for.
pub struct Open {
    stream: TcpStream,
    text: String,
}

impl Open {
    pub async fn new(console: &Console, ask: Ask) -> Open {
        let mut stream = TcpStream::connect(console.address).await.unwrap();
        stream.write_all(&ask.token().written(console.address)).await.unwrap();
        Open { stream, text: String::new() }
    }

    /// Reads on until a text has come; the end of the stream fails the test.
    pub async fn until(&mut self, wanted: &str) {
        while !self.text.contains(wanted) {
            let mut bytes = [0; 4096];
            let count = self.stream.read(&mut bytes).await.unwrap();
            assert!(count > 0, "the stream ended before {wanted:?}: {}", self.text);
            self.text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    }

    pub fn ids(&self) -> Vec<u64> {
        self.text.lines().filter_map(|line| line.strip_prefix("id: ")).map(|id| id.parse().unwrap()).collect()
    }
}

#[tokio::test]
async fn a_stream_resumes_after_the_last_event_and_goes_on_live() {
    let console = Console::start().await;
    let events: Vec<_> = (0..3).map(|_| console.memory.record()).collect();
    for ask in [
        Ask::new("GET", "/api/v1/stream").header("Last-Event-ID", "1"),
        Ask::new("GET", "/api/v1/stream?last_event_id=1"),
        Ask::new("GET", "/api/v1/stream?last_event_id=0").header("Last-Event-ID", "1"),
    ] {
        let before = events.len() as u64;
        let mut open = Open::new(&console, ask).await;
        open.until(&format!("data: {}", std::str::from_utf8(&events[2].bytes).unwrap())).await;
        assert!(open.text.contains("content-type: text/event-stream"), "{}", open.text);
        assert!(open.text.contains("event: unit-changed"), "{}", open.text);
        assert_eq!(open.ids()[..3], [1, 2, before], "{}", open.text);
    }
    let mut open = Open::new(&console, Ask::new("GET", "/api/v1/stream")).await;
    open.until("id: 3").await;
    let live = console.memory.record();
    open.until(std::str::from_utf8(&live.bytes).unwrap()).await;
    assert_eq!(open.ids(), [3, 4], "without a position it begins at the head");
}

#[tokio::test]
async fn streams_are_bounded_and_end_with_the_console() {
    let mut console = Console::start().await;
    let mut open = Vec::new();
    for _ in 0..console::stream::STREAM_LIMIT {
        let mut one = Open::new(&console, Ask::new("GET", "/api/v1/stream")).await;
        one.until("id: 0").await;
        open.push(one);
    }
    let refused = console.get("/api/v1/stream").await;
    refused.problem(503);
    assert!(refused.header("retry-after").is_some());

    // A place is free again once its reader is gone and the console has noticed.
    drop(open.pop());
    loop {
        let mut again = Open::new(&console, Ask::new("GET", "/api/v1/stream")).await;
        again.until("\r\n\r\n").await;
        if again.text.starts_with("HTTP/1.1 200") {
            break;
        }
    }
    console.running.take().unwrap().stop(std::time::Duration::from_secs(20)).await;
    let mut rest = Vec::new();
    open[0].stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the stream ends as a whole answer does");
}
