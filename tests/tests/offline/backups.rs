//! Backups of a stopped system: what is in one, and that nothing damaged is put back.

use super::*;
use std::os::unix::fs::PermissionsExt;

/// How many places of each file are damaged in each round.
const PLACES: usize = 8;

fn rounds() -> usize {
    std::env::var("PLANWATCH_ROUNDS").map_or(1, |rounds| rounds.parse().expect("a number of rounds"))
}

/// A signed system and a backup of it.
fn backed_up() -> (Place, String) {
    let place = Place::new();
    place.keep(&place.sign(200));
    place.keep_vkeys();
    let keys = place.path("data/keys/00000001.key");
    std::fs::write(keys, key().to_secret_text()).unwrap();
    std::fs::write(
        place.path("data/config/plan.toml"),
        include_str!("../../../deploy/plans/binh-duong.toml"),
    )
    .unwrap();
    let backup = place.text("backup");
    let taken = data(&["backup", "--data", &place.data(), "--to", &backup]);
    assert_eq!((taken["head"].as_u64(), taken["signed"].as_u64()), (Some(SAMPLE_HEAD), Some(200)));
    (place, backup)
}

/// Restores a backup that is refused; gives the first problem. Nothing is made.
#[track_caller]
fn refused_by_both(place: &Place, backup: &str) -> Vec<Problem> {
    let found = problems(&["log", "verify", backup]);
    let to = place.text("restored");
    assert_eq!(problems(&["restore", backup, "--to", &to]), found);
    assert!(!place.path("restored").exists() && !place.path("restored.incomplete").exists());
    found
}

#[test]
fn a_backup_holds_what_a_start_needs_and_nothing_secret() {
    let (place, backup) = backed_up();
    let names: Vec<String> =
        files_below(Path::new(&backup)).iter().map(|name| name.display().to_string()).collect();
    let expected = [
        "SHA256SUMS",
        "clock",
        "log/checkpoint",
        "log/planwatch-bundle.json",
        "log/tile/0/000.p/219",
        "log/tile/entries/000.p/219",
        "log/vkeys",
        "plan.toml",
        "planwatch-backup.json",
    ];
    assert_eq!(names, expected);
    let secret = key().to_secret_text();
    for name in &names {
        let bytes = std::fs::read(Path::new(&backup).join(name)).unwrap();
        assert!(!bytes.windows(20).any(|window| window == &secret.as_bytes()[..20]), "{name}");
    }
    let sums =
        Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(&backup).output();
    let sums = sums.expect("the system has sha256sum");
    assert!(sums.status.success(), "{sums:?}");

    let told = run(&["log", "verify", &backup]);
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("up to position 200; nobody signed the 19 later ones"), "{told}");
    data(&["log", "verify", &backup, "--vkey", &vkey()]);
    let to = place.text("restored");
    let restored = run(&["restore", &backup, "--to", &to]);
    assert_eq!(restored.status.code(), Some(0), "{restored:?}");
    assert!(said(&restored).contains("its keys were not brought"), "{restored:?}");
    assert_eq!(digest(&to, SAMPLE_HEAD), digest(&place.data(), SAMPLE_HEAD));
    for (restored, original) in [
        ("restored/ingestion/binh-duong/vkeys", "data/keys/vkeys"),
        ("restored/config/plan.toml", "data/config/plan.toml"),
        ("restored/ingestion/binh-duong/checkpoint", "data/ingestion/binh-duong/checkpoint"),
        ("restored/ingestion/binh-duong/clock", "data/ingestion/binh-duong/clock"),
    ] {
        let read = |name: &str| std::fs::read(place.path(name)).unwrap();
        assert!(read(restored) == read(original), "{restored}");
    }
    assert!(!place.path("restored/keys").exists());
    let verified = data(&["log", "verify", &to]);
    assert_eq!(
        verified["checkpoints"][0]["agreement"], "agrees",
        "by the keys that signed before: {verified}"
    );

    let with_keys = place.text("with-keys");
    data(&["restore", &backup, "--to", &with_keys, "--keys", &place.text("data/keys")]);
    let folder = place.path("with-keys/keys");
    assert_eq!(files_below(&folder), files_below(&place.path("data/keys")));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join("00000001.key"))), (0o700, 0o600));
    refused(3, &["restore", &backup, "--to", &place.text("x"), "--keys", &place.text("nowhere")]);
    assert_eq!(data(&["log", "verify", &to, "--vkey", &vkey()])["checkpoints"][0]["agreement"], "agrees");
    for command in [["restore", &backup, "--to", &to], ["backup", "--to", &backup, "--data"]] {
        let command: Vec<&str> = if command[0] == "backup" {
            vec!["backup", "--to", &backup, "--data", &to]
        } else {
            command.to_vec()
        };
        assert!(refused(1, &command).contains("nothing is ever overwritten"));
    }
    refused(3, &["restore", &place.text("nowhere"), "--to", &place.text("x")]);
}

