//! What is shown to anyone: receipts, checkpoint, proofs, tiles; verified with this crate and with another one.

use super::{checkpoint, covering, data, is_possible, submit, submit_batch, vkey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ct_merkle::RootHash;
use evidence::{
    AddCheckpoint, ConsistencyProof, Frontier, ProofFile, Resource, TilePath, TreeHash, VerifierKey,
    leaf_hash, read_tile, split_entries,
};
use serde_json::{Value, json};
use sha2::Sha256;
use std::io::Read;
use tests::support::{Http, Options, System, events, report, today};

/// The bytes of an answer that is no text.
#[track_caller]
fn bytes(http: &Http, path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    http.open(path, &[]).read_to_end(&mut bytes).unwrap();
    bytes
}

/// Verifies a receipt with our crate, and by hand with another implementation of the tree.
#[track_caller]
fn verify_receipt(acceptance: &Value, size: u64, entry: &[u8], keys: &[VerifierKey]) {
    let (position, receipt) =
        (acceptance["position"].as_u64().unwrap(), acceptance["receipt"].as_str().unwrap());
    let proof = ProofFile::parse(receipt.as_bytes()).unwrap();
    assert_eq!(proof.index() + 1, position);
    let verified = proof.verify(entry, keys).unwrap();
    assert_eq!(verified.checkpoint.size(), size);
    let mut other = entry.to_vec();
    other[20] ^= 1;
    proof.verify(&other, keys).unwrap_err();

    // With nothing of ours: lines of base64 between the index and the empty line, size and root in the note.
    let (head, note) = receipt.split_once("\n\n").unwrap();
    let hashes: Vec<u8> = head.lines().skip(2).flat_map(|line| STANDARD.decode(line).unwrap()).collect();
    let mut lines = note.lines().skip(1);
    assert_eq!(lines.next().unwrap().parse::<u64>().unwrap(), size);
    let root: [u8; 32] = STANDARD.decode(lines.next().unwrap()).unwrap().try_into().unwrap();
    let theirs = ct_merkle::InclusionProof::<Sha256>::try_from_bytes(hashes).unwrap();
    let root = RootHash::<Sha256>::new(root.into(), size);
    root.verify_inclusion(&entry.to_vec(), position - 1, &theirs).unwrap();
}

#[test]
fn every_recording_command_is_answered_with_a_receipt_that_anyone_verifies() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::sample());
    let (http, keys) = (system.http(), [vkey(&system)]);
    let entry = |acceptance: &Value| {
        let answer = http.get(&format!("/api/v1/events/{}", acceptance["event"].as_str().unwrap()));
        assert_eq!(answer.status, 200);
        answer.text.into_bytes()
    };
    let single = |answer: &Value| {
        verify_receipt(answer, answer["position"].as_u64().unwrap(), &entry(answer), &keys);
    };

    let body = report("di-an", 2024, 611).to_string();
    let post = || {
        let headers = [("idempotency-key", "receipt")];
        http.try_post("/api/v1/reports", &body, &headers).unwrap().expect(201)
    };
    let first = post();
    single(&first);
    let batch = submit_batch(http, 620..700);
    assert_eq!(post(), first, "the same answer again, the receipt included");
    let (position, last) = (&first["position"], batch["position"].as_u64().unwrap());
    let asked = http.anonymous().get(&format!("/api/v1/log/proof/{position}?size={position}"));
    assert_eq!(asked.text, first["receipt"].as_str().unwrap());
    let reports = batch["reports"].as_array().unwrap();
    assert_eq!(reports.len(), 80);
    for one in reports.iter().step_by(13) {
        verify_receipt(one, last, &entry(one), &keys);
    }

    let target = json!({
        "indicator": "life-skills", "unit": "di-an", "review": "2030", "percent": "66",
        "effective": today().to_string(), "instrument": "12/QĐ-UBND",
    });
    single(&http.post("/api/v1/targets", &target).expect(201));
    let unit = json!({
        "unit": "ben-cat", "change": "rename", "name": "Thành phố Bến Cát", "effective": today().to_string(),
        "instrument": "13/NQ",
    });
    single(&http.post("/api/v1/units", &unit).expect(201));
    let firing = http.get("/api/v1/alerts?state=firing&limit=1").expect(200);
    let acknowledged = http.post(
        &format!("/api/v1/alerts/{}/ack", firing["alerts"][0]["id"].as_str().unwrap()),
        &json!({"note": "seen"}),
    );
    single(&acknowledged.expect(201));

    // Offline, by command: the receipt and the event, saved by whoever sent the report.
    let file = |name: &str, content: &[u8]| {
        let file = system.data().join(name);
        std::fs::write(&file, content).unwrap();
        file.display().to_string()
    };
    let proof = file("receipt.tlog-proof", first["receipt"].as_str().unwrap().as_bytes());
    let event = file("event.json", &[entry(&first), b"\n".to_vec()].concat());
    let key = system.ready().vkey.clone();
    let verify = |event: &str, key: &str| {
        system.command(&["log", "verify", "--proof", &proof, "--entry", event, "--vkey", key, "--json"])
    };
    let verified = data(&verify(&event, &key), 0);
    assert_eq!(
        (&verified["ok"], &verified["position"], &verified["size"]),
        (&json!(true), position, position)
    );
    let altered = String::from_utf8(entry(&first)).unwrap().replace("611", "911");
    let altered = file("altered.json", altered.as_bytes());
    let refused = data(&verify(&altered, &key), 1);
    assert!(refused["problems"][0]["what"].as_str().unwrap().contains("was altered"), "{refused}");
    let other = "planwatch/other+9d7b8e9a+AQ==";
    assert_eq!(verify(&event, other).status.code(), Some(2), "what is no key is wrong usage");
}

