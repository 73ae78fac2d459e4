//! Interleaved rounds: every measurement a process of its own, every round through all systems.

use crate::arguments::Load;
use crate::bounds::{Bounds, MEASUREMENT_PATIENCE_SECONDS};
use crate::disk;
use crate::figures::Figures;
use crate::process;
use crate::scratch::Scratch;
use crate::system::System;
use crate::systems::{SERVER_PID_NAME, find_server};
use crate::table;
use crate::workload::Workload;
use anyhow::{Context, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long the disk alone is measured, before each workload of each round.
const DISK_TIME: Duration = Duration::from_millis(500);
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// All figures of a run.
pub(crate) struct Measured {
    pub(crate) rows: Vec<Row>,
    /// The systems' sizes after what is read back was written.
    pub(crate) filled: Vec<(System, Figures)>,
    /// 4 KiB appended and synchronised, a second; of all rounds.
    pub(crate) disk: Vec<u64>,
    /// The machine's load at the beginning of each round, in hundredths.
    pub(crate) load: Vec<u64>,
}

/// One workload on one system, one figure for each round.
pub(crate) struct Row {
    pub(crate) workload: Workload,
    pub(crate) system: System,
    pub(crate) figures: Vec<Figures>,
}

/// Measures what was asked for and prints it.
pub(crate) fn run(load: &Load) -> anyhow::Result<()> {
    let mut bounds = Bounds::of(load);
    let scratch = Scratch::new(load.scratch.as_deref())?;
    process::complain(&format!("peers: {}", bounds.check(load, scratch.path())?));
    let is_jetstream = |system: &System| matches!(system, System::Jetstream | System::JetstreamAlways);
    if bounds.systems.iter().any(is_jetstream)
        && let Err(error) = find_server()
    {
        process::complain(&format!("peers: leaving JetStream out: {error:#}"));
        bounds.systems.retain(|system| !is_jetstream(system));
    }
    let rounds = Rounds { load, bounds, scratch };
    let measured = rounds.measure()?;
    table::print(load, &rounds.bounds, &measured)
}

struct Rounds<'a> {
    load: &'a Load,
    bounds: Bounds,
    scratch: Scratch,
}

impl Rounds<'_> {
    fn measure(&self) -> anyhow::Result<Measured> {
        let mut measured =
            Measured { rows: self.rows(), filled: Vec::new(), disk: Vec::new(), load: Vec::new() };
        if self.bounds.reads() {
            for system in self.bounds.systems.iter().copied() {
                if system.takes(Workload::Fill, self.load.size) {
                    let figures = self.child(system, Workload::Fill, &self.filled(system))?;
                    measured.filled.push((system, figures));
                }
            }
        }
        for round in 0..self.load.rounds {
            measured.load.extend(process::load_hundredths());
            process::complain(&format!("peers: round {} of {}", round + 1, self.load.rounds));
            for workload in self.bounds.workloads.iter().copied() {
                measured.disk.push(disk::rate(self.scratch.path(), DISK_TIME)?);
                for system in self.order(round) {
                    let row =
                        measured.rows.iter_mut().find(|row| row.workload == workload && row.system == system);
                    if let Some(row) = row {
                        row.figures.push(self.one(system, workload)?);
                    }
                }
            }
        }
        Ok(measured)
    }

    /// The combinations that say anything.
    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for workload in self.bounds.workloads.iter().copied() {
            for system in self.bounds.systems.iter().copied() {
                if system.takes(workload, self.load.size) {
                    rows.push(Row { workload, system, figures: Vec::new() });
                }
            }
        }
        rows
    }

    /// The systems, beginning with another one in each round.
    fn order(&self, round: u32) -> Vec<System> {
        let mut systems = self.bounds.systems.clone();
        let length = systems.len();
        systems.rotate_left(round as usize % length);
        systems
    }

    fn filled(&self, system: System) -> PathBuf {
        self.scratch.path().join(format!("filled-{}", system.name()))
    }

    fn one(&self, system: System, workload: Workload) -> anyhow::Result<Figures> {
        if workload.shape().is_none() {
            return self.child(system, workload, &self.filled(system));
        }
        let directory = self.scratch.path().join("appended");
        let figures = self.child(system, workload, &directory);
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            Ok(()) | Err(_) => figures,
        }
    }

    fn child(&self, system: System, workload: Workload, directory: &Path) -> anyhow::Result<Figures> {
        let what = || format!("{} of {}", workload.name(), system.name());
        let result = self.scratch.path().join("result.json");
        let said = self.scratch.path().join("said");
        let mut child = Command::new(std::env::current_exe()?);
        child.arg("measure").args(["--system", &system.name(), "--workload", &workload.name()]);
        child.args(["--size", self.load.size.name(), "--seconds", &self.load.seconds.to_string()]);
        child.args(["--events", &self.load.events.to_string()]);
        child.arg("--directory").arg(directory).arg("--result").arg(&result);
        child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&said)?);
        let mut child = child.spawn().with_context(what)?;
        let begun = Instant::now();
        let patience = Duration::from_secs(u64::from(self.load.seconds) + MEASUREMENT_PATIENCE_SECONDS);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if begun.elapsed() > patience {
                child.kill()?;
                child.wait()?;
                end_server(directory);
                bail!("{} took more than {} s", what(), patience.as_secs());
            }
            std::thread::sleep(LOOK_PAUSE);
        };
        if !status.success() {
            end_server(directory);
            bail!("{} failed: {}", what(), fs::read_to_string(&said).unwrap_or_default().trim());
        }
        let figures = serde_json::from_slice(&fs::read(&result).with_context(what)?).with_context(what)?;
        fs::remove_file(&result)?;
        Ok(figures)
    }
}

/// Ends the server that a measurement left behind, if it did.
fn end_server(directory: &Path) {
    let Ok(text) = fs::read_to_string(directory.join(SERVER_PID_NAME)) else { return };
    let Ok(pid) = text.trim().parse::<u32>() else { return };
    // The id may belong to another process by now: it is ended only if it runs on that directory.
    let runs_here = fs::read(format!("/proc/{pid}/cmdline"))
        .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&*directory.to_string_lossy()));
    if runs_here && let Err(error) = process::end(pid) {
        process::complain(&format!("peers: {error:#}"));
    }
}
