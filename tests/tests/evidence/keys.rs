//! Keys: exchanged while the system runs, and refused where others could use them.

use super::{checkpoint, covering, data, is_possible, refused_start, submit, vkey};
use evidence::{ProofFile, VerifierKey};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use tests::support::{Options, System, until};

#[test]
fn two_keys_sign_while_they_are_exchanged_and_the_old_one_is_told_when_it_is_not_believed() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::empty());
    let (http, old) = (system.http(), vkey(&system));
    let accepted = submit(http, 500);
    let entry = http.get(&format!("/api/v1/events/{}", accepted["event"].as_str().unwrap())).text;

    let made = data(&system.command(&["key", "rotate", "--json"]), 0);
    let new: VerifierKey = made["vkey"].as_str().unwrap().parse().unwrap();
    assert_eq!((new.name(), made["keys"].as_str()), (old.name(), system.ready().keys.to_str()));
    until("the new key signs", || checkpoint(http).verify(std::slice::from_ref(&new)).is_ok());
    let both = submit(http, 501);
    let last = both["position"].as_u64().unwrap();
    let receipt = ProofFile::parse(both["receipt"].as_str().unwrap().as_bytes()).unwrap();
    let second_entry = http.get(&format!("/api/v1/events/{}", both["event"].as_str().unwrap())).text;
    for key in [&old, &new] {
        assert_eq!(covering(http, last, std::slice::from_ref(key)).by, std::slice::from_ref(key));
        receipt.verify(second_entry.as_bytes(), std::slice::from_ref(key)).unwrap();
        let live = system.command(&["log", "verify", "--vkey", &key.to_string(), "--json"]);
        assert_eq!(data(&live, 0)["ok"], true);
    }
    assert_eq!(http.get("/api/v1/log/vkeys").text, format!("{old}\n{new}\n"));

    let retired = system.command(&["key", "retire", &format!("{:08x}", old.id())]);
    assert_eq!(retired.status.code(), Some(0), "{}", String::from_utf8_lossy(&retired.stderr));
    until("the old key signs nothing more", || checkpoint(http).verify(std::slice::from_ref(&old)).is_err());
    covering(http, last, std::slice::from_ref(&new));
    let told = data(&system.command(&["log", "verify", "--vkey", &old.to_string(), "--json"]), 1);
    let what = told["problems"][0]["what"].as_str().unwrap();
    assert!(
        what.contains("none of the given keys signed") && what.contains(&format!("{:08x}", new.id())),
        "{what}"
    );
    let listed = data(&system.command(&["key", "list", "--json"]), 0);
    let signs: Vec<_> = listed["keys"].as_array().unwrap().iter().map(|key| key["signs"].clone()).collect();
    assert_eq!(signs, [json!(false), json!(true)]);
    // What the old key signed, and what was signed before the new one was there, is as good as it was.
    let first = ProofFile::parse(accepted["receipt"].as_str().unwrap().as_bytes()).unwrap();
    first.verify(entry.as_bytes(), std::slice::from_ref(&old)).unwrap();
    first.verify(entry.as_bytes(), std::slice::from_ref(&new)).unwrap_err();
    let last_one = system.command(&["key", "retire", &format!("{:08x}", new.id())]);
    assert_eq!(last_one.status.code(), Some(1), "the last one stays");
    assert_eq!(system.command(&["key", "retire", "xyz"]).status.code(), Some(2));
    assert_eq!(system.command(&["key", "new", "--name", "planwatch/binh-duong"]).status.code(), Some(1));
}

#[test]
fn a_private_key_that_others_may_read_starts_nothing() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let keys = system.ready().keys.clone();
    assert_eq!(system.stop().code(), Some(0));
    let files = std::fs::read_dir(&keys).unwrap().map(|entry| entry.unwrap().path());
    let key = files.into_iter().find(|file| file.extension().is_some_and(|end| end == "key")).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&keys), mode(&key)), (0o700, 0o600));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = refused_start(&system.data());
    assert!(said.contains("chmod 600"), "{said}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    system.start_again();
    submit(system.http(), 500);
}
