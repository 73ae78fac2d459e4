//! The log as server-sent events: `id:` is the position, `event:` the type, `data:` the event as recorded.

use crate::backend::LogEvent;
use crate::edge::Edge;
use crate::parameters::Parameters;
use crate::problem::Problem;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use events::{FieldError, Position, wire};
use futures::{StreamExt, stream};
use std::convert::Infallible;
use std::time::Duration;

/// How many streams are open at once; a further one is asked to come back later.
pub const STREAM_LIMIT: usize = 256;
/// How long a stream lasts. The browser then connects again by itself and shows its session anew.
pub const STREAM_LIFE: Duration = Duration::from_secs(60 * 60);
/// How often a comment says that the stream still stands.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

const LAST_EVENT_ID: &str = "last-event-id";

/// `GET /stream`: every event after the given one, or from now on where none is given.
pub async fn follow(State(edge): State<Edge>, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let after = resume_after(&uri, &headers)?;
    if let Some(after) = after {
        is_in_the_log(&edge, after).await?;
    }
    let Ok(place) = edge.streams().clone().try_acquire_owned() else {
        return Err(Problem::unavailable(format!(
            "{STREAM_LIMIT} streams are open, which is the most; try again"
        )));
    };
    let tail = edge.backend().tail(after).await?;
    // The first thing that is sent is the position alone, so that whoever is cut off before the first event
    // resumes from here.
    let begin = stream::iter([Ok::<_, Infallible>(Event::default().id(tail.after.to_string()))]);
    let closed = edge.closed();
    let open = OpenStream::new(place);
    let end = async move {
        // Dropped with the stream, whichever side ends it.
        let _open = open;
        tokio::select! {
            () = closed => {}
            () = tokio::time::sleep(STREAM_LIFE) => {}
        }
    };
    let events = begin.chain(tail.events.map(|event| Ok(written(&event)))).take_until(Box::pin(end));
    let heartbeat = KeepAlive::new().interval(HEARTBEAT).text("still here");
    Ok(Sse::new(events).keep_alive(heartbeat).into_response())
}

/// Refuses to go on after an event that the log does not hold: what stands between would be skipped in silence.
/// While the log cannot be asked, the stream goes on by itself.
async fn is_in_the_log(edge: &Edge, after: Position) -> Result<(), Problem> {
    if after == Position::START {
        return Ok(());
    }
    match edge.backend().read(after, 1).await {
        Ok(events) if events.is_empty() => Err(Problem::of_fields(vec![FieldError::new(
            "",
            "beyond-the-log",
            format!("the log does not reach position {after}: it is another log, or one that was begun anew"),
            "begin without `Last-Event-ID`, and take what was kept as void",
        )])),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The place of an open stream, given back and counted when the stream ends.
struct OpenStream {
    _place: tokio::sync::OwnedSemaphorePermit,
}

impl OpenStream {
    fn new(place: tokio::sync::OwnedSemaphorePermit) -> OpenStream {
        metrics::gauge!("planwatch_http_streams").increment(1);
        OpenStream { _place: place }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        metrics::gauge!("planwatch_http_streams").decrement(1);
    }
}

fn written(event: &LogEvent) -> Event {
    let name = wire::read_envelope(&event.bytes).map_or("unknown", |envelope| envelope.kind.name());
    Event::default().id(event.position.to_string()).event(name).data(String::from_utf8_lossy(&event.bytes))
}

/// The position to go on after: of the header that a browser sends when it reconnects, else of the query.
fn resume_after(uri: &Uri, headers: &HeaderMap) -> Result<Option<Position>, Problem> {
    let mut parameters = Parameters::of(uri, &["last_event_id"]);
    let asked = parameters.position("last_event_id");
    parameters.finish()?;
    let Some(sent) = headers.get(LAST_EVENT_ID) else { return Ok(asked) };
    match sent.to_str().ok().map(str::trim) {
        Some("") => Ok(asked),
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u64>().is_ok() => {
            Ok(text.parse().ok().map(Position))
        }
        _ => Err(Problem::of_fields(vec![FieldError::new(
            "",
            "bad-last-event-id",
            "the `Last-Event-ID` header is no position of the log",
            "send the `id` of the last event that was received",
        )])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(query: &str, header: Option<&str>) -> Result<Option<u64>, u16> {
        let headers = header.map(|value| (LAST_EVENT_ID.parse().unwrap(), value.parse().unwrap()));
        resume_after(&format!("/stream{query}").parse().unwrap(), &headers.into_iter().collect())
            .map(|position| position.map(|position| position.0))
            .map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn the_header_goes_before_the_query() {
        assert_eq!(after("", None), Ok(None));
        assert_eq!(after("?last_event_id=7", None), Ok(Some(7)));
        assert_eq!(after("?last_event_id=7", Some("42")), Ok(Some(42)));
        assert_eq!(after("?last_event_id=7", Some("")), Ok(Some(7)));
        assert_eq!(after("", Some("0")), Ok(Some(0)));
        for wrong in ["-1", "x", "+1", "1.0", "99999999999999999999"] {
            assert_eq!(after("", Some(wrong)), Err(422), "{wrong}");
        }
        assert_eq!(after("?since=7", None), Err(422));
    }
}
