//! Commands and questions: what goes in reaches the services as it is, what comes back is answered as it is.

use crate::support::{Ask, Console};
use console::backend::{BackendError, Peer};
use events::command::{Acceptance, Answer, Operation, Preview};
use events::{FieldError, Period, Position, Refusal, RefusalKind, UnitId};
use serde_json::{Value, json};

fn acceptance(position: u64) -> Acceptance {
    Acceptance {
        event: events::ids::derived_id(&["acceptance", &position.to_string()]),
        position: Position(position),
        revision: 1,
        recorded_at: "2024-11-22T09:10:00+07:00".into(),
        receipt: None,
    }
}

#[tokio::test]
async fn a_report_is_handed_on_byte_for_byte_and_answered_when_it_is_recorded() {
    let console = Console::start().await;
    console.memory.answers(|_| Ok(Answer::Recorded(vec![acceptance(42)])));
    let body = r#" {"unit":"thu-dau-mot", "period" : "2024","ghi chú":"ă","n":1.50} "#;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let ask = Ask::new("POST", "/api/v1/reports").token().json(body);
    let answered = console.send(ask.header("Idempotency-Key", "key-1").header("traceparent", trace)).await;
    assert_eq!(answered.status, 201, "{}", answered.text());
    let id = acceptance(42).event;
    assert_eq!(
        answered.text(),
        format!(
            r#"{{"event":"{id}","position":42,"revision":1,"recorded_at":"2024-11-22T09:10:00+07:00","receipt":null}}"#
        )
    );
    assert_eq!(answered.header("location"), Some(format!("/api/v1/events/{id}").as_str()));
    assert_eq!(answered.header("content-type"), Some("application/json"));
    assert_eq!(answered.header("cache-control"), Some("no-store"));

    let submitted = console.memory.submitted.lock().unwrap();
    let request = submitted.last().unwrap();
    assert_eq!(request.operation, Operation::SubmitReport);
    assert_eq!(request.body, body);
    assert_eq!(request.idempotency_key.as_deref(), Some("key-1"));
    assert_eq!(request.traceparent.as_deref(), Some(trace));
    assert!(request.may_enter_history && !request.dry_run && request.subject.is_none());
    assert!(request.actor.as_str().starts_with("operator-"));
}

#[tokio::test]
async fn every_command_goes_to_ingestion_under_its_own_name() {
    let console = Console::start().await;
    console.memory.answers(|_| Ok(Answer::Recorded(vec![acceptance(7)])));
    let alert = events::ids::derived_id(&["alert"]).to_string();
    for (path, operation, subject) in [
        ("/api/v1/reports".to_owned(), Operation::SubmitReport, None),
        ("/api/v1/targets".to_owned(), Operation::ChangeTarget, None),
        ("/api/v1/units".to_owned(), Operation::ChangeUnit, None),
        ("/api/v1/baselines".to_owned(), Operation::EnterBaseline, None),
        ("/api/v1/plan/amendments".to_owned(), Operation::AmendPlan, None),
        ("/api/v1/deadlines".to_owned(), Operation::ExtendDeadline, None),
        (format!("/api/v1/alerts/{alert}/ack"), Operation::AcknowledgeAlert, Some(alert.clone())),
    ] {
        let answered = console.post(&path, "{}").await;
        assert_eq!(answered.status, 201, "{path}: {}", answered.text());
        assert_eq!(answered.json()["position"], 7);
        let submitted = console.memory.submitted.lock().unwrap();
        let request = submitted.last().unwrap();
        assert_eq!((request.operation, &request.subject), (operation, &subject), "{path}");
        assert!(request.traceparent.as_ref().is_some_and(|trace| trace.len() == 55), "a trace is begun");
    }
}

