//! `planwatch supervised-exec`: becomes another program that dies with its supervisor.

use crate::exit::{Failure, Outcome};
use anyhow::Context;
use clap::Args;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Which program, and whose life it shares.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The supervisor's process id
    #[arg(long, value_name = "PID")]
    ppid: u32,
    /// The program and its arguments
    #[arg(required = true, last = true)]
    command: Vec<OsString>,
}

/// Binds this process to its supervisor and then becomes the program; returns only where that fails.
pub fn run(arguments: Arguments) -> Outcome {
    service::lifetime::die_with_supervisor(arguments.ppid).context("not started")?;
    let (program, rest) =
        arguments.command.split_first().ok_or_else(|| Failure::usage("name the program after `--`"))?;
    let error = Command::new(program).args(rest).exec();
    let why = format!("cannot run `{}`", program.to_string_lossy());
    Err(Failure::unreachable(anyhow::Error::new(error).context(why)))
}
