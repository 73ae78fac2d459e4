use super::*;
use crate::fixture;
use event_log::{Copied, Opened, Options, Writer};
use events::{Event, Recorded, wire};
use indicators::Facts;
use service::{Health, State as CheckState};
use snapshots::{SEGMENT_EVENTS, Snapshots};
use std::path::Path;

/// How long a condition may take on a busy machine; reached only by a failing test.
const PATIENCE: Duration = Duration::from_secs(30);

struct Folding {
    state: Arc<State>,
    health: Health,
    fold: Fold,
}

fn opened(directory: &Path) -> Opened {
    event_log::open(&directory.join("log"), &fixture::plan().id, Options::default()).unwrap()
}

fn folding(directory: &Path, log: &Log) -> Folding {
    let mut snapshots = snapshots(directory);
    let facts = snapshots.restore(log, None).unwrap().unwrap_or_default();
    let keeper = Keeper::new(snapshots, &facts);
    let state = Arc::new(State::new(facts));
    let health = Health::new("projection");
    let parts = FoldParts {
        log: log.clone(),
        state: Arc::clone(&state),
        keeper,
        snapshot_every: 10_000,
        check: health.check("fold"),
    };
    let fold = Fold::start(parts, Handle::current()).unwrap();
    Folding { state, health, fold }
}

impl Folding {
    async fn until(&self, position: Position) {
        let mut visible = self.state.visible();
        let reached = visible.wait_for(|reached| *reached >= position);
        tokio::time::timeout(PATIENCE, reached).await.unwrap().unwrap();
    }

    async fn until_check(&self, wanted: impl Fn(&CheckState) -> bool) -> CheckState {
        tokio::time::timeout(PATIENCE, async {
            loop {
                let check = self.health.report().checks.remove(0).state;
                if wanted(&check) {
                    return check;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap()
    }

    async fn stop(self) {
        tokio::task::spawn_blocking(move || self.fold.stop()).await.unwrap();
    }
}

fn append(writer: &mut Writer, events: Vec<Event>, now: &str) {
    writer.append(vec![events], fixture::instant(now)).unwrap();
}

fn snapshot_files(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory.join("snapshots")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Appends a report of Dĩ An, recorded in the November of its year.
fn append_report(writer: &mut Writer, year: i16, numerator: u64) {
    let report = fixture::report(&fixture::plan(), "di-an", year, numerator);
    append(writer, vec![report], &format!("{year}-11-20T02:00:00Z"));
}

/// A log of the plan and so many reports: the plan ends at position 32, a report follows for each year from 2022.
fn log_with(directory: &Path, reports: i16) -> Opened {
    let mut opened = opened(directory);
    append(&mut opened.writer, fixture::adoption(&fixture::plan()), "2022-03-16T02:00:00Z");
    for year in 2022..2022 + reports {
        append_report(&mut opened.writer, year, 20);
    }
    opened
}

fn snapshots(directory: &Path) -> Snapshots {
    Snapshots::open(directory.join("snapshots"), SEGMENT_EVENTS).unwrap()
}

/// The facts that a log's events fold to, one after the other.
fn fold_all(log: &Log) -> Facts {
    let mut facts = Facts::new();
    for stored in log.scan(Position(1)) {
        facts.apply_bytes(&stored.unwrap().bytes).unwrap();
    }
    facts
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_appended_becomes_visible() {
    let home = tempfile::tempdir().unwrap();
    let mut opened = log_with(home.path(), 1);
    let folding = folding(home.path(), &opened.log);
    folding.until(Position(33)).await;
    append_report(&mut opened.writer, 2023, 30);
    folding.until(Position(34)).await;
    assert_eq!(folding.state.facts().head(), Position(34));
    folding.until_check(|check| *check == CheckState::Ok).await;
    folding.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_from_a_snapshot_and_from_nothing_give_the_same_digest() {
    let home = tempfile::tempdir().unwrap();
    let mut opened = log_with(home.path(), 2);
    let first = folding(home.path(), &opened.log);
    first.until(Position(34)).await;
    first.stop().await;
    assert_eq!(snapshot_files(home.path()).len(), 1);
    append_report(&mut opened.writer, 2024, 30);
    let restored = snapshots(home.path()).restore(&opened.log, None).unwrap();
    assert_eq!(restored.unwrap().head(), Position(34));
    let second = folding(home.path(), &opened.log);
    second.until(Position(35)).await;
    let digest = second.state.facts().digest();
    second.stop().await;
    std::fs::remove_dir_all(home.path().join("snapshots")).unwrap();
    let third = folding(home.path(), &opened.log);
    third.until(Position(35)).await;
    assert_eq!(third.state.facts().digest(), digest);
    third.stop().await;
}

/// Two thousand reports and more: enough to be decoded on several threads.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_is_folded_as_one_event_after_the_other() {
    let home = tempfile::tempdir().unwrap();
    let mut opened = log_with(home.path(), 0);
    let head = Position(32 + 2_500);
    let (plan, mut revision) = (fixture::plan(), 0);
    let mut reports = Vec::new();
    while opened.log.head() < head {
        for numerator in 0..50 {
            revision += 1;
            reports.push(fixture::revision(&plan, "di-an", 2024, numerator, revision));
        }
        append(&mut opened.writer, std::mem::take(&mut reports), "2024-11-20T02:00:00Z");
    }
    let folding = folding(home.path(), &opened.log);
    folding.until(head).await;
    let plain = fold_all(&opened.log);
    assert!(plain.parked().is_empty());
    assert_eq!(folding.state.facts().digest(), plain.digest());
    folding.stop().await;
}

/// The bytes of a report that comes at a position, changed.
fn changed_report(position: u64, change: impl Fn(String) -> String) -> Copied {
    let event = fixture::report(&fixture::plan(), "di-an", 2030, 1);
    let recorded = Recorded {
        position: Position(position),
        recorded_at: fixture::instant("2030-11-20T02:00:00Z"),
        event,
    };
    let written = String::from_utf8(wire::write(&recorded).unwrap()).unwrap();
    Copied { position: Position(position), bytes: change(written).into_bytes().into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_event_parks_its_unit_and_shows_in_health() {
    let home = tempfile::tempdir().unwrap();
    let mut opened = log_with(home.path(), 1);
    let poison = changed_report(34, |json| json.replace("\"lines\":[", "\"lines\":7,\"spoilt\":["));
    opened.writer.append_copy(vec![poison]).unwrap();
    let folding = folding(home.path(), &opened.log);
    folding.until(Position(34)).await;
    let check = folding.until_check(|check| matches!(check, CheckState::Degraded { .. })).await;
    let CheckState::Degraded { why } = check else { panic!("it was waited for") };
    assert!(why.contains("di-an since position 34"), "{why}");
    assert!(folding.health.report().ok, "the rest goes on");
    folding.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_newer_version_stops_the_fold_before_it() {
    let home = tempfile::tempdir().unwrap();
    let mut opened = log_with(home.path(), 1);
    let newer = changed_report(34, |json| json.replace("report-submitted.v1", "report-submitted.v2"));
    opened.writer.append_copy(vec![newer]).unwrap();
    let folding = folding(home.path(), &opened.log);
    let stopped = |check: &CheckState| matches!(check, CheckState::Down { why } if why.contains("stopped"));
    let CheckState::Down { why } = folding.until_check(stopped).await else { panic!("it was waited for") };
    assert!(why.contains("after position 33"), "{why}");
    assert_eq!(folding.state.facts().head(), Position(33));
    folding.stop().await;
}
