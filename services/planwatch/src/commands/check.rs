//! `planwatch check`: says what is wrong with a configuration.

use super::serve::{Service, check_config};
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use clap::{Args, ValueEnum};
use serde_json::json;
use service::ConfigError;
use std::path::PathBuf;

/// Which configuration.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The configuration file of a service
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Whose it is [default: the service after which the file is named]
    #[arg(long, value_enum)]
    service: Option<ServiceName>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// A service, as it is written on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ServiceName {
    Ingestion,
    Projection,
    Alerting,
    Console,
    Witness,
}

impl From<ServiceName> for Service {
    fn from(name: ServiceName) -> Service {
        match name {
            ServiceName::Ingestion => Service::Ingestion,
            ServiceName::Projection => Service::Projection,
            ServiceName::Alerting => Service::Alerting,
            ServiceName::Console => Service::Console,
            ServiceName::Witness => Service::Witness,
        }
    }
}

/// Reads the configuration as the service would; nothing is started.
pub fn run(arguments: &Arguments) -> Outcome {
    let file = &arguments.config;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let named = || ServiceName::from_str(&stem, true).ok();
    let service: Service = arguments.service.or_else(named).map(Service::from).ok_or_else(|| {
        Failure::usage(format_args!(
            "`{}` is not named after a service: say whose configuration it is with --service",
            file.display()
        ))
    })?;
    check_config(service, file).map_err(refused)?;
    if arguments.json {
        output::json(&json!({"ok": true, "file": file, "service": service.name()}));
    } else {
        output::say(format_args!("{}: {} can start with it", file.display(), service.name()));
    }
    Ok(Exit::Done)
}

/// The refusal, with its place and its remedy by themselves where a place in the file is wrong.
fn refused(error: anyhow::Error) -> Failure {
    let told = match error.downcast_ref() {
        Some(ConfigError::Wrong { file, line, key, what, remedy }) => {
            vec![json!({"file": file, "line": line, "key": key, "reason": what, "remedy": remedy})]
        }
        Some(ConfigError::Read { .. } | ConfigError::TooLarge { .. }) | None => Vec::new(),
    };
    let detail = error.to_string();
    Failure::refused(error).with_errors(detail, told)
}
