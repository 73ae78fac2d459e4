//! What the targets begin with: genuine logs, notes, proofs and bundles, and some that are almost so.

use crate::targets::{SIGNATURE, bundle_content, genuine, keys, seed_journal, signing_key};
use event_log::files::{Files, MemoryFiles};
use event_log::{IndexKind, Log, Opened, Options, open};
use events::{
    ActorId, Document, Event, EventData, LineValue, MeasureId, Period, PlanId, Position, ReportLine,
    ReportSubmitted, Timestamp, UnitId, ids,
};
use evidence::{Checkpoint, ProofFile};
use std::path::Path;
use std::sync::Arc;

/// What a target begins with: a name, and the bytes.
pub type Seed = (String, Vec<u8>);

/// A journal of three commits, one of them large enough to be compressed. Everything else is made of it.
pub fn journal() -> Vec<u8> {
    let (_, _, bytes) = log();
    bytes
}

/// The seeds of every target but the journal itself, by the target's name.
pub fn others() -> Vec<(&'static str, Vec<Seed>)> {
    let (log, _opened, bytes) = log();
    assert_eq!(bytes, seed_journal(), "the journal was written anew: run it once more");
    let note = genuine().to_string();
    let mut cosigned = genuine().clone();
    cosigned.cosign(&signing_key(), 1_700_000_000).expect("the time is possible");
    let text = genuine().claimed().to_string();
    let consistency = log.consistency_proof(2, log.tree_size()).expect("the tree is there");
    let request =
        evidence::AddCheckpoint { old_size: 2, hashes: consistency.hashes, checkpoint: genuine().clone() };
    vec![
        ("frame", vec![seed("empty", []), seed("torn", &seed_journal()[..100])]),
        (
            "note",
            vec![
                seed("signed", &note),
                seed("cosigned", cosigned.to_string()),
                seed("two-lines", [SIGNATURE, SIGNATURE].concat()),
                seed("request", request.to_string()),
                seed("unsigned", &text),
            ],
        ),
        (
            "checkpoint",
            vec![
                seed("whole", &text),
                seed("extensions", format!("{text}one\ntwo\n")),
                seed("empty-log", format!("x\n0\n{}\n", evidence::EMPTY_ROOT)),
                seed("leading-zero", text.replacen("\n7\n", "\n07\n", 1)),
            ],
        ),
        (
            "tile_path",
            vec![
                seed("full", "tile/0/x001/x234/067"),
                seed("partial", "tile/1/003.p/17"),
                seed("highest", "tile/63/999.p/255"),
                seed("entries", [b"tile/entries/000.p/2\n".as_slice(), b"\0\x01a\0\x02bc"].concat()),
                seed("tile", [b"tile/0/000.p/1\n".as_slice(), &[7; 32]].concat()),
            ],
        ),
        ("event", events(&log)),
        ("proof_file", proofs(&log)),
        ("bundle", bundles()),
        (
            "key",
            vec![
                seed("public", keys()[0].to_string()),
                seed("private", signing_key().to_secret_text()),
                seed("lines", format!("# a comment\n\n{}\n", keys()[0])),
                seed("cosigner", signing_key().verifier(evidence::KeyUse::Cosigner).to_string()),
            ],
        ),
    ]
}

fn seed(name: &str, bytes: impl AsRef<[u8]>) -> Seed {
    (name.to_owned(), bytes.as_ref().to_vec())
}

fn log() -> (Log, Opened, Vec<u8>) {
    let files = MemoryFiles::new();
    let options = Options { files: Arc::new(files.clone()), index: IndexKind::Memory, ..Options::default() };
    let plan = PlanId::parse("binh-duong").expect("it is an id");
    let mut opened = open(Path::new("/log"), &plan, options).expect("memory takes a log");
    for numbers in [1..=1, 2..=5, 6..=7] {
        let at = Timestamp::from_millisecond(1_767_225_600_000 + numbers.start() * 1_000);
        let events = numbers.map(report).collect();
        opened.writer.append(vec![events], at.expect("it is a time")).expect("memory takes it");
    }
    let file = Path::new("/log/journal/00000000000000000001.journal");
    let bytes = files.read(file).expect("the journal is there");
    (opened.log.clone(), opened, bytes)
}

