//! Evidence that needs no running system: directories, bundles and backups, checked by the executable alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backups;
mod bundles;
mod directories;
mod drill;
mod reviews;

use evidence::{Checkpoint, KeyName, KeyUse, SignedCheckpoint, SigningKey};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;
use tests::support::planwatch;

/// The key of the log under test.
fn key() -> SigningKey {
    SigningKey::from_seed(KeyName::parse("planwatch/binh-duong").unwrap(), &[7; 32])
}

/// Its public half, as it is given on the command line.
fn vkey() -> String {
    key().verifier(KeyUse::Log).to_string()
}

/// Runs the executable with nothing of the surroundings.
fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(planwatch());
    for variable in ["PLANWATCH_DATA", "PLANWATCH_SERVER", "PLANWATCH_TOKEN"] {
        command.env_remove(variable);
    }
    command.args(arguments).stdin(Stdio::null()).output().expect("the executable runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The JSON of a command that succeeds.
#[track_caller]
fn data(arguments: &[&str]) -> Value {
    let output = run(&[arguments, &["--json"]].concat());
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {printed}{}", said(&output));
    serde_json::from_str(&printed).expect("one line of JSON on standard output")
}

/// The problems that a check finds; people are told the same.
#[track_caller]
fn problems(arguments: &[&str]) -> Vec<Problem> {
    let output = run(&[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", said(&output));
    let found: Value = serde_json::from_slice(&output.stdout).expect("one line of JSON on standard output");
    assert_eq!(found["ok"], false, "{found}");
    let problems: Vec<Problem> = found["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| Problem {
            position: problem["position"].as_u64().unwrap(),
            file: PathBuf::from(problem["file"].as_str().unwrap()),
            what: problem["what"].as_str().unwrap().to_owned(),
        })
        .collect();
    assert!(!problems.is_empty(), "{found}");
    problems
}

/// A command that is refused; gives what people are told.
#[track_caller]
fn refused(exit: i32, arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {}", said(&output));
    said(&output)
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    position: u64,
    file: PathBuf,
    what: String,
}

/// A folder with a stopped data directory in it, whose log holds the sample history.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place { folder: tempfile::tempdir().unwrap() };
        let log = place.log();
        std::fs::create_dir_all(log.parent().unwrap()).unwrap();
        std::fs::create_dir_all(place.path("data/config")).unwrap();
        let config = format!(
            "plan = \"binh-duong\"\ndata = \"{}\"\n[bus]\nurl = \"nats://127.0.0.1:1\"\nuser = \"x\"\npassword = \"x\"\n\
             name = \"x\"\n",
            log.display()
        );
        std::fs::write(place.path("ingestion.toml"), config).unwrap();
        let begun = run(&["prepare", "--sample", "--config", &place.text("ingestion.toml")]);
        assert!(begun.status.success(), "{}", said(&begun));
        place
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn data(&self) -> String {
        self.text("data")
    }

    /// The directory of the log.
    fn log(&self) -> PathBuf {
        self.path("data/ingestion/binh-duong")
    }

    /// The only file of the log's journal.
    fn journal(&self) -> PathBuf {
        let files = std::fs::read_dir(self.log().join("journal")).unwrap();
        let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        assert_eq!(files.len(), 1);
        files[0].clone()
    }

    /// Signs the log at a size, as ingestion does.
    fn sign(&self, size: u64) -> SignedCheckpoint {
        let bundle = self.text(&format!("to-sign-{size}"));
        data(&["log", "export", "--data", &self.data(), "--to", &bundle, "--until", &size.to_string()]);
        let verified = data(&["log", "verify", &bundle]);
        let root = verified["root"].as_str().unwrap().parse().unwrap();
        std::fs::remove_dir_all(bundle).unwrap();
        Checkpoint::new(key().name(), size, root).sign(&[&key()]).unwrap()
    }

    /// Keeps a checkpoint where ingestion does; gives its file.
    fn keep(&self, checkpoint: &SignedCheckpoint) -> PathBuf {
        let file = self.log().join("checkpoint");
        std::fs::write(&file, checkpoint.to_string()).unwrap();
        file
    }

    /// Keeps the public keys where ingestion does.
    fn keep_vkeys(&self) {
        std::fs::create_dir_all(self.path("data/keys")).unwrap();
        std::fs::write(self.path("data/keys/vkeys"), format!("{}\n", vkey())).unwrap();
    }

    /// A signed bundle of the whole log.
    fn signed_bundle(&self) -> String {
        self.keep(&self.sign(SAMPLE_HEAD));
        let bundle = self.text("bundle");
        data(&["log", "export", "--data", &self.data(), "--to", &bundle, "--vkey", &vkey()]);
        bundle
    }
}

/// The last position of the sample history.
const SAMPLE_HEAD: u64 = 219;

/// The state's digest at a position, by a replay from nothing.
#[track_caller]
fn digest(data_directory: &str, position: u64) -> String {
    let position = position.to_string();
    let replayed = data(&["replay", "--data", data_directory, "--to-position", &position]);
    replayed["digest"].as_str().unwrap().to_owned()
}

/// Every file below a directory, by its path from there.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let (mut found, mut unread) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(folder) = unread.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { unread.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found.iter().map(|path| path.strip_prefix(directory).unwrap().to_owned()).collect()
}
