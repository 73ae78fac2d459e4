//! `planwatch ingestion|projection|alerting|console|witness`: one service by itself.

use crate::exit::{Exit, Failure, Outcome};
use anyhow::Context;
use clap::Args;
use service::logging::{self, Format};
use service::{DEFAULT_GRACE, Ended, Metrics, Running};
use std::future::Future;
use std::path::{Path, PathBuf};

/// Which configuration, and under whom.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The service's configuration
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Write log lines as JSON
    #[arg(long)]
    pub log_json: bool,
    /// Die with the supervisor of this process id
    #[arg(long, value_name = "PID", hide = true)]
    pub supervised: Option<u32>,
}

/// The services, by the word of their subcommand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Admits, records, mirrors.
    Ingestion,
    /// Answers queries.
    Projection,
    /// Raises and resolves alerts.
    Alerting,
    /// API and pages.
    Console,
    /// Follows logs and cosigns.
    Witness,
}

impl Service {
    /// The name of the service.
    pub fn name(self) -> &'static str {
        match self {
            Service::Ingestion => "ingestion",
            Service::Projection => "projection",
            Service::Alerting => "alerting",
            Service::Console => "console",
            Service::Witness => "witness",
        }
    }
}

/// Reads the configuration of a service without starting it.
pub fn check_config(service: Service, file: &Path) -> anyhow::Result<()> {
    match service {
        Service::Ingestion => drop(read_ingestion(file)?),
        Service::Projection => drop(read_projection(file)?),
        Service::Alerting => drop(read_alerting(file)?),
        Service::Console => drop(read_console(file)?),
        Service::Witness => witness::check(&read_witness(file)?)?,
    }
    Ok(())
}

fn read_ingestion(file: &Path) -> anyhow::Result<ingestion::Config> {
    let mut config: ingestion::Config = service::config::read(file)?;
    service::config::resolve(file, &mut config.data);
    if let Some(plan_file) = &mut config.plan_file {
        service::config::resolve(file, plan_file);
    }
    Ok(config)
}

fn read_projection(file: &Path) -> anyhow::Result<projection::Config> {
    let mut config: projection::Config = service::config::read(file)?;
    service::config::resolve(file, &mut config.data);
    Ok(config)
}

fn read_alerting(file: &Path) -> anyhow::Result<alerting::Config> {
    let mut config: alerting::Config = service::config::read(file)?;
    service::config::resolve(file, &mut config.data);
    Ok(config)
}

fn read_console(file: &Path) -> anyhow::Result<console::Config> {
    let mut config: console::Config = service::config::read(file)?;
    config.resolve(file);
    Ok(config)
}

fn read_witness(file: &Path) -> anyhow::Result<witness::Config> {
    let mut config: witness::Config = service::config::read(file)?;
    config.resolve(file);
    Ok(config)
}

/// Runs one service until it is asked to stop.
pub fn run(service: Service, arguments: &Arguments) -> Outcome {
    if let Some(supervisor) = arguments.supervised {
        service::lifetime::die_with_supervisor(supervisor).context("not started")?;
    }
    logging::start(if arguments.log_json { Format::Json } else { Format::Human });
    let file = &arguments.config;
    let name = service.name();
    match service {
        Service::Ingestion => {
            let config = read_ingestion(file)?;
            run_until_stopped(name, async { ingestion::start(config, count()?).await.map_err(Into::into) })
        }
        Service::Projection => {
            let config = read_projection(file)?;
            run_until_stopped(name, async { projection::start(config, count()?).await.map_err(Into::into) })
        }
        Service::Alerting => {
            let config = read_alerting(file)?;
            run_until_stopped(name, async { alerting::start(config, count()?).await.map_err(Into::into) })
        }
        Service::Console => {
            let config = read_console(file)?;
            run_until_stopped(name, async { console::start(config).await.map_err(Into::into) })
        }
        Service::Witness => {
            let config = read_witness(file)?;
            run_until_stopped(name, async { witness::start(config, count()?).await.map_err(Into::into) })
        }
    }
}

fn count() -> anyhow::Result<Metrics> {
    Ok(Metrics::install()?)
}

fn run_until_stopped<R: Running>(name: &str, start: impl Future<Output = anyhow::Result<R>>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the threads of the service")?;
    let ended = runtime.block_on(async {
        let running = start.await.map_err(|error| not_started(name, error))?;
        tracing::info!(service = name, "Started `{name}`");
        let ended = service::run(name, running, DEFAULT_GRACE).await.context("cannot listen for signals")?;
        Ok::<Ended, Failure>(ended)
    });
    // What still runs was given its grace; nothing waits for it.
    runtime.shutdown_background();
    match ended? {
        Ended::Stopped | Ended::CutOff => Ok(Exit::Done),
        Ended::Failed { why } => Err(Failure::refused(anyhow::anyhow!("`{name}` could not go on: {why}"))),
    }
}

/// A bus that does not answer may answer later; anything else has to be put right first.
fn not_started(name: &str, error: anyhow::Error) -> Failure {
    let waits = error.chain().any(|cause| {
        let connect = cause.downcast_ref::<bus::ConnectError>();
        let stream = cause.downcast_ref::<bus::StreamError>();
        matches!(connect, Some(bus::ConnectError::Unreachable { .. } | bus::ConnectError::Lost { .. }))
            || matches!(stream, Some(bus::StreamError::Unavailable { .. }))
    });
    let error = error.context(format!("cannot start {name}"));
    if waits { Failure::unreachable(error) } else { Failure::refused(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_does_not_answer_is_waited_for_and_one_that_differs_is_not() {
        let stream = || "PLANWATCH_BINH_DUONG".to_owned();
        let unavailable = bus::StreamError::Unavailable { stream: stream(), reason: "no answer".into() };
        let differs = bus::StreamError::Differs { stream: stream(), differences: "storage".into() };
        for (error, exit) in [(unavailable, Exit::Unreachable), (differs, Exit::Refused)] {
            let error = anyhow::Error::new(ingestion::StartError::Stream(error));
            assert_eq!(not_started("ingestion", error).exit, exit);
        }
    }
}