fn report(number: i64) -> Event {
    let line = ReportLine {
        measure: MeasureId::parse("information-literacy").expect("it is an id"),
        value: LineValue::Rate { numerator: number.unsigned_abs(), denominator: 100 },
        source: Some("sổ theo dõi của phường".to_owned()),
    };
    Event {
        id: ids::derived_id(&["seed", &number.to_string()]),
        plan: PlanId::parse("binh-duong").expect("it is an id"),
        effective: "2025-12-01T00:00:00Z".parse().expect("it is an instant"),
        actor: ActorId::parse("tester").expect("it is an id"),
        traceparent: None,
        data: EventData::ReportSubmitted(ReportSubmitted {
            unit: UnitId::parse("di-an").expect("it is an id"),
            period: Period(2025),
            revision: 1,
            document: Document {
                number: "1/BC-UBND".to_owned(),
                date: "2025-12-01".parse().expect("it is a date"),
            },
            lines: vec![line],
            history: None,
            request_digest: None,
        }),
    }
}

/// The examples of every type, and one from the log.
fn events(log: &Log) -> Vec<Seed> {
    let logged = log.event_at(Position(3)).expect("it can be read").expect("it is there");
    let mut seeds = vec![
        seed("logged", &logged.bytes),
        seed("deep", "[".repeat(200)),
        seed("twice", r#"{"a":1,"b":[{"a":1,"a":2}]}"#),
        seed("numbers", r#"[0,-1,1.5,1e300,18446744073709551615,1E-2]"#),
    ];
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/events/examples");
    for entry in std::fs::read_dir(examples).expect("the examples are there") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_stem().expect("it has a name").to_string_lossy().replace('.', "-");
        seeds.push(seed(&name, std::fs::read(&path).expect("it can be read")));
    }
    seeds
}

fn proofs(log: &Log) -> Vec<Seed> {
    let size = log.tree_size();
    let proof = |position: u64| {
        let proof = log.inclusion_proof(Position(position), size).expect("the tree is there");
        ProofFile::new(proof, genuine().clone()).expect("both are of one size")
    };
    let small = Checkpoint::new(signing_key().name(), 1, log.root_at(Position(1)).expect("it is there"));
    vec![
        seed("first", proof(1).to_string()),
        seed("last", proof(size).to_string()),
        seed("extra", proof(3).with_extra(b"extra".to_vec()).expect("it is short").to_string()),
        seed("future", proof(1).to_string().replacen("@v1", "@v2", 1)),
        seed("no-hashes", format!("c2sp.org/tlog-proof@v1\nindex 0\n\n{small}\n{SIGNATURE}")),
    ]
}

/// Each file of a bundle behind the byte that names it, and marks that say something else.
fn bundles() -> Vec<Seed> {
    let content = bundle_content();
    let mut seeds = Vec::new();
    for (at, (name, bytes)) in (0_u8..).zip(content) {
        let file = name.to_string_lossy().replace(['/', '.'], "-");
        seeds.push(seed(&file, [&[at], bytes.as_slice()].concat()));
        if name == Path::new("planwatch-bundle.json") {
            for (name, mark) in [
                ("mark-part", r#"{"format":1,"plan":"binh-duong","from":2,"to":3}"#),
                ("mark-future", r#"{"format":2}"#),
                (
                    "mark-unsigned",
                    r#"{"format":1,"plan":"binh-duong","from":1,"to":7,"unsigned":{"size":7,"root":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}"#,
                ),
                (
                    "mark-largest",
                    r#"{"format":1,"plan":"binh-duong","from":18446744073709551615,"to":18446744073709551615}"#,
                ),
            ] {
                seeds.push(seed(name, [&[at], mark.as_bytes()].concat()));
            }
        }
    }
    seeds
}
