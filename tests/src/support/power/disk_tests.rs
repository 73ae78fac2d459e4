use super::*;
use std::collections::BTreeSet;
use tempfile::TempDir;

/// The inode numbers of files that the records make.
const FIRST: u64 = u64::MAX - 1;
const SECOND: u64 = u64::MAX - 2;
const SEEDS: u64 = 300;

/// An empty directory, and what is done in it.
struct Story {
    folder: TempDir,
    records: Vec<Record>,
}

impl Story {
    fn new() -> Story {
        Story { folder: tempfile::tempdir().expect("a temporary directory"), records: Vec::new() }
    }

    fn root(&self) -> u64 {
        std::fs::metadata(self.folder.path()).expect("it is there").ino()
    }

    fn then(mut self, node: u64, what: What) -> Story {
        self.records.push(Record { place: self.records.len() as u64, node, what });
        self
    }

    fn create(self, node: u64, name: &str) -> Story {
        self.then(node, What::Create(name.into()))
    }

    fn write(self, node: u64, offset: u64, byte: u8, length: usize) -> Story {
        self.then(node, What::Write { offset, bytes: vec![byte; length] })
    }

    /// Synchronises everything so far.
    fn sync(self, node: u64) -> Story {
        let covered = self.records.len() as u64;
        self.then(node, What::Sync(covered))
    }

    /// Everything that a cut at the end may leave, as far as chance finds it.
    fn left(&self, medium: Medium) -> BTreeSet<Vec<(String, Vec<u8>)>> {
        let disk = Disk::read(self.folder.path());
        let entries = |remains: Remains| {
            let name = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
            let files =
                remains.entries.into_iter().map(|(path, bytes)| (name(path), bytes.unwrap_or_default()));
            files.collect()
        };
        (0..SEEDS).map(|seed| entries(disk.cut(&self.records, medium, &mut Chance::new(seed)))).collect()
    }
}

fn file(name: &str, bytes: &[u8]) -> (String, Vec<u8>) {
    (name.to_owned(), bytes.to_vec())
}

#[test]
fn what_was_synchronised_is_there_on_every_medium() {
    let story = Story::new().create(FIRST, "a").write(FIRST, 0, 1, 5_000).sync(FIRST);
    let root = story.root();
    let story = story.sync(root);
    for medium in [Medium::Ordered, Medium::Nasty] {
        assert_eq!(story.left(medium), BTreeSet::from([vec![file("a", &[1; 5_000])]]), "{medium:?}");
    }
}

#[test]
fn a_name_needs_its_directory_only_where_posix_is_all_there_is() {
    let story = Story::new().create(FIRST, "a").write(FIRST, 0, 1, 10).sync(FIRST);
    assert_eq!(story.left(Medium::Ordered), BTreeSet::from([vec![file("a", &[1; 10])]]));
    assert_eq!(story.left(Medium::Nasty), BTreeSet::from([vec![], vec![file("a", &[1; 10])]]));
}

#[test]
fn a_write_during_a_synchronisation_is_not_covered() {
    let story = Story::new().create(FIRST, "a").write(FIRST, 0, 1, 10).sync(FIRST);
    let covered = story.records.len() as u64;
    let story = story.write(FIRST, 0, 2, 10).then(FIRST, What::Sync(covered));
    let left = story.left(Medium::Ordered);
    assert_eq!(left, BTreeSet::from([vec![file("a", &[1; 10])], vec![file("a", &[2; 10])]]));
}

#[test]
fn pages_are_old_or_new_each_by_itself() {
    let story = Story::new().create(FIRST, "a").write(FIRST, 0, 1, 2 * PAGE_BYTES);
    let root = story.root();
    let story = story.sync(FIRST).sync(root).write(FIRST, 0, 2, 2 * PAGE_BYTES);
    for medium in [Medium::Ordered, Medium::Nasty] {
        let mut seen = BTreeSet::new();
        for left in story.left(medium) {
            let bytes = &left[0].1;
            assert_eq!(bytes.len(), 2 * PAGE_BYTES);
            assert!(bytes.chunks(SECTOR_BYTES).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
            seen.insert((bytes[0], bytes[PAGE_BYTES]));
        }
        assert_eq!(seen, BTreeSet::from([(1, 1), (1, 2), (2, 1), (2, 2)]), "{medium:?}");
    }
}

#[test]
fn a_file_that_grew_holds_what_was_written_only_where_metadata_are_ordered() {
    let story = Story::new().create(FIRST, "a").sync(FIRST);
    let root = story.root();
    let story = story.sync(root).write(FIRST, 0, 1, 3 * PAGE_BYTES);
    let sizes = |medium| story.left(medium).into_iter().map(|left| left[0].1.len()).collect::<BTreeSet<_>>();
    for medium in [Medium::Ordered, Medium::Nasty] {
        let sizes = sizes(medium);
        assert!(sizes.contains(&0) && sizes.contains(&(3 * PAGE_BYTES)) && sizes.len() > 5, "{sizes:?}");
    }
    assert!(story.left(Medium::Ordered).iter().all(|left| left[0].1.iter().all(|byte| *byte == 1)));
    assert!(story.left(Medium::Nasty).iter().any(|left| left[0].1.iter().any(|byte| *byte != 1)));
}

#[test]
fn a_rename_comes_through_after_what_came_before_it_only_where_names_are_ordered() {
    let story = Story::new().create(FIRST, "a").create(SECOND, "new").write(SECOND, 0, 2, 10).sync(SECOND);
    let root = story.root();
    let story = story.sync(root).create(FIRST, "other").then(0, What::Rename("new".into(), "a".into()));
    let names = |medium| -> BTreeSet<Vec<String>> {
        let left = story.left(medium).into_iter();
        left.map(|left| left.into_iter().map(|(name, _)| name).collect()).collect()
    };
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let ordered = [named(&["a", "new"]), named(&["a", "new", "other"]), named(&["a", "other"])];
    assert_eq!(names(Medium::Ordered), BTreeSet::from(ordered.clone()));
    // Here the rename is there without what came before it.
    assert!(names(Medium::Nasty).contains(&named(&["a"])));
    assert!(ordered.iter().all(|names_left| names(Medium::Nasty).contains(names_left)));
}

#[test]
fn a_truncation_that_is_kept_takes_the_earlier_end_with_it() {
    let story = Story::new().create(FIRST, "a").write(FIRST, 0, 1, 100);
    let root = story.root();
    let story = story.sync(FIRST).sync(root).then(FIRST, What::Resize(10)).write(FIRST, 10, 2, 5);
    for medium in [Medium::Ordered, Medium::Nasty] {
        let left = story.left(medium);
        assert!(left.contains(&vec![file("a", &[1; 100])]), "{medium:?}: nothing of it came through");
        let whole = [&[1; 10][..], &[2; 5][..]].concat();
        assert!(left.contains(&vec![file("a", &whole)]), "{medium:?}: all of it came through");
    }
    let cut = |left: &Vec<(String, Vec<u8>)>| left[0].1.len() < 100;
    let ordered = story.left(Medium::Ordered);
    assert!(
        ordered.iter().filter(|left| cut(left)).all(|left| left[0].1[10..].iter().all(|byte| *byte == 2))
    );
}