#[tokio::test]
async fn a_batch_names_its_last_position_and_a_dry_run_only_what_would_be() {
    let console = Console::start().await;
    console.memory.answers(|request| {
        Ok(if request.dry_run {
            let unit = UnitId::parse("di-an").unwrap();
            Answer::Checked(vec![Preview {
                unit,
                period: Period(2024),
                revision: 2,
                already_recorded: false,
            }])
        } else {
            Answer::Recorded(vec![acceptance(8), acceptance(9)])
        })
    });
    let recorded = console.post("/api/v1/reports/batch", "[]").await;
    assert_eq!(recorded.status, 201);
    assert_eq!(recorded.json()["position"], 9);
    assert_eq!(recorded.json()["reports"][0]["position"], 8);
    let checked = console.post("/api/v1/reports/batch?dry_run=true", "[]").await;
    assert_eq!(checked.status, 200);
    assert_eq!(
        checked.json(),
        json!({"dry_run": true, "reports": [{"unit": "di-an", "period": "2024", "revision": 2, "already_recorded": false}]})
    );
    assert_eq!(console.post("/api/v1/reports/batch?dry_run=false", "[]").await.status, 201);
    console.post("/api/v1/reports/batch?dry_run=maybe", "[]").await.problem(422);
    console.post("/api/v1/reports?dry_run=true", "{}").await.problem(422);
}

#[tokio::test]
async fn a_refusal_becomes_a_problem_that_names_every_field() {
    let console = Console::start().await;
    for (kind, status) in [
        (RefusalKind::Malformed, 400),
        (RefusalKind::Forbidden, 403),
        (RefusalKind::NotFound, 404),
        (RefusalKind::Conflict, 409),
        (RefusalKind::TooLarge, 413),
        (RefusalKind::Rules, 422),
        (RefusalKind::Unavailable, 503),
    ] {
        console.memory.answers(move |_| {
            let error = FieldError::new("/lines/0/level", "level-out-of-range", "level 9", "use 0 to 2");
            Ok(Answer::Refused(Refusal::of_field(kind, error)))
        });
        let answered = console.post("/api/v1/reports", "{}").await;
        let problem = answered.problem(status);
        assert_eq!(problem["errors"][0]["pointer"], "/lines/0/level");
        assert_eq!(answered.header("retry-after").is_some(), status == 503);
    }
}

#[tokio::test]
async fn what_cannot_be_reached_is_503_and_says_whether_it_may_have_happened() {
    let console = Console::start().await;
    let peer = Peer::Ingestion;
    for (error, status, word) in [
        (BackendError::Unreachable { peer, why: "nobody".into() }, 503, "nobody"),
        (BackendError::Busy { peer, text: "the queue is full".into() }, 503, "queue is full"),
        (BackendError::TimedOut { peer, seconds: 15 }, 503, "may have been recorded"),
        (BackendError::Lost { peer }, 503, "may have been recorded"),
        (BackendError::TooLarge, 413, "larger"),
        (BackendError::Garbled { peer, why: "odd".into() }, 502, "odd"),
    ] {
        let given = error.clone();
        console.memory.answers(move |_| Err(given.clone()));
        let answered = console.post("/api/v1/targets", "{}").await;
        let problem = answered.problem(status);
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
        assert_eq!(answered.header("retry-after").is_some(), status == 503, "{error:?}");
    }
    for path in ["/api/v1/status", "/api/v1/series?unit=di-an&indicator=life-skills", "/api/v1/alerts"] {
        assert!(console.get(path).await.header("retry-after").is_some(), "{path}");
    }
}

