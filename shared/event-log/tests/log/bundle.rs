//! Bundles: exported, verified with public keys alone, imported, and everything that is wrong with one named.

use super::support::*;
use ::evidence::{
    Checkpoint, CheckpointError, KeyName, KeyUse, NoteError, SignedCheckpoint, SigningKey, TreeHash,
    VerifierKey,
};
use event_log::files::{Files, MemoryFiles, RealFiles};
use event_log::{
    BundleError, BundleReport, ExportError, ImportError, IndexKind, Log, Opened, Options, Problem, export,
    import, verify_bundle,
};
use events::Position;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn key() -> SigningKey {
    SigningKey::from_seed(KeyName::parse("log.example/binh-duong").unwrap(), &[7; 32])
}

fn keys() -> Vec<VerifierKey> {
    vec![key().verifier(KeyUse::Log)]
}

/// A log in memory with reports 1 to `last`, three to a commit.
fn log_of(last: u64) -> Opened {
    let mut opened = Home::in_memory().open();
    for numbers in (1..=last).collect::<Vec<_>>().chunks(3) {
        let request = numbers.iter().map(|number| report(*number, 10)).collect();
        opened.writer.append(vec![request], noon(numbers[0] as i64)).unwrap();
    }
    opened
}

fn checkpoint(log: &Log, size: u64) -> SignedCheckpoint {
    let root = log.root_at(Position(size)).unwrap();
    Checkpoint::new(key().name(), size, root).sign(&[&key()]).unwrap()
}

/// A bundle in memory, which can be spoilt.
struct Bundle {
    files: MemoryFiles,
}

const PLACE: &str = "/bundle";

impl Bundle {
    fn of(log: &Log, from: u64, to: u64, size: u64) -> Bundle {
        let files = MemoryFiles::new();
        let selection = Position(from)..=Position(to);
        export(log, selection, &checkpoint(log, size), &keys(), &files, Path::new(PLACE)).unwrap();
        Bundle { files }
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(PLACE).join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        self.files.read(&self.path(name)).unwrap()
    }

    fn put(&self, name: &str, bytes: Vec<u8>) {
        self.files.put(&self.path(name), bytes);
    }

    fn verify(&self) -> Result<BundleReport, BundleError> {
        verify_bundle(&self.files, Path::new(PLACE), &keys())
    }

    fn problems(&self) -> Vec<Problem> {
        self.verify().unwrap().problems
    }

    /// The one problem that there is.
    fn problem(&self) -> Problem {
        let mut problems = self.problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems.remove(0)
    }

    fn expect(&self, position: u64, name: &str, what: &str) {
        let problem = self.problem();
        assert_eq!((problem.position, &problem.file), (Position(position), &self.path(name)), "{problem:?}");
        assert!(problem.what.contains(what), "{}", problem.what);
    }

    fn import(&self, home: &Home) -> Result<event_log::ImportReport, ImportError> {
        import(&self.files, Path::new(PLACE), &keys(), &home.directory, options(home))
    }
}

fn options(home: &Home) -> Options {
    let index = if home.memory.is_some() { IndexKind::Memory } else { IndexKind::Sled };
    Options { files: Arc::new(home.files.clone()), index, ..Options::default() }
}

/// Splits an entry bundle.
fn entries(bytes: &[u8], width: usize) -> Vec<Vec<u8>> {
    ::evidence::split_entries(bytes, width).unwrap().into_iter().map(<[u8]>::to_vec).collect()
}

fn joined(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bundle = Vec::new();
    assert!(entries.iter().all(|entry| ::evidence::push_entry(&mut bundle, entry)));
    bundle
}

#[test]
fn a_whole_log_is_exported_verified_and_imported() {
    for (last, size) in [(1, 1), (255, 255), (256, 256), (257, 257), (600, 600), (600, 300)] {
        let opened = log_of(last);
        let bundle = Bundle::of(&opened.log, 1, size, size);
        let report = bundle.verify().unwrap();
        assert!(report.is_ok(), "{:?}", report.problems);
        let root = opened.log.root_at(Position(size)).unwrap();
        assert_eq!((report.events, report.root, report.plan.clone()), (size, Some(root), plan()));
        assert_eq!(report.checkpoint.unwrap().by, keys());
        for home in [Home::in_memory(), Home::on_disk()] {
            let imported = bundle.import(&home).unwrap();
            assert_eq!((imported.head, imported.root), (Position(size), root));
            let copy = home.open();
            assert_eq!(read_all(&copy.log), read_all(&opened.log)[..size as usize]);
            assert_eq!(copy.log.root(), root);
        }
    }
}

