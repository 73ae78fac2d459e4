//! The log on the bus, for other systems of the province: to be read by all, written by none.

use super::{all_events, is_possible, rate};
use bus::{Bus, BusConfig};
use events::{PlanId, Position};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::value::RawValue;
use tests::support::{Options, PATIENCE, Stranger, System, today};

/// A page of the log in the very bytes that were answered.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

#[test]
fn the_stream_holds_the_very_bytes_of_the_log_under_its_positions() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::sample());
    let ready = system.ready();
    let reader = ready.nats_reader.clone().expect("`up --json` gives credentials for reading");
    let mut stranger = Stranger::connect(&ready.nats, &reader.user, &reader.password);
    let consumer = stranger.consume("PLANWATCH_BINH_DUONG");
    // One that is recorded while the stream is being read.
    let report = rate("di-an", today().year(), "life-skills", 71, 100);
    let accepted = system.http().post("/api/v1/reports", &report).expect(201);
    let last = accepted["position"].as_u64().unwrap();
    let text = system.http().get("/api/v1/events?from=1&limit=1000").text;
    let page: Page<'_> = serde_json::from_str(&text).unwrap();
    assert!(page.events.len() as u64 >= last);

    for (position, recorded) in (1..=last).zip(&page.events) {
        let message = stranger.next(consumer);
        assert_eq!(String::from_utf8_lossy(&message.body), recorded.get(), "position {position}");
        assert_eq!(message.stream_sequence(), Some(position));
        let event: serde_json::Value = serde_json::from_slice(&message.body).unwrap();
        assert_eq!(message.header("Nats-Msg-Id"), event["id"].as_str());
        assert_eq!(event["sequence"], format!("{position:020}"));
        let kind = event["type"].as_str().unwrap().trim_start_matches("planwatch.").trim_end_matches(".v1");
        let unit = event["data"]["unit"].as_str().unwrap_or("_plan");
        assert_eq!(message.subject, format!("planwatch.binh-duong.event.{kind}.{unit}"));
    }

    // The same with this project's own client.
    let config = BusConfig {
        url: ready.nats.clone(),
        user: reader.user.clone(),
        password: reader.password.clone(),
        name: "an outside reader".to_owned(),
    };
    let plan = PlanId::parse("binh-duong").unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let bus = Bus::connect(&config).await.unwrap();
        let mut tail = bus.tail(&plan, Position(1));
        for (position, recorded) in (1..=last).zip(&page.events) {
            let event = tokio::time::timeout(PATIENCE, tail.next()).await.unwrap().unwrap();
            assert_eq!(
                (event.position, event.bytes.as_ref()),
                (Position(position), recorded.get().as_bytes())
            );
        }
    });
}

#[test]
fn a_reader_writes_and_removes_nothing() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::empty());
    let ready = system.ready();
    let reader = ready.nats_reader.clone().unwrap();
    let mut stranger = Stranger::connect(&ready.nats, &reader.user, &reader.password);
    let stream = "PLANWATCH_BINH_DUONG";
    let info = format!("$JS.API.STREAM.INFO.{stream}");
    let before = stranger.ask(&info, &serde_json::json!({}))["state"].clone();
    for subject in [
        "planwatch.binh-duong.event.report-submitted.di-an".to_owned(),
        "planwatch.binh-duong.checkpoint".to_owned(),
        "planwatch.binh-duong.ingestion.submit".to_owned(),
        format!("$JS.API.STREAM.PURGE.{stream}"),
        format!("$JS.API.STREAM.DELETE.{stream}"),
        format!("$JS.API.STREAM.UPDATE.{stream}"),
        format!("$JS.API.STREAM.MSG.DELETE.{stream}"),
        format!("$JS.API.CONSUMER.DELETE.{stream}.projection"),
        format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.alerting"),
    ] {
        assert!(stranger.is_refused(&subject, "{\"seq\": 1}"), "{subject}");
    }
    assert!(!stranger.is_refused(&info, ""), "what is allowed is not refused");
    let after = stranger.ask(&info, &serde_json::json!({}))["state"].clone();
    // Alerting may have recorded something meanwhile; removed is nothing.
    assert_eq!(after["first_seq"], before["first_seq"]);
    assert_eq!(after["messages"], after["last_seq"], "{after}");
    assert!(after["last_seq"].as_u64() >= before["last_seq"].as_u64(), "{after}");
    let recorded = all_events(system.http());
    assert!(
        recorded
            .iter()
            .all(|event| event["subject"] != "di-an" || event["type"] != "planwatch.report-submitted.v1")
    );
    assert!(before["messages"].as_u64().unwrap() >= 32, "the plan and its targets: {before}");
}
