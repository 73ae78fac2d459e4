//! The HTTP client of the commands that talk to a running system.

use crate::data_directory::{self, DataDirectory};
use crate::exit::Failure;
use anyhow::Context;
use clap::Args;
use events::FieldError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// The environment variable that holds a token; it goes before the file.
pub const TOKEN_VARIABLE: &str = "PLANWATCH_TOKEN";
/// The address of a running system where none is named.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";
/// The largest answer that is read, in bytes.
pub const ANSWER_LIMIT_BYTES: u64 = 256 * 1024 * 1024;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Longer than the server's own limit, so that its answer arrives.
const CALL_LIMIT: Duration = Duration::from_secs(60);

/// How to reach a running system.
#[derive(Debug, Clone, Args)]
pub struct ServerArguments {
    /// The console's address [default: the one that `up` on `--data` listens on, else http://127.0.0.1:8080]
    #[arg(long, value_name = "URL", env = "PLANWATCH_SERVER")]
    pub server: Option<String>,
    /// The data directory of `up`, for its token [default: the one that `up` uses]
    #[arg(long, value_name = "DIR", env = data_directory::DATA_VARIABLE)]
    pub data: Option<PathBuf>,
}

/// A connection to a running system.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    server: String,
    token: Option<String>,
}

/// An answer with any status.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// A problem document (RFC 9457) as the console writes it.
#[derive(Debug, Clone, Deserialize)]
pub struct Problem {
    /// What kind of problem it is.
    #[serde(default)]
    pub title: String,
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    /// One sentence for people.
    #[serde(default)]
    pub detail: String,
    /// Every field that is wrong.
    #[serde(default)]
    pub errors: Vec<FieldError>,
}

impl ServerArguments {
    /// Prepares a client; nothing is sent yet.
    pub fn client(&self) -> Result<Client, Failure> {
        let directory = DataDirectory::at(self.data.clone().unwrap_or_else(data_directory::default_root));
        let server = match &self.server {
            Some(server) => server.trim_end_matches('/').to_owned(),
            // A data directory that was named says where its own console listens.
            None if self.data.is_some() => std::fs::read_to_string(directory.console_address_file())
                .map_or_else(
                    |_not_running| DEFAULT_SERVER.to_owned(),
                    |address| format!("http://{}", address.trim()),
                ),
            None => DEFAULT_SERVER.to_owned(),
        };
        if !server.starts_with("http://") {
            return Err(Failure::usage(format_args!(
                "`{server}` is no address of a console: write it as {DEFAULT_SERVER}; for TLS, put a proxy on this machine"
            )));
        }
        let token = match std::env::var(TOKEN_VARIABLE) {
            Ok(token) => Some(token.trim().to_owned()),
            Err(_) => {
                std::fs::read_to_string(directory.token_file()).ok().map(|token| token.trim().to_owned())
            }
        };
        Ok(Client::new(server, token))
    }
}

impl Client {
    /// Makes a client for a server and a token.
    pub fn new(server: String, token: Option<String>) -> Client {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_LIMIT))
            .max_redirects(0)
            .max_idle_connections(256)
            .max_idle_connections_per_host(256)
            .no_delay(true)
            .build();
        Client { agent: config.new_agent(), server, token }
    }

    /// The address that is asked.
    pub fn server(&self) -> &str {
        &self.server
    }

    fn bearer(&self) -> String {
        self.token.as_ref().map_or_else(String::new, |token| format!("Bearer {token}"))
    }

    /// Sends a GET with query parameters; absent ones are left out.
    pub fn get(&self, path: &str, query: &[(&str, Option<String>)]) -> Result<Answer, Failure> {
        let mut request = self
            .agent
            .get(format!("{}{path}", self.server))
            .config()
            .timeout_global(Some(CALL_LIMIT))
            .build()
            .header("authorization", self.bearer());
        for (name, value) in query {
            if let Some(value) = value {
                request = request.query(*name, value);
            }
        }
        self.answer(request.call())
    }

    /// Sends a POST with a JSON body as it stands.
    pub fn post(&self, path: &str, body: &[u8], idempotency_key: Option<&str>) -> Result<Answer, Failure> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.server))
            .config()
            .timeout_global(Some(CALL_LIMIT))
            .build()
            .header("authorization", self.bearer())
            .content_type("application/json");
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        self.answer(request.send(body))
    }

    /// Opens the stream of events after a position (or from now on) and hands out its body as it comes.
    pub fn stream(&self, after: Option<u64>) -> Result<impl std::io::Read + use<>, Failure> {
        let mut request = self
            .agent
            .get(format!("{}/api/v1/stream", self.server))
            .header("authorization", self.bearer())
            .header("accept", "text/event-stream");
        if let Some(after) = after {
            request = request.header("last-event-id", after.to_string());
        }
        let response = request.call().map_err(|error| self.unreachable(error))?;
        let status = response.status().as_u16();
        if status == 200 {
            return Ok(response.into_body().into_reader());
        }
        let body = response.into_body().read_to_vec().unwrap_or_default();
        Err(Answer { status, body }.failure())
    }

    fn answer(
        &self,
        result: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Answer, Failure> {
        let mut response = result.map_err(|error| self.unreachable(error))?;
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(ANSWER_LIMIT_BYTES)
            .read_to_vec()
            .map_err(|error| self.unreachable(error))?;
        Ok(Answer { status, body })
    }

    fn unreachable(&self, error: ureq::Error) -> Failure {
        Failure::unreachable(anyhow::Error::new(error).context(format!(
            "cannot reach planwatch at {}: is `planwatch up` running there? --server names another address",
            self.server
        )))
    }
}

