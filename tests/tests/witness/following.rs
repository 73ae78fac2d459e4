//! Following a log that is nothing but files, from its beginning to its misbehaviour.

use crate::logs::{Leaves, export_to, log_of, log_vkey};
use crate::static_files::StaticFiles;
use crate::{Place, cosigned_size};
use evidence::SignedCheckpoint;
use std::path::PathBuf;
use tests::support::{Http, until};

#[track_caller]
fn until_cosigned(http: &Http, place: &Place, size: u64) {
    until(&format!("{size} events are cosigned"), || cosigned_size(http, place) == Some(size));
}

fn findings(place: &Place, kind: &str) -> Vec<PathBuf> {
    let logs = std::fs::read_dir(place.data().join("logs")).unwrap();
    let log = logs.map(|entry| entry.unwrap().path()).next().unwrap();
    let findings = std::fs::read_dir(log.join("findings")).unwrap().map(|entry| entry.unwrap().path());
    findings.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(kind)).collect()
}

#[test]
fn a_bundle_served_as_files_is_followed_and_its_rewriting_is_proven() {
    let home = tempfile::tempdir().unwrap();
    let bundle = |name: &str| home.path().join(name);
    let (log, rewritten) = (log_of(700, None), log_of(800, Some(400)));
    export_to(&log, 300, &bundle("300"));
    export_to(&log, 700, &bundle("700"));
    export_to(&rewritten, 800, &bundle("rewritten"));
    let files = StaticFiles::serve(&bundle("300"));

    let place = Place::make(home.path());
    place.configure(&format!("follow = \"{}\"\ninterval_seconds = 1", files.address()));
    let checked = place.command(&["check", "--json", "--config"], &[place.config()]);
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stderr));

    let (program, http) = place.start(&[]);
    until_cosigned(&http, &place, 300);
    files.switch_to(&bundle("700"));
    until_cosigned(&http, &place, 700);
    until("nothing alarms", || http.get("/readyz").status == 200);

    // It shows less than it had, and more again.
    files.switch_to(&bundle("300"));
    until("the shrinking alarms", || http.get("/readyz").status == 503);
    assert!(http.get("/readyz").text.contains("no longer has the rest"));
    assert_eq!(findings(&place, "shrank-300-").len(), 1);
    assert_eq!(cosigned_size(&http, &place), Some(700));
    files.switch_to(&bundle("700"));
    until("the alarm is over", || http.get("/readyz").status == 200);

    // It is rewritten: proof of it is kept, nothing of it is cosigned, and a restart does not forget.
    files.switch_to(&bundle("rewritten"));
    until("the rewriting alarms", || http.get("/readyz").text.contains("signed two histories"));
    let forks = findings(&place, "fork-800-");
    assert_eq!(forks.len(), 1);
    for name in ["seen", "shown"] {
        let signed = SignedCheckpoint::parse(&std::fs::read(forks[0].join(name)).unwrap()).unwrap();
        signed.verify(&[log_vkey()]).unwrap();
    }
    assert!(forks[0].join("proof").is_file() && forks[0].join("root").is_file());
    assert_eq!(cosigned_size(&http, &place), Some(700));
    let metrics = http.get("/metrics").text;
    assert!(
        metrics.contains("planwatch_witness_alarm{log=\"planwatch/binh-duong\",kind=\"fork\"} 1"),
        "{metrics}"
    );
    assert!(program.said().contains("signed two histories"), "{}", program.said());
    assert_eq!(program.end().code(), Some(0));
    files.switch_to(&bundle("700"));
    let (program, http) = place.start(&[]);
    assert_eq!(http.get("/readyz").status, 503);
    until_cosigned(&http, &place, 700);
    assert_eq!(program.end().code(), Some(0));
}

#[test]
fn a_log_that_gives_proofs_is_followed_without_its_tiles() {
    let home = tempfile::tempdir().unwrap();
    let (first, second) = (home.path().join("first"), home.path().join("second"));
    let leaves = Leaves::of(900, None);
    for (folder, size) in [(&first, 300), (&second, 900)] {
        std::fs::create_dir(folder).unwrap();
        std::fs::write(folder.join("checkpoint"), leaves.checkpoint(size).to_string()).unwrap();
    }
    let files = StaticFiles::serve(&first);
    let place = Place::make(home.path());
    place.configure(&format!("follow = \"{}\"\ninterval_seconds = 1", files.address()));
    let (_program, http) = place.start(&[]);
    until_cosigned(&http, &place, 300);
    // A checkpoint without a proof or tiles is not believed …
    files.switch_to(&second);
    until("it cannot be followed", || http.get("/readyz").text.contains("cannot be told from its tiles"));
    assert_eq!(cosigned_size(&http, &place), Some(300));
    // … and with the proof it is.
    std::fs::write(second.join("consistency"), leaves.request(300, 900).to_string()).unwrap();
    until_cosigned(&http, &place, 900);
}

#[test]
fn a_second_witness_on_a_directory_and_a_wrong_configuration_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let place = Place::make(home.path());
    place.configure("");
    let (program, _http) = place.start(&[]);
    let second = place.command(&["witness", "--config"], &[place.config()]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("another witness runs on"), "{said}");
    assert_eq!(program.end().code(), Some(0));

    let again = place.command(&["witness", "key", "new", "--name", "w2", "--out"], &[place.data()]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not replaced"));
    let no_name = place.command(&["witness", "key", "new", "--name", "a b", "--out"], &[place.data()]);
    assert_eq!(no_name.status.code(), Some(2));
    let usage = place.command(&["witness"], &[]);
    assert_eq!(usage.status.code(), Some(2));

    place.configure("follow = \"log.example\"");
    let checked = place.command(&["check", "--json", "--config"], &[place.config()]);
    assert_eq!(checked.status.code(), Some(1));
    let told: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!((&told["errors"][0]["line"], &told["errors"][0]["key"]), (&9.into(), &"logs.follow".into()));
}