#[test]
fn an_export_on_the_real_disk_has_the_layout_of_the_specification() {
    let opened = log_of(300);
    let temporary = tempfile::TempDir::new().unwrap();
    let place = temporary.path().join("bundle");
    let signed = checkpoint(&opened.log, 300);
    let selection = Position(1)..=Position(300);
    let report = export(&opened.log, selection.clone(), &signed, &keys(), &RealFiles, &place).unwrap();
    assert_eq!((report.events, report.files), (1..=300, 8));
    let expected = [
        "checkpoint",
        "planwatch-bundle.json",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
        "vkeys",
    ];
    for name in expected {
        assert!(place.join(name).is_file(), "{name}");
    }
    assert_eq!(std::fs::read(place.join("checkpoint")).unwrap(), signed.to_string().into_bytes());
    assert_eq!(std::fs::read_to_string(place.join("vkeys")).unwrap(), format!("{}\n", keys()[0]));
    assert!(verify_bundle(&RealFiles, &place, &keys()).unwrap().is_ok());
    let again = export(&opened.log, selection, &signed, &keys(), &RealFiles, &place).unwrap_err();
    assert!(matches!(again, ExportError::NotEmpty(_)), "{again}");
}

#[test]
fn a_selection_is_rounded_out_and_verifies_but_makes_no_log() {
    let opened = log_of(1_100);
    for (from, to) in [(1, 10), (257, 257), (300, 700), (1_030, 1_100), (900, 1_050)] {
        let bundle = Bundle::of(&opened.log, from, to, 1_100);
        let report = bundle.verify().unwrap();
        assert!(report.is_ok(), "{from} to {to}: {:?}", report.problems);
        assert_eq!(report.selected, from..=to);
        let (first, last) = ((from - 1) / 256 * 256 + 1, 1_100.min((to - 1) / 256 * 256 + 256));
        assert_eq!(report.events, last - first + 1);
        assert_eq!(report.root.is_some(), from == 1);
        let home = Home::in_memory();
        match bundle.import(&home) {
            Ok(imported) => assert_eq!((from, imported.head), (1, Position(to))),
            Err(error) => {
                assert!(matches!(error, ImportError::Selection { .. }) && from > 1, "{error}");
                assert!(home.journal_files().is_empty());
            }
        }
    }
}

#[test]
fn what_cannot_be_exported_is_refused() {
    let opened = log_of(20);
    let files = MemoryFiles::new();
    let attempt = |from, to, signed: &SignedCheckpoint| {
        let selection = Position(from)..=Position(to);
        export(&opened.log, selection, signed, &keys(), &files, Path::new(PLACE)).unwrap_err()
    };
    let signed = checkpoint(&opened.log, 10);
    for (from, to) in [(0, 5), (6, 5), (1, 11)] {
        assert!(matches!(attempt(from, to, &signed), ExportError::Selection { .. }));
    }
    let other = Checkpoint::new(key().name(), 10, TreeHash([1; 32])).sign(&[&key()]).unwrap();
    assert!(matches!(attempt(1, 10, &other), ExportError::OtherLog { .. }));
    let ahead = Checkpoint::new(key().name(), 21, TreeHash([1; 32])).sign(&[&key()]).unwrap();
    assert!(matches!(attempt(1, 10, &ahead), ExportError::Evidence(_)));
    assert!(files.list(Path::new(PLACE)).unwrap().is_empty());
}

#[test]
fn a_doctored_event_is_named_with_position_and_file() {
    let opened = log_of(600);
    for (name, width, at, position) in
        [("tile/entries/001", 256, 43, 300), ("tile/entries/002.p/88", 88, 87, 600)]
    {
        let bundle = Bundle::of(&opened.log, 1, 600, 600);
        let mut events = entries(&bundle.read(name), width);
        let place = events[at].windows(6).position(|six| six == b"tester").unwrap();
        events[at][place] = b'f';
        bundle.put(name, joined(&events));
        bundle.expect(position, name, "was altered");
        let home = Home::in_memory();
        let error = bundle.import(&home).unwrap_err();
        assert!(matches!(error, ImportError::NotWhole { problems: 1, .. }), "{error}");
        assert!(error.to_string().contains("nothing was imported"), "{error}");
        assert!(home.journal_files().is_empty(), "nothing is written");
    }
}

