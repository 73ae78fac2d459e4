//! A disk without room: refused with 503, nothing corrupted, and on it goes when there is room.

use crate::{is_possible, stop_and_audit, submit};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::ffi::CString;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tests::support::{Acknowledged, Options, System, audit, missing, report, send, today, until, until_some};

/// Room for a log with its index, and little else.
const DISK_BYTES: usize = 8 * 1024 * 1024;
/// How many reports may still find room in the last pages of files that are there.
const LAST_REPORTS_LIMIT: u64 = 2_000;

/// A small disk of its own, gone with the value.
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts it; none where that is not permitted and may be missing.
    fn mount() -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let options = CString::new(format!("size={DISK_BYTES},mode=0700")).unwrap();
        match mount("tmpfs", folder.path(), "tmpfs", MountFlags::empty(), Some(options.as_c_str())) {
            Ok(()) => Some(SmallDisk { folder }),
            Err(error) => {
                missing(&format!("a small tmpfs cannot be mounted ({error}); run the test as root"));
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills the disk to the last byte; gives the file that takes the room.
    fn fill(&self) -> PathBuf {
        let file = self.path().join("ballast");
        let mut ballast = File::create(&file).unwrap();
        let mut piece = vec![0x5a; 64 * 1024];
        while !piece.is_empty() {
            if ballast.write_all(&piece).is_err() {
                piece.truncate(piece.len() / 2);
            }
        }
        file
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Err(error) = unmount(self.path(), UnmountFlags::DETACH) {
            eprintln!("cannot unmount {}: {error}", self.path().display());
        }
    }
}

#[test]
fn without_room_reports_are_refused_and_with_room_it_goes_on() {
    if !is_possible() {
        return;
    }
    let Some(disk) = SmallDisk::mount() else { return };
    let mut system = System::start_in(folder_with(&disk, "ingestion"), Options::empty());
    let mut acknowledged = submit(&system, "before", 5);

    for round in 0..2 {
        let ballast = disk.fill();
        let (key, body) = fill_with_reports(&system, round, &mut acknowledged);
        until("readiness says what is missing", || {
            let state = system.http().get("/readyz");
            state.status == 503 && state.text.contains("no space left")
        });
        let status = system.http().get("/api/v1/status?unit=di-an");
        assert_eq!(status.status, 200, "reading goes on: {}", status.text);

        std::fs::remove_file(ballast).unwrap();
        let taken = until_some("what was refused is taken, without a restart", || {
            send(system.http(), &key, &body).ok()
        });
        acknowledged.push(taken);
        system.wait_ready();
        acknowledged.extend(submit(&system, &format!("room-{round}"), 3));
        audit(&system, &acknowledged);
    }

    stop_and_audit(&mut system, &acknowledged);
    system.start_again();
    audit(&system, &acknowledged);
    // Before the disk, which it lies on.
    drop(system);
}

#[test]
fn a_follower_without_room_waits_for_it_while_reports_are_taken() {
    if !is_possible() {
        return;
    }
    let Some(disk) = SmallDisk::mount() else { return };
    let mut system = System::start_in(folder_with(&disk, "projection"), Options::empty());
    let mut acknowledged = submit(&system, "before", 3);
    audit(&system, &acknowledged);

    let ballast = disk.fill();
    until("the projection is out of room, and says so", || {
        let number = acknowledged.len();
        acknowledged.extend(submit(&system, &format!("without-room-{number}"), 5));
        let state = system.http().get("/readyz");
        state.status == 503 && state.text.contains("projection") && state.text.contains("no space left")
    });

    std::fs::remove_file(ballast).unwrap();
    system.wait_ready();
    audit(&system, &acknowledged);
    stop_and_audit(&mut system, &acknowledged);
    drop(system);
}

/// A folder for a system of which one service's directory is on the small disk.
fn folder_with(disk: &SmallDisk, service: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::os::unix::fs::symlink(disk.path(), folder.path().join("data").join(service)).unwrap();
    folder
}

/// Reports until there is no room; gives the key and the body of the report that was refused.
#[track_caller]
fn fill_with_reports(system: &System, round: u32, acknowledged: &mut Vec<Acknowledged>) -> (String, String) {
    for number in 0..LAST_REPORTS_LIMIT {
        let key = format!("last-room-{round}-{number}");
        let body = report("ben-cat", today().year(), number % 1000).to_string();
        let answer = system.http().try_post("/api/v1/reports", &body, &[("idempotency-key", &key)]).unwrap();
        if answer.status == 201 {
            let json = answer.json();
            let event = json["event"].as_str().unwrap().to_owned();
            let position = json["position"].as_u64().unwrap();
            acknowledged.push(Acknowledged { key, body, event, position });
            continue;
        }
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert_eq!(answer.content_type, "application/problem+json");
        assert!(answer.retry_after.is_some(), "it says when to try again");
        let problem = answer.json();
        assert_eq!(problem["status"], 503);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("space"), "it says why: {detail}");
        return (key, body);
    }
    panic!("{LAST_REPORTS_LIMIT} reports found room on a full disk");
}
