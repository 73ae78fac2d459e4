//! What every command has in common: the key, the trace, the request to ingestion and its answer.

use crate::access::Actor;
use crate::backend::{BackendError, Peer};
use crate::edge::Edge;
use crate::problem::Problem;
use axum::http::HeaderMap;
use events::FieldError;
use events::command::{Acceptance, AmendmentPreview, Answer, KEY_LIMIT_BYTES, Operation, Preview, Request};
use uuid::Uuid;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const TRACEPARENT: &str = "traceparent";

/// What ingestion has done.
#[derive(Debug)]
pub enum Done {
    /// These are recorded.
    Recorded(Vec<Acceptance>),
    /// Nothing was to be recorded; this is what would be.
    Checked(Vec<Preview>),
    /// The same of an amendment of the plan.
    AmendmentChecked(Box<AmendmentPreview>),
}

/// A command before it is sent.
#[derive(Debug)]
pub struct Command {
    /// What is asked for.
    pub operation: Operation,
    /// The id in the path.
    pub subject: Option<String>,
    /// Check only.
    pub dry_run: bool,
    /// The body.
    pub body: String,
}

/// Sends a command to ingestion.
pub async fn carry_out(
    edge: &Edge,
    actor: Actor,
    headers: &HeaderMap,
    command: Command,
) -> Result<Done, Problem> {
    let request = Request {
        operation: command.operation,
        actor: actor.id,
        may_enter_history: actor.may_enter_history,
        request_id: Some(Uuid::now_v7()),
        idempotency_key: idempotency_key(headers)?,
        traceparent: Some(traceparent(headers)?),
        decided_at: None,
        dry_run: command.dry_run,
        subject: command.subject,
        body: command.body,
    };
    let has_key = request.idempotency_key.is_some();
    match edge.backend().submit(request).await {
        Ok(Answer::Recorded(acceptances)) => Ok(Done::Recorded(acceptances)),
        Ok(Answer::Checked(previews)) => Ok(Done::Checked(previews)),
        Ok(Answer::AmendmentChecked(preview)) => Ok(Done::AmendmentChecked(preview)),
        Ok(Answer::Refused(refusal)) => Err(refusal.into()),
        Err(error) if error.is_uncertain() => Err(Problem::unavailable(if has_key {
            format!(
                "{error}. It may have been recorded: send it again with the same Idempotency-Key to be told"
            )
        } else {
            format!("{error}. It may have been recorded: look it up before you send it again")
        })),
        Err(error) => Err(error.into()),
    }
}

/// The one event of a command that records one.
pub fn only(done: Done) -> Result<Acceptance, Problem> {
    match done {
        Done::Recorded(mut acceptances) if acceptances.len() == 1 => {
            Ok(acceptances.pop().expect("its length is one"))
        }
        Done::Recorded(_) | Done::Checked(_) | Done::AmendmentChecked(_) => Err(BackendError::Garbled {
            peer: Peer::Ingestion,
            why: "not exactly one event was recorded".into(),
        }
        .into()),
    }
}

/// The key under which the same answer is given again.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let printable = |key: &str| key.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let fits = |key: &&str| (1..=KEY_LIMIT_BYTES).contains(&key.len()) && printable(key);
    match (key.to_str().ok().filter(fits), keys.next()) {
        (Some(key), None) => Ok(Some(key.to_owned())),
        _ => Err(Problem::of_fields(vec![FieldError::new(
            "",
            "bad-idempotency-key",
            "the `Idempotency-Key` header is no key",
            format!(
                "send one header of 1 to {KEY_LIMIT_BYTES} printable ASCII characters, such as a fresh UUID"
            ),
        )])),
    }
}

/// The caller's trace context, or a fresh one.
pub fn traceparent(headers: &HeaderMap) -> Result<String, Problem> {
    let given = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
    if let Some(given) = given.filter(|given| is_traceparent(given)) {
        return Ok(given.to_owned());
    }
    let mut random = [0; 24];
    getrandom::fill(&mut random)
        .map_err(|error| Problem::unavailable(format!("the system gives no random bytes: {error}")))?;
    // Both ids must not be all zero.
    random[0] |= 1;
    random[16] |= 1;
    let (trace, span) = random.split_at(16);
    Ok(format!("00-{}-{}-01", crate::access::hexadecimal(trace), crate::access::hexadecimal(span)))
}

/// Whether a text is a trace context of version 00 (W3C Trace Context, section 3.2).
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, span, flags] = parts.as_slice() else { return false };
    let is_hexadecimal = |part: &str, chars: usize| {
        part.len() == chars && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let says_something = |part: &str| part.bytes().any(|byte| byte != b'0');
    *version == "00"
        && is_hexadecimal(trace, 32)
        && is_hexadecimal(span, 16)
        && is_hexadecimal(flags, 2)
        && says_something(trace)
        && says_something(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_key_is_printable_ascii_of_bounded_length() {
        let longest = "k".repeat(KEY_LIMIT_BYTES);
        for good in ["k", "a key", longest.as_str()] {
            assert_eq!(idempotency_key(&with(IDEMPOTENCY_KEY, &[good])).unwrap().as_deref(), Some(good));
        }
        assert_eq!(idempotency_key(&HeaderMap::new()).unwrap(), None);
        let too_long = "k".repeat(KEY_LIMIT_BYTES + 1);
        for wrong in [&[""][..], &["ключ"], &["a\tb"], &[too_long.as_str()], &["one", "two"]] {
            let refused = idempotency_key(&with(IDEMPOTENCY_KEY, wrong)).unwrap_err();
            assert_eq!(refused.status().as_u16(), 422, "{wrong:?}");
        }
    }

    #[test]
    fn a_trace_is_passed_on_or_begun() {
        let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(traceparent(&with(TRACEPARENT, &[given])).unwrap(), given);
        for wrong in
            ["", "00-0-0-0", &given.to_uppercase(), "00-00000000000000000000000000000000-00f067aa0ba902b7-01"]
        {
            let fresh = traceparent(&with(TRACEPARENT, &[wrong])).unwrap();
            assert_ne!(fresh, wrong);
            assert!(is_traceparent(&fresh), "{fresh}");
        }
    }
}
