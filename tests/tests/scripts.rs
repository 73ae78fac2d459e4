//! The scripts that install, build and test: what they take, what they leave out, without a network or a build.
//!
//! Everything that they would call is a small script that says what it was called with.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bus::server::MINIMUM_VERSION;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const PIN: &str = include_str!("../../deploy/nats/pin");

/// Says that it is a server, and of which version.
fn server_of(version: &str) -> String {
    format!("echo 'nats-server: {version}'")
}

fn pinned(key: &str) -> &'static str {
    PIN.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A machine that has a build directory, in it the pinned server as if it had been installed, and the programs
/// that a test puts there; of the real ones only those of the system.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new() -> Machine {
        let machine = Machine { folder: tempfile::tempdir().unwrap() };
        let called = machine.path("called");
        let cargo = format!(
            "printf '%s\\n' \"$* # $PLANWATCH_NATS_SERVER\" >>'{}'\necho '     Summary [ 0.000s] 0 tests run'",
            called.display()
        );
        machine.program("bin/cargo", &cargo);
        machine.program("target/release/planwatch", "echo \"$* # $PLANWATCH_NATS_SERVER\"");
        for name in ["cc", "cargo-nextest", "chromium", "chromedriver", "mount", "umount"] {
            machine.program(format!("bin/{name}"), "exit 0");
        }
        let installed = machine.program(machine.installed(), &server_of("v2.15.1"));
        let hash =
            Sha256::digest(fs::read(installed).unwrap()).iter().fold(String::new(), |mut hash, byte| {
                write!(hash, "{byte:02x}").unwrap();
                hash
            });
        let note = machine.path(machine.installed()).with_extension("sha256");
        fs::write(note, format!("{} {hash}\n", pinned("version"))).unwrap();
        machine
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    fn installed(&self) -> String {
        format!("target/tools/nats-server-{}/nats-server", pinned("version"))
    }

    fn program(&self, name: impl AsRef<Path>, text: &str) -> PathBuf {
        let file = self.path(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    /// A script of the project, with some folders before the others on its path.
    fn script(&self, script: &str, first_on_path: &[&str]) -> Command {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut path: Vec<PathBuf> = first_on_path.iter().map(|folder| self.path(folder)).collect();
        path.extend([self.path("bin"), "/usr/bin".into(), "/bin".into()]);
        let mut command = Command::new(root.join(script));
        command
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("CARGO_TARGET_DIR", self.path("target"))
            .env("PLANWATCH_ONLY", "tests");
        for name in ["PLANWATCH_NATS_SERVER", "PLANWATCH_REQUIRE", "PLANWATCH_CARGO_ARGUMENTS"] {
            command.env_remove(name);
        }
        command
    }

    fn find(&self, first_on_path: &[&str]) -> Command {
        let mut command = self.script("deploy/nats/find-or-install", first_on_path);
        command.arg(self.path("target/tools"));
        command
    }

    /// How the test runner was called.
    fn runner_called(&self) -> String {
        let called = fs::read_to_string(self.path("called")).unwrap();
        called.lines().find(|line| line.starts_with("nextest run")).unwrap().to_owned()
    }
}

#[track_caller]
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn a_server_on_path_is_used_only_if_it_is_new_enough() {
    let machine = Machine::new();
    for (folder, version) in
        [("old", "v2.9.0"), ("edge", "v2.11.99"), ("new", "v2.12.1"), ("newer", "v3.0.0-RC.1"), ("odd", "vx")]
    {
        machine.program(format!("{folder}/nats-server"), &server_of(version));
    }
    let installed = machine.installed();
    let cases: [(&[&str], &str); 7] = [
        (&[], &installed),
        (&["old"], &installed),
        (&["edge"], &installed),
        (&["odd"], &installed),
        (&["new"], "new/nats-server"),
        (&["old", "newer", "new"], "newer/nats-server"),
        (&["odd", "nowhere", "new"], "new/nats-server"),
    ];
    for (on_path, expected) in cases {
        assert_eq!(Path::new(&printed(&mut machine.find(on_path))), machine.path(expected), "{on_path:?}");
    }
    let passed_over = said(&machine.find(&["old"]).output().unwrap());
    assert!(passed_over.contains("old/nats-server is 2.9.0; at least 2.12 is needed"), "{passed_over}");

    let named = machine.path("edge/nats-server");
    let refused = machine.find(&["new"]).env("PLANWATCH_NATS_SERVER", &named).output().unwrap();
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "{}", said(&refused));
    assert!(said(&refused).contains("is 2.11.99; name a nats-server >= 2.12"), "{}", said(&refused));
    let named = machine.path("newer/nats-server");
    let taken = printed(machine.find(&["new"]).env("PLANWATCH_NATS_SERVER", &named));
    assert_eq!(Path::new(&taken), named);
}

#[test]
fn up_and_the_tests_take_the_same_server() {
    for (version, taken) in [("v2.9.0", None), ("v2.12.1", Some("here/nats-server"))] {
        let machine = Machine::new();
        machine.program("here/nats-server", &server_of(version));
        let expected = machine.path(taken.map_or_else(|| machine.installed(), str::to_owned));
        let up = printed(machine.script("deploy/up", &["here"]).arg("--empty"));
        assert_eq!(
            up.lines().last(),
            Some(format!("up --empty # {}", expected.display()).as_str()),
            "{version}"
        );
        printed(&mut machine.script("tests/run", &["here"]));
        let run = machine.runner_called();
        assert!(run.ends_with(&format!(" # {}", expected.display())), "{version}: {run}");
    }
}

#[test]
fn the_scripts_and_the_executable_ask_for_the_same_version() {
    assert_eq!(format!("{}.0", pinned("minimum")), MINIMUM_VERSION.to_string());
}

#[test]
fn what_needs_a_disk_of_its_own_is_left_out_where_none_can_be_mounted() {
    let machine = Machine::new();
    printed(&mut machine.script("tests/run", &[]));
    assert!(!machine.runner_called().contains("space::"), "{}", machine.runner_called());

    let machine = Machine::new();
    machine.program("bin/mount", "echo 'mount: permission denied' >&2; exit 32");
    let run = machine.script("tests/run", &[]).output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", said(&run));
    assert!(said(&run).contains("skipped: a small disk is missing"), "{}", said(&run));
    let filter = "-E not ((package(tests) and binary(faults) and test(/^space::/)) or none())";
    assert!(machine.runner_called().contains(filter), "{}", machine.runner_called());
    assert!(String::from_utf8_lossy(&run.stdout).ends_with("0 tests run\n"), "the last line is the summary");

    let required = machine.script("tests/run", &[]).env("PLANWATCH_REQUIRE", "all").output().unwrap();
    assert_eq!(required.status.code(), Some(1), "{}", said(&required));
    assert!(
        said(&required).contains("a small disk is missing and PLANWATCH_REQUIRE=all"),
        "{}",
        said(&required)
    );
}
