//! The log's tree: roots, proofs, tiles and bundles, whole, taken up again, and damaged.

use super::support::*;
use ::evidence::{Edge, Frontier, Resource, TilePath, TreeHash, leaf_hash, read_tile, split_entries};
use event_log::{EvidenceError, IndexState, Log, Opened, Stored};
use events::Position;
use std::collections::BTreeMap;

fn on_both(check: impl Fn(Home)) {
    [Home::in_memory(), Home::on_disk()].into_iter().for_each(check);
}

/// Appends reports with these numbers as commits of several requests.
fn append_many(opened: &mut Opened, numbers: std::ops::RangeInclusive<u64>) {
    let numbers: Vec<u64> = numbers.collect();
    for (commit, numbers) in numbers.chunks(37).enumerate() {
        let request = |numbers: &[u64]| numbers.iter().map(|number| report(*number, 20)).collect();
        let requests = numbers.chunks(5).map(request).collect();
        opened.writer.append(requests, noon(commit as i64)).unwrap();
    }
}

/// The tree by its leaves: its roots at every size, and its full tiles.
struct Expected {
    leaves: Vec<TreeHash>,
    roots: Vec<TreeHash>,
    full: BTreeMap<(u8, u64), Vec<TreeHash>>,
    edge: Edge,
}

fn expected(events: &[Stored]) -> Expected {
    let leaves: Vec<TreeHash> = events.iter().map(|stored| leaf_hash(&stored.bytes)).collect();
    let mut roots = vec![Frontier::new().root()];
    let (mut edge, mut full) = (Edge::new(), BTreeMap::new());
    for leaf in &leaves {
        edge.append(*leaf, |tile| {
            full.insert((tile.level, tile.index), tile.hashes.to_vec());
        });
        roots.push(edge.root());
    }
    Expected { leaves, roots, full, edge }
}

/// Asks a log for all kinds of evidence and compares.
fn check(log: &Log) {
    let events = read_all(log);
    let expected = expected(&events);
    let size = events.len() as u64;
    let head = log.tree_head();
    assert_eq!((head.size, head.root), (size, expected.roots[events.len()]));
    let sizes: Vec<u64> = [1, 2, 255, 256, 257, 300, 512, size.saturating_sub(1), size]
        .into_iter()
        .filter(|at| (1..=size).contains(at))
        .collect();
    for at in &sizes {
        let root = expected.roots[*at as usize];
        assert_eq!(log.root_at(Position(*at)).unwrap(), root, "root at {at}");
        for position in sizes.iter().filter(|position| *position <= at) {
            let proof = log.inclusion_proof(Position(*position), *at).unwrap();
            proof.verify(expected.leaves[*position as usize - 1], root).unwrap();
            let proof = log.consistency_proof(*position, *at).unwrap();
            proof.verify(expected.roots[*position as usize], root).unwrap();
        }
    }
    let hashes = |level, index, width| {
        let path = TilePath::of_width(Resource::Hashes { level }, index, width).unwrap();
        log.tile(&path).unwrap().map(|bytes| read_tile(&bytes, width).unwrap())
    };
    for ((level, index), tile) in &expected.full {
        assert_eq!(hashes(*level, *index, 256).as_ref(), Some(tile));
        assert_eq!(hashes(*level, *index, 3).unwrap(), tile[..3], "a narrower one stays");
    }
    for level in 0..expected.edge.levels() {
        let (partial, index) = (expected.edge.partial(level), size >> (8 * (level + 1)));
        if !partial.is_empty() {
            assert_eq!(hashes(level, index, partial.len()).unwrap(), partial);
        }
        assert_eq!(hashes(level, index, partial.len() + 1), None);
    }
    assert_eq!(hashes(63, 0, 1), None);
    assert_eq!(hashes(0, 1 << 50, 1), None);
    assert_eq!(hashes(0, u64::MAX >> 8, 256), None);
    for (index, bundle) in events.chunks(256).enumerate() {
        let path = TilePath::of_width(Resource::Entries, index as u64, bundle.len()).unwrap();
        let bytes = log.tile(&path).unwrap().unwrap();
        let entries = split_entries(&bytes, bundle.len()).unwrap();
        assert!(entries.iter().zip(bundle).all(|(entry, stored)| *entry == stored.bytes));
    }
    let beyond = TilePath::full(Resource::Entries, size / 256 + 1);
    assert_eq!(log.tile(&beyond).unwrap(), None);
}