#[test]
fn checkpoint_proofs_and_tiles_show_one_tree() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::sample());
    let (http, keys) = (system.http(), [vkey(&system)]);
    let anyone = http.anonymous();
    let early = checkpoint(http).verify(&keys).unwrap().checkpoint;
    assert!(early.size() >= 219 && early.origin() == "planwatch/binh-duong");
    let last = submit_batch(http, 100..400)["position"].as_u64().unwrap();
    let late = covering(http, last, &keys).checkpoint;
    assert_eq!(anyone.get("/api/v1/log/vkeys").text, format!("{}\n", system.ready().vkey));

    // It continues the earlier one: by our crate as a witness judges it, and by another one.
    let path = format!("/api/v1/log/consistency?from={}&to={}", early.size(), late.size());
    let asked = AddCheckpoint::parse(anyone.get(&path).text.as_bytes()).unwrap();
    asked.judge(&keys, Some(&early)).unwrap();
    let hashes: Vec<u8> = asked.hashes.iter().flat_map(|hash| hash.0).collect();
    let theirs = ct_merkle::ConsistencyProof::<Sha256>::try_from_bytes(hashes).unwrap();
    let second = |root: TreeHash, size: u64| RootHash::<Sha256>::new(root.0.into(), size);
    second(late.root(), late.size())
        .verify_consistency(&second(early.root(), early.size()), &theirs)
        .unwrap();
    let forked = ConsistencyProof { from: early.size(), to: late.size(), hashes: asked.hashes.clone() };
    forked.verify(late.root(), late.root()).unwrap_err();

    // The tiles are the tree, the bundles are the events.
    let log = events(http);
    let (mut tree, mut first_tile) = (Frontier::new(), Vec::new());
    while tree.size() < late.size() {
        let width = usize::try_from((late.size() - tree.size()).min(256)).unwrap();
        let of = |resource| TilePath::of_width(resource, tree.size() / 256, width).unwrap();
        let leaves = bytes(&anyone, &format!("/api/v1/log/{}", of(Resource::Hashes { level: 0 })));
        let leaves = read_tile(&leaves, width).unwrap();
        let entries = bytes(http, &format!("/api/v1/log/{}", of(Resource::Entries)));
        let entries = split_entries(&entries, width).unwrap();
        for (leaf, entry) in leaves.iter().zip(&entries) {
            assert_eq!(*leaf, leaf_hash(entry));
            assert_eq!(log[usize::try_from(tree.size()).unwrap()].bytes, *entry);
            tree.append(*leaf);
        }
        if first_tile.is_empty() {
            first_tile = leaves;
        }
    }
    assert_eq!((tree.size(), tree.root()), (late.size(), late.root()));
    let above = read_tile(&bytes(&anyone, "/api/v1/log/tile/1/000.p/1"), 1).unwrap();
    assert_eq!(above, [evidence::tile_root(&first_tile)]);
    assert_eq!(anyone.get("/api/v1/log/tile/entries/000").expect(401)["title"], "Not signed in");

    for (path, status, says) in [
        ("proof/0", 404, "whole number"),
        ("proof/x", 404, "whole number"),
        ("proof/01", 404, "whole number"),
        ("proof/999999", 404, "none at position 999999"),
        ("proof/5?size=4", 422, "position 5 is not within 4"),
        ("proof/5?size=999999", 422, "give a size from 5"),
        ("proof/5?size=x", 422, "?size"),
        ("proof/5?sizes=6", 422, "unknown-parameter"),
        ("consistency", 422, "`from` is missing"),
        ("consistency?from=9&to=8", 422, "?from"),
        ("consistency?from=1&to=999999", 422, "?to"),
        ("consistency?from=-1", 422, "?from"),
        ("tile/0/0", 404, "groups of three digits"),
        ("tile/0/009", 404, "not yet"),
        ("tile/9/000", 404, "not yet"),
        ("tile/0/000.p/256", 404, "1 to 255"),
        ("tile/0/..%2F000", 404, "no path of a tile"),
        ("tile/0/000?x=1", 422, "unknown-parameter"),
        ("checkpoint?x=1", 422, "unknown-parameter"),
        ("vkeys?x=1", 422, "unknown-parameter"),
    ] {
        let answer = anyone.get(&format!("/api/v1/log/{path}"));
        assert_eq!(
            (answer.status, answer.content_type.as_str()),
            (status, "application/problem+json"),
            "{path}"
        );
        assert!(answer.text.contains(says), "{path}: {}", answer.text);
    }
}

