//! Bodies of requests: JSON in UTF-8, of bounded size, handed on byte for byte.

use crate::problem::Problem;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use events::FieldError;
use futures::StreamExt;
use std::time::Duration;

/// How long a body may take to arrive.
pub const BODY_DEADLINE: Duration = Duration::from_secs(20);

/// How much of a body that is too large is read and dropped, so that the caller, still sending, hears why.
const DRAIN_LIMIT_BYTES: usize = 32 * 1024 * 1024;

/// Reads the JSON text of a request.
pub async fn read_json(request: Request, limit_bytes: usize) -> Result<String, Problem> {
    let (parts, body) = request.into_parts();
    check_media_type(&parts.headers)?;
    let announced =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let waits = parts.headers.contains_key(header::EXPECT);
    if waits && announced.is_some_and(|announced: u64| announced > limit_bytes as u64) {
        // A caller that asks first has not sent the body yet.
        return Err(too_large(limit_bytes));
    }
    let bytes = match tokio::time::timeout(BODY_DEADLINE, collect(body, limit_bytes)).await {
        Ok(read) => read?,
        Err(_) => {
            let seconds = BODY_DEADLINE.as_secs();
            return Err(Problem::too_slow(format!("the body did not arrive within {seconds} s")));
        }
    };
    if bytes.is_empty() {
        let error = FieldError::new("", "malformed", "the body is empty", "send one JSON document in UTF-8");
        return Err(Problem::malformed("the body is empty").with_errors(vec![error]));
    }
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        let reason = format!("the body is no UTF-8 from byte {place} on");
        let field = FieldError::new("", "malformed", reason.clone(), "send one JSON document in UTF-8");
        Problem::malformed(reason).with_errors(vec![field])
    })
}

async fn collect(body: Body, limit_bytes: usize) -> Result<Vec<u8>, Problem> {
    let mut stream = body.into_data_stream();
    let mut kept = Vec::new();
    let mut dropped_bytes = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| Problem::malformed(format!("the body broke off: {error}")))?;
        if dropped_bytes == 0 && kept.len() + chunk.len() <= limit_bytes {
            kept.extend_from_slice(&chunk);
            continue;
        }
        dropped_bytes += kept.len() + chunk.len();
        kept = Vec::new();
        if dropped_bytes > DRAIN_LIMIT_BYTES {
            break;
        }
    }
    if dropped_bytes > 0 { Err(too_large(limit_bytes)) } else { Ok(kept) }
}

fn too_large(limit_bytes: usize) -> Problem {
    let reason = format!("the body is larger than {limit_bytes} bytes");
    let error = FieldError::new("", "too-large", reason.clone(), "send less at once");
    Problem::too_large(reason).with_errors(vec![error])
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let media_type = headers.get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or("?"));
    let mut parts = media_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, charset)) if name.trim().eq_ignore_ascii_case("charset") => {
            charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if is_json && is_utf8 {
        return Ok(());
    }
    Err(Problem::wrong_media_type(if media_type.is_empty() {
        "the request says nothing of its body: send `Content-Type: application/json`".to_owned()
    } else {
        let shown: String = media_type.chars().take(100).collect();
        format!("`{shown}` is not read here: send JSON in UTF-8 with `Content-Type: application/json`")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(media_type: Option<&str>, body: Vec<u8>) -> Result<String, u16> {
        let mut request = Request::builder();
        if let Some(media_type) = media_type {
            request = request.header(header::CONTENT_TYPE, media_type);
        }
        let request = request.body(Body::from(body)).unwrap();
        read_json(request, 10).await.map_err(|problem| problem.status().as_u16())
    }

    #[tokio::test]
    async fn json_in_utf8_is_handed_on_as_it_came() {
        for media_type in
            ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""]
        {
            assert_eq!(
                read(Some(media_type), b" {\"a\": 1}".to_vec()).await,
                Ok(" {\"a\": 1}".into()),
                "{media_type}"
            );
        }
    }

    #[tokio::test]
    async fn anything_else_is_told_apart() {
        let json = Some("application/json");
        assert_eq!(read(None, b"{}".to_vec()).await, Err(415));
        assert_eq!(read(Some("text/plain"), b"{}".to_vec()).await, Err(415));
        assert_eq!(read(Some("application/json; charset=latin1"), b"{}".to_vec()).await, Err(415));
        assert_eq!(read(json, Vec::new()).await, Err(400));
        assert_eq!(read(json, vec![b'"', 0xff, b'"']).await, Err(400));
        assert_eq!(read(json, vec![b' '; 10]).await, Ok(" ".repeat(10)));
        assert_eq!(read(json, vec![b' '; 11]).await, Err(413));
    }
}