#[test]
fn an_empty_log_has_the_root_of_nothing() {
    on_both(|home| {
        let opened = home.open();
        assert_eq!((opened.log.tree_size(), opened.log.root()), (0, ::evidence::EMPTY_ROOT));
        assert_eq!(opened.log.root_at(Position::START).unwrap(), ::evidence::EMPTY_ROOT);
        let error = opened.log.inclusion_proof(Position(1), 0).unwrap_err();
        assert!(matches!(error, EvidenceError::Beyond { asked: 1, size: 0 }), "{error}");
        let error = opened.log.inclusion_proof(Position(0), 0).unwrap_err();
        assert!(matches!(error, EvidenceError::Beyond { asked: 0, .. }), "{error}");
        assert!(matches!(opened.log.consistency_proof(0, 1), Err(EvidenceError::Beyond { asked: 1, .. })));
    });
}

#[test]
fn evidence_is_the_same_from_memory_from_the_index_and_after_a_restart() {
    on_both(|home| {
        let mut opened = home.open();
        append_many(&mut opened, 1..=270);
        check(&opened.log);
        wait_until_indexed(&opened.log);
        check(&opened.log);
        append_many(&mut opened, 271..=640);
        check(&opened.log);
        wait_until_indexed(&opened.log);
        check(&opened.log);
        let head = opened.log.tree_head();
        drop(opened);
        let mut opened = home.open();
        assert_eq!(opened.log.tree_head(), head);
        assert_eq!((opened.report.tiles_made, &opened.report.index), (0, &IndexState::Ready));
        check(&opened.log);
        append_each(&mut opened.writer, 641..=642);
        check(&opened.log);
    });
}

#[test]
fn proofs_hold_while_events_come_in() {
    on_both(|home| {
        let mut opened = home.open();
        let log = opened.log.clone();
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| append_many(&mut opened, 1..=2_000));
            while !writing.is_finished() {
                let seen = log.head();
                let head = log.tree_head();
                assert!(seen.0 <= head.size && head.size <= log.head().0, "head and tree are shown together");
                if head.size > 0 {
                    assert_eq!(log.root_at(Position(head.size)).unwrap(), head.root);
                    let position = Position(head.size / 2 + 1);
                    let leaf = leaf_hash(&log.event_at(position).unwrap().unwrap().bytes);
                    log.inclusion_proof(position, head.size).unwrap().verify(leaf, head.root).unwrap();
                }
            }
        });
        check(&log);
    });
}

#[test]
fn a_commit_that_failed_leaves_no_trace_in_the_tree() {
    on_both(|home| {
        let mut opened = home.open();
        append_many(&mut opened, 1..=40);
        let before = opened.log.tree_head();
        home.files.set_space_left(Some(10));
        assert!(opened.writer.append(vec![vec![report(41, 0)]], noon(1)).is_err());
        home.files.set_space_left(None);
        assert_eq!(opened.log.tree_head(), before);
        append_each(&mut opened.writer, 42..=43);
        check(&opened.log);
    });
}

fn key(level: u8, index: u64) -> Vec<u8> {
    [[level].as_slice(), &index.to_be_bytes()].concat()
}

#[test]
fn an_index_of_a_version_without_tiles_gets_them_once() {
    for held in [100, 256, 5_000] {
        let home = Home::on_disk();
        let mut opened = home.open();
        append_many(&mut opened, 1..=held);
        let head = opened.log.tree_head();
        drop(opened);
        alter(&home, |db| {
            db.open_tree("tiles").unwrap().clear().unwrap();
            db.open_tree("meta").unwrap().remove("tree").unwrap();
        });
        let opened = home.open();
        assert_eq!((opened.report.tiles_made, &opened.report.index), (held, &IndexState::Ready));
        assert!(opened.report.to_string().contains(&format!("made the tiles of {held} events")));
        assert_eq!(opened.log.tree_head(), head);
        check(&opened.log);
        drop(opened);
        assert_eq!(home.open().report.tiles_made, 0);
    }
}

