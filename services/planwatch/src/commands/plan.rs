//! `planwatch plan`: says what is wrong with a plan file, and amends the plan that was adopted.

mod amend;

use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};

/// What to do with a plan.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a plan file; every mistake is named with line, key and remedy
    Check {
        /// The plan file (TOML)
        file: PathBuf,
        /// Print what was read, or the mistakes, as JSON
        #[arg(long)]
        json: bool,
    },
    /// Give keys of the adopted plan other values, after showing what that changes
    Amend(Box<amend::Amend>),
}

/// Checks a plan file, or amends the plan.
pub fn run(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Check { file, json } => check(file, *json),
        Command::Amend(amend) => amend::run(amend),
    }
}

fn check(file: &Path, json: bool) -> Outcome {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the plan `{}`", file.display()))?;
    let name = file.display().to_string();
    match plan::file::read(&name, &text) {
        Ok(plan) => {
            let targets: usize = plan.indicators.iter().map(|indicator| indicator.targets.len()).sum();
            let (indicators, districts) = (plan.indicators.len(), plan.districts().count());
            if json {
                output::json(&json!({
                    "ok": true, "plan": plan.id, "digest": plan.digest(), "indicators": indicators,
                    "measures": plan.measures.len(), "targets": targets, "districts": districts,
                }));
            } else {
                output::line(format_args!(
                    "{name}: the plan `{}` is in order: {indicators} indicators, {targets} targets, {districts} districts",
                    plan.id
                ));
            }
            Ok(Exit::Done)
        }
        Err(errors) => {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            let detail = format!("{name}: {} places are wrong", errors.len());
            let errors = errors
                .iter()
                .map(|error| {
                    json!({"file": error.file, "line": error.line, "column": error.column, "key": error.key,
                        "reason": error.what, "remedy": error.remedy})
                })
                .collect();
            Err(Failure::refused(anyhow::anyhow!("{}", lines.join("\n"))).with_errors(detail, errors))
        }
    }
}
