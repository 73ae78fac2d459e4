//! Bundles: exported, verified, imported, and everything that is wrong with one refused with what and where.

use super::*;
use event_log::files::RealFiles;
use event_log::{IndexKind, JournalReader, Options};
use events::{PlanId, Position};
use std::ops::ControlFlow;

const MARK: &str = "planwatch-bundle.json";
const ENTRIES: &str = "tile/entries/000.p/219";
const TILE: &str = "tile/0/000.p/219";

/// A second log of the same plan and length, one of whose events is another.
fn rewritten(place: &Place, position: u64) -> String {
    let journal = place.log();
    let reader = JournalReader::new(&RealFiles, &journal).unwrap();
    let mut events = Vec::new();
    reader
        .walk(&mut |stored| {
            let mut bytes = String::from_utf8(stored.bytes.to_vec()).unwrap();
            if stored.position.0 == position {
                let at = bytes.find("\"actor\":\"").unwrap() + 9;
                bytes.replace_range(at..at + 1, "z");
            }
            events.push(event_log::Copied { position: stored.position, bytes: bytes.into_bytes().into() });
            ControlFlow::Continue(())
        })
        .unwrap();
    let data = place.text("rewritten");
    let folder = place.path("rewritten/ingestion/binh-duong");
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    let options = Options { index: IndexKind::Memory, ..Options::default() };
    let mut opened = event_log::open(&folder, &PlanId::parse("binh-duong").unwrap(), options).unwrap();
    opened.writer.append_copy(events).unwrap();
    assert_eq!(opened.log.head(), Position(SAMPLE_HEAD));
    data
}

/// Verifies and imports a bundle that both refuse; gives the first problem. Nothing is left of the import.
#[track_caller]
fn refused_by_both(place: &Place, bundle: &str, keys: &[&str]) -> Problem {
    let keys: Vec<&str> = keys.iter().flat_map(|key| ["--vkey", key]).collect();
    let first = problems(&[&["log", "verify", bundle], &keys[..]].concat()).remove(0);
    let to = place.text("imported");
    let again = problems(&[&["log", "import", bundle, "--to", &to], &keys[..]].concat()).remove(0);
    assert_eq!(again, first);
    assert!(!place.path("imported").exists() && !place.path("imported.incomplete").exists());
    // People are told the same as programs.
    let output = run(&[&["log", "verify", bundle], &keys[..]].concat());
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains(&first.what) && told.contains("DAMAGED"), "{told}");
    first
}

/// Alters a file of a bundle, sees it refused, and puts it back.
#[track_caller]
fn altered(place: &Place, bundle: &str, name: &str, alter: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Problem {
    let file = Path::new(bundle).join(name);
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, alter(whole.clone())).unwrap();
    let problem = refused_by_both(place, bundle, &[&vkey()]);
    std::fs::write(&file, whole).unwrap();
    problem
}

/// Splits the entry bundle into its entries, lets them be changed, and joins them again.
fn entries(bytes: &[u8], change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let mut entries: Vec<Vec<u8>> =
        evidence::split_entries(bytes, 219).unwrap().into_iter().map(<[u8]>::to_vec).collect();
    change(&mut entries);
    let mut joined = Vec::new();
    assert!(entries.iter().all(|entry| evidence::push_entry(&mut joined, entry)));
    joined
}

#[test]
fn a_signed_bundle_is_verified_and_imported_with_the_public_key_alone() {
    let place = Place::new();
    let bundle = place.signed_bundle();
    let verified = data(&["log", "verify", &bundle, "--vkey", &vkey()]);
    assert_eq!((verified["ok"].as_bool(), verified["head"].as_u64()), (Some(true), Some(SAMPLE_HEAD)));
    assert_eq!((&verified["signed"], &verified["signed_by"][0]), (&219.into(), &vkey().into()));
    // The key may stand in a file, among comments and others.
    let keys = place.text("keys.txt");
    std::fs::write(&keys, format!("# published in the gazette\n\n{}\n", vkey())).unwrap();
    let told = run(&["log", "verify", &bundle, "--vkey", &keys]);
    assert!(String::from_utf8_lossy(&told.stdout).contains("whole: positions 1 to 219"), "{told:?}");

    let to = place.text("imported");
    let imported = data(&["log", "import", &bundle, "--to", &to, "--vkey", &keys]);
    assert_eq!((imported["head"].as_u64(), imported["signed"].as_u64()), (Some(219), Some(219)));
    assert_eq!(digest(&to, SAMPLE_HEAD), digest(&place.data(), SAMPLE_HEAD));
    let verified = data(&["log", "verify", &to, "--vkey", &vkey()]);
    assert_eq!(verified["checkpoints"][0]["agreement"], "agrees", "the checkpoint came along: {verified}");
    assert_eq!(verified["root"], imported["root"]);

    let told = refused(1, &["log", "import", &bundle, "--to", &to, "--vkey", &keys]);
    assert!(told.contains("is not empty, and nothing is ever overwritten"), "{told}");
    let told = refused(1, &["log", "export", "--data", &place.data(), "--to", &bundle]);
    assert!(told.contains("is not empty"), "{told}");
}

