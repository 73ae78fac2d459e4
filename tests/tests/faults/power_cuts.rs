//! The power cut at random places of what a real process does to its files: nothing acknowledged is lost,
//! every directory opens, and no request is there by half.
//!
//! A round records one process, or several one after the other, and cuts the power at ten places, on media of
//! both kinds (see `tests/src/support/power.rs`). `PLANWATCH_ROUNDS` says how many rounds there are of each kind,
//! 1 by default; 20 are 200 cuts. A round that fails prints its seed and keeps the directory that it found broken;
//! `PLANWATCH_SEED` repeats it. What the threads of a process do in which order is not the seed's, so a failure
//! may need several attempts.

mod promise;
mod system;

use crate::rounds;
use event_log::Options;
use promise::Promise;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use tests::support::{
    Chance, Disk, Medium, Record, Recorder, Remains, Trace, What, is_repeating, quick_folder, seed,
};

/// How many rounds there are unless more are asked for.
const FEW_ROUNDS: u32 = 1;
const CUTS_OF_A_TRACE: u32 = 10;
const LARGE_JOURNAL_FILES: u64 = 64 * 1024 * 1024;

/// One round: its processes, and what they promised.
struct Round {
    repeat: Repeat,
    chance: Chance,
    recorder: Recorder,
    home: TempDir,
    journal_file_bytes: u64,
}

/// Says how a round is repeated, if it fails.
struct Repeat {
    test: &'static str,
    seed: u64,
}

impl Drop for Repeat {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "to repeat it: PLANWATCH_SEED={} cargo test -p tests --test faults -- --exact power_cuts::{}",
                self.seed, self.test
            );
        }
    }
}

/// How a process is recorded.
struct Run<'a> {
    kind: &'a str,
    /// Ends without a word at its so-many-th synchronisation.
    dies_at_sync: Option<u64>,
    /// Compacts full files of the journal in the background.
    compacts: bool,
}

impl Run<'_> {
    fn of(kind: &str) -> Run<'_> {
        Run { kind, dies_at_sync: None, compacts: true }
    }
}

impl Round {
    /// The directory that is recorded; the log is a directory in it.
    fn root(&self) -> &Path {
        self.home.path()
    }

    fn log(&self) -> PathBuf {
        self.root().join("log")
    }

    fn options(&self) -> Options {
        Options {
            journal_file_limit_bytes: self.journal_file_bytes,
            compacts_journal: false,
            ..Options::default()
        }
    }

    /// Starts afresh with what a cut left.
    fn begin_with(&mut self, remains: &Remains) {
        self.home = quick_folder();
        remains.write_to(self.home.path());
    }

    /// Runs a workload on the log; gives everything that happened since the trace was forgotten.
    #[track_caller]
    fn run(&mut self, run: &Run<'_>) -> Trace {
        let mut command = Command::new(env!("CARGO_BIN_EXE_log-workload"));
        command
            .arg(run.kind)
            .arg(self.log())
            .arg(self.chance.any().to_string())
            .arg(self.journal_file_bytes.to_string())
            .arg(run.compacts.to_string())
            .envs(self.recorder.environment(self.root()));
        if let Some(sync) = run.dies_at_sync {
            command.env("PLANWATCH_TEST_TRACE_DIE", sync.to_string());
        }
        let output = command.output().unwrap();
        let died = run.dies_at_sync.is_some() && output.status.code() == Some(137);
        assert!(output.status.success() || died, "{}", String::from_utf8_lossy(&output.stderr));
        self.recorder.read()
    }

    /// Runs a workload that nothing is cut of: what it wrote is on the disk.
    fn prepare(&mut self, kind: &str, promise: &mut Promise) {
        self.recorder.forget();
        let trace = self.run(&Run { compacts: false, ..Run::of(kind) });
        promise.learn(&trace.records);
        self.recorder.forget();
    }

    /// Cuts the power somewhere, and gives what is left with what was promised until then.
    fn cut(&mut self, disk: &Disk, records: &[Record], promise: &Promise) -> (Remains, Promise, String) {
        let place = self.place(records);
        let medium = if self.chance.percent(50) { Medium::Ordered } else { Medium::Nasty };
        self.cut_at(place, medium, disk, records, promise)
    }