impl Answer {
    /// The body of a success as its type; anything else is a failure with the server's own words.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        if !(200..300).contains(&self.status) {
            return Err(self.failure());
        }
        Ok(serde_json::from_slice(&self.body)
            .context("the server's answer cannot be read: is it a planwatch of this version?")?)
    }

    /// The body of a success as JSON.
    pub fn value(&self) -> Result<Value, Failure> {
        self.json()
    }

    /// The problem that the answer describes.
    pub fn problem(&self) -> Problem {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| Problem {
            title: String::new(),
            status: self.status,
            detail: format!("the server answered with HTTP status {}", self.status),
            errors: Vec::new(),
        })
    }

    /// The failure of an answer that is no success.
    pub fn failure(&self) -> Failure {
        let problem = self.problem();
        let error = anyhow::anyhow!("{}", problem.text());
        let errors = problem.errors.iter().map(|error| serde_json::json!(error)).collect();
        let failure = match self.status {
            401 => Failure::refused(error.context(format!(
                "the server does not accept the token: set {TOKEN_VARIABLE}, or name the data directory of `up` with --data"
            ))),
            // The server is there, but what it needs is not.
            502..=504 => Failure::unreachable(error),
            _ => Failure::refused(error),
        };
        failure.with_errors(if problem.detail.is_empty() { problem.title } else { problem.detail }, errors)
    }
}

impl Problem {
    /// The problem for people: the detail, then one line for each wrong field.
    pub fn text(&self) -> String {
        let line = |error: &FieldError| {
            let place = if error.pointer.is_empty() { "the request" } else { &error.pointer };
            format!("{place}: {} ({}): {}", error.reason, error.code, error.remedy)
        };
        // One error often is the whole detail; it is said once.
        if let [only] = self.errors.as_slice()
            && only.reason == self.detail
        {
            return line(only);
        }
        let mut text = if self.detail.is_empty() { self.title.clone() } else { self.detail.clone() };
        for error in &self.errors {
            text.push_str("\n  ");
            text.push_str(&line(error));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn a_problem_names_each_field_on_a_line() {
        let body = br#"{"type":"/problems/rules","title":"Refused","status":422,"detail":"two fields are wrong","errors":[
            {"pointer":"/unit","code":"unknown-unit","reason":"there is no unit `x`","remedy":"use one of the plan's"},
            {"pointer":"","code":"missing","reason":"no lines","remedy":"add one"}]}"#;
        let failure = Answer { status: 422, body: body.to_vec() }.failure();
        assert_eq!(failure.exit, Exit::Refused);
        assert_eq!(
            failure.error.to_string(),
            "two fields are wrong\n  /unit: there is no unit `x` (unknown-unit): use one of the plan's\n  the request: no lines (missing): add one"
        );
    }

    #[test]
    fn one_error_that_is_the_whole_detail_is_said_once() {
        let body = br#"{"title":"Refused","status":422,"detail":"no unit `x`","errors":[
            {"pointer":"/unit","code":"unknown-unit","reason":"no unit `x`","remedy":"use another"}]}"#;
        let failure = Answer { status: 422, body: body.to_vec() }.failure();
        assert_eq!(failure.error.to_string(), "/unit: no unit `x` (unknown-unit): use another");
        assert_eq!(failure.document()["errors"][0]["code"], "unknown-unit");
    }

    #[test]
    fn a_server_that_lacks_something_counts_as_unreachable() {
        let failure = Answer { status: 503, body: b"gone".to_vec() }.failure();
        assert_eq!(failure.exit, Exit::Unreachable);
    }
}
