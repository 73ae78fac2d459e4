//! The whole system: the power fails under `planwatch ingestion` while reports come in over HTTP.

use super::{CUTS_OF_A_TRACE, FEW_ROUNDS, Repeat};
use crate::{is_possible, rounds, stop_and_audit};
use event_log::verify;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use tests::support::{
    Acknowledged, Chance, Disk, Medium, Options, Recorder, Remains, System, Trace, audit, open_stopped,
    quick_folder, report, seed, send, stopped_log, today, until_some,
};

const THREADS: u64 = 3;
const REPORTS_OF_A_THREAD: u64 = 12;
/// Of so many rounds one starts the whole system on what a cut left.
const ROUNDS_WITH_A_SYSTEM: u32 = 2;

/// A report, and how long the trace was when it was acknowledged: what it rests on lies before.
#[derive(Debug, Clone)]
struct Taken {
    acknowledged: Acknowledged,
    traced_bytes: u64,
}

/// The directory before, what happened in it, and what was acknowledged meanwhile.
struct Recorded {
    /// Stopped; its directory has the token, and so the actor of every report.
    system: System,
    disk: Disk,
    trace: Trace,
    taken: Vec<Taken>,
}

/// Records a system's ingestion from its first start to its stop.
fn record() -> Option<Recorded> {
    let recorder = Recorder::build()?;
    let folder = quick_folder();
    let root = folder.path().join("data/ingestion");
    std::fs::create_dir_all(&root).unwrap();
    let disk = Disk::read(&root);
    let environment = recorder.environment(&root);
    let mut system = System::start_in(folder, Options { environment, ..Options::empty() });
    let taken = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (system, recorder, taken) = (&system, &recorder, &taken);
            scope.spawn(move || {
                for number in 0..REPORTS_OF_A_THREAD {
                    let unit = ["di-an", "thuan-an", "phu-giao"][usize::try_from(thread).unwrap()];
                    let body = report(unit, today().year(), number * 10 + thread).to_string();
                    let key = format!("{unit}-{number}");
                    let acknowledged =
                        until_some("the report is taken", || send(system.http(), &key, &body).ok());
                    let traced_bytes = recorder.length_bytes();
                    taken.lock().unwrap().push(Taken { acknowledged, traced_bytes });
                }
            });
        }
    });
    let taken = taken.into_inner().unwrap();
    assert_eq!(system.stop().code(), Some(0));
    let trace = recorder.read();
    assert_eq!(disk.after(&trace.records), Remains::read(&system.data().join("ingestion")));
    Some(Recorded { system, disk, trace, taken })
}

impl Recorded {
    /// Cuts the power somewhere: what is left, and what was acknowledged until then.
    fn cut(&self, chance: &mut Chance) -> (Remains, Vec<&Taken>, String) {
        let records = &self.trace.records;
        let cut = chance.index(records.len());
        let medium = if chance.percent(50) { Medium::Ordered } else { Medium::Nasty };
        let place = records[cut].place;
        let taken = self.taken.iter().filter(|taken| taken.traced_bytes <= place).collect();
        let what = format!("{medium:?}, behind {cut} of {}", records.len());
        (self.disk.cut(&records[..cut], medium, chance), taken, what)
    }
}

/// What is left of ingestion's directory holds what was acknowledged, and nothing that was not sent.
#[track_caller]
fn is_kept_by(ingestion: &Path, taken: &[&Taken], what: &str) {
    let log = ingestion.join("binh-duong");
    if !log.join("format.json").exists() {
        // Nothing but the beginning of a log, if that.
        assert!(taken.is_empty(), "{what}: there is no log");
        return;
    }
    let options = event_log::Options::default();
    drop(open_stopped(&log, &options).unwrap_or_else(|error| panic!("{what}: {error}")));
    let verified = verify(&log, None).unwrap();
    assert!(verified.is_ok(), "{what}: {verified:?}");
    let events = stopped_log(&log);
    for Taken { acknowledged, .. } in taken {
        let index = usize::try_from(acknowledged.position).unwrap() - 1;
        let found = events.get(index).map(|logged| logged.event["id"].as_str().unwrap());
        assert_eq!(found, Some(acknowledged.event.as_str()), "{what}: {acknowledged:?} is lost");
    }
}

/// A system that starts on what is left, with nothing else than the log and the operator's token: whoever asks again gets
/// the same answer, and what was not acknowledged is taken once.
#[track_caller]
fn goes_on(recorded: &Recorded, remains: &Remains, taken: &[&Taken], what: &str) {
    let folder = quick_folder();
    let ingestion = folder.path().join("data/ingestion");
    std::fs::create_dir_all(&ingestion).unwrap();
    remains.write_to(&ingestion);
    let token = &recorded.system.ready().token_file;
    std::fs::copy(token, folder.path().join("data").join(token.file_name().unwrap())).unwrap();
    let mut system = System::start_in(folder, Options::empty());
    let kept: BTreeSet<&str> = taken.iter().map(|taken| taken.acknowledged.key.as_str()).collect();
    let mut acknowledged = Vec::new();
    for Taken { acknowledged: before, .. } in &recorded.taken {
        let again = until_some("the report is taken", || send(system.http(), &before.key, &before.body).ok());
        assert!(
            !kept.contains(before.key.as_str()) || again == *before,
            "{what}: {before:?}, then {again:?}"
        );
        acknowledged.push(again);
    }
    system.wait_ready();
    audit(&system, &acknowledged);
    stop_and_audit(&mut system, &acknowledged);
}

#[test]
fn a_system_under_load() {
    if !is_possible() {
        return;
    }
    let _repeat = Repeat { test: "system::a_system_under_load", seed: seed() };
    let Some(recorded) = record() else { return };
    let mut chance = Chance::new(seed());
    for round in 0..rounds(FEW_ROUNDS) {
        for _ in 0..CUTS_OF_A_TRACE {
            let (remains, taken, what) = recorded.cut(&mut chance);
            let folder = quick_folder();
            remains.write_to(folder.path());
            is_kept_by(folder.path(), &taken, &what);
        }
        if round % ROUNDS_WITH_A_SYSTEM == 0 {
            let (remains, taken, what) = recorded.cut(&mut chance);
            goes_on(&recorded, &remains, &taken, &what);
        }
    }
}
