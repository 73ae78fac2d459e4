//! What a service says on standard error: one line for each thing that happened, for people or as JSON.

use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The environment variable that says how much is logged, as in `info,bus=debug`.
pub const FILTER_VARIABLE: &str = "PLANWATCH_LOG";

const DEFAULT_FILTER: &str = "info,async_nats=warn,sled=warn";

/// The form of log lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON object for each line.
    Json,
}

/// Starts logging to standard error. A second call changes nothing.
pub fn start(format: Format) {
    let filter = EnvFilter::try_from_env(FILTER_VARIABLE).unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    // Only the first subscriber of a process can be installed, and the first one is the one that was meant.
    let _already_installed = match format {
        Format::Human => registry.with(lines.with_ansi(colours)).try_init(),
        Format::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
}