#[test]
fn a_tree_that_is_not_that_of_the_events_is_damage_of_the_index() {
    type Change = fn(&sled::Db);
    let cases: [(&str, Change); 5] = [
        ("its tree has no size", |db| {
            db.open_tree("meta").unwrap().insert("tree", b"?").unwrap();
        }),
        ("its tree is larger", |db| {
            let mark = [900u64.to_be_bytes().as_slice(), &[7; 32]].concat();
            db.open_tree("meta").unwrap().insert("tree", mark).unwrap();
        }),
        ("its tree is not that of its events", |db| {
            db.open_tree("tiles").unwrap().remove(key(1, 0)).unwrap();
        }),
        ("its tree is not that of its events", |db| {
            db.open_tree("tiles").unwrap().insert(key(1, 1), b"no hash").unwrap();
        }),
        ("tile 1 of level 0, from position 257 on, is not the one of its tree", |db| {
            // A tree of other events, whole in itself.
            let tiles = db.open_tree("tiles").unwrap();
            let first = TreeHash(tiles.get(key(1, 0)).unwrap().unwrap().as_ref().try_into().unwrap());
            let other = leaf_hash(b"stands for 256 other events");
            tiles.insert(key(1, 1), &other.0).unwrap();
            let mark = [512u64.to_be_bytes().as_slice(), &::evidence::node_hash(first, other).0].concat();
            db.open_tree("meta").unwrap().insert("tree", mark).unwrap();
        }),
    ];
    for (what, change) in cases {
        let home = Home::on_disk();
        let mut opened = home.open();
        append_many(&mut opened, 1..=512);
        let head = opened.log.tree_head();
        drop(opened);
        alter(&home, change);
        let opened = home.open();
        let IndexState::Rebuilt { why, .. } = &opened.report.index else { panic!("{what}: must be rebuilt") };
        assert!(why.contains(what), "{why}");
        assert_eq!(opened.log.tree_head(), head);
        check(&opened.log);
    }
}

#[test]
fn an_event_that_is_not_the_one_in_the_tree_is_found_when_it_is_proved_and_the_index_is_made_again() {
    let home = Home::on_disk();
    let mut opened = home.open();
    append_many(&mut opened, 1..=900);
    drop(opened);
    // The first frame is exchanged for one of other events, whole in itself.
    let mut second = 0;
    alter(&home, |db| {
        let key = db.open_tree("commits").unwrap().iter().keys().nth(1).unwrap().unwrap();
        second = u64::from_be_bytes(key.as_ref().try_into().unwrap());
    });
    let forged = Home::on_disk();
    let mut other = forged.open();
    let request = (1..second).map(|number| report(number, 21)).collect();
    other.writer.append(vec![request], noon(0)).unwrap();
    drop(other);
    let mut frames = Vec::new();
    alter(&forged, |db| {
        let commits = db.open_tree("commits").unwrap();
        frames = commits.iter().map(Result::unwrap).collect();
    });
    alter(&home, |db| {
        let commits = db.open_tree("commits").unwrap();
        commits.remove(1u64.to_be_bytes()).unwrap();
        frames.iter().for_each(|(key, frame)| drop(commits.insert(key, frame).unwrap()));
    });
    let opened = home.open();
    assert_eq!(opened.report.index, IndexState::Ready);
    let error = opened.log.inclusion_proof(Position(5), 900).unwrap_err();
    assert!(matches!(error, EvidenceError::NotReady), "{error}");
    wait_for("the index to be made again", || opened.log.inclusion_proof(Position(5), 900).is_ok());
    wait_until_indexed(&opened.log);
    check(&opened.log);
}
