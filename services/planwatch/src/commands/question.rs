//! What every question about figures may name: the moment, and how the answer is printed.

use crate::client::ServerArguments;
use crate::exit::Failure;
use crate::moment::Moment;
use clap::Args;
use serde_json::Value;

/// When, and where to ask.
#[derive(Debug, Args)]
pub(crate) struct QuestionArguments {
    /// What held officially at this date (YYYY-MM-DD or RFC 3339)
    #[arg(long, value_name = "DATE", value_parser = Moment::parse)]
    as_of: Option<Moment>,
    /// What was known at this date (YYYY-MM-DD or RFC 3339)
    #[arg(long, value_name = "DATE", value_parser = Moment::parse)]
    known_at: Option<Moment>,
    /// Wait until the answer includes this position of the log
    #[arg(long, value_name = "N")]
    at_least: Option<u64>,
    /// Print the server's answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

impl QuestionArguments {
    /// Asks about a unit and an indicator, where they are named, at the moment.
    pub(crate) fn ask(
        &self,
        path: &str,
        unit: Option<&str>,
        indicator: Option<&str>,
    ) -> Result<Value, Failure> {
        let moment = |moment: &Option<Moment>| moment.as_ref().map(|moment| moment.text().to_owned());
        let query = [
            ("unit", unit.map(str::to_owned)),
            ("indicator", indicator.map(str::to_owned)),
            ("as_of", moment(&self.as_of)),
            ("known_at", moment(&self.known_at)),
            ("at_least", self.at_least.map(|position| position.to_string())),
        ];
        self.server.client()?.get(path, &query)?.value()
    }
}
