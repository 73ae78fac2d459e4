//! One wrong request, and the answer that it has to get.

use crate::Ground;
use serde_json::Value;
use tests::support::{WireAnswer, exchange};

/// One wrong request.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    name: String,
    method: &'static str,
    target: String,
    /// Header lines beside `Host`, `Connection`, the length and, unless told otherwise, the token.
    headers: Vec<(&'static str, Vec<u8>)>,
    has_token: bool,
    framing: Framing,
    body: Vec<u8>,
    status: u16,
    /// One of the errors has this code.
    code: Option<&'static str>,
    /// The error with the code names this place.
    pointer: Option<String>,
}

/// How the body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// With its length.
    Length,
    /// In the chunks that it is written in.
    Chunked,
}

impl Case {
    /// A GET.
    pub(crate) fn get(name: &str, target: &str, status: u16) -> Case {
        Case {
            name: name.to_owned(),
            method: "GET",
            target: target.to_owned(),
            headers: Vec::new(),
            has_token: true,
            framing: Framing::Length,
            body: Vec::new(),
            status,
            code: None,
            pointer: None,
        }
    }

    /// A POST of bytes that call themselves JSON.
    pub(crate) fn post(name: &str, target: &str, body: impl Into<Vec<u8>>, status: u16) -> Case {
        let body = body.into();
        Case { method: "POST", body, ..Case::get(name, target, status) }
            .with_header("content-type", "application/json")
    }

    /// The same with another method.
    pub(crate) fn with_method(self, method: &'static str) -> Case {
        Case { method, ..self }
    }

    /// The same without the token.
    pub(crate) fn without_token(self) -> Case {
        Case { has_token: false, ..self }
    }

    /// The same with a further header.
    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Case {
        self.headers.push((name, value.into()));
        self
    }

    /// The same without a header.
    pub(crate) fn without_header(mut self, name: &str) -> Case {
        self.headers.retain(|(given, _)| *given != name);
        self
    }

    /// The same, whose body is sent as the chunks that it holds.
    pub(crate) fn chunked(self) -> Case {
        Case { framing: Framing::Chunked, ..self }
    }

    /// One of the errors has to have this code, at this place.
    pub(crate) fn naming(self, code: &'static str, pointer: impl Into<String>) -> Case {
        Case { code: Some(code), pointer: Some(pointer.into()), ..self }
    }

    /// Sends it; says what is wrong with the answer, if anything is.
    pub(crate) fn try_on(&self, ground: &Ground) -> Result<(), String> {
        let base = ground.system.ready().console.as_str();
        let answer = exchange(base, &self.request(base, &ground.token))
            .map_err(|error| format!("{}: no answer: {error}", self.name))?;
        self.compare(&answer).map_err(|why| {
            format!("{}: {why}\n    {} {}", self.name, answer.status, String::from_utf8_lossy(&answer.body))
        })
    }

    fn request(&self, base: &str, token: &str) -> Vec<u8> {
        let host = base.trim_start_matches("http://");
        let mut bytes =
            format!("{} {} HTTP/1.1\r\nConnection: close\r\n", self.method, self.target).into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            bytes.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
        };
        if !self.headers.iter().any(|(name, _)| *name == "host") {
            line("host", host.as_bytes());
        }
        if self.has_token {
            line("authorization", format!("Bearer {token}").as_bytes());
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        match self.framing {
            Framing::Chunked => line("transfer-encoding", b"chunked"),
            Framing::Length if self.method != "GET" => {
                line("content-length", self.body.len().to_string().as_bytes());
            }
            Framing::Length => {}
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }

    fn compare(&self, answer: &WireAnswer) -> Result<(), String> {
        let media_type = answer.header("content-type").unwrap_or("nothing");
        let problem = answer.json();
        let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        if answer.status != self.status {
            return Err(format!("status {} in place of {}", answer.status, self.status));
        }
        if media_type != "application/problem+json" {
            return Err(format!("it is {media_type}"));
        }
        for field in ["type", "title", "detail"] {
            if !text(&problem[field]) {
                return Err(format!("`{field}` is missing"));
            }
        }
        if problem["status"] != self.status {
            return Err("`status` is not the status".to_owned());
        }
        let Some(errors) = problem["errors"].as_array() else { return Err("`errors` is missing".to_owned()) };
        for error in errors {
            let named = ["code", "reason", "remedy"].into_iter().all(|field| text(&error[field]));
            if !named || !error["pointer"].is_string() {
                return Err("an error says not all of where, what, why and what to do".to_owned());
            }
        }
        let Some(code) = self.code else { return Ok(()) };
        let is_named =
            |error: &&Value| error["code"] == code && Some(&error["pointer"]) == self.place().as_ref();
        if errors.iter().any(|error| is_named(&error)) {
            return Ok(());
        }
        Err(format!("no `{code}` at `{}`", self.pointer.as_deref().unwrap_or_default()))
    }

    fn place(&self) -> Option<Value> {
        self.pointer.clone().map(Value::from)
    }
}

/// The same JSON with another value at a place; the place has to be there, or its parent.
pub(crate) fn with(mut value: Value, pointer: &str, new: Value) -> Value {
    if let Some(found) = value.pointer_mut(pointer) {
        *found = new;
        return value;
    }
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), new);
    value
}

/// The same JSON without the field at a place.
pub(crate) fn without(mut value: Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    value
}
