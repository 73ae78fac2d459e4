//! The log's evidence: open to all but the entries, and cached as long as it stays true.

use crate::support::{Ask, Console, event_at};
use console::backend::Peer;
use serde_json::json;

/// A request without the token.
async fn asked(console: &Console, path: &str) -> crate::support::Answered {
    console.send(Ask::new("GET", &format!("/api/v1/log/{path}"))).await
}

#[tokio::test]
async fn texts_are_passed_on_as_they_are_and_not_kept() {
    let console = Console::start().await;
    for (path, endpoint, field, question) in [
        ("checkpoint", "log.checkpoint", "checkpoint", json!({})),
        ("vkeys", "log.keys", "vkeys", json!({})),
        ("proof/42", "log.proof", "proof", json!({"position": 42, "size": null})),
        ("proof/42?size=50", "log.proof", "proof", json!({"position": 42, "size": 50})),
        ("consistency?from=0", "log.consistency", "consistency", json!({"from": 0, "to": null})),
        ("consistency?from=7&to=9", "log.consistency", "consistency", json!({"from": 7, "to": 9})),
    ] {
        let text = "a line\n\n\u{2014} ký AAAA\n";
        let reply = json!({"ok": {field: text, "size": 3}}).to_string();
        console.memory.replies(Peer::Ingestion, endpoint, Ok(&reply));
        let answered = asked(&console, path).await;
        assert_eq!((answered.status, answered.text().as_str()), (200, text), "{path}");
        assert_eq!(answered.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answered.header("cache-control"), Some("no-cache"));
        assert_eq!(console.memory.last_question(endpoint), question);
    }
    console.memory.replies(Peer::Ingestion, "log.checkpoint", Ok(r#"{"ok":{"size":3}}"#));
    asked(&console, "checkpoint").await.problem(502);
    let refused = r#"{"refused":{"kind":"not-found","detail":"this log signs nothing","errors":[]}}"#;
    console.memory.replies(Peer::Ingestion, "log.checkpoint", Ok(refused));
    asked(&console, "checkpoint").await.problem(404);
}

#[tokio::test]
async fn full_tiles_are_kept_for_ever_and_partial_ones_not_for_long() {
    let console = Console::start().await;
    console.memory.replies(Peer::Ingestion, "log.tile", Ok(r#"{"ok":{"tile":"AAEC/w=="}}"#));
    for (path, cached) in [
        ("tile/0/x001/x234/067", "public, max-age=31536000, immutable"),
        ("tile/1/003.p/17", "public, max-age=60"),
    ] {
        let answered = asked(&console, path).await;
        assert_eq!((answered.status, answered.bytes()), (200, &[0, 1, 2, 255][..]), "{path}");
        assert_eq!(answered.header("content-type"), Some("application/octet-stream"));
        assert_eq!(answered.header("cache-control"), Some(cached));
        assert_eq!(console.memory.last_question("log.tile"), json!({"path": path}));
    }
    for path in ["tile/0/1", "tile/64/000", "tile/0/000.p/0", "tile/entries/x000/000", "tile/0/000/"] {
        let problem = asked(&console, path).await.problem(404);
        assert_eq!(problem["errors"][0]["code"], "no-tile", "{path}");
    }
}

#[tokio::test]
async fn entries_are_for_those_who_may_read_the_log() {
    let console = Console::start().await;
    let recorded: Vec<_> = (0..5).map(|_| console.memory.record()).collect();
    asked(&console, "tile/entries/000.p/3").await.problem(401);
    let answered = console.get("/api/v1/log/tile/entries/000.p/3").await;
    assert_eq!((answered.status, answered.header("cache-control")), (200, Some("no-store")));
    let expected: Vec<u8> = recorded[..3]
        .iter()
        .flat_map(|event| {
            let length = u16::try_from(event.bytes.len()).unwrap().to_be_bytes();
            [&length[..], &event.bytes].concat()
        })
        .collect();
    assert_eq!(answered.bytes(), expected);
    assert_eq!(recorded[2], event_at(3));
    // Wider than the log, and beyond it.
    console.get("/api/v1/log/tile/entries/000.p/6").await.problem(404);
    console.get("/api/v1/log/tile/entries/x001/000").await.problem(404);
}
