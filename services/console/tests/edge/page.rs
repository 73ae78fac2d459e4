//! The page as a browser without a script sees it.

use crate::support::{Ask, Console, TOKEN};
use console::backend::{BackendError, Peer};
use events::command::{Acceptance, Answer, Operation};
use events::{FieldError, Position, Refusal, RefusalKind};
use serde_json::{Value, json};

const ALERT: &str = "6f1d0e5b-5b53-5c5e-9d0b-7e3a11442022";

fn matrix() -> Value {
    json!({"ok": {
        "plan": {"id": "binh-duong", "name": {"vi": "Kế hoạch <Bình Dương>", "en": "The <plan>"}},
        "sample": true, "position": 42, "as_of": "2026-11-24T09:10:00+07:00",
        "units": [
            {"id": "binh-duong", "name": "Bình Dương", "type": "province", "level": "province"},
            {"id": "di-an", "name": "Dĩ An", "type": "city", "level": "district"},
        ],
        "indicators": [
            {"id": "life-skills", "name": {"vi": "Kỹ năng sống", "en": "Life skills"}},
            {"id": "learning-province", "name": {"vi": "Tỉnh học tập", "en": "Learning province"}},
        ],
        "cells": [
            {"unit": "di-an", "indicator": "life-skills", "period": "2024",
             "value": {"numerator": 118400, "denominator": 214000, "percent": "55.33"},
             "target": {"review": "2025", "percent": "60", "instrument": "1144/KH-UBND"},
             "baseline": {"period": "2021", "percent": "31.00"}, "expected": "58.25", "pace": "0.89",
             "status": "at-risk", "verdicts": {"2025": null},
             "report": {"period": "2025", "state": "overdue", "due": "2025-12-01T00:00:00+07:00"},
             "provisional": {"period": "2025", "value": {"percent": "56.00"}, "coverage": {"reported": 8, "of": 9}}},
            {"unit": "binh-duong", "indicator": "learning-province", "period": "2024",
             "value": {"attained": false, "lapsed": true}, "target": null, "baseline": null, "expected": null,
             "pace": null, "status": "pending", "report": {"period": "2026", "state": "awaited"}, "provisional": null},
            {"unit": "binh-duong", "indicator": "life-skills", "status": null, "degraded": {"since": 40}},
        ],
    }})
}

fn alerts() -> Value {
    json!({"ok": {"position": 42, "alerts": [
        {"id": ALERT, "unit": "di-an", "indicator": "life-skills", "rule": "at-risk", "period": "2024",
         "severity": "notice", "state": "firing", "acknowledged": null, "raised_at": "2024-11-22T09:10:00+07:00",
         "summary": {"vi": "Dĩ An có nguy cơ <b>chậm</b>", "en": "Dĩ An is at risk"}},
        {"id": "7f1d0e5b-5b53-5c5e-9d0b-7e3a11442022", "unit": "di-an", "indicator": null, "rule": "overdue",
         "period": "2025", "severity": "critical", "state": "firing",
         "acknowledged": {"note": "đã gọi điện", "review_by": "2026-12-01"}, "raised_at": "2025-12-01T00:00:00+07:00",
         "summary": {"vi": "Báo cáo quá hạn", "en": "The report is overdue"}},
    ]}})
}

async fn console() -> Console {
    let console = Console::start().await;
    console.memory.replies(Peer::Projection, "matrix", Ok(&matrix().to_string()));
    console.memory.replies(Peer::Projection, "alerts", Ok(&alerts().to_string()));
    console
}

#[track_caller]
fn assert_in_order(text: &str, wanted: &[&str]) {
    let mut rest = text;
    for word in wanted {
        let at = rest.find(word).unwrap_or_else(|| panic!("{word:?} is missing or out of order in {text}"));
        rest = &rest[at + word.len()..];
    }
}