#[test]
fn the_commands_print_the_evidence_and_verify_what_is_shown() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::sample());
    let keys = [vkey(&system)];
    let key = system.ready().vkey.clone();
    let accepted = submit(system.http(), 512);
    let position = accepted["position"].as_u64().unwrap();
    let covered = covering(system.http(), position, &keys).checkpoint.size();

    let printed = data(&system.command(&["log", "checkpoint", "--json"]), 0);
    assert!(printed["size"].as_u64().unwrap() >= covered, "{printed}");
    assert_eq!(printed["signed_by"], json!([format!("planwatch/binh-duong+{:08x}", keys[0].id())]));
    let (at, size) = (position.to_string(), position.to_string());
    let proved = system.command(&["log", "prove", &at, "--size", &size]);
    assert_eq!(proved.stdout, accepted["receipt"].as_str().unwrap().as_bytes(), "the receipt, byte for byte");
    let consistent = system.command(&["log", "consistency", "--from", "219", "--to", &size]);
    let asked = AddCheckpoint::parse(&consistent.stdout).unwrap();
    assert_eq!((asked.old_size, asked.checkpoint.claimed().size()), (219, position));
    assert_eq!(system.command(&["log", "prove", "999999"]).status.code(), Some(1));
    assert_eq!(system.command(&["log", "prove", "0"]).status.code(), Some(2));

    let saved = system.data().join("saved.checkpoint");
    std::fs::write(&saved, printed["checkpoint"].as_str().unwrap()).unwrap();
    let saved = saved.display().to_string();
    let verify =
        |key: &str| system.command(&["log", "verify", "--vkey", key, "--checkpoint", &saved, "--json"]);
    let verified = data(&verify(&key), 0);
    assert_eq!((&verified["ok"], &verified["problems"]), (&json!(true), &json!([])));
    assert!(verified["head"].as_u64().unwrap() >= position);
    let replayed = data(&system.command(&["replay", "--to-position", &at, "--json"]), 0);
    assert_eq!(replayed["checkpoint"]["size"], position);
    assert_eq!(replayed["checkpoint"]["signed_by"], printed["signed_by"]);

    // Of the stopped directory: what was signed last, and proofs up to there.
    assert_eq!(system.stop().code(), Some(0));
    let kept = data(&system.stopped_command(&["log", "checkpoint", "--json"]), 0);
    let signed = evidence::SignedCheckpoint::parse(kept["checkpoint"].as_str().unwrap().as_bytes()).unwrap();
    assert_eq!(signed.verify(&keys).unwrap().checkpoint.size(), events_of(&system), "all of it is covered");
    let proved = system.stopped_command(&["log", "prove", &at]);
    let entry = system.stopped_command(&["log", "show", &at, "--json"]).stdout;
    let proof = ProofFile::parse(&proved.stdout).unwrap();
    proof.verify(entry.strip_suffix(b"\n").unwrap(), &keys).unwrap();
    assert_eq!(system.stopped_command(&["log", "prove", "5", "--size", "219"]).status.code(), Some(1));
    let replayed = data(&system.stopped_command(&["replay", "--to-position", &at, "--json"]), 0);
    assert_eq!(replayed["checkpoint"]["size"], kept["size"]);
}

fn events_of(system: &System) -> u64 {
    tests::support::stopped_log(&tests::support::log_folder(&system.data(), "ingestion")).len() as u64
}