#[tokio::test]
async fn a_question_reaches_the_projection_as_it_was_asked() {
    let console = Console::start().await;
    let memory = &console.memory;
    for endpoint in
        ["status", "series", "explain", "diff", "findings", "units", "targets", "baselines", "alerts"]
    {
        memory.replies(Peer::Projection, endpoint, Ok(r#"{"ok":{"z":1,"a":[1.50,{"ă":null}]}}"#));
    }
    let answered = console
        .get("/api/v1/status?unit=di-an&indicator=life-skills&as_of=2024-12-31&known_at=2025-01-01T00:00:00%2B07:00&at_least=42")
        .await;
    assert_eq!(answered.status, 200, "{}", answered.text());
    assert_eq!(answered.text(), r#"{"z":1,"a":[1.50,{"ă":null}]}"#, "passed on untouched");
    assert_eq!(
        memory.last_question("status"),
        json!({"unit": "di-an", "indicator": "life-skills", "as_of": "2024-12-31",
               "known_at": "2025-01-01T00:00:00+07:00", "at_least": 42})
    );
    assert_eq!(console.get("/api/v1/status?unit=&as_of=").await.status, 200);
    assert_eq!(
        memory.last_question("status"),
        json!({"unit": null, "indicator": null, "as_of": null, "known_at": null, "at_least": null})
    );
    assert_eq!(console.get("/api/v1/series?unit=di-an&indicator=life-skills").await.status, 200);
    assert_eq!(
        console.get("/api/v1/explain?unit=di-an&indicator=life-skills&as_of=2024-12-31").await.status,
        200
    );
    assert_eq!(
        memory.last_question("explain"),
        json!({"unit": "di-an", "indicator": "life-skills", "as_of": "2024-12-31", "known_at": null, "at_least": null})
    );
    let moment =
        json!({"unit": "di-an", "as_of": "2024-12-31", "known_at": null, "at_least": null, "limit": 7});
    for (list, by_indicator) in [("findings", true), ("targets", true), ("baselines", true), ("units", false)]
    {
        let mut asked = moment.clone();
        let mut path = format!("/api/v1/{list}?unit=di-an&as_of=2024-12-31&limit=7");
        if by_indicator {
            asked["indicator"] = json!("life-skills");
            path.push_str("&indicator=life-skills");
        }
        assert_eq!(console.get(&path).await.status, 200, "{list}");
        assert_eq!(memory.last_question(list), asked);
    }
    assert_eq!(console.get("/api/v1/diff?from=2024-12-01&to_position=42&unit=di-an").await.status, 200);
    assert_eq!(
        memory.last_question("diff"),
        json!({"from": "2024-12-01", "to": null, "from_position": null, "to_position": 42, "as_of": null,
               "unit": "di-an", "indicator": null, "at_least": null})
    );
    assert_eq!(console.get("/api/v1/alerts?state=firing&unit=di-an&limit=5&cursor=x").await.status, 200);
    assert_eq!(
        memory.last_question("alerts"),
        json!({"state": "firing", "unit": "di-an", "known_at": null, "at_least": null, "limit": 5, "cursor": "x"})
    );
}

#[tokio::test]
async fn refused_late_and_unreadable_answers_are_told_apart() {
    let console = Console::start().await;
    let reply = |text: &str| console.memory.replies(Peer::Projection, "status", Ok(text));
    reply(
        r#"{"refused":{"kind":"rules","detail":"no such unit","errors":[{"pointer":"/unit","code":"unknown-unit","reason":"no such unit","remedy":"take one of the plan"}]}}"#,
    );
    let problem = console.get("/api/v1/status?unit=nowhere").await.problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "?unit");
    reply(r#"{"timeout":{"position":41}}"#);
    let problem = console.get("/api/v1/status?at_least=42").await.problem(504);
    assert!(problem["detail"].as_str().unwrap().contains("42"), "{problem}");
    for odd in ["", "{}", "[]", "nonsense"] {
        reply(odd);
        console.get("/api/v1/status").await.problem(502);
    }
}

#[tokio::test]
async fn query_parameters_that_are_wrong_are_named() {
    let console = Console::start().await;
    for (path, pointer) in [
        ("/api/v1/status?as_of=yesterday", "?as_of"),
        ("/api/v1/status?known_at=2024-02-30", "?known_at"),
        ("/api/v1/status?at_least=-1", "?at_least"),
        ("/api/v1/status?units=di-an", "?units"),
        ("/api/v1/status?unit=Di%20An", "?unit"),
        ("/api/v1/status?unit=a&unit=b", "?unit"),
        ("/api/v1/status?limit=0", "?limit"),
        ("/api/v1/series?unit=di-an", "?indicator"),
        ("/api/v1/series", "?unit"),
        ("/api/v1/explain?unit=di-an", "?indicator"),
        ("/api/v1/explain?unit=di-an&indicator=life-skills&as_of=soon", "?as_of"),
        ("/api/v1/diff?from=yesterday", "?from"),
        ("/api/v1/diff?from_position=-1", "?from_position"),
        ("/api/v1/diff?from=2024-12-01&known_at=2024-12-01", "?known_at"),
        ("/api/v1/findings?as_of=soon", "?as_of"),
        ("/api/v1/units?indicator=life-skills", "?indicator"),
        ("/api/v1/alerts?state=open", "?state"),
        ("/api/v1/alerts?as_of=2024-01-01", "?as_of"),
        ("/api/v1/events?from=-1", "?from"),
        ("/api/v1/events?limit=1001", "?limit"),
        ("/api/v1/events?from=%FF", "?from"),
        ("/api/v1/stream?last_event_id=x", "?last_event_id"),
    ] {
        let problem = console.get(path).await.problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{path}");
    }
}

#[tokio::test]
async fn the_log_is_read_in_pages_as_recorded() {
    let console = Console::start().await;
    let events: Vec<_> = (0..5).map(|_| console.memory.record()).collect();
    let text = |index: usize| String::from_utf8(events[index].bytes.to_vec()).unwrap();
    let page = console.get("/api/v1/events?from=2&limit=2").await;
    assert_eq!(page.text(), format!(r#"{{"events":[{},{}],"next":4,"sample":false}}"#, text(1), text(2)));
    assert_eq!(console.get("/api/v1/events?from=6").await.text(), r#"{"events":[],"next":6,"sample":false}"#);
    assert_eq!(console.get("/api/v1/events").await.json()["events"].as_array().unwrap().len(), 5);

    let id = events::ids::derived_id(&["test", "3"]);
    console.memory.replies(Peer::Ingestion, "log.event", Ok(&format!(r#"{{"ok":{}}}"#, text(2))));
    assert_eq!(console.get(&format!("/api/v1/events/{id}")).await.text(), text(2));
    assert_eq!(console.memory.last_question("log.event"), json!({"id": id}));
    console.memory.replies(
        Peer::Ingestion,
        "log.event",
        Ok(r#"{"refused":{"kind":"not-found","detail":"there is no such event","errors":[]}}"#),
    );
    console.get(&format!("/api/v1/events/{id}")).await.problem(404);
    console.get("/api/v1/events/not-an-id").await.problem(404);
}

#[tokio::test]
async fn a_page_of_the_log_says_whether_its_figures_are_made_up() {
    for sample in [true, false] {
        let console = Console::start().await;
        let before = console.get("/api/v1/events").await.json();
        assert_eq!(before, json!({"events": [], "next": 1, "sample": false}), "nothing is known yet");
        console.memory.adopt(sample);
        console.memory.record();
        for path in ["/api/v1/events", "/api/v1/events?from=2", "/api/v1/events?from=3"] {
            assert_eq!(console.get(path).await.json()["sample"], sample, "{path}");
        }
    }
}

#[tokio::test]
async fn readiness_and_metrics_gather_what_the_services_say() {
    let console = Console::start().await;
    let open = |path: &str| console.send(Ask::new("GET", path));
    for path in ["/healthz", "/api/v1/healthz"] {
        assert_eq!(open(path).await.status, 200, "{path}");
    }
    for peer in Peer::ALL {
        let health = format!(r#"{{"service":"{peer}","ok":true,"checks":[{{"name":"log","state":"ok"}}]}}"#);
        console.memory.replies(peer, "health", Ok(&health));
        let counted = json!({"text": "# TYPE planwatch_head gauge\nplanwatch_head 42\n"}).to_string();
        console.memory.replies(peer, "metrics", Ok(&counted));
    }
    let ready = open("/readyz").await;
    assert_eq!((ready.status, &ready.json()["ready"]), (200, &Value::Bool(true)));
    assert_eq!(ready.json()["services"].as_array().unwrap().len(), 3);

    console.memory.replies(
        Peer::Alerting,
        "health",
        Ok(r#"{"service":"alerting","ok":false,"checks":[{"name":"copy","state":"down","why":"it is behind"}]}"#),
    );
    let unreachable = BackendError::Unreachable { peer: Peer::Ingestion, why: "nobody".into() };
    console.memory.replies(Peer::Ingestion, "health", Err(unreachable.clone()));
    console.memory.replies(Peer::Ingestion, "metrics", Err(unreachable));
    let unready = open("/readyz").await;
    assert!(unready.header("retry-after").is_some());
    let problem = unready.problem(503);
    let reasons: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons.len(), 2, "{problem}");
    assert!(reasons.iter().any(|reason| reason.contains("it is behind")), "{problem}");

    let metrics = open("/metrics").await.text();
    assert!(metrics.contains("planwatch_head{service=\"projection\"} 42\n"), "{metrics}");
    assert!(!metrics.contains("planwatch_head{service=\"ingestion\"}"), "{metrics}");
    assert!(metrics.contains("planwatch_service_up{service=\"ingestion\"} 0\n"), "{metrics}");
    assert_eq!(open("/api/openapi.json").await.json()["openapi"], "3.1.0");
}