#[test]
fn reordered_and_exchanged_events_are_named() {
    let opened = log_of(600);
    let bundle = Bundle::of(&opened.log, 1, 600, 600);
    let mut events = entries(&bundle.read("tile/entries/000"), 256);
    events.swap(9, 19);
    bundle.put("tile/entries/000", joined(&events));
    let problems = bundle.problems();
    assert_eq!(problems.iter().map(|problem| problem.position.0).collect::<Vec<_>>(), [10, 20]);
    assert!(problems[0].what.contains("it says that it is position 20"), "{}", problems[0].what);
    events.swap(9, 19);
    events.remove(100);
    bundle.put("tile/entries/000", joined(&events));
    bundle.expect(1, "tile/entries/000", "ends within entry 255 (of 256)");
    let second = bundle.read("tile/entries/001");
    bundle.put("tile/entries/000", second);
    assert_eq!(bundle.problems().len(), 256);
}

#[test]
fn altered_tiles_are_named_and_told_from_altered_events() {
    let opened = log_of(600);
    let flip = |bundle: &Bundle, name: &str, at: usize| {
        let mut bytes = bundle.read(name);
        bytes[at] ^= 1;
        bundle.put(name, bytes);
    };
    let bundle = Bundle::of(&opened.log, 1, 600, 600);
    flip(&bundle, "tile/0/001", 32 * 5);
    bundle.expect(262, "tile/0/001", "the event itself is right");
    let bundle = Bundle::of(&opened.log, 1, 600, 600);
    flip(&bundle, "tile/1/000.p/2", 0);
    let problems = bundle.problems();
    assert!(problems.iter().any(|problem| problem.what.contains("do not lead to the checkpoint's root")));
    assert!(problems.iter().any(|problem| problem.file == bundle.path("tile/0/000")), "{problems:?}");
    let bundle = Bundle::of(&opened.log, 1, 600, 600);
    flip(&bundle, "tile/0/002.p/88", 32 * 3);
    let problems = bundle.problems();
    assert!(problems.iter().any(|problem| problem.what.contains("do not lead to the checkpoint's root")));
    assert!(problems.iter().any(|problem| problem.position == Position(516)), "{problems:?}");
}

#[test]
fn every_missing_or_cut_file_is_named() {
    let opened = log_of(600);
    let names = [
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ];
    for name in names {
        let bundle = Bundle::of(&opened.log, 1, 600, 600);
        let bytes = bundle.read(name);
        bundle.put(name, bytes[..bytes.len() - 1].to_vec());
        let problems = bundle.problems();
        assert!(problems.iter().any(|problem| problem.file == bundle.path(name)), "{name}: {problems:?}");
        bundle.put(name, [bytes.clone(), vec![0]].concat());
        assert!(bundle.problems().iter().any(|problem| problem.file == bundle.path(name)), "{name} longer");
        bundle.put(name, vec![0; 20_000_000]);
        let problems = bundle.problems();
        assert!(problems.iter().any(|problem| problem.what.contains("it has 20000000 bytes")), "{name}");
        bundle.files.remove(&bundle.path(name)).unwrap();
        let problems = bundle.problems();
        let missing = problems.iter().find(|problem| problem.file == bundle.path(name)).unwrap();
        assert_eq!(missing.what, "the file is missing");
        assert!(bundle.import(&Home::in_memory()).is_err());
    }
    // Without its tile a doctored bundle is still found by the hash above, though not which event it is.
    let bundle = Bundle::of(&opened.log, 1, 600, 600);
    bundle.files.remove(&bundle.path("tile/0/001")).unwrap();
    let mut altered = bundle.read("tile/entries/001");
    altered[1_000] ^= 1;
    bundle.put("tile/entries/001", altered);
    let problems = bundle.problems();
    assert_eq!(problems.len(), 2);
    assert!(problems[1].what.contains("cannot be told without the tile"), "{}", problems[1].what);
    assert_eq!(bundle.verify().unwrap().root, None);
}

#[test]
fn any_flipped_bit_anywhere_is_found() {
    let opened = log_of(300);
    let bundle = Bundle::of(&opened.log, 1, 300, 300);
    for name in
        ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"]
    {
        let whole = bundle.read(name);
        for at in (0..whole.len()).step_by(whole.len() / 40 + 1) {
            let mut altered = whole.clone();
            altered[at] ^= 1 << (at % 8);
            bundle.put(name, altered);
            assert!(!bundle.problems().is_empty(), "{name}, byte {at}");
        }
        bundle.put(name, whole);
        assert!(bundle.verify().unwrap().is_ok());
    }
}

