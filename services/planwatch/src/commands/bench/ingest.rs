//! `planwatch bench ingest`: durable reports per second over NATS, with many clients at once.

use super::Size;
use super::figures::{Latencies, per_second};
use super::made_up::MadeUp;
use crate::data_directory::{self, DataDirectory};
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use anyhow::Context;
use bus::{Bus, LogRead};
use clap::Args;
use events::command::{Answer, Operation, Request};
use events::{ActorId, EventData, PlanId, Position, Timestamp};
use plan::Plan;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const REQUEST_LIMIT: Duration = Duration::from_secs(10);
const CLIENTS_LIMIT: u16 = 512;

/// The load.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How many clients ask at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=CLIENTS_LIMIT as i64))]
    clients: u16,
    /// How many reports, all clients together
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// How large each report is
    #[arg(long, value_enum, default_value_t = Size::Small)]
    size: Size,
    /// Record made-up reports although the log is no sample
    #[arg(long)]
    record: bool,
    /// The console's configuration, for its way to the bus [default: the one in the data directory]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory of `up`
    #[arg(long, value_name = "DIR", env = data_directory::DATA_VARIABLE)]
    data: Option<PathBuf>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

struct Measured {
    latencies: Latencies,
    refused: Option<String>,
}

/// Sends the load as the console would and prints what was measured.
pub(super) fn run(arguments: &Arguments) -> Outcome {
    let root = arguments.data.clone().unwrap_or_else(data_directory::default_root);
    let file = arguments.config.clone().unwrap_or_else(|| DataDirectory::at(root).config_file("console"));
    let config: console::Config = service::config::read(&file).map_err(Failure::refused)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the threads of the clients")?;
    runtime.block_on(load(arguments, &config))
}

async fn load(arguments: &Arguments, config: &console::Config) -> Outcome {
    let bus = Bus::connect(&config.bus).await.map_err(Failure::unreachable)?;
    let plan = adopted_plan(&bus, &config.plan, arguments.record).await?;
    let now = Timestamp::now();
    let run = now.as_millisecond().to_string();
    let made_up = Arc::new(MadeUp::new(&plan, now, &run, arguments.size)?);
    let next = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..arguments.clients {
        clients.spawn(ask(
            bus.clone(),
            config.plan.clone(),
            Arc::clone(&made_up),
            Arc::clone(&next),
            arguments.count,
        ));
    }
    let mut latencies = Latencies::default();
    let mut refused = None;
    while let Some(measured) = clients.join_next().await {
        let measured = measured.context("a client panicked")?;
        latencies.extend(measured.latencies);
        refused = refused.or(measured.refused);
    }
    let elapsed = begun.elapsed();
    let recorded = latencies.count() as u64;
    let rate = per_second(recorded, elapsed);
    if arguments.json {
        output::json(&json!({
            "path": "nats", "clients": arguments.clients, "recorded": recorded,
            "failed": arguments.count - recorded, "reports_per_second": rate, "answered": latencies.json(),
        }));
    } else {
        output::line(format_args!(
            "over NATS, {} clients: {recorded} durable reports, {rate} a second\nrequest to answer   {}",
            arguments.clients,
            latencies.text()
        ));
    }
    match refused {
        None => Ok(Exit::Done),
        Some(why) => Err(Failure::refused(anyhow::anyhow!(
            "{} reports were not recorded, the first because {why}",
            arguments.count - recorded
        ))),
    }
}

async fn adopted_plan(bus: &Bus, plan: &PlanId, record: bool) -> Result<Plan, Failure> {
    let asked = LogRead { from: Position(1), limit: 1 };
    let first = bus.log_read(plan, asked).await.map_err(Failure::unreachable)?;
    let first = first.first().context("the log is empty")?;
    let recorded = events::wire::read(&first.bytes).context("the log's first event cannot be read")?;
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

async fn ask(bus: Bus, plan: PlanId, made_up: Arc<MadeUp>, next: Arc<AtomicU64>, count: u64) -> Measured {
    let mut measured = Measured { latencies: Latencies::default(), refused: None };
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        if index >= count {
            return measured;
        }
        let request = Request {
            operation: Operation::SubmitReport,
            actor: ActorId::parse("operator-bench").expect("it is a slug"),
            may_enter_history: false,
            request_id: None,
            idempotency_key: None,
            traceparent: None,
            decided_at: None,
            dry_run: false,
            subject: None,
            body: made_up.report(index).to_string(),
        };
        let payload = serde_json::to_vec(&request).expect("a request is plain data");
        let begun = Instant::now();
        let answer = bus.request(&plan, "ingestion", "submit", payload.into(), REQUEST_LIMIT).await;
        let refused = match answer.map(|answer| serde_json::from_slice::<Answer>(&answer)) {
            Ok(Ok(Answer::Recorded(_))) => {
                measured.latencies.add(begun.elapsed());
                continue;
            }
            Ok(Ok(Answer::Refused(refusal))) => refusal.detail,
            Ok(Ok(Answer::Checked(_) | Answer::AmendmentChecked(_))) => "it was only checked".to_owned(),
            Ok(Err(error)) => format!("the answer cannot be read: {error}"),
            Err(error) => error.to_string(),
        };
        measured.refused.get_or_insert(refused);
    }
}