#[test]
fn an_unsigned_bundle_says_that_it_is_and_is_only_taken_where_that_is_asked_for() {
    let place = Place::new();
    let bundle = place.text("bundle");
    let exported = run(&["log", "export", "--data", &place.data(), "--to", &bundle]);
    assert!(said(&exported).contains("the bundle is unsigned"), "{exported:?}");
    let told = run(&["log", "verify", &bundle]);
    assert_eq!(told.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&told.stdout).contains("unsigned"), "{told:?}");
    let first = refused_by_both(&place, &bundle, &[&vkey()]);
    assert!(first.what.contains("is unsigned"), "{first:?}");
    let to = place.text("imported");
    let told = refused(2, &["log", "import", &bundle, "--to", &to]);
    assert!(told.contains("--unsigned"), "{told}");
    data(&["log", "import", &bundle, "--to", &to, "--unsigned"]);
    assert_eq!(digest(&to, SAMPLE_HEAD), digest(&place.data(), SAMPLE_HEAD));
    // Who takes the signature away does not get around the key.
    let signed = Place::new();
    let bundle = signed.signed_bundle();
    let mark = Path::new(&bundle).join(MARK);
    let root = data(&["log", "verify", &bundle, "--vkey", &vkey()])["root"].clone();
    std::fs::remove_file(Path::new(&bundle).join("checkpoint")).unwrap();
    let unsigned = serde_json::json!({"format": 1, "plan": "binh-duong", "from": 1, "to": 219,
        "unsigned": {"size": 219, "root": root}});
    std::fs::write(mark, unsigned.to_string()).unwrap();
    assert!(refused_by_both(&signed, &bundle, &[&vkey()]).what.contains("is unsigned"));
}

#[test]
fn a_selection_by_position_and_by_date_is_what_was_recorded_then() {
    let place = Place::new();
    let (data_directory, checkpoint) = (place.data(), place.sign(SAMPLE_HEAD).to_string());
    let file = place.text("checkpoint.txt");
    std::fs::write(&file, checkpoint).unwrap();
    let export = |to: &str, more: &[&str]| {
        let to = place.text(to);
        let base = ["log", "export", "--data", &data_directory, "--to", &to, "--checkpoint", &file];
        let exported = data(&[&base, more].concat());
        let verified = data(&["log", "verify", &to, "--vkey", &vkey()]);
        assert_eq!(verified["head"], exported["to"]);
        (exported["from"].as_u64().unwrap(), exported["to"].as_u64().unwrap())
    };
    assert_eq!(export("a", &["--from", "10", "--until", "20"]), (10, 20));
    assert_eq!(export("b", &["--from", "219"]), (219, 219));
    // The end of a day is where it is for everything else.
    let mut ends = Vec::new();
    for day in ["2022-12-31", "2024-02-29", "2024-03-01"] {
        let known = data(&["replay", "--data", &data_directory, "--to", day])["position"].as_u64().unwrap();
        assert_eq!(export(day, &["--until-date", day]), (1, known));
        ends.push(known);
    }
    assert!(ends.windows(2).all(|pair| pair[0] < pair[1]), "{ends:?}");
    let later = export("c", &["--from-date", "2023-01-01", "--until-date", "2024-02-29"]);
    assert_eq!(later, (ends[0] + 1, ends[1]));
    let instant = export("d", &["--until-date", "2024-02-29T23:59:59+07:00"]);
    assert_eq!(instant, (1, ends[1]));

    let refuse = |exit, more: &[&str]| {
        let to = place.text("never");
        let base = ["log", "export", "--data", &data_directory, "--to", &to, "--checkpoint", &file];
        let told = refused(exit, &[&base, more].concat());
        assert!(!place.path("never").exists(), "{told}");
        told
    };
    let told = refuse(1, &["--from-date", "2024-01-01", "--until-date", "2023-01-01"]);
    assert!(told.contains("nothing was recorded in that time"), "{told}");
    assert!(refuse(1, &["--until", "220"]).contains("not within the 219 events"), "beyond the checkpoint");
    for wrong in [&["--from", "0"][..], &["--until", "x"], &["--until-date", "soon"]] {
        refuse(2, wrong);
    }
    assert!(refuse(2, &["--until", "5", "--until-date", "2024-01-01"]).contains("cannot be used with"));
    let part = place.text("a");
    let told = refused(1, &["log", "import", &part, "--to", &place.text("never"), "--vkey", &vkey()]);
    assert!(told.contains("starts at position 10"), "{told}");
}

