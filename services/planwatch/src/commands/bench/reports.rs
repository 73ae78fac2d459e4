//! `planwatch bench reports`: over HTTP, at a steady rate, from POST to answer, to status, to alert.

use super::Size;
use super::figures::{Latencies, per_second};
use super::made_up::MadeUp;
use crate::client::{Client, ServerArguments};
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use anyhow::Context;
use clap::Args;
use events::{EventData, EventId, Timestamp};
use plan::Plan;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long alerts of the last reports are waited for.
const ALERT_PATIENCE: Duration = Duration::from_secs(3);
const CLIENTS_LIMIT: u16 = 512;

/// The load.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Reports per second, all clients together
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    /// How many clients send at once
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=CLIENTS_LIMIT as i64))]
    clients: u16,
    /// For how many seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// How large each report is
    #[arg(long, value_enum, default_value_t = Size::Real)]
    size: Size,
    /// Record made-up reports although the log is no sample
    #[arg(long)]
    record: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Accepted {
    event: EventId,
    position: u64,
}

#[derive(Default)]
struct Measured {
    answered: Latencies,
    visible: Latencies,
    failed: u64,
}

/// When each recorded report was sent, for the alerts that name it.
type SentAt = Mutex<HashMap<EventId, Instant>>;

/// Sends the load and prints what was measured.
pub(super) fn run(arguments: &Arguments) -> Outcome {
    let client = arguments.server.client()?;
    let plan = adopted_plan(&client, arguments.record)?;
    let now = Timestamp::now();
    let made_up = MadeUp::new(&plan, now, &now.as_millisecond().to_string(), arguments.size)?;
    let total = u64::from(arguments.rate) * u64::from(arguments.seconds);
    let (next, sent_at) = (AtomicU64::new(0), SentAt::default());
    let (alerted, stop) = (Mutex::new(Latencies::default()), Mutex::new(false));
    let begun = Instant::now();
    let mut measured = Measured::default();
    std::thread::scope(|scope| {
        let heard = client.stream(None).ok();
        if let Some(body) = heard {
            let (sent_at, alerted, stop) = (&sent_at, &alerted, &stop);
            scope.spawn(move || hear_alerts(body, sent_at, alerted, stop));
        }
        let clients: Vec<_> = (0..arguments.clients)
            .map(|_| {
                let (client, made_up, next, sent_at) = (client.clone(), &made_up, &next, &sent_at);
                scope.spawn(move || send(&client, made_up, next, total, arguments.rate, begun, sent_at))
            })
            .collect();
        for one in clients {
            let one = one.join().expect("a client does not panic");
            measured.answered.extend(one.answered);
            measured.visible.extend(one.visible);
            measured.failed += one.failed;
        }
        // The listener ends with the first event after this; a last report makes sure that there is one.
        let elapsed = begun.elapsed();
        wait_for_alerts(&alerted);
        *stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        let _ends_the_listener =
            client.post("/api/v1/reports", made_up.report(total).to_string().as_bytes(), None);
        tell(arguments, &measured, &alerted.lock().unwrap_or_else(PoisonError::into_inner), elapsed);
    });
    if measured.answered.count() == 0 {
        return Err(Failure::refused(anyhow::anyhow!("no report was recorded")));
    }
    Ok(Exit::Done)
}

/// The plan that governs the log; made-up reports are for samples and scratch logs only.
fn adopted_plan(client: &Client, record: bool) -> Result<Plan, Failure> {
    let query = [("from", Some("1".to_owned())), ("limit", Some("1".to_owned()))];
    let page: Page = client.get("/api/v1/events", &query)?.json()?;
    let first = page.events.first().context("the log is empty")?;
    let recorded =
        events::wire::read(first.get().as_bytes()).context("the log's first event cannot be read")?;
    let EventData::PlanAdopted(adopted) = recorded.event.data else {
        return Err(Failure::refused(anyhow::anyhow!("the log does not begin with a plan")));
    };
    if !adopted.sample && !record {
        return Err(Failure::usage(
            "this log is no sample, and made-up reports stay in it for ever: say --record if that is meant",
        ));
    }
    Ok(Plan::from_canonical(&adopted.plan).context("the adopted plan cannot be read")?)
}