    fn cut_at(
        &mut self,
        place: usize,
        medium: Medium,
        disk: &Disk,
        records: &[Record],
        promise: &Promise,
    ) -> (Remains, Promise, String) {
        let mut promise = promise.clone();
        promise.learn(&records[..place]);
        let remains = disk.cut(&records[..place], medium, &mut self.chance);
        (remains, promise, format!("{medium:?}, behind {place} of {}", records.len()))
    }

    /// A place to cut at: anywhere, while it opens, while it commits, or around what matters.
    fn place(&mut self, records: &[Record]) -> usize {
        let whole = records.len();
        let matters =
            |record: &Record| matches!(record.what, What::Sync(_) | What::Rename(..) | What::Create(_));
        let until_opened = records.iter().position(|record| says(record, "open")).unwrap_or(whole);
        let moments: Vec<usize> = (0..whole).filter(|index| matters(&records[*index])).collect();
        match self.chance.between(0, 9) {
            0..=2 => self.chance.index(until_opened + 1),
            3..=5 => self.place_in_a_commit(records),
            6..=7 if !moments.is_empty() => moments[self.chance.index(moments.len())] + self.chance.index(2),
            _ => self.chance.index(whole + 1),
        }
    }

    /// A place between the beginning of a commit and its acknowledgement; the end where there is none.
    fn place_in_a_commit(&mut self, records: &[Record]) -> usize {
        let whole = records.len();
        let commits: Vec<usize> = (0..whole).filter(|index| says(&records[*index], "begin")).collect();
        if commits.is_empty() {
            return whole;
        }
        let begin = commits[self.chance.index(commits.len())] + 1;
        let end = (begin..whole).find(|index| says(&records[*index], "done")).map_or(whole, |done| done + 1);
        begin + self.chance.index(end - begin + 1)
    }

    /// Holds what is left to what was promised.
    #[track_caller]
    fn check(&self, remains: &Remains, promise: &Promise, cut: &str) {
        let folder = quick_folder();
        remains.write_to(folder.path());
        if let Err(broken) = promise.check(&folder.path().join("log"), &self.options()) {
            let kept = tempfile::tempdir().unwrap().keep();
            remains.write_to(&kept);
            panic!(
                "{cut}: {broken}\nseed {}; what was left is in {}: {remains:?}",
                self.repeat.seed,
                kept.display()
            );
        }
    }

    /// Records a workload and cuts it at ten places.
    #[track_caller]
    fn record_and_cut(&mut self, run: &Run<'_>, promise: &Promise) {
        let disk = Disk::read(self.root());
        let trace = self.run(run);
        self.cut_at_ten_places(&disk, &trace, promise);
    }

    #[track_caller]
    fn cut_at_ten_places(&mut self, disk: &Disk, trace: &Trace, promise: &Promise) {
        assert_eq!(disk.after(&trace.records), Remains::read(self.root()), "everything was recorded");
        for _ in 0..CUTS_OF_A_TRACE {
            let (remains, promise, cut) = self.cut(disk, &trace.records, promise);
            self.check(&remains, &promise, &cut);
        }
    }
}

fn says(record: &Record, word: &str) -> bool {
    matches!(&record.what, What::Mark(text) if text.starts_with(word))
}

/// From where the first compacted file is begun to a little behind where the last one took its place.
fn while_it_compacts(records: &[Record]) -> Range<usize> {
    let is_compacted = |path: &Path| path.ends_with("compacted.tmp");
    let began =
        records.iter().position(|record| matches!(&record.what, What::Create(path) if is_compacted(path)));
    let ended = records
        .iter()
        .rposition(|record| matches!(&record.what, What::Rename(from, _) if is_compacted(from)));
    let Some((began, ended)) = began.zip(ended) else { return 0..0 };
    began..(ended + 4).min(records.len() + 1)
}

/// Runs the rounds of one kind.
#[track_caller]
fn each_round(test: &'static str, journal_file_bytes: u64, mut body: impl FnMut(&mut Round)) {
    for round in 0..if is_repeating() { 1 } else { u64::from(rounds(FEW_ROUNDS)) } {
        let Some(recorder) = Recorder::build() else { return };
        let seed = seed() + round;
        let mut chance = Chance::new(seed);
        // On the real disk the threads of the process take turns in another way.
        let home = if chance.percent(20) { tempfile::tempdir().unwrap() } else { quick_folder() };
        let repeat = Repeat { test, seed };
        body(&mut Round { repeat, chance, recorder, home, journal_file_bytes });
    }
}

