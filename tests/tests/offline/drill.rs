//! The drill: a backup of a running system that takes reports, restored, started, and found to be the same; and a
//! bundle of it, imported and started.

use super::*;
use tests::support::{Http, Load, Options, System, audit, nats_server, until_some};

/// What a person brings, because no backup and no bundle holds it: the operator's token, by which the log also knows
/// who the operator is. The keys stay behind: they go on signing a history that goes another way.
fn bring_token(from: &Path, to: &Path) {
    std::fs::copy(from.join("operator.token"), to.join("operator.token")).unwrap();
}

/// The position and the digest that the running system answers with.
fn known(http: &Http, at_least: u64) -> (u64, String) {
    let status = until_some("the answers speak of the whole log", || {
        let answer = http.get(&format!("/api/v1/status?at_least={at_least}&unit=di-an"));
        (answer.status == 200).then(|| answer.json())
    });
    (status["position"].as_u64().unwrap(), status["digest"].as_str().unwrap().to_owned())
}

/// Starts a system on a directory that was made by a command.
fn start_on(folder: TempDir) -> System {
    System::start_in(folder, Options::empty())
}

#[test]
fn a_backup_of_a_running_system_holds_everything_acknowledged_before_and_starts_with_the_same_state() {
    if nats_server().is_none() {
        return;
    }
    let mut system = System::start(Options::empty());
    let before = Load::start(system.http(), "before");
    before.wait_for_more(50);
    let before = before.finish();
    let load = Load::start(system.http(), "during");
    load.wait_for_more(5);
    let backups = tempfile::tempdir().unwrap();
    let mut heads = Vec::new();
    for number in 0..3 {
        let backup = backups.path().join(number.to_string()).display().to_string();
        let taken = data(&["backup", "--data", &system.data().display().to_string(), "--to", &backup]);
        heads.push(taken["head"].as_u64().unwrap());
        load.wait_for_more(5);
    }
    let acknowledged = [before.clone(), load.finish()].concat();
    audit(&system, &acknowledged);
    assert!(heads.windows(2).all(|pair| pair[0] < pair[1]), "reports went in meanwhile: {heads:?}");
    let head = heads[0];
    assert!(before.iter().all(|report| report.position <= head), "{head}");
    let original = system.data().display().to_string();
    assert_eq!(system.stop().code(), Some(0));

    let backup = backups.path().join("0").display().to_string();
    assert_eq!(data(&["log", "verify", &backup])["head"], head);
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("data");
    let restored = place.display().to_string();
    data(&["restore", &backup, "--to", &restored]);
    let expected = digest(&original, head);
    assert_eq!(digest(&restored, head), expected);
    bring_token(&system.data(), &place);
    let mut again = start_on(folder);
    let (position, answered) = known(again.http(), head);
    assert!(position >= head, "{position}");
    let replayed = again.command(&["replay", "--json", "--to-position", &head.to_string()]);
    let replayed: Value = serde_json::from_slice(&replayed.stdout).unwrap();
    assert_eq!(replayed["digest"], expected);
    if position == head {
        assert_eq!(answered, expected);
    }
    // It goes on where it was: what was acknowledged before is answered as it was, new reports are taken.
    let load = Load::start(again.http(), "after");
    load.wait_for_more(10);
    let after = load.finish();
    assert!(after.iter().all(|report| report.position > head));
    let held = acknowledged.into_iter().filter(|report| report.position <= head);
    audit(&again, &held.chain(after).collect::<Vec<_>>());
    assert_eq!(again.stop().code(), Some(0));
}

#[test]
fn an_imported_bundle_starts_and_answers_the_same() {
    if nats_server().is_none() {
        return;
    }
    let mut system = System::start(Options::empty());
    let load = Load::start(system.http(), "reported");
    load.wait_for_more(20);
    let acknowledged = load.finish();
    audit(&system, &acknowledged);
    assert_eq!(system.stop().code(), Some(0));
    let original = system.data().display().to_string();
    let folder = tempfile::tempdir().unwrap();
    let (bundle, place) = (folder.path().join("bundle"), folder.path().join("data"));
    let bundle_text = bundle.display().to_string();
    let exported = data(&["log", "export", "--data", &original, "--to", &bundle_text]);
    let head = exported["to"].as_u64().unwrap();
    let keys = system.data().join("keys/vkeys");
    let vkeys = keys.display().to_string();
    let believed: &[&str] = if keys.exists() { &["--vkey", &vkeys] } else { &["--unsigned"] };
    let to = place.display().to_string();
    data(&[&["log", "import", &bundle_text, "--to", &to], believed].concat());
    let expected = digest(&original, head);
    assert_eq!(digest(&to, head), expected);
    bring_token(&system.data(), &place);
    let again = start_on(folder);
    let (position, answered) = known(again.http(), head);
    if position == head {
        assert_eq!(answered, expected);
    }
    let replayed = again.command(&["replay", "--json", "--to-position", &head.to_string()]);
    let replayed: Value = serde_json::from_slice(&replayed.stdout).unwrap();
    assert_eq!(replayed["digest"], expected);
    // A log that signs is exported as far as it has signed.
    let held: Vec<_> = acknowledged.into_iter().filter(|report| report.position <= head).collect();
    assert!(!held.is_empty());
    audit(&again, &held);
}
