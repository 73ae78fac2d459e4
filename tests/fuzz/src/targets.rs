//! What is done with bytes from anywhere. A target panics where a promise does not hold, and never otherwise.

use event_log::files::{Files, MemoryFiles};
use event_log::{BundleHead, JournalReader, export_journal, verify_bundle, verify_files};
use events::{Position, strict_json, wire};
use evidence::{
    AddCheckpoint, Checkpoint, KeyName, KeyUse, ProofFile, SignedCheckpoint, SigningKey, TilePath,
    VerifierKey, leaf_hash, read_tile, split_entries, write_tile,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A target: what it is called, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 8] = [
    ("frame", frame),
    ("note", note),
    ("checkpoint", checkpoint),
    ("tile_path", tile_path),
    ("event", event),
    ("proof_file", proof_file),
    ("bundle", bundle),
    ("key", key),
];

/// A line that has the form of a signature and is none.
pub const SIGNATURE: &str = "\u{2014} planwatch/binh-duong AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n";
const LOG: &str = "/log";
const BUNDLE: &str = "/bundle";
const FRAME_HEADER_BYTES: usize = 32;

/// The key that signed the seeds.
pub fn signing_key() -> SigningKey {
    let name = KeyName::parse("planwatch/binh-duong").expect("it is a name");
    SigningKey::from_seed(name, &[7; evidence::SEED_BYTES])
}

/// Its public half.
pub fn keys() -> Vec<VerifierKey> {
    vec![signing_key().verifier(KeyUse::Log)]
}

/// A journal's file: as it is, and with the checksums of what looks like frames put right, so that what is behind
/// them is reached, too.
pub fn frame(bytes: &[u8]) {
    journal(bytes.to_vec());
    let mended = with_checksums(bytes);
    if mended != bytes {
        journal(mended);
    }
}

/// What is handed out is contiguous, is what the check sees, and ends where that says.
fn journal(bytes: Vec<u8>) {
    let files = log_of(bytes);
    let report = verify_files(&files, Path::new(LOG), None).expect("a file can be read whatever it holds");
    let reader = JournalReader::new(&files, Path::new(LOG)).expect("its mark is whole");
    let mut handed_out = 0;
    let walked = reader.walk(&mut |stored| {
        handed_out += 1;
        assert_eq!(stored.position, Position(handed_out));
        ControlFlow::Continue(())
    });
    assert!(handed_out <= report.events, "the check sees every event");
    if report.is_ok() {
        let end = walked.expect("a journal without a problem is read to its end");
        assert_eq!((end.head, handed_out, end.torn), (report.head, report.events, None));
        assert!(report.root.is_some());
    }
}

fn log_of(journal: Vec<u8>) -> MemoryFiles {
    let files = MemoryFiles::new();
    files.put(&Path::new(LOG).join("format.json"), br#"{"format":1,"plan":"binh-duong"}"#.to_vec());
    files.put(&Path::new(LOG).join("journal/00000000000000000001.journal"), journal);
    files
}

/// Puts the checksum of each frame right, as far as the lengths in their headers lead.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut mended = bytes.to_vec();
    let mut at = 0;
    while let Some(header) = mended.get(at..at + FRAME_HEADER_BYTES) {
        let length = u32::from_be_bytes(header[4..8].try_into().expect("four bytes are four bytes")) as usize;
        let Some(frame) = mended.get_mut(at..at.saturating_add(FRAME_HEADER_BYTES).saturating_add(length))
        else {
            break;
        };
        let sum = crc32c::crc32c_append(crc32c::crc32c(&frame[4..8]), &frame[12..]);
        frame[8..12].copy_from_slice(&sum.to_be_bytes());
        at += FRAME_HEADER_BYTES + length;
    }
    mended
}

/// A signed note, as a checkpoint and within a witness's request: it reads back byte for byte, is believed by nobody
/// without a key, and with the key only as it was signed.
pub fn note(bytes: &[u8]) {
    if let Ok(signed) = SignedCheckpoint::parse(bytes) {
        holds(&signed, bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let mut cosigned = genuine().clone();
        if cosigned.add_lines(text).is_ok() {
            let written = cosigned.to_string();
            let again = SignedCheckpoint::parse(written.as_bytes()).expect("what is written reads back");
            assert_eq!(again.to_string(), written);
        }
    }
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert!(request.judge(&[], None).is_err(), "nobody's checkpoint is cosigned");
    }
}

/// The text of a checkpoint under a line that looks like a signature.
pub fn checkpoint(bytes: &[u8]) {
    let signed = [bytes, b"\n", SIGNATURE.as_bytes()].concat();
    if let Ok(read) = SignedCheckpoint::parse(&signed) {
        holds(&read, &signed);
        // The bytes may end in a signature of their own.
        let text = format!("{}\n", read.claimed());
        assert!(signed.starts_with(text.as_bytes()), "the text is what was signed");
    }
}

fn holds(signed: &SignedCheckpoint, bytes: &[u8]) {
    assert_eq!(signed.to_string().as_bytes(), bytes, "a note reads back as it was");
    assert!(signed.verify(&[]).is_err(), "a note is believed by nobody without a key");
    if let Ok(verified) = signed.verify(&keys()) {
        assert_eq!(verified.checkpoint, *genuine().claimed(), "the key signed one checkpoint only");
    }
}

/// The one checkpoint that the key has signed: that of the log in the bundle.
pub fn genuine() -> &'static SignedCheckpoint {
    static GENUINE: LazyLock<SignedCheckpoint> = LazyLock::new(|| {
        let files = log_of(seed_journal().to_vec());
        let report = verify_files(&files, Path::new(LOG), None).expect("it can be read");
        let root = report.root.expect("it is whole");
        let checkpoint = Checkpoint::new(signing_key().name(), report.head.0, root);
        checkpoint.sign(&[&signing_key()]).expect("the key has the log's name")
    });
    &GENUINE
}