#[test]
fn commits_of_one_event() {
    each_round("commits_of_one_event", LARGE_JOURNAL_FILES, |round| {
        round.record_and_cut(&Run::of("single"), &Promise::nothing());
    });
}

#[test]
fn commits_of_many_events() {
    each_round("commits_of_many_events", LARGE_JOURNAL_FILES, |round| {
        let mut promise = Promise::nothing();
        if round.chance.percent(50) {
            round.prepare("single", &mut promise);
        }
        round.record_and_cut(&Run::of("many"), &promise);
    });
}

/// A commit so large that it is several frames, on the medium that may keep the later one without the earlier.
#[test]
fn commits_of_several_frames() {
    each_round("commits_of_several_frames", LARGE_JOURNAL_FILES, |round| {
        let disk = Disk::read(round.root());
        let trace = round.run(&Run::of("frames"));
        assert_eq!(disk.after(&trace.records), Remains::read(round.root()), "everything was recorded");
        for _ in 0..CUTS_OF_A_TRACE {
            let place = round.place_in_a_commit(&trace.records);
            let nothing = Promise::nothing();
            let (remains, promise, cut) = round.cut_at(place, Medium::Nasty, &disk, &trace.records, &nothing);
            round.check(&remains, &promise, &cut);
        }
    });
}

#[test]
fn small_journal_files() {
    each_round("small_journal_files", 0, |round| {
        round.journal_file_bytes = round.chance.between(500, 8_000);
        let mut promise = Promise::nothing();
        if round.chance.percent(50) {
            round.prepare("single", &mut promise);
        }
        round.record_and_cut(&Run::of("single"), &promise);
    });
}

#[test]
fn a_copy_of_another_log() {
    each_round("a_copy_of_another_log", LARGE_JOURNAL_FILES, |round| {
        if round.chance.percent(30) {
            round.journal_file_bytes = round.chance.between(500, 20_000);
        }
        let mut promise = Promise::nothing();
        if round.chance.percent(50) {
            round.prepare("copy", &mut promise);
        }
        round.record_and_cut(&Run::of("copy"), &promise);
    });
}

/// The power fails again while the log recovers from the cut before, up to three times.
#[test]
fn cuts_while_it_recovers() {
    const LEVELS: usize = 3;
    each_round("cuts_while_it_recovers", LARGE_JOURNAL_FILES, |round| {
        for _ in 0..CUTS_OF_A_TRACE {
            round.journal_file_bytes =
                if round.chance.percent(50) { round.chance.between(500, 8_000) } else { LARGE_JOURNAL_FILES };
            round.home = quick_folder();
            let mut promise = Promise::nothing();
            let mut kind = if round.chance.percent(15) { "many" } else { "single" };
            let mut cuts = Vec::new();
            for _ in 0..=LEVELS {
                round.recorder.forget();
                let disk = Disk::read(round.root());
                let trace = round.run(&Run::of(kind));
                let (remains, promised, cut) = round.cut(&disk, &trace.records, &promise);
                promise = promised;
                cuts.push(cut);
                round.check(&remains, &promise, &cuts.join("; "));
                round.begin_with(&remains);
                kind = if round.chance.percent(50) { "open" } else { "single" };
            }
        }
    });
}

/// The index is behind, gone, or damaged, and is made again when the power fails.
#[test]
fn an_index_that_is_being_made_again() {
    each_round("an_index_that_is_being_made_again", LARGE_JOURNAL_FILES, |round| {
        if round.chance.percent(50) {
            round.journal_file_bytes = round.chance.between(2_000, 100_000);
        }
        let mut promise = Promise::nothing();
        round.prepare("single", &mut promise);
        let index = round.log().join("index");
        let older = Remains::read(&index);
        round.prepare("single", &mut promise);
        if round.chance.percent(50) {
            round.prepare("many", &mut promise);
        }
        match round.chance.between(0, 3) {
            0 => std::fs::remove_dir_all(&index).unwrap(),
            1 => {
                std::fs::remove_dir_all(&index).unwrap();
                std::fs::create_dir(&index).unwrap();
                older.write_to(&index);
            }
            2 => {
                let database = std::fs::File::options().write(true).open(index.join("db")).unwrap();
                let size = database.metadata().unwrap().len();
                database.set_len(round.chance.between(0, size)).unwrap();
            }
            _ => {
                let mut bytes = std::fs::read(index.join("db")).unwrap();
                bytes.fill_with(|| round.chance.any().to_le_bytes()[0]);
                std::fs::write(index.join("db"), bytes).unwrap();
            }
        }
        round.record_and_cut(&Run::of("single"), &promise);
    });
}

