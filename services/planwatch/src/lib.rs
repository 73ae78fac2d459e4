//! The executable: subcommands, composition and the supervisor.
//!
//! Only this crate names the services. Each subcommand is a module of [`commands`]; what they share is
//! beside it: the HTTP [`client`], the [`supervisor`], the [`data_directory`] of an installation, and
//! reports as [`report_files`].

pub mod adopt;
pub mod arguments;
pub mod backup_folder;
pub mod client;
pub mod commands;
pub mod data_directory;
pub mod event_stream;
pub mod exit;
pub mod findings;
pub mod fresh_data;
pub mod installation;
pub mod interruption;
pub mod journal_extent;
pub mod log_directory;
pub mod log_place;
pub mod moment;
pub mod nats_server;
pub mod output;
pub mod private_file;
pub mod progress;
pub mod public_keys;
pub mod report_files;
pub mod sample;
pub mod service_configs;
pub mod signing_keys;
pub mod supervisor;

use arguments::Arguments;
use exit::Exit;
use std::process::ExitCode;

/// Reads the command line, carries the command out, and says what failed.
pub fn main() -> ExitCode {
    let (arguments, as_json) = Arguments::read();
    match arguments::run(arguments) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::failure(&failure.error);
            // One way for all commands: a program reads what was refused where it reads the data.
            if as_json && failure.exit == Exit::Refused {
                output::json(&failure.document());
            }
            failure.exit.into()
        }
    }
}
