//! Reviews: the model and the checkpoint are put together, written as asked, and what cannot be made is said.

use crate::support::Console;
use console::backend::{BackendError, Peer};
use serde_json::json;

/// The model of the reviews' own tests, whose checkpoint the services give separately.
fn model() -> String {
    let snapshot = include_str!("../../../../shared/reviews/tests/documents/snapshots/documents__json.snap");
    let (_, model) = snapshot.split_once("\n---\n").unwrap();
    let mut model: serde_json::Value = serde_json::from_str(model).unwrap();
    model["checkpoint"] = serde_json::Value::Null;
    model.to_string()
}

const NO_KEYS: &str = r#"{"refused":{"kind":"not-found","detail":"this log signs nothing","errors":[]}}"#;

async fn console() -> Console {
    let console = Console::start().await;
    console.memory.replies(Peer::Projection, "review", Ok(&format!(r#"{{"ok":{}}}"#, model())));
    console.memory.replies(Peer::Ingestion, "log.proof", Ok(NO_KEYS));
    console
}

#[tokio::test]
async fn each_format_is_answered_as_its_media_type() {
    let console = console().await;
    for (query, media_type, language, begins) in [
        ("", "application/json", None, "{\n"),
        ("?format=csv", "text/csv; charset=utf-8; header=present", Some("vi"), "document,"),
        ("?format=md&language=en", "text/markdown; charset=utf-8", Some("en"), "<!-- planwatch-cut {"),
        (
            "?format=html&language=vi",
            "text/html; charset=utf-8",
            Some("vi"),
            "<!doctype html>\n<html lang=\"vi\">",
        ),
    ] {
        let answered = console.get(&format!("/api/v1/reviews/2027{query}")).await;
        assert_eq!(answered.status, 200, "{query} {}", answered.text());
        assert_eq!(answered.header("content-type"), Some(media_type));
        assert_eq!(answered.header("content-language"), language);
        assert_eq!(answered.header("cache-control"), Some("no-store"));
        assert!(answered.text().starts_with(begins), "{}", answered.text());
    }
}

#[tokio::test]
async fn a_workbook_is_a_workbook() {
    let answered = console().await.get("/api/v1/reviews/2027?format=xlsx").await;
    let media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    assert_eq!((answered.status, answered.header("content-type")), (200, Some(media_type)));
    assert!(answered.bytes().starts_with(b"PK\x03\x04"));
}

#[tokio::test]
async fn the_question_and_the_cut_of_the_checkpoint_are_those_of_the_review() {
    let console = console().await;
    let path = "/api/v1/reviews/2027?as_of=2028-01-31&known_at=2028-02-01&position=13&at_least=5";
    assert_eq!(console.get(path).await.status, 200);
    assert_eq!(
        console.memory.last_question("review"),
        json!({"review": "2027", "as_of": "2028-01-31", "known_at": "2028-02-01", "position": 13, "at_least": 5})
    );
    assert_eq!(console.memory.last_question("log.proof"), json!({"position": 13, "size": 13}));
}

#[tokio::test]
async fn a_page_may_use_its_own_style_and_nothing_else() {
    let console = console().await;
    let answered = console.get("/api/v1/reviews/2027?format=html").await;
    let policy = answered.header("content-security-policy").unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let pages = console.get("/api/v1/reviews/2027").await;
    assert!(pages.header("content-security-policy").unwrap().starts_with("default-src 'self'"));
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let console = console().await;
    for (query, pointer) in [
        ("?format=pdf", "?format"),
        ("?format=docx", "?format"),
        ("?language=fr", "?language"),
        ("?as_of=2025-02-30", "?as_of"),
        ("?position=x", "?position"),
        ("?unit=di-an", "?unit"),
    ] {
        let problem = console.get(&format!("/api/v1/reviews/2027{query}")).await.problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{query}");
    }
    let pdf = console.get("/api/v1/reviews/2027?format=pdf").await.problem(422);
    assert!(pdf["errors"][0]["remedy"].as_str().unwrap().contains("format=html"), "{pdf}");
    console.memory.replies(
        Peer::Projection,
        "review",
        Ok(r#"{"refused":{"kind":"not-found","detail":"the plan has no review of `1999`","errors":[]}}"#),
    );
    console.get("/api/v1/reviews/1999").await.problem(404);
}

#[tokio::test]
async fn a_review_without_its_checkpoint_is_not_given_for_one_with_it() {
    let console = console().await;
    let gone = BackendError::Unreachable { peer: Peer::Ingestion, why: "nobody".into() };
    console.memory.replies(Peer::Ingestion, "log.proof", Err(gone));
    console.get("/api/v1/reviews/2027").await.problem(503);
}