/// What the index has confirmed it holds after a cut as well: the journal is made again from it alone.
#[test]
fn an_index_without_its_journal() {
    each_round("an_index_without_its_journal", LARGE_JOURNAL_FILES, |round| {
        let mut promise = Promise::nothing();
        for _ in 0..round.chance.between(0, 2) {
            let kind = if round.chance.percent(50) { "many" } else { "single" };
            round.prepare(kind, &mut promise);
        }
        let disk = Disk::read(round.root());
        let kind = if round.chance.percent(50) { "many" } else { "single" };
        let trace = round.run(&Run::of(kind));
        for _ in 0..CUTS_OF_A_TRACE {
            // The process has ended, and its index has everything.
            let whole = trace.records.len();
            let medium = if round.chance.percent(50) { Medium::Ordered } else { Medium::Nasty };
            let (mut remains, promise, cut) = round.cut_at(whole, medium, &disk, &trace.records, &promise);
            remains.entries.retain(|path, bytes| !path.starts_with("log/journal") || bytes.is_none());
            round.check(&remains, &promise, &cut);
        }
    });
}

/// A process ends at any of its synchronisations, the next one goes on with what it finds in the page cache,
/// and then the power fails: what the second one showed to anyone has to stay.
#[test]
fn a_killed_process_before_the_cut() {
    each_round("a_killed_process_before_the_cut", LARGE_JOURNAL_FILES, |round| {
        for _ in 0..CUTS_OF_A_TRACE {
            round.journal_file_bytes =
                if round.chance.percent(50) { round.chance.between(500, 8_000) } else { LARGE_JOURNAL_FILES };
            round.home = quick_folder();
            round.recorder.forget();
            let disk = Disk::read(round.root());
            let kind = if round.chance.percent(15) { "many" } else { "single" };
            let dies_at_sync = Some(round.chance.between(1, 40));
            round.run(&Run { dies_at_sync, ..Run::of(kind) });
            let kind = if round.chance.percent(60) { "open" } else { "single" };
            let trace = round.run(&Run::of(kind));
            assert_eq!(disk.after(&trace.records), Remains::read(round.root()), "everything was recorded");
            let (remains, promise, cut) = round.cut(&disk, &trace.records, &Promise::nothing());
            round.check(&remains, &promise, &cut);
        }
    });
}

/// Full journal files are compacted when the power fails, or when the process is killed before that.
#[test]
fn cuts_while_files_are_compacted() {
    each_round("cuts_while_files_are_compacted", 0, |round| {
        let mut compacted = 0;
        for _ in 0..CUTS_OF_A_TRACE / 2 {
            round.home = quick_folder();
            round.journal_file_bytes = round.chance.between(5_000, 30_000);
            let mut promise = Promise::nothing();
            for _ in 0..round.chance.between(1, 3) {
                let kind = if round.chance.percent(20) { "many" } else { "single" };
                round.prepare(kind, &mut promise);
            }
            let disk = Disk::read(round.root());
            if round.chance.percent(40) {
                let dies_at_sync = Some(round.chance.between(1, 30));
                round.run(&Run { dies_at_sync, ..Run::of("compacted") });
            }
            let trace = round.run(&Run::of("compacted"));
            assert_eq!(disk.after(&trace.records), Remains::read(round.root()), "everything was recorded");
            let compaction = while_it_compacts(&trace.records);
            compacted += compaction.len();
            for _ in 0..2 {
                let place = match compaction.len() {
                    length @ 1.. if round.chance.percent(80) => compaction.start + round.chance.index(length),
                    _ => round.place(&trace.records),
                };
                let medium = if round.chance.percent(50) { Medium::Ordered } else { Medium::Nasty };
                let (remains, promise, what) = round.cut_at(place, medium, &disk, &trace.records, &promise);
                round.check(&remains, &promise, &what);
            }
        }
        assert!(compacted > 0, "nothing was compacted");
    });
}
