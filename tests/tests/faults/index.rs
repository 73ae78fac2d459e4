//! sled taken away, cut short, or overwritten: made again from the journal, and said so.

use crate::{counted, is_possible, log_folder, remove, start_again, stop_and_audit, submit};
use std::path::Path;
use tests::support::{Options, System, audit};

/// What is done to an index while its service stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    Deleted,
    Truncated,
    Noise,
}

impl Damage {
    const ALL: [Damage; 3] = [Damage::Deleted, Damage::Truncated, Damage::Noise];

    fn inflict(self, index: &Path) {
        if self == Damage::Deleted {
            return remove(index);
        }
        for entry in std::fs::read_dir(index).unwrap() {
            let file = entry.unwrap().path();
            if !file.is_file() {
                continue;
            }
            let bytes = std::fs::read(&file).unwrap();
            let damaged = match self {
                Damage::Noise => noise(bytes.len()),
                Damage::Truncated | Damage::Deleted => bytes[..bytes.len() / 2].to_vec(),
            };
            std::fs::write(&file, damaged).unwrap();
        }
    }
}

/// Bytes without a pattern, the same in every run (xorshift64).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// Whether a service has said that it made its index again. Ingestion's log is opened by the preparation of
/// the start, too, whose lines name no service.
fn says_rebuilt(said: &str, service: &str) -> bool {
    let own = format!("[{service}]");
    let is_own = |line: &str| line.starts_with(&own) || (service == "ingestion" && !line.starts_with('['));
    said.lines().any(|line| line.contains("rebuilt from the journal") && is_own(line))
}

fn rebuilds_the_index_of(services: &[&str]) {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let mut acknowledged = submit(&system, "before", 5);
    for damage in Damage::ALL {
        assert_eq!(system.stop().code(), Some(0));
        for service in services {
            damage.inflict(&log_folder(&system, service).join("index"));
        }
        let said = start_again(&mut system);
        for service in services {
            assert!(says_rebuilt(&said, service), "{service}, {damage:?}: it says nothing of it:\n{said}");
            if service != &"ingestion" {
                let rebuilds = counted(&system, service, "planwatch_log_index_rebuilds_total");
                assert!(rebuilds >= 1.0, "{service}, {damage:?}: it does not count it");
            }
            if damage != Damage::Deleted {
                let entries = std::fs::read_dir(log_folder(&system, service)).unwrap();
                let kept = entries
                    .filter(|entry| {
                        let name = entry.as_ref().unwrap().file_name();
                        name.to_string_lossy().starts_with("index.damaged-")
                    })
                    .count();
                assert!(kept > 0, "{service}, {damage:?}: the damaged one is kept for a person to look at");
            }
        }
        acknowledged.extend(submit(&system, &format!("{damage:?}"), 3));
        audit(&system, &acknowledged);
    }
    stop_and_audit(&mut system, &acknowledged);
}

#[test]
fn the_index_of_ingestion_is_made_again_from_its_journal() {
    rebuilds_the_index_of(&["ingestion"]);
}

#[test]
fn the_indexes_of_the_followers_are_made_again_from_their_journals() {
    rebuilds_the_index_of(&["projection", "alerting"]);
}

#[test]
fn followers_that_lost_everything_begin_again_from_the_stream() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let mut acknowledged = submit(&system, "before", 5);
    // First the copies of the log alone, with the snapshots left that were made from them.
    for everything in [false, true] {
        assert_eq!(system.stop().code(), Some(0));
        for service in ["projection", "alerting"] {
            let all = system.data().join(service).join("binh-duong");
            remove(&if everything { all } else { log_folder(&system, service) });
        }
        system.start_again();
        acknowledged.extend(submit(&system, &format!("after-{everything}"), 2));
        audit(&system, &acknowledged);
    }
    stop_and_audit(&mut system, &acknowledged);
}
