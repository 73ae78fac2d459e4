use super::*;
use crate::fixture::{NOW, log_of, plain_fold};

fn opened(home: &Path) -> Snapshots {
    Snapshots::open(home.join("snapshots"), 2).unwrap()
}

fn write(snapshots: &mut Snapshots, facts: &Facts, log: &Log) {
    if let Some(pending) = snapshots.prepare(facts, log).unwrap() {
        snapshots.done(pending.write().unwrap()).unwrap();
    }
}

fn files(home: &Path) -> Vec<PathBuf> {
    let mut files = opened(home).with_ending(ENDING).unwrap();
    files.sort();
    files
}

fn names(home: &Path) -> Vec<String> {
    files(home).iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

fn name(after: u64, head: u64) -> String {
    format!("{after:020}-{head:020}.facts")
}

/// Where the facts end that are restored, and their digest by walking them.
fn restored(home: &Path, log: &Log) -> Option<(Position, String)> {
    let facts = opened(home).restore(log, None).unwrap();
    facts.map(|facts| (facts.head(), facts.walked_digest_at(facts.head())))
}

/// A log of five events whose facts are on disk in three segments.
fn kept(home: &Path) -> (event_log::Opened, Facts) {
    let log = log_of(home, &[20, 30, 40, 50], NOW);
    let mut snapshots = opened(home);
    let whole = plain_fold(&log.log, |facts| write(&mut snapshots, facts, &log.log));
    assert_eq!(names(home), [name(0, 2), name(2, 4), name(4, 5)]);
    (log, whole)
}

#[test]
fn full_segments_are_kept_and_a_wrong_one_ends_what_is_restored() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let (log, whole) = kept(home);
    let log = &log.log;
    assert_eq!(restored(home, log), Some((Position(5), whole.digest())));
    // The second is cut short: what came before it is taken, and the next snapshot goes on from there.
    let files = files(home);
    let bytes = fs::read(&files[1]).unwrap();
    fs::write(&files[1], &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(restored(home, log).map(|(head, _)| head), Some(Position(2)));
    let mut again = opened(home);
    again.restore(log, None).unwrap();
    write(&mut again, &whole, log);
    assert_eq!(names(home), [name(0, 2), name(2, 5)]);
    assert_eq!(restored(home, log), Some((Position(5), whole.digest())));
    fs::write(&files[0], b"noise").unwrap();
    assert_eq!(restored(home, log), None);
}

#[test]
fn a_flipped_bit_in_any_segment_ends_what_is_restored_before_it() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let (log, whole) = kept(home);
    for (index, path) in files(home).iter().enumerate() {
        let bytes = fs::read(path).unwrap();
        let before = [None, Some(Position(2)), Some(Position(4))][index];
        // Among them the version, the checksum, and the root of the tree at the end and before the beginning.
        for byte in (0..bytes.len()).step_by(bytes.len() / 40).chain([7, 8, 40, 72, 104]) {
            let mut flipped = bytes.clone();
            flipped[byte] ^= 0x10;
            fs::write(path, flipped).unwrap();
            assert_eq!(restored(home, &log.log).map(|(head, _)| head), before, "byte {byte} of {index}");
        }
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(restored(home, &log.log), Some((Position(5), whole.digest())));
}

#[test]
fn what_is_kept_of_another_or_of_a_longer_log_is_not_used() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let log = log_of(home, &[20, 30, 40], NOW);
    write(&mut opened(home), &plain_fold(&log.log, |_| {}), &log.log);
    // What is loaded before the log is open is held against it all the same.
    let head_on = |log: &Log| {
        let ahead = Snapshots::load_ahead(&home.join("snapshots"));
        assert!(ahead.is_some());
        let mut snapshots = opened(home);
        let with_it = snapshots.restore(log, ahead).unwrap().map(|facts| facts.head());
        assert_eq!(snapshots.restore(log, None).unwrap().map(|facts| facts.head()), with_it);
        with_it
    };
    assert_eq!(head_on(&log.log), Some(Position(4)));
    let other = |figures: &[u64], now: &str| {
        let elsewhere = tempfile::tempdir().unwrap();
        let other = log_of(elsewhere.path(), figures, now);
        head_on(&other.log)
    };
    assert_eq!(other(&[20, 30], NOW), None, "a shorter one");
    assert_eq!(other(&[20, 30, 40], "2024-11-21T02:00:00Z"), None, "the same recorded a day later");
    assert_eq!(
        other(&[20, 31, 40], NOW),
        None,
        "one figure is another; ids, times and positions are the same"
    );
    assert_eq!(other(&[20, 30, 40, 50], NOW), Some(Position(4)), "the same log, which has gone on");
}

#[test]
fn what_earlier_versions_wrote_and_what_was_left_half_written_is_removed() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("snapshots");
    fs::create_dir(&directory).unwrap();
    for name in ["00000000000000000032.snapshot", "00000000000000000000-00000000000000000032.new"] {
        fs::write(directory.join(name), b"noise").unwrap();
    }
    opened(home.path());
    assert_eq!(fs::read_dir(directory).unwrap().count(), 0);
}