#[test]
fn a_checkpoint_that_is_not_this_logs_is_not_exported_with() {
    let place = Place::new();
    let signed = place.sign(SAMPLE_HEAD);
    let other = rewritten(&place, 100);
    let file = place.text("checkpoint.txt");
    let export = |data: &str, more: &[&str]| {
        let to = place.text("never");
        let told = refused(
            1,
            &[&["log", "export", "--data", data, "--to", &to, "--checkpoint", &file], more].concat(),
        );
        assert!(!place.path("never").exists(), "{told}");
        told
    };
    std::fs::write(&file, signed.to_string()).unwrap();
    assert!(export(&other, &[]).contains("does not agree with this log"));
    std::fs::write(&file, signed.to_string().replace("\n219\n", "\n218\n")).unwrap();
    let told = export(&place.data(), &["--vkey", &vkey()]);
    assert!(told.contains("was altered after it was signed"), "{told}");
    std::fs::write(&file, "hello").unwrap();
    assert!(export(&place.data(), &[]).contains("no empty line before its signatures"));
    refused(3, &["log", "export", "--data", &place.text("nowhere"), "--to", &place.text("never")]);
}

#[test]
fn truncated_reordered_and_doctored_bundles_are_refused_with_position_and_file() {
    let place = Place::new();
    let bundle = place.signed_bundle();
    let at = |name: &str| Path::new(&bundle).join(name);

    let found = altered(&place, &bundle, ENTRIES, |mut bytes| {
        bytes.truncate(bytes.len() / 2);
        bytes
    });
    assert!(found.file == at(ENTRIES) && found.what.contains("ends within entry"), "{found:?}");
    let found = altered(&place, &bundle, TILE, |mut bytes| {
        bytes.pop();
        bytes
    });
    assert!(found.file == at(TILE) && found.what.contains("in place of"), "{found:?}");
    let found = altered(&place, &bundle, ENTRIES, |bytes| entries(&bytes, |all| all.swap(99, 149)));
    assert_eq!((found.position, &found.file), (100, &at(ENTRIES)), "{found:?}");
    assert!(found.what.contains("says that it is position 150"), "{found:?}");
    let found = altered(&place, &bundle, ENTRIES, |bytes| {
        entries(&bytes, |all| {
            let text = String::from_utf8(all[149].clone()).unwrap();
            let doctored = text.replacen("planwatch.", "planwatcg.", 1);
            assert_ne!(doctored, text);
            all[149] = doctored.into_bytes();
        })
    });
    assert_eq!((found.position, &found.file), (150, &at(ENTRIES)), "{found:?}");
    let found = altered(&place, &bundle, TILE, |mut bytes| {
        bytes[32 * 149] ^= 1;
        bytes
    });
    assert!(found.what.contains("rightmost tiles do not lead to the checkpoint's root"), "{found:?}");
    let found = altered(&place, &bundle, "checkpoint", |bytes| {
        String::from_utf8(bytes).unwrap().replace("\n219\n", "\n218\n").into_bytes()
    });
    assert!(found.file == at("checkpoint") && found.what.contains("altered after"), "{found:?}");
    let found = altered(&place, &bundle, "checkpoint", |_| b"planwatch/binh-duong\n219\n".to_vec());
    assert!(found.file == at("checkpoint") && found.what.contains("cut short or unsigned"), "{found:?}");
    let found = altered(&place, &bundle, "vkeys", |mut bytes| {
        bytes[3] ^= 1;
        bytes
    });
    assert!(found.file == at("vkeys") && found.what.contains("public keys"), "{found:?}");
    let found = altered(&place, &bundle, MARK, |_| b"{\"format\":1}".to_vec());
    assert!(found.file == at(MARK) && found.what.contains("malformed"), "{found:?}");
    let found = altered(&place, &bundle, MARK, |bytes| {
        String::from_utf8(bytes).unwrap().replace("219", "220").into_bytes()
    });
    assert!(found.file == at(MARK) && found.what.contains("1 to 220 of 219"), "{found:?}");
    let found = altered(&place, &bundle, MARK, |bytes| {
        String::from_utf8(bytes).unwrap().replace("binh-duong", "other-plan").into_bytes()
    });
    assert!(found.position == 1 && found.what.contains("is of plan `binh-duong`"), "{found:?}");
    data(&["log", "verify", &bundle, "--vkey", &vkey()]);
}