#[test]
fn a_flipped_bit_anywhere_in_a_backup_is_found_and_its_file_named() {
    let (place, backup) = backed_up();
    let mut flipped = 0;
    for name in files_below(Path::new(&backup)) {
        let file = Path::new(&backup).join(&name);
        let whole = std::fs::read(&file).unwrap();
        let places = PLACES * rounds();
        for at in (0..whole.len()).step_by(whole.len().div_ceil(places)) {
            let bit = (at * 7 + flipped) % 8;
            let mut altered = whole.clone();
            altered[at] ^= 1 << bit;
            std::fs::write(&file, altered).unwrap();
            let found = problems(&["log", "verify", &backup]);
            let is_named = found.iter().any(|found| {
                // What a line of the checksums no longer fits is the file that it names, or the line.
                found.file == file || name == Path::new("SHA256SUMS")
            });
            // A hash above the events cannot be told from the root that it leads to.
            let is_tile = name.starts_with("log/tile/0") && found[0].what.contains("do not lead to");
            assert!(is_named || is_tile, "bit {bit} of byte {at} of {}: {found:?}", name.display());
            flipped += 1;
        }
        // As a sample, the same by `restore`.
        refused_by_both(&place, &backup);
        std::fs::write(&file, whole).unwrap();
    }
    assert!(flipped >= 60, "{flipped}");
    data(&["log", "verify", &backup]);
}

#[test]
fn a_backup_that_is_cut_short_or_lacks_a_file_or_has_one_more_is_refused() {
    let (place, backup) = backed_up();
    for name in files_below(Path::new(&backup)) {
        let file = Path::new(&backup).join(&name);
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
        let found = refused_by_both(&place, &backup);
        assert!(found.iter().any(|found| found.file == file), "{}: {found:?}", name.display());
        std::fs::remove_file(&file).unwrap();
        let found = refused_by_both(&place, &backup);
        assert!(found.iter().any(|found| found.file == file), "{}: {found:?}", name.display());
        std::os::unix::fs::symlink(place.path("elsewhere"), &file).unwrap();
        let found = refused_by_both(&place, &backup);
        assert!(found[0].file == file && found[0].what.contains("is a link"), "{found:?}");
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, whole).unwrap();
    }
    for name in ["more", "log/more", "log/tile/0/000"] {
        let file = Path::new(&backup).join(name);
        std::fs::write(&file, "x").unwrap();
        let found = refused_by_both(&place, &backup);
        assert!(found[0].file == file && found[0].what.contains("does not belong"), "{found:?}");
        std::fs::remove_file(file).unwrap();
    }
    // A list that names a file outside.
    let sums = Path::new(&backup).join("SHA256SUMS");
    let whole = std::fs::read_to_string(&sums).unwrap();
    std::fs::write(&sums, whole.replace("  clock", "  ../data/config/plan.toml")).unwrap();
    let found = refused_by_both(&place, &backup);
    assert!(found[0].file == sums && found[0].what.contains("line 3 is no checksum"), "{found:?}");
    std::fs::write(&sums, whole).unwrap();
    let mark = Path::new(&backup).join("planwatch-backup.json");
    std::fs::write(&mark, r#"{"format":2}"#).unwrap();
    let found = refused_by_both(&place, &backup);
    assert!(found[0].file == mark && found[0].what.contains("format 2"), "{found:?}");
}

#[test]
fn a_backup_of_another_log_does_not_pass_under_the_log_s_key() {
    let (place, backup) = backed_up();
    let stranger = SigningKey::from_seed(KeyName::parse("planwatch/binh-duong").unwrap(), &[8; 32]);
    let public = stranger.verifier(KeyUse::Log).to_string();
    let found = problems(&["log", "verify", &backup, "--vkey", &public]).remove(0);
    assert!(found.what.contains("none of the given keys signed"), "{found:?}");
    let to = place.text("restored");
    problems(&["restore", &backup, "--to", &to, "--vkey", &public]);
    assert!(!place.path("restored").exists());
    data(&["restore", &backup, "--to", &to, "--vkey", &vkey()]);
}
