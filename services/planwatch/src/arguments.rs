//! The command line: every subcommand with its arguments.

use crate::commands::serve::{self, Service};
use crate::commands::{
    alerts, backup, baseline, bench, check, clock, deadline, diff, explain, findings, key, log, plan,
    prepare, replay, report, restore, review, status, supervised_exec, target, unit, up, witness,
};
use crate::exit::Outcome;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

/// Watches a province's learning-society plan: reports in, state and alerts out, every past day at hand.
///
/// Exit codes: 0 done; 1 refused or found wrong; 2 wrong usage; 3 something needed is not reachable.
#[derive(Debug, Parser)]
#[command(name = "planwatch", version, propagate_version = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything on this machine: nats-server, ingestion, projection, alerting and the console
    Up(up::Arguments),
    /// Run ingestion by itself: admits reports and keeps the log
    Ingestion(serve::Arguments),
    /// Run the projection by itself: answers questions about any date
    Projection(serve::Arguments),
    /// Run alerting by itself: raises and resolves alerts
    Alerting(serve::Arguments),
    /// Run the console by itself: API and pages over HTTP
    Console(serve::Arguments),
    /// Run a witness by itself: follows logs of others and cosigns what continues what it saw
    Witness(witness::Arguments),
    /// Begin the log of an ingestion that runs by itself: adopt the plan
    Prepare(prepare::Arguments),
    /// Say what is wrong with a service's configuration
    Check(check::Arguments),
    /// Plan files, and amendments of the adopted plan
    Plan(plan::Arguments),
    /// Submit reports
    Report(report::Arguments),
    /// Change targets
    Target(target::Arguments),
    /// Change units
    Unit(unit::Arguments),
    /// Enter where rates began
    Baseline(baseline::Arguments),
    /// Extend deadlines
    Deadline(deadline::Arguments),
    /// Show state and status of every cell, at any date
    Status(status::Arguments),
    /// Explain one figure: the events and the arithmetic behind it, at any date
    Explain(explain::Arguments),
    /// Show what changed between two dates or positions, cell by cell, and which events did it
    Diff(diff::Arguments),
    /// List what looks wrong in the figures that stand
    Findings(findings::Arguments),
    /// Write the interim or the final review as a document, at any date; check one against the log
    Review(review::Arguments),
    /// List, watch and acknowledge alerts
    Alerts(alerts::Arguments),
    /// Rebuild the state from the log and nothing else
    Replay(replay::Arguments),
    /// Read and check the log itself
    Log(log::Arguments),
    /// Make, list, exchange and retire the keys that sign the log's checkpoints
    Key(key::Arguments),
    /// Write a backup of the log and what belongs to it, of a stopped or a running system
    Backup(backup::Arguments),
    /// Make a data directory from a backup
    Restore(restore::Arguments),
    /// Accept a clock that leapt ahead
    Clock(clock::Arguments),
    /// Measure: load of its own making on a sample system or a scratch log
    Bench(bench::Arguments),
    #[command(hide = true)]
    SupervisedExec(supervised_exec::Arguments),
}

impl Arguments {
    /// Reads the command line, and whether it asks for JSON; a wrong one ends the process with its usage.
    pub fn read() -> (Arguments, bool) {
        let matches = Arguments::command().get_matches();
        let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        (arguments, asks_for_json(&matches))
    }
}

/// Whether the innermost subcommand is given `--json`; not every one takes it.
fn asks_for_json(matches: &ArgMatches) -> bool {
    match matches.subcommand() {
        Some((_, below)) => asks_for_json(below),
        None => matches.try_get_one::<bool>("json").ok().flatten() == Some(&true),
    }
}

/// Carries a command out.
pub fn run(arguments: Arguments) -> Outcome {
    match arguments.command {
        Command::Up(arguments) => up::run(arguments),
        Command::Ingestion(arguments) => serve::run(Service::Ingestion, &arguments),
        Command::Projection(arguments) => serve::run(Service::Projection, &arguments),
        Command::Alerting(arguments) => serve::run(Service::Alerting, &arguments),
        Command::Console(arguments) => serve::run(Service::Console, &arguments),
        Command::Witness(arguments) => witness::run(&arguments),
        Command::Prepare(arguments) => prepare::run(arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Target(arguments) => target::run(&arguments),
        Command::Unit(arguments) => unit::run(&arguments),
        Command::Baseline(arguments) => baseline::run(&arguments),
        Command::Deadline(arguments) => deadline::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Findings(arguments) => findings::run(&arguments),
        Command::Review(arguments) => review::run(&arguments),
        Command::Alerts(arguments) => alerts::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Log(arguments) => log::run(&arguments),
        Command::Key(arguments) => key::run(&arguments),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Restore(arguments) => restore::run(&arguments),
        Command::Clock(arguments) => clock::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::SupervisedExec(arguments) => supervised_exec::run(arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn json_is_asked_for_at_the_innermost_subcommand() {
        for (line, expected) in [
            (&["planwatch", "status", "--json"][..], true),
            (&["planwatch", "alerts", "list", "--json"], true),
            (&["planwatch", "alerts", "list"], false),
            (&["planwatch", "console", "--config", "x"], false),
        ] {
            let matches = Arguments::command().get_matches_from(line);
            assert_eq!(asks_for_json(&matches), expected, "{line:?}");
        }
    }

    #[test]
    fn words_that_can_be_known_to_be_wrong_are_wrong_usage() {
        let target = |review, effective| {
            vec![
                "target",
                "set",
                "--indicator",
                "x",
                "--value",
                "5",
                "--instrument",
                "y",
                "--review",
                review,
                "--effective",
                effective,
            ]
        };
        let is_read = |line: Vec<&str>| {
            Arguments::try_parse_from([vec!["planwatch"], line].concat())
                .map(drop)
                .map_err(|error| error.exit_code())
        };
        for line in [
            vec!["status", "--as-of", "foo"],
            vec!["status", "--known-at", "2025-02-30"],
            vec!["replay", "--to", "2024-02-29T12:00:00"],
            vec!["explain", "--unit", "di-an"],
            vec!["explain", "--unit", "di-an", "--indicator", "life-skills", "--language", "fr"],
            vec!["diff"],
            vec!["diff", "--from", "2025-02-30"],
            vec!["diff", "--from", "2025-01-01", "--from-position", "3"],
            vec!["findings", "--as-of", "soon"],
            vec!["alerts", "list", "--state", "foo"],
            vec!["alerts", "list", "--known-at", "soon"],
            vec!["alerts", "ack", "x", "--note", "y", "--review-by", "soon"],
            target("20x7", "2025-01-01"),
            target("2025", "soon"),
            target("2025", "2025-01-01T00:00:00Z"),
        ] {
            assert_eq!(is_read(line.clone()), Err(2), "{line:?}");
        }
        for line in [
            vec!["status", "--as-of", "2025-12-01", "--known-at", "2025-12-01T00:00:00+07:00"],
            vec!["alerts", "list", "--state", "firing"],
            vec!["diff", "--from-position", "3", "--to", "2025-01-01"],
            target("2027", "2031-01-01"),
        ] {
            assert_eq!(is_read(line.clone()), Ok(()), "{line:?}");
        }
    }
}