#[test]
fn a_bundle_of_a_rewritten_history_does_not_pass_under_the_old_checkpoint() {
    let place = Place::new();
    let bundle = place.signed_bundle();
    let other = rewritten(&place, 100);
    let forged = place.text("forged");
    data(&["log", "export", "--data", &other, "--to", &forged]);
    // All of the other log, under the checkpoint that the genuine one signed.
    for name in ["checkpoint", MARK] {
        std::fs::copy(Path::new(&bundle).join(name), Path::new(&forged).join(name)).unwrap();
    }
    let found = refused_by_both(&place, &forged, &[&vkey()]);
    assert!(found.what.contains("do not lead to the checkpoint's root"), "{found:?}");
    // Its entries among the genuine tiles: named exactly.
    std::fs::copy(Path::new(&bundle).join(TILE), Path::new(&forged).join(TILE)).unwrap();
    let found = refused_by_both(&place, &forged, &[&vkey()]);
    assert_eq!(found.position, 100, "{found:?}");
    assert!(found.file.ends_with(ENTRIES) && found.what.contains("and was altered"), "{found:?}");
}

#[test]
fn missing_and_further_files_and_links_are_refused() {
    let place = Place::new();
    let bundle = place.signed_bundle();
    let at = |name: &str| Path::new(&bundle).join(name);
    for name in [ENTRIES, TILE, "checkpoint", MARK, "vkeys"] {
        let kept = place.path("kept");
        std::fs::rename(at(name), &kept).unwrap();
        if name == MARK {
            let told = refused(1, &["log", "verify", &bundle, "--vkey", &vkey()]);
            assert!(told.contains("no bundle and no backup (or one that was cut short)"), "{told}");
            let first = problems(&["log", "import", &bundle, "--to", &place.text("x"), "--vkey", &vkey()]);
            assert!(first[0].what.contains("cut short"), "{first:?}");
        } else {
            let found = refused_by_both(&place, &bundle, &[&vkey()]);
            assert_eq!(found.file, at(name), "{found:?}");
        }
        // What is not a file any more leads somewhere: nothing is read through it.
        std::os::unix::fs::symlink(&kept, at(name)).unwrap();
        let found = refused_by_both(&place, &bundle, &[&vkey()]);
        assert!(found.file == at(name) && found.what.contains("is a link"), "{found:?}");
        std::fs::remove_file(at(name)).unwrap();
        std::fs::rename(&kept, at(name)).unwrap();
    }
    for name in ["notes.txt", "tile/0/000", "tile/entries/000", "tile/1/000.p/1", "tile/0/000.p/218"] {
        std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        std::fs::write(at(name), "x").unwrap();
        let found = refused_by_both(&place, &bundle, &[&vkey()]);
        assert!(found.file == at(name) && found.what.contains("does not belong"), "{found:?}");
        std::fs::remove_file(at(name)).unwrap();
    }
    let outside = place.path("outside");
    std::fs::create_dir(&outside).unwrap();
    for (name, target) in
        [("tile/2", outside.as_path()), ("up", Path::new("../..")), ("gone", Path::new("/nowhere"))]
    {
        std::os::unix::fs::symlink(target, at(name)).unwrap();
        let found = refused_by_both(&place, &bundle, &[&vkey()]);
        assert!(found.file == at(name) && found.what.contains("is a link"), "{found:?}");
        std::fs::remove_file(at(name)).unwrap();
    }
    data(&["log", "verify", &bundle, "--vkey", &vkey()]);
}

