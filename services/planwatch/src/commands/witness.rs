//! `planwatch witness`: a witness by itself, and the key that one begins with.

use super::serve::{self, Service};
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use anyhow::Context;
use clap::{Args, Subcommand};
use evidence::{KeyName, SEED_BYTES};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Run a witness, or make its key.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// The witness's configuration
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write log lines as JSON
    #[arg(long)]
    log_json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The witness's key
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a witness's directory with a new key in it, and print the public key
    New {
        /// The witness's name: an address without `https://`, such as `witness.example.vn/1`
        #[arg(long)]
        name: String,
        /// The directory, which the configuration then names as `data`
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Carries the subcommand out, or runs the witness until it is asked to stop.
pub fn run(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Some(Command::Key { command: KeyCommand::New { name, out, json } }) => new_key(name, out, *json),
        None => {
            let config = arguments.config.clone();
            let config = config.ok_or_else(|| {
                Failure::usage(
                    "say with which configuration, as in `planwatch witness --config witness.toml`",
                )
            })?;
            let arguments = serve::Arguments { config, log_json: arguments.log_json, supervised: None };
            serve::run(Service::Witness, &arguments)
        }
    }
}

fn new_key(name: &str, directory: &Path, as_json: bool) -> Outcome {
    let name = KeyName::parse(name).map_err(Failure::usage)?;
    let mut seed = [0; SEED_BYTES];
    getrandom::fill(&mut seed)
        .map_err(|error| Failure::unreachable(anyhow::anyhow!("the system gives no randomness: {error}")))?;
    let public = witness::make_key(directory, &name, &seed).context("no key was made")?;
    let file = directory.join(witness::KEY_NAME);
    if as_json {
        output::json(&json!({"vkey": public.to_string(), "key_file": file}));
    } else {
        output::line(public);
        output::say(format_args!(
            "`{}` is the private half: leave it there, with what the witness will remember, and make no copy",
            file.display()
        ));
    }
    Ok(Exit::Done)
}
