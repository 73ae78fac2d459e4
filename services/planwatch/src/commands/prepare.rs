//! `planwatch prepare`: begins the log of an ingestion that has none.

use crate::adopt::{self, Beginning, Prepared};
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;

/// What the log begins with.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The configuration of ingestion
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The plan to adopt [default: the embedded plan of Bình Dương]
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Load the sample history as well
    #[arg(long)]
    sample: bool,
    /// Refuse where the log has adopted another text of the plan
    #[arg(long)]
    must_agree: bool,
    /// Die with the supervisor of this process id
    #[arg(long, value_name = "PID", hide = true)]
    supervised: Option<u32>,
}

/// Begins the log where there is none. It holds sled, so `up` runs it as a process of its own.
pub fn run(arguments: Arguments) -> Outcome {
    if let Some(supervisor) = arguments.supervised {
        service::lifetime::die_with_supervisor(supervisor).context("not started")?;
    }
    service::logging::start(service::logging::Format::Human);
    let mut config: ingestion::Config = service::config::read(&arguments.config).map_err(Failure::refused)?;
    service::config::resolve(&arguments.config, &mut config.data);
    if let Some(keys) = &mut config.keys {
        service::config::resolve(&arguments.config, keys);
        adopt::none_was_signed(&config.data, keys, &config.plan)?;
    }
    let plan = match &arguments.plan {
        None => adopt::read_plan(adopt::BINH_DUONG_NAME, adopt::BINH_DUONG)?,
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the plan `{}`", file.display()))?;
            adopt::read_plan(&file.display().to_string(), &text)?
        }
    };
    adopt::same_plan(&config.plan, &plan.id)?;
    let beginning = if arguments.sample { Beginning::Sample } else { Beginning::Empty };
    let prepared = adopt::prepare(&config.data, &plan, beginning, arguments.must_agree)?;
    let supervised = arguments.supervised.is_some();
    output::say(match prepared {
        // What is as it was is not worth a line among those of `up`.
        Prepared::AlreadyThere if supervised => return Ok(Exit::Done),
        Prepared::AlreadyThere => format!("the log of `{}` is there already", plan.id),
        Prepared::Adopted => format!("adopted the plan `{}`", plan.id),
        Prepared::SampleLoaded { head } => {
            format!("adopted the plan `{}` and loaded its sample history, {head} events", plan.id)
        }
    });
    Ok(Exit::Done)
}