#[test]
fn wrong_keys_foreign_checkpoints_and_unsigned_ones_are_refused() {
    let opened = log_of(30);
    let bundle = Bundle::of(&opened.log, 1, 30, 30);
    let stranger = SigningKey::from_seed(key().name().clone(), &[8; 32]);
    let verify = |keys: &[VerifierKey]| verify_bundle(&bundle.files, Path::new(PLACE), keys).unwrap_err();
    for keys in [vec![], vec![stranger.verifier(KeyUse::Log)]] {
        let error = verify(&keys);
        let BundleError::Checkpoint { source, .. } = &error else { panic!("{error}") };
        assert!(matches!(source, CheckpointError::Note(NoteError::Unknown { .. })), "{error}");
    }
    // Another log, signed by the same key: what the bundle holds does not lead to it.
    let mut other = Home::in_memory().open();
    append_each(&mut other.writer, 1..=30);
    bundle.put("checkpoint", checkpoint(&other.log, 30).to_string().into_bytes());
    let problems = bundle.problems();
    assert!(problems[0].what.contains("do not lead to the checkpoint's root"), "{problems:?}");
    // The doctored root under the old signature.
    let forged = checkpoint(&other.log, 30).to_string();
    let genuine = checkpoint(&opened.log, 30).to_string();
    let (text, _) = forged.split_once("\n\n").unwrap();
    let (_, signature) = genuine.split_once("\n\n").unwrap();
    bundle.put("checkpoint", format!("{text}\n\n{signature}").into_bytes());
    let error = bundle.verify().unwrap_err();
    assert!(error.to_string().contains("was altered after it was signed"), "{error}");
}

#[test]
fn marks_that_are_missing_future_malformed_or_of_another_plan_are_refused() {
    let opened = log_of(30);
    let bundle = Bundle::of(&opened.log, 1, 30, 30);
    let mark = |text: &str| {
        bundle.put("planwatch-bundle.json", text.as_bytes().to_vec());
        bundle.verify()
    };
    let error = mark(r#"{"format":2,"anything":"else"}"#).unwrap_err();
    assert!(matches!(error, BundleError::Newer { found: 2 }), "{error}");
    for text in ["", "{}", "[1]", r#"{"format":1,"plan":"binh-duong","from":1,"to":30,"more":1}"#] {
        assert!(matches!(mark(text), Err(BundleError::Mark { .. })), "{text}");
    }
    for (from, to) in [(0, 30), (5, 4), (1, 31)] {
        let text = format!(r#"{{"format":1,"plan":"binh-duong","from":{from},"to":{to}}}"#);
        assert!(matches!(mark(&text), Err(BundleError::Positions { .. })), "{text}");
    }
    let report = mark(r#"{"format":1,"plan":"other","from":1,"to":30}"#).unwrap();
    assert_eq!(report.problems.len(), 30);
    assert_eq!(report.problems[0].what, "the event is of plan `binh-duong`");
    let bundle = Bundle { files: MemoryFiles::new() };
    let error = bundle.verify().unwrap_err();
    assert!(matches!(&error, BundleError::NoMark(_)) && error.to_string().contains("cut short"), "{error}");
}

#[test]
fn an_import_goes_on_where_it_was_cut_short_and_never_into_another_log() {
    let opened = log_of(600);
    let bundle = Bundle::of(&opened.log, 1, 600, 600);
    for home in [Home::in_memory(), Home::on_disk()] {
        let partial = Bundle::of(&opened.log, 1, 400, 600);
        assert_eq!(partial.import(&home).unwrap().head, Position(400));
        assert_eq!(bundle.import(&home).unwrap().head, Position(600));
        assert_eq!(bundle.import(&home).unwrap().root, opened.log.root());
        let error = partial.import(&home).unwrap_err();
        assert!(matches!(error, ImportError::HoldsMore { head: Position(600), to: 400 }), "{error}");
    }
    let home = Home::in_memory();
    append_each(&mut home.open().writer, 1..=5);
    let error = bundle.import(&home).unwrap_err();
    assert!(matches!(error, ImportError::Append { head: Position(5), .. }), "{error}");
    let home = Home::in_memory();
    home.files.set_space_left(Some(20_000));
    assert!(matches!(bundle.import(&home), Err(ImportError::Append { .. } | ImportError::Open(_))));
    home.files.set_space_left(None);
    assert_eq!(bundle.import(&home).unwrap().head, Position(600));
}
