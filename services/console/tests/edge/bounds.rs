//! Requests that are wrong as requests: each gets its problem document, none a 500, nothing is submitted.

use crate::support::{Ask, Console};
use console::edge::SIGN_IN_LIMIT;
use events::command::{BATCH_BODY_LIMIT_BYTES, BODY_LIMIT_BYTES};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::test]
async fn wrong_bodies_are_told_apart_and_reach_nobody() {
    let console = Console::start().await;
    let ask = |body: Vec<u8>| Ask::new("POST", "/api/v1/reports").token().json(body);
    console.send(ask(Vec::new())).await.problem(400);
    console.send(ask(vec![b'"', 0xc3, 0x28, b'"'])).await.problem(400);
    console.send(ask(vec![b' '; BODY_LIMIT_BYTES + 1])).await.problem(413);
    console.send(Ask::new("POST", "/api/v1/reports").token()).await.problem(415);
    console.send(Ask::new("POST", "/api/v1/reports").token().body("text/csv", "a,b")).await.problem(415);
    console
        .send(Ask::new("POST", "/api/v1/reports").token().body("application/jsonx", "{}"))
        .await
        .problem(415);
    let keyed = |key: &str| ask(b"{}".to_vec()).header("Idempotency-Key", key);
    console.send(keyed("")).await.problem(422);
    console.send(keyed(&"k".repeat(129))).await.problem(422);
    console.send(keyed("khóa")).await.problem(422);
    assert!(console.memory.submitted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_batch_may_be_larger_than_a_report_and_no_larger_than_its_own_bound() {
    let console = Console::start().await;
    // Ingestion is away, so whatever gets past the bound is 503.
    console.post("/api/v1/reports/batch", vec![b' '; BODY_LIMIT_BYTES + 1]).await.problem(503);
    console.post("/api/v1/reports/batch", vec![b' '; BATCH_BODY_LIMIT_BYTES + 1]).await.problem(413);
}

#[tokio::test]
async fn a_caller_that_asks_first_hears_at_once_that_its_body_is_too_large() {
    let console = Console::start().await;
    let ask = Ask::new("POST", "/api/v1/reports").token().header("Content-Type", "application/json");
    let length = (BODY_LIMIT_BYTES + 1).to_string();
    // No byte of the body is ever sent.
    console.send(ask.header("Expect", "100-continue").header("Content-Length", &length)).await.problem(413);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart() {
    let console = Console::start().await;
    for path in [
        "/nothing",
        "/api/v1/nothing",
        "/api/v2/status",
        "/assets/nothing.css",
        "/api/v1",
        "//",
        "/%2e%2e/etc",
    ] {
        console.get(path).await.problem(404);
    }
    for (method, path, allowed) in [
        ("GET", "/api/v1/reports", "POST"),
        ("DELETE", "/api/v1/status", "GET,HEAD"),
        ("PUT", "/healthz", "GET,HEAD"),
        ("POST", "/", "GET,HEAD"),
    ] {
        let answered = console.send(Ask::new(method, path).token()).await;
        answered.problem(405);
        assert_eq!(answered.header("allow"), Some(allowed), "{method} {path}");
    }
    console.post("/api/v1/alerts/not-an-id/ack", r#"{"note":"x"}"#).await.problem(404);
    console.post("/api/v1/alerts/%FF/ack", r#"{"note":"x"}"#).await.problem(404);
}

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_a_browser_safe() {
    let console = Console::start().await;
    for path in ["/healthz", "/sign-in", "/sign-in?code=x", "/nothing", "/api/v1/status"] {
        let answered = console.send(Ask::new("GET", path)).await;
        let policy = answered.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answered.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answered.header("referrer-policy"), Some("same-origin"), "{path}");
        assert_eq!(answered.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[tokio::test]
async fn sign_ins_that_never_finish_take_no_place_from_others() {
    let console = Console::start().await;
    let form = "application/x-www-form-urlencoded";
    let mut unfinished = Vec::new();
    for _ in 0..SIGN_IN_LIMIT {
        let mut stream = TcpStream::connect(console.address).await.unwrap();
        let mut ask = Ask::new("POST", "/sign-in").body(form, "token=").written(console.address);
        ask.truncate(ask.len() - 1);
        stream.write_all(&ask).await.unwrap();
        unfinished.push(stream);
    }
    let refused = async {
        loop {
            let answered = console.send(Ask::new("POST", "/sign-in").form("token=wrong")).await;
            if answered.status != 403 {
                return answered;
            }
        }
    };
    let refused = tokio::time::timeout(Duration::from_secs(5), refused).await.expect("no place is left");
    assert!(refused.problem(503)["detail"].as_str().unwrap().contains("sign-ins"));
    assert!(refused.header("retry-after").is_some());
    assert_eq!(console.send(Ask::new("GET", "/sign-in")).await.status, 200);
    assert_eq!(console.send(Ask::new("GET", "/healthz")).await.status, 200);

    // A place is free again once its caller is gone and the console has noticed.
    drop(unfinished.pop());
    while console.send(Ask::new("POST", "/sign-in").form("token=wrong")).await.status != 403 {}
}

#[tokio::test]
async fn the_icon_is_there_under_both_names() {
    let console = Console::start().await;
    let page = console.send(Ask::new("GET", "/sign-in")).await.text();
    assert!(page.contains("<link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">"), "{page}");
    for path in ["/favicon.svg", "/favicon.ico"] {
        let icon = console.send(Ask::new("GET", path)).await;
        assert_eq!((icon.status, icon.header("content-type")), (200, Some("image/svg+xml")), "{path}");
        assert_eq!(icon.header("cache-control"), Some("public, max-age=86400"), "{path}");
        assert!(icon.text().starts_with("<svg ") && icon.text().len() < 1_000, "{path}");
    }
}

#[tokio::test]
async fn stopping_frees_the_port_and_removes_the_address() {
    let mut console = Console::start().await;
    console.running.take().unwrap().stop(std::time::Duration::from_secs(5)).await;
    assert!(tokio::net::TcpStream::connect(console.address).await.is_err());
    assert!(!console.folder.path().join("console.addr").exists());
}
