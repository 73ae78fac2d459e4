//! HTTP as a client of the system sees it.

use serde_json::Value;
use std::io::Read;
use std::time::Duration;

const CALL_LIMIT: Duration = Duration::from_secs(30);
/// How long a stream is read at most: longer than any test takes.
const STREAM_LIMIT: Duration = Duration::from_secs(600);

/// A client with the operator's token.
#[derive(Debug, Clone)]
pub struct Http {
    agent: ureq::Agent,
    base: String,
    token: Option<String>,
}

/// An answer with any status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The content type, as it was sent.
    pub content_type: String,
    /// After how many seconds trying again can help, where the answer says so.
    pub retry_after: Option<u32>,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The body as JSON of an answer that has to have this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "the answer was: {}", self.text);
        self.json()
    }
}

impl Http {
    /// Makes a client for an address, with a token or without.
    pub fn new(base: &str, token: Option<String>) -> Http {
        Http { agent: agent(CALL_LIMIT), base: base.trim_end_matches('/').to_owned(), token }
    }

    /// The same client, which gives up on a call after this long.
    pub fn with_limit(&self, limit: Duration) -> Http {
        Http { agent: agent(limit), ..self.clone() }
    }

    /// The same address without the token.
    pub fn anonymous(&self) -> Http {
        Http { token: None, ..self.clone() }
    }

    /// The address.
    pub fn base(&self) -> &str {
        &self.base
    }

    fn bearer(&self) -> String {
        self.token.as_ref().map_or_else(String::new, |token| format!("Bearer {token}"))
    }

    /// Sends a GET; an error means that nobody answered.
    pub fn try_get(&self, path: &str) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if self.token.is_some() {
            request = request.header("authorization", self.bearer());
        }
        answer(request.call()?)
    }

    /// Sends a GET that has to be answered.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap_or_else(|error| panic!("GET {path} was not answered: {error}"))
    }

    /// Opens an answer that goes on, such as a stream of events; gives its body as it comes.
    #[track_caller]
    pub fn open(&self, path: &str, headers: &[(&str, &str)]) -> impl Read + Send + use<> {
        let mut request = agent(STREAM_LIMIT).get(format!("{}{path}", self.base));
        if self.token.is_some() {
            request = request.header("authorization", self.bearer());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.call().unwrap_or_else(|error| panic!("GET {path} was not answered: {error}"));
        assert_eq!(response.status().as_u16(), 200, "GET {path}");
        response.into_body().into_reader()
    }

    /// Sends a POST of JSON as it stands, with further headers; an error means that nobody answered.
    pub fn try_post(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.post(format!("{}{path}", self.base)).content_type("application/json");
        if self.token.is_some() {
            request = request.header("authorization", self.bearer());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send(body)?)
    }

    /// Sends a POST of JSON that has to be answered.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, &body.to_string(), &[])
            .unwrap_or_else(|error| panic!("POST {path} was not answered: {error}"))
    }
}

fn agent(limit: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(limit))
        .build()
        .new_agent()
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let content_type = header("content-type").unwrap_or_default().to_owned();
    let retry_after = header("retry-after").and_then(|seconds| seconds.parse().ok());
    Ok(Answer {
        status: response.status().as_u16(),
        content_type,
        retry_after,
        text: response.body_mut().read_to_string()?,
    })
}