fn send(
    client: &Client,
    made_up: &MadeUp,
    next: &AtomicU64,
    total: u64,
    rate: u32,
    begun: Instant,
    sent_at: &SentAt,
) -> Measured {
    let mut measured = Measured::default();
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        if index >= total {
            return measured;
        }
        // Each report has its moment: a slow answer makes the next one late, which its latency then shows.
        let due = begun + Duration::from_micros(index * 1_000_000 / u64::from(rate));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let body = made_up.report(index).to_string();
        let accepted: Accepted =
            match client.post("/api/v1/reports", body.as_bytes(), None).and_then(|answer| answer.json()) {
                Ok(accepted) => accepted,
                Err(failure) => {
                    if measured.failed == 0 {
                        output::failure(&failure.error);
                    }
                    measured.failed += 1;
                    continue;
                }
            };
        measured.answered.add(due.elapsed());
        sent_at.lock().unwrap_or_else(PoisonError::into_inner).insert(accepted.event, due);
        let (unit, _) = made_up.unit_and_measure(index);
        let query = [("unit", Some(unit.to_string())), ("at_least", Some(accepted.position.to_string()))];
        match client.get("/api/v1/status", &query) {
            Ok(answer) if answer.status == 200 => measured.visible.add(due.elapsed()),
            Ok(_) | Err(_) => measured.failed += 1,
        }
    }
}

fn hear_alerts(body: impl std::io::Read, sent_at: &SentAt, alerted: &Mutex<Latencies>, stop: &Mutex<bool>) {
    let mut reader = crate::event_stream::StreamReader::new(body);
    while let Some(event) = reader.next_event() {
        if *stop.lock().unwrap_or_else(PoisonError::into_inner) {
            return;
        }
        let because = match events::wire::read(event.data.as_bytes()).map(|recorded| recorded.event.data) {
            Ok(EventData::AlertRaised(raised)) => raised.because,
            Ok(EventData::AlertResolved(resolved)) => resolved.because,
            Ok(_) | Err(_) => continue,
        };
        let sent_at = sent_at.lock().unwrap_or_else(PoisonError::into_inner);
        // The newest of the reports that it rests on is the one that made it.
        if let Some(sent) = because.iter().filter_map(|id| sent_at.get(id)).max() {
            alerted.lock().unwrap_or_else(PoisonError::into_inner).add(sent.elapsed());
        }
    }
}

/// Waits until no further alert has come for a moment.
fn wait_for_alerts(alerted: &Mutex<Latencies>) {
    let count = || alerted.lock().unwrap_or_else(PoisonError::into_inner).count();
    let deadline = Instant::now() + ALERT_PATIENCE;
    let mut before = None;
    while Instant::now() < deadline && before != Some(count()) {
        before = Some(count());
        std::thread::sleep(ALERT_PATIENCE / 10);
    }
}

fn tell(arguments: &Arguments, measured: &Measured, alerted: &Latencies, elapsed: Duration) {
    let recorded = measured.answered.count() as u64;
    let rate = per_second(recorded, elapsed);
    if arguments.json {
        output::json(&json!({
            "path": "http", "clients": arguments.clients, "recorded": recorded, "failed": measured.failed,
            "reports_per_second": rate, "answered": measured.answered.json(),
            "visible_in_status": measured.visible.json(), "visible_in_alerts": alerted.json(),
        }));
        return;
    }
    output::line(format_args!(
        "over HTTP, {} clients: {recorded} reports recorded, {rate} a second, {} failed\n\
         POST to answer   {}\nPOST to status   {}\nPOST to alert    {}",
        arguments.clients,
        measured.failed,
        measured.answered.text(),
        measured.visible.text(),
        alerted.text()
    ));
}
