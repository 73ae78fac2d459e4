//! `planwatch log import`: a data directory from a bundle.

use super::verify;
use crate::adopt;
use crate::exit::{Exit, Failure, Outcome};
use crate::fresh_data::{FreshData, tell_about_the_clock};
use crate::log_directory::holds_journal;
use crate::output;
use crate::progress::while_working;
use crate::public_keys::KeyArguments;
use anyhow::Context;
use clap::Args;
use event_log::ImportReport;
use event_log::files::RealFiles;
use evidence::VerifierKey;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Which bundle, and where to.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The bundle
    bundle: PathBuf,
    /// The data directory that is made: one that is not there yet, or empty
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    keys: KeyArguments,
    /// Take a bundle that nobody signed
    #[arg(long, conflicts_with = "vkeys")]
    unsigned: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Makes the directory, once the bundle verified whole.
pub(super) fn run(arguments: &Arguments) -> Outcome {
    let keys = arguments.keys.read()?;
    let bundle = &arguments.bundle;
    if keys.is_empty() != arguments.unsigned {
        return Err(Failure::usage(
            "give the log's public key with --vkey; --unsigned takes a bundle that nobody signed",
        ));
    }
    if !bundle.is_dir() {
        return Err(Failure::unreachable(anyhow::anyhow!("there is no directory `{}`", bundle.display())));
    }
    if holds_journal(bundle) {
        return Err(Failure::refused(anyhow::anyhow!(
            "`{}` is a log, no bundle: make one of it with `planwatch log export`",
            bundle.display()
        )));
    }
    let checked = while_working("checking the bundle", || verify::bundle(bundle, &keys))?;
    if let Some(first) = checked.first_problem() {
        checked.print(arguments.json)?;
        output::say(format_args!("nothing was imported: {first}"));
        return Ok(Exit::Refused);
    }
    let fresh = FreshData::begin(&arguments.to)?;
    match while_working("importing", || import(&fresh, bundle, &keys)) {
        Ok(report) => {
            let place = fresh.finish()?;
            tell(arguments, &place, &report)
        }
        Err(error) => {
            fresh.give_up();
            Err(Failure::refused(error))
        }
    }
}

fn import(fresh: &FreshData, bundle: &Path, keys: &[VerifierKey]) -> anyhow::Result<ImportReport> {
    let plan = event_log::verify_bundle(&RealFiles, bundle, keys).context("cannot read the bundle")?.plan;
    fresh.import(bundle, &plan, keys)
}

fn tell(arguments: &Arguments, place: &Path, report: &ImportReport) -> Outcome {
    let plan = &report.bundle.plan;
    if arguments.json {
        output::json(&json!({
            "data": place, "plan": plan, "head": report.head, "root": report.root.to_string(),
            "signed": report.bundle.signed(),
        }));
    } else {
        output::line(format_args!(
            "{}: {} events of the log of `{plan}`, root {}",
            place.display(),
            report.head,
            report.root
        ));
    }
    let file = if adopt::is_embedded(plan) { "" } else { " --plan FILE (the plan's file)" };
    output::say(format_args!("start it with: planwatch up --data {}{file}", place.display()));
    tell_about_the_clock(place, report.recorded_at);
    Ok(Exit::Done)
}