#[test]
fn wrong_keys_and_foreign_and_future_formats_are_refused() {
    let place = Place::new();
    let bundle = place.signed_bundle();
    let other = |seed: u8, name: &str| {
        SigningKey::from_seed(KeyName::parse(name).unwrap(), &[seed; 32]).verifier(KeyUse::Log).to_string()
    };
    for wrong in [other(8, "planwatch/binh-duong"), other(7, "planwatch/other")] {
        let found = refused_by_both(&place, &bundle, &[&wrong]);
        assert!(found.file.ends_with("checkpoint"), "{found:?}");
        assert!(found.what.contains("none of the given keys signed"), "{found:?}");
    }
    data(&["log", "verify", &bundle, "--vkey", &other(8, "x"), "--vkey", &vkey()]);

    let verify = |keys: &[&str]| refused(2, &[&["log", "verify", &bundle], keys].concat());
    assert!(verify(&[]).contains("give the log's public key with --vkey"));
    let told = verify(&["--vkey", &key().to_secret_text()]);
    assert!(told.contains("private key where a public one belongs"), "{told}");
    let mut mistyped = vkey();
    mistyped.replace_range(0..1, "q");
    assert!(verify(&["--vkey", &mistyped]).contains("altered or mistyped"));
    assert!(verify(&["--vkey", &place.text("no-such-file")]).contains("neither a key nor a file"));
    std::fs::write(place.path("empty"), "# none\n").unwrap();
    assert!(verify(&["--vkey", &place.text("empty")]).contains("holds no public key"));
    assert!(verify(&["--vkey", &vkey(), "--checkpoint", "x"]).contains("bring theirs"));

    let mark = Path::new(&bundle).join(MARK);
    std::fs::write(&mark, r#"{"format":2,"compression":"xz"}"#).unwrap();
    let found = refused_by_both(&place, &bundle, &[&vkey()]);
    assert!(found.file == mark && found.what.contains("format 2, this version knows up to 1"), "{found:?}");

    let foreign = place.text("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(place.path("foreign/readme"), "hello").unwrap();
    let told = refused(1, &["log", "verify", &foreign, "--vkey", &vkey()]);
    assert!(told.contains("no data directory, no log, no bundle and no backup"), "{told}");
    let to = place.text("to");
    let log = place.log().display().to_string();
    let told = refused(1, &["log", "import", &log, "--to", &to, "--vkey", &vkey()]);
    assert!(told.contains("is a log, no bundle"), "{told}");
    let nowhere = place.text("nowhere");
    for command in
        [vec!["log", "verify", &nowhere], vec!["log", "import", &nowhere, "--to", &to, "--unsigned"]]
    {
        assert!(refused(3, &command).contains("there is no directory"));
    }
}

#[test]
fn a_directory_is_held_against_a_checkpoint_and_the_first_position_that_differs_is_named() {
    let place = Place::new();
    let bundle = place.signed_bundle();
    let other = rewritten(&place, 100);
    let file = Path::new(&bundle).join("checkpoint").display().to_string();
    let verify = |data: &str, more: &[&str]| {
        problems(&[&["log", "verify", data, "--vkey", &vkey()], more].concat()).remove(0)
    };
    data(&["log", "verify", &place.data(), "--vkey", &vkey(), "--checkpoint", &bundle]);
    // With the bundle that was exported earlier, exactly; with the checkpoint alone, that it was.
    let found = verify(&other, &["--checkpoint", &bundle]);
    assert_eq!(found.position, 100, "{found:?}");
    assert!(found.what.contains("history was rewritten"), "{found:?}");
    let found = verify(&other, &["--checkpoint", &file]);
    assert!(found.position == 219 && found.what.contains("at or before position 219"), "{found:?}");
    // The log's own index remembers what the journal held.
    let log = place.log();
    std::fs::remove_dir_all(log.join("journal")).unwrap();
    let forged = place.path("rewritten/ingestion/binh-duong/journal");
    std::fs::create_dir(log.join("journal")).unwrap();
    for name in files_below(&forged) {
        std::fs::copy(forged.join(&name), log.join("journal").join(&name)).unwrap();
    }
    let found = verify(&place.data(), &[]);
    assert_eq!((found.position, found.file), (100, log.join("checkpoint")));
    // Without a checkpoint the key proves nothing, and that is said.
    let found = verify(&other, &[]);
    assert!(found.what.contains("no checkpoint lies with the log"), "{found:?}");
    refused(2, &["log", "verify", &other, "--checkpoint", &file]);
    refused(3, &["log", "verify", &other, "--vkey", &vkey(), "--checkpoint", &place.text("nowhere")]);
}
