//! The bus as a stranger meets it: the protocol of NATS in plain text, without this project's client.

use super::wait::PATIENCE;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A connection to nats-server.
#[derive(Debug)]
pub struct Stranger {
    reader: BufReader<TcpStream>,
    user: String,
    subscriptions: u32,
    /// Messages that came while something else was waited for.
    arrived: VecDeque<Delivered>,
}

/// A message of a subscription.
#[derive(Debug, Clone)]
pub struct Delivered {
    subscription: u32,
    /// The subject on which it was published.
    pub subject: String,
    /// Where an answer goes; for a message of a stream, where its acknowledgement goes.
    pub reply: String,
    /// Its headers in their order.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Delivered {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The sequence in the stream, which stands in the acknowledgement's subject:
    /// `$JS.ACK.<stream>.<consumer>.<times delivered>.<stream sequence>.…`.
    pub fn stream_sequence(&self) -> Option<u64> {
        let mut tokens = self.reply.strip_prefix("$JS.ACK.")?.split('.');
        tokens.nth(3)?.parse().ok()
    }
}

enum Frame {
    Message(Delivered),
    Pong,
    Error(String),
    Other,
}

impl Stranger {
    /// Connects as a user.
    #[track_caller]
    pub fn connect(url: &str, user: &str, password: &str) -> Stranger {
        let address = url.strip_prefix("nats://").expect("the bus's address begins with nats://");
        let connection = TcpStream::connect(address).expect("nats-server takes connections");
        connection.set_read_timeout(Some(PATIENCE)).expect("a limit can be set");
        let mut stranger = Stranger {
            reader: BufReader::new(connection),
            user: user.to_owned(),
            subscriptions: 0,
            arrived: VecDeque::new(),
        };
        let options = json!({"user": user, "pass": password, "verbose": false, "pedantic": false,
            "headers": true, "no_responders": true, "protocol": 1, "lang": "text", "version": "1"});
        stranger.write(format!("CONNECT {options}\r\n").as_bytes());
        assert_eq!(stranger.errors(), [""; 0], "{user} may connect");
        stranger
    }

    fn write(&mut self, bytes: &[u8]) {
        self.reader.get_mut().write_all(bytes).expect("the connection stands");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line).expect("nats-server answers in time");
        assert!(read > 0, "nats-server closed the connection");
        line.trim_end().to_owned()
    }

    fn frame(&mut self) -> Frame {
        let line = self.line();
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let tokens: Vec<&str> = rest.split(' ').collect();
        match (word, tokens.as_slice()) {
            ("MSG", [subject, subscription, reply @ .., body]) => {
                let body = self.bytes(body);
                Frame::Message(delivered(subject, subscription, reply, "", body))
            }
            ("HMSG", [subject, subscription, reply @ .., head, whole]) => {
                let mut body = self.bytes(whole);
                let rest = body.split_off(head.parse().expect("a length"));
                let head = String::from_utf8(body).expect("headers are text");
                Frame::Message(delivered(subject, subscription, reply, &head, rest))
            }
            ("PING", _) => {
                self.write(b"PONG\r\n");
                Frame::Other
            }
            ("PONG", _) => Frame::Pong,
            ("-ERR", _) => Frame::Error(rest.to_owned()),
            _ => Frame::Other,
        }
    }

    fn bytes(&mut self, length: &str) -> Vec<u8> {
        let length: usize = length.parse().expect("a length");
        let mut bytes = vec![0; length + 2];
        self.reader.read_exact(&mut bytes).expect("the message is whole");
        bytes.truncate(length);
        bytes
    }

    /// What the server has against everything sent so far.
    fn errors(&mut self) -> Vec<String> {
        self.write(b"PING\r\n");
        let mut errors = Vec::new();
        loop {
            match self.frame() {
                // The server answers in order, so whatever it refused is before this.
                Frame::Pong => return errors,
                Frame::Error(error) => errors.push(error),
                Frame::Message(message) => self.arrived.push_back(message),
                Frame::Other => {}
            }
        }
    }

    /// Whether the server refuses to take a message on a subject from this user.
    #[track_caller]
    pub fn is_refused(&mut self, subject: &str, body: &str) -> bool {
        self.write(format!("PUB {subject} {}\r\n{body}\r\n", body.len()).as_bytes());
        let errors = self.errors();
        errors.iter().any(|error| error.contains("Permissions Violation for Publish"))
    }

    fn subscribe(&mut self, subject: &str) -> u32 {
        self.subscriptions += 1;
        self.write(format!("SUB {subject} {}\r\n", self.subscriptions).as_bytes());
        self.subscriptions
    }

    fn next_of(&mut self, subscription: u32) -> Delivered {
        loop {
            if let Some(at) = self.arrived.iter().position(|message| message.subscription == subscription) {
                return self.arrived.remove(at).expect("it was just found");
            }
            match self.frame() {
                Frame::Message(message) => self.arrived.push_back(message),
                Frame::Error(error) => panic!("nats-server says: {error}"),
                Frame::Pong | Frame::Other => {}
            }
        }
    }

    /// Asks something and gives the answer as JSON.
    #[track_caller]
    pub fn ask(&mut self, subject: &str, body: &Value) -> Value {
        let inbox = format!("_INBOX_{}.answer{}", self.user, self.subscriptions);
        let subscription = self.subscribe(&inbox);
        let body = body.to_string();
        self.write(format!("PUB {subject} {inbox} {}\r\n{body}\r\n", body.len()).as_bytes());
        let answer = self.next_of(subscription);
        serde_json::from_slice(&answer.body)
            .unwrap_or_else(|error| panic!("{subject} was answered {:?}: {error}", answer.headers))
    }

    /// Reads a stream from its beginning with a consumer of its own that is forgotten afterwards.
    #[track_caller]
    pub fn consume(&mut self, stream: &str) -> u32 {
        let inbox = format!("_INBOX_{}.events", self.user);
        let subscription = self.subscribe(&inbox);
        let request = json!({"stream_name": stream, "config": {"deliver_subject": inbox,
            "deliver_policy": "all", "ack_policy": "none", "replay_policy": "instant", "mem_storage": true}});
        let made = self.ask(&format!("$JS.API.CONSUMER.CREATE.{stream}"), &request);
        assert!(made["error"].is_null(), "{made}");
        subscription
    }

    /// The next message of a consumer.
    #[track_caller]
    pub fn next(&mut self, consumer: u32) -> Delivered {
        self.next_of(consumer)
    }
}

fn delivered(subject: &str, subscription: &str, reply: &[&str], head: &str, body: Vec<u8>) -> Delivered {
    let pairs = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    Delivered {
        subscription: subscription.parse().expect("the number of a subscription"),
        subject: subject.to_owned(),
        reply: reply.concat(),
        headers: pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect(),
        body,
    }
}