#[tokio::test]
async fn the_page_shows_figures_status_alerts_and_that_they_are_made_up() {
    let console = console().await;
    let page = console.get("/").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let text = page.text();
    assert_in_order(
        &text,
        &[
            "<html lang=\"vi\">",
            "Kế hoạch &#60;Bình Dương&#62;",
            "Dữ liệu mẫu",
            "09:10 24/11/2026",
            "<caption",
            "Dữ liệu mẫu",
            "scope=\"col\"",
            "Bình Dương",
            "Số liệu bị lỗi",
            "Không",
            "Chưa đạt",
            "Công nhận đã hết hạn",
            "Dĩ An",
            "Quá hạn báo cáo 2025",
            "55,33\u{a0}%",
            "#shape-at-risk",
            "Có nguy cơ",
            "Tạm tính",
            "118.400/214.000",
            "58,25\u{a0}%",
            "0,89",
            "Cảnh báo đang mở (2)",
            "Nghiêm trọng",
            "Báo cáo quá hạn",
            "đã gọi điện",
            "Dĩ An có nguy cơ &#60;b&#62;",
        ],
    );
    assert!(!text.contains("<b>chậm</b>"), "what others wrote is no markup");
    let english = console.get("/?lang=en").await.text();
    assert_in_order(
        &english,
        &[
            "<html lang=\"en\">",
            "Sample data",
            "2026-11-24",
            "Life skills",
            "55.33\u{a0}%",
            "At risk",
            "Open alerts (2)",
        ],
    );
}

#[tokio::test]
async fn every_shape_of_a_status_is_drawn_and_every_file_of_the_page_is_served() {
    let console = console().await;
    let text = console.get("/").await.text();
    for status in [
        "achieved",
        "on-track",
        "at-risk",
        "behind",
        "regressing",
        "missed",
        "pending",
        "no-baseline",
        "no-target",
        "no-data",
        "degraded",
        "critical",
        "warning",
        "notice",
        "overdue",
    ] {
        assert!(text.contains(&format!("<symbol id=\"shape-{status}\"")), "{status}");
    }
    let files: Vec<&str> = text.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let served = console.send(Ask::new("GET", file)).await;
        assert_eq!(served.status, 200, "{file}");
        assert!(served.header("cache-control").unwrap().contains("immutable"), "{file}");
        assert!(!served.text().is_empty());
    }
}

#[tokio::test]
async fn fragments_wait_for_the_position_that_the_page_has_seen() {
    let console = console().await;
    let alerts = console.get("/fragments/alerts?lang=en&at_least=43").await;
    assert!(alerts.text().contains("The report is overdue") && !alerts.text().contains("<html"));
    assert_eq!(console.memory.last_question("alerts")["at_least"], 43);
    assert_eq!(console.memory.last_question("alerts")["state"], "firing");
    let matrix = console.get("/fragments/matrix?at_least=43").await;
    assert!(matrix.text().contains("Dĩ An") && !matrix.text().contains("<html"));
    assert_eq!(console.memory.last_question("matrix"), json!({"at_least": 43}));
}

#[tokio::test]
async fn an_alert_is_acknowledged_from_the_page() {
    let console = console().await;
    console.memory.answers(|request| {
        if request.body.contains("note") {
            Ok(Answer::Recorded(vec![Acceptance {
                event: events::ids::derived_id(&["ack"]),
                position: Position(43),
                revision: 1,
                recorded_at: "2026-11-24T09:11:00+07:00".into(),
                receipt: None,
            }]))
        } else {
            let error = FieldError::new("/note", "missing", "`note` is missing", "say what will be done");
            Ok(Answer::Refused(Refusal::of_field(RefusalKind::Rules, error)))
        }
    });
    let form = |body: &str| {
        let ask = Ask::new("POST", &format!("/alerts/{ALERT}/ack"));
        ask.header("Authorization", &format!("Bearer {TOKEN}"))
            .body("application/x-www-form-urlencoded", body)
    };
    let done = console.send(form("lang=vi&note=g%E1%BB%8Di+%C4%91i%E1%BB%87n&review_by=2026-12-01")).await;
    assert_eq!(
        (done.status, done.header("location")),
        (303, Some("/?lang=vi&at_least=43")),
        "{}",
        done.text()
    );
    {
        let submitted = console.memory.submitted.lock().unwrap();
        let request = submitted.last().unwrap();
        assert_eq!(request.operation, Operation::AcknowledgeAlert);
        assert_eq!(request.subject.as_deref(), Some(ALERT));
        let body: Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body, json!({"note": "gọi điện", "review_by": "2026-12-01"}));
    }
    let refused = console.send(form("lang=vi&note=++&review_by=")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("say what will be done"), "{}", refused.text());
    assert!(refused.text().contains("Dĩ An"), "the page is shown again");
}

#[tokio::test]
async fn a_page_without_figures_says_so() {
    let console = console().await;
    let away = BackendError::Unreachable { peer: Peer::Projection, why: "nobody answers".into() };
    console.memory.replies(Peer::Projection, "matrix", Err(away));
    let page = console.get("/").await;
    assert_eq!(page.status, 503);
    assert!(page.text().contains("Hiện chưa xem được số liệu") && page.text().contains("nobody answers"));
    console.get("/fragments/matrix").await.problem(503);
}