/// A path of a tile, and bytes as a tile and as entries of its width.
pub fn tile_path(bytes: &[u8]) {
    let (text, rest) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, [].as_slice()),
    };
    let Some(path) = std::str::from_utf8(text).ok().and_then(|text| text.parse::<TilePath>().ok()) else {
        return;
    };
    assert_eq!(path.to_string().as_bytes(), text, "a path has one spelling");
    assert!(!path.to_string().split('/').any(|part| part == ".." || part.is_empty()));
    if let Ok(hashes) = read_tile(rest, path.width()) {
        assert_eq!(write_tile(&hashes), rest);
    }
    if let Ok(entries) = split_entries(rest, path.width()) {
        let mut again = Vec::new();
        assert!(entries.iter().all(|entry| evidence::push_entry(&mut again, entry)));
        assert_eq!(again, rest);
    }
}

/// An event as the log holds it, and any JSON from outside.
pub fn event(bytes: &[u8]) {
    if let Ok(recorded) = wire::read(bytes) {
        let envelope = wire::read_envelope(bytes).expect("what is an event has an envelope");
        assert_eq!(
            (envelope.position, envelope.recorded_at, envelope.id),
            (recorded.position, recorded.recorded_at, recorded.event.id)
        );
        if let Ok(written) = wire::write(&recorded) {
            let again = wire::read(&written).expect("what is written reads back");
            assert_eq!(wire::write(&again).expect("it is as large as before"), written);
        }
    }
    if let Ok(value) = strict_json::parse(bytes) {
        let canonical = strict_json::canonical(&value);
        let again = strict_json::parse(&canonical).expect("the canonical form is JSON");
        // Fractions, of which no event has any, are read to the nearest or next to nearest number.
        if !has_fractions(&value) {
            assert_eq!(again, value, "a value reads back from its canonical form");
            assert_eq!(strict_json::canonical(&again), canonical, "a value has one canonical form");
        }
        // The library gives objects with names of its own another meaning, which must not get in here.
        if !has_private_names(&value) {
            assert!(serde_json::from_slice::<Value>(bytes).is_ok(), "it is stricter, not other");
        }
    }
}

fn has_fractions(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_fractions),
        Value::Object(members) => members.values().any(has_fractions),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

fn has_private_names(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_private_names),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.starts_with("$serde_json::private::") || has_private_names(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A proof file: it reads back, and proves nothing without a key.
pub fn proof_file(bytes: &[u8]) {
    let Ok(proof) = ProofFile::parse(bytes) else { return };
    assert_eq!(proof.to_string().as_bytes(), bytes, "a proof reads back as it was");
    assert!(proof.verify(b"", &[]).is_err());
    assert!(proof.verify(b"no entry of the log", &keys()).is_err(), "it proves what is in the log only");
}

/// A bundle, one of whose files is replaced: the first byte says which. It is refused, or says nothing else than the
/// genuine one.
pub fn bundle(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let content = bundle_content();
    let (name, genuine_bytes) =
        content.iter().nth(usize::from(*which) % content.len()).expect("it is within");
    let files = MemoryFiles::new();
    for (name, bytes) in content {
        files.put(&Path::new(BUNDLE).join(name), bytes.clone());
    }
    files.put(&Path::new(BUNDLE).join(name), bytes.to_vec());
    let Ok(report) = verify_bundle(&files, Path::new(BUNDLE), &keys()) else { return };
    let last = *report.selected.end();
    assert!(*report.selected.start() >= 1 && last <= report.size && *report.selected.start() <= last);
    if !report.is_ok() {
        return;
    }
    let may_differ = name.ends_with("planwatch-bundle.json") || name.ends_with("vkeys");
    assert!(may_differ || bytes == genuine_bytes, "{} may not differ", name.display());
    if last == genuine().claimed().size() && *report.selected.start() == 1 {
        assert_eq!(report.root, Some(genuine().claimed().root()));
    }
}

/// A genuine bundle, by the names of its files.
pub fn bundle_content() -> &'static BTreeMap<PathBuf, Vec<u8>> {
    static CONTENT: LazyLock<BTreeMap<PathBuf, Vec<u8>>> = LazyLock::new(|| {
        let (log, files) = (log_of(seed_journal().to_vec()), MemoryFiles::new());
        let journal = JournalReader::new(&log, Path::new(LOG)).expect("it is a log");
        let all = Position(1)..=Position(genuine().claimed().size());
        let head = BundleHead::Signed(genuine());
        export_journal(&journal, all, head, &keys(), &files, Path::new(BUNDLE), &mut |_| {})
            .expect("it is whole");
        let found = files.list_below(Path::new(BUNDLE)).expect("it is in memory");
        let read = |name: &PathBuf| files.read(&Path::new(BUNDLE).join(name)).expect("it was listed");
        found.into_iter().map(|(name, _)| (name.clone(), read(&name))).collect()
    });
    &CONTENT
}

/// The journal of a small log.
pub fn seed_journal() -> &'static [u8] {
    include_bytes!("../corpus/frame/three-commits")
}

/// A public key, and a private one.
pub fn key(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text, "a key has one spelling");
    }
    if let Ok(key) = text.parse::<SigningKey>() {
        assert_eq!(key.to_secret_text(), text, "a key has one spelling");
    }
    if let Ok(keys) = VerifierKey::parse_lines(text) {
        let written: String = keys.iter().map(|key| format!("{key}\n")).collect();
        assert_eq!(VerifierKey::parse_lines(&written), Ok(keys));
    }
    // Hashing takes anything.
    let _ = leaf_hash(bytes);
}
