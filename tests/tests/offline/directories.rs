//! Stopped directories: of `up`, and of a log by itself.

use super::*;

#[test]
fn a_stopped_directory_is_checked_by_its_own_path_and_by_that_of_its_log() {
    let place = Place::new();
    for at in [place.data(), place.log().display().to_string()] {
        let verified = data(&["log", "verify", &at]);
        assert_eq!((verified["ok"].as_bool(), verified["head"].as_u64()), (Some(true), Some(SAMPLE_HEAD)));
        assert_eq!(verified["checkpoints"], serde_json::json!([]));
        assert_eq!(data(&["log", "verify", "--data", &at]), verified);
    }
    place.keep(&place.sign(200));
    place.keep_vkeys();
    for at in [place.data(), place.log().display().to_string()] {
        let verified = data(&["log", "verify", &at]);
        let verdict = &verified["checkpoints"][0];
        assert_eq!((&verdict["agreement"], &verdict["size"]), (&"agrees".into(), &200.into()));
        let told = run(&["log", "verify", &at]);
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(
            told.contains("signed up to position 200 (by the public keys that lie with the log)"),
            "{told}"
        );
    }
}

#[test]
fn damage_is_named_with_position_file_and_byte() {
    let place = Place::new();
    let journal = place.journal();
    let whole = std::fs::read(&journal).unwrap();
    let found = |bytes: Vec<u8>| {
        std::fs::write(&journal, bytes).unwrap();
        let found = problems(&["log", "verify", &place.data()]).remove(0);
        assert_eq!(found.file, journal);
        found
    };
    let mut altered = whole.clone();
    altered[50] ^= 1;
    let first = found(altered);
    assert!(first.position == 1 && first.what.starts_with("byte 0: "), "{first:?}");
    let cut = found(whole[..whole.len() - 7].to_vec());
    assert!(cut.position > 200 && cut.what.contains("bytes are no whole frame"), "{cut:?}");
    let byte = |found: &Problem| -> usize {
        found.what.strip_prefix("byte ").unwrap().split(':').next().unwrap().parse().unwrap()
    };
    // Two commits in each other's place.
    let second = whole[4..].windows(4).position(|at| at == b"PWF\x01").unwrap() + 4;
    let swapped = found([&whole[second..], &whole[..second]].concat());
    assert!(swapped.what.contains("1 comes next") && byte(&swapped) == 0, "{swapped:?}");
    std::fs::write(&journal, &whole).unwrap();
    std::fs::write(place.log().join("format.json"), r#"{"format":9,"plan":"binh-duong"}"#).unwrap();
    let future = problems(&["log", "verify", &place.data()]).remove(0);
    assert!(future.file.ends_with("format.json") && future.what.contains("format 9"), "{future:?}");
}

#[test]
fn a_torn_or_damaged_end_is_not_exported_or_backed_up_as_if_it_were_nothing() {
    let place = Place::new();
    let journal = place.journal();
    let whole = std::fs::read(&journal).unwrap();
    std::fs::write(&journal, &whole[..whole.len() - 7]).unwrap();
    for command in [
        ["log", "export", "--data", &place.data(), "--to", &place.text("to")],
        ["backup", "--data", &place.data(), "--to", &place.text("to"), "--json"],
    ] {
        let told = refused(1, &command);
        assert!(told.contains("are no whole frame") && told.contains("start the service once"), "{told}");
        assert!(!place.path("to").exists());
    }
    // What is before it is there.
    data(&["log", "export", "--data", &place.data(), "--to", &place.text("to"), "--until", "100"]);
    let mut altered = whole.clone();
    altered[50] ^= 1;
    std::fs::write(&journal, altered).unwrap();
    let told = refused(1, &["backup", "--data", &place.data(), "--to", &place.text("never")]);
    assert!(told.contains("is damaged at byte 0, position 1"), "{told}");
    assert!(!place.path("never").exists());
    // Nor is what was signed and is gone.
    std::fs::write(&journal, &whole).unwrap();
    let signed = place.sign(SAMPLE_HEAD);
    let second_last = (0..whole.len() - 4).rev().find(|at| &whole[*at..*at + 4] == b"PWF\x01").unwrap();
    std::fs::write(&journal, &whole[..second_last]).unwrap();
    place.keep(&signed);
    let told = refused(1, &["backup", "--data", &place.data(), "--to", &place.text("never")]);
    assert!(told.contains("has signed 219 events") && told.contains("lost some"), "{told}");
    let told = refused(1, &["log", "export", "--data", &place.data(), "--to", &place.text("never")]);
    assert!(told.contains("219 were to be exported"), "{told}");
    assert!(!place.path("never").exists());
    let lacks = problems(&["log", "verify", &place.data(), "--vkey", &vkey()]).remove(0);
    assert!(lacks.what.contains("is missing or damaged"), "{lacks:?}");
    refused(3, &["backup", "--data", &place.text("nowhere"), "--to", &place.text("never")]);
}
