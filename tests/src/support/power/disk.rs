//! A directory whose every change is known, and what a power cut leaves of it.

use super::chance::Chance;
use super::remains::Remains;
use super::trace::{Record, What};
use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The page of the page cache: what is written back at once.
const PAGE_BYTES: usize = 4096;
/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;
const ROOT: usize = 0;

/// What a medium may do with what was not synchronised; the module above says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// A journaling file system: names and sizes are kept in order.
    Ordered,
    /// Whatever POSIX allows: anything may be lost, in any order.
    Nasty,
}

/// A directory at the moment before it is recorded. What is in it then is durable.
#[derive(Debug, Clone)]
pub struct Disk {
    nodes: Vec<Base>,
    names: Names,
}

#[derive(Debug, Clone)]
struct Base {
    inode: u64,
    /// None of a directory.
    bytes: Option<Vec<u8>>,
}

/// Names in directories: which node each stands for.
pub(super) type Names = BTreeMap<(usize, String), usize>;

impl Disk {
    /// Reads a directory that nothing writes to.
    pub fn read(root: &Path) -> Disk {
        let mut disk = Disk { nodes: Vec::new(), names: Names::new() };
        disk.add(root);
        disk
    }

    fn add(&mut self, path: &Path) -> usize {
        let node = self.nodes.len();
        let metadata = std::fs::metadata(path).expect("the directory can be read");
        let bytes = metadata.is_file().then(|| std::fs::read(path).expect("the file can be read"));
        self.nodes.push(Base { inode: metadata.ino(), bytes });
        if metadata.is_dir() {
            for entry in std::fs::read_dir(path).expect("the directory can be read") {
                let entry = entry.expect("the directory can be read");
                let child = self.add(&entry.path());
                self.names.insert((node, entry.file_name().to_string_lossy().into_owned()), child);
            }
        }
        node
    }

    /// What the recorded processes left, with nothing lost.
    pub fn after(&self, records: &[Record]) -> Remains {
        let lived = Lived::new(self, records);
        let contents = lived.nodes.iter().map(|node| node.file.as_ref().map(File::now)).collect();
        Remains::new(&lived.names, contents)
    }

    /// What a power cut behind these records leaves.
    pub fn cut(&self, records: &[Record], medium: Medium, chance: &mut Chance) -> Remains {
        let lived = Lived::new(self, records);
        let rules = Rules::choose(medium, &lived, chance);
        let names = lived.names_left(self, &rules, chance);
        let contents =
            lived.nodes.iter().map(|node| Some(node.file.as_ref()?.left(&rules, chance))).collect();
        Remains::new(&names, contents)
    }
}

/// What is known of a directory behind a run of records.
struct Lived<'a> {
    nodes: Vec<Node<'a>>,
    names: Names,
    moves: Vec<Move>,
}

struct Node<'a> {
    /// None of a directory.
    file: Option<File<'a>>,
    /// Everything before this place was synchronised.
    covered: u64,
    /// The places at which its size or its names changed: what a journal of metadata holds of it.
    metadata: Vec<u64>,
}

struct File<'a> {
    before: &'a [u8],
    changes: Vec<Change<'a>>,
    covered: u64,
    size: usize,
}

struct Change<'a> {
    place: u64,
    kind: ChangeKind<'a>,
}

enum ChangeKind<'a> {
    Write(usize, &'a [u8]),
    Resize(usize),
}

/// A change of names.
struct Move {
    place: u64,
    removed: Option<(usize, String)>,
    added: Option<((usize, String), usize)>,
}

impl Move {
    fn directories(&self) -> impl Iterator<Item = usize> {
        let added = self.added.iter().map(|((directory, _), _)| *directory);
        added.chain(self.removed.iter().map(|(directory, _)| *directory))
    }

    fn apply(&self, names: &mut Names) {
        if let Some(removed) = &self.removed {
            match &self.added {
                // Another file may have the old name by now, where changes came through out of order.
                Some((_, node)) if names.get(removed) != Some(node) => {}
                _ => drop(names.remove(removed)),
            }
        }
        if let Some((name, node)) = &self.added {
            names.insert(name.clone(), *node);
        }
    }
}

impl<'a> Lived<'a> {
    fn new(disk: &'a Disk, records: &'a [Record]) -> Lived<'a> {
        let mut by_inode = HashMap::new();
        let mut nodes = Vec::new();
        for (index, base) in disk.nodes.iter().enumerate() {
            by_inode.insert(base.inode, index);
            nodes.push(Node::new(base.bytes.as_deref()));
        }
        let mut lived = Lived { nodes, names: disk.names.clone(), moves: Vec::new() };
        for record in records {
            lived.live(record, &mut by_inode);
        }
        for node in &mut lived.nodes {
            if let Some(file) = &mut node.file {
                file.covered = node.covered;
            }
        }
        lived
    }

    fn live(&mut self, record: &'a Record, by_inode: &mut HashMap<u64, usize>) {
        let place = record.place;
        match &record.what {
            What::Create(path) | What::MakeDirectory(path) => {
                let is_file = matches!(record.what, What::Create(_));
                let node = self.nodes.len();
                self.nodes.push(Node::new(is_file.then_some(&[])));
                by_inode.insert(record.node, node);
                let name = self.name(path);
                self.moved(Move { place, removed: None, added: Some((name, node)) });
            }
            What::Write { offset, bytes } => {
                let offset = usize::try_from(*offset).expect("files are small");
                let node = self.change(record, by_inode, ChangeKind::Write(offset, bytes));
                let file = self.nodes[node].file.as_mut().expect("it was written to");
                if offset + bytes.len() > file.size {
                    file.size = offset + bytes.len();
                    self.nodes[node].metadata.push(place);
                }
            }
            What::Resize(size) => {
                let size = usize::try_from(*size).expect("files are small");
                let node = self.change(record, by_inode, ChangeKind::Resize(size));
                self.nodes[node].file.as_mut().expect("it was written to").size = size;
                self.nodes[node].metadata.push(place);
            }
            What::Sync(covered) => {
                let node = &mut self.nodes[by_inode[&record.node]];
                node.covered = node.covered.max(*covered);
            }
            What::Rename(from, to) => {
                let (from, to) = (self.name(from), self.name(to));
                let node = self.names[&from];
                self.moved(Move { place, removed: Some(from), added: Some((to, node)) });
            }
            What::Link(from, to) => {
                let node = self.names[&self.name(from)];
                let name = self.name(to);
                self.moved(Move { place, removed: None, added: Some((name, node)) });
            }
            What::Remove(path) => {
                let name = self.name(path);
                self.moved(Move { place, removed: Some(name), added: None });
            }
            What::Mark(_) => {}
        }
    }

    fn change(&mut self, record: &Record, by_inode: &HashMap<u64, usize>, kind: ChangeKind<'a>) -> usize {
        let node = *by_inode.get(&record.node).expect("the file was seen before it was written to");
        let file = self.nodes[node].file.as_mut().expect("only files are written to");
        file.changes.push(Change { place: record.place, kind });
        node
    }

    /// The directory of a path, by its node, and its name there.
    fn name(&self, path: &Path) -> (usize, String) {
        let name =
            path.file_name().expect("the root is neither made nor moved").to_string_lossy().into_owned();
        let mut directory = ROOT;
        for part in path.parent().unwrap_or(Path::new("")) {
            let key = (directory, part.to_string_lossy().into_owned());
            directory = *self.names.get(&key).unwrap_or_else(|| panic!("{} was not seen", path.display()));
        }
        (directory, name)
    }

    fn moved(&mut self, change: Move) {
        let gone = change.removed.as_ref().and_then(|name| self.names.get(name)).copied();
        let concerned = gone.into_iter().chain(change.added.iter().map(|(_, node)| *node));
        for node in concerned.chain(change.directories()).collect::<Vec<_>>() {
            self.nodes[node].metadata.push(change.place);
        }
        change.apply(&mut self.names);
        self.moves.push(change);
    }

    /// Up to where a journal of metadata has to be kept.
    fn committed(&self) -> u64 {
        let needed = self.nodes.iter().filter_map(|node| {
            let covered = node.metadata.partition_point(|place| *place < node.covered);
            node.metadata[..covered].last().copied()
        });
        needed.max().unwrap_or(0)
    }

    fn names_left(&self, disk: &Disk, rules: &Rules, chance: &mut Chance) -> Names {
        let mut names = disk.names.clone();
        for change in &self.moves {
            let synchronised =
                change.directories().all(|directory| change.place < self.nodes[directory].covered);
            let is_left = match rules.medium {
                Medium::Ordered => change.place <= rules.committed,
                Medium::Nasty => synchronised || rules.survives(chance),
            };
            if !is_left {
                continue;
            }
            let is_half = rules.medium == Medium::Nasty && !synchronised && chance.percent(15);
            match &change.added {
                Some((name, node)) if is_half && self.nodes[*node].file.is_some() => {
                    names.insert(name.clone(), *node);
                }
                _ => change.apply(&mut names),
            }
        }
        names
    }
}

impl<'a> Node<'a> {
    fn new(before: Option<&'a [u8]>) -> Node<'a> {
        let file = before.map(|before| File { before, changes: Vec::new(), covered: 0, size: before.len() });
        Node { file, covered: 0, metadata: Vec::new() }
    }
}

/// How much survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Survives {
    Nothing,
    Everything,
    Percent(u64),
}

/// What was chosen for one cut.
struct Rules {
    medium: Medium,
    survives: Survives,
    unit_bytes: usize,
    /// The last place whose metadata are kept; of an ordered medium.
    committed: u64,
    noise: bool,
    /// Each write is there as a whole or not at all, instead of each page; of a nasty medium.
    whole_writes: bool,
}

impl Rules {
    fn choose(medium: Medium, lived: &Lived<'_>, chance: &mut Chance) -> Rules {
        let survives = match chance.between(0, 9) {
            0 => Survives::Nothing,
            1 => Survives::Everything,
            _ => Survives::Percent(chance.between(5, 95)),
        };
        let least = lived.committed();
        let mut later: Vec<u64> = lived.nodes.iter().flat_map(|node| node.metadata.iter().copied()).collect();
        later.retain(|place| *place > least);
        let most = later.iter().max().copied().unwrap_or(least);
        let committed = match survives {
            Survives::Nothing => least,
            Survives::Everything => most,
            Survives::Percent(_) if later.is_empty() || chance.percent(30) => least,
            Survives::Percent(_) => later[chance.index(later.len())],
        };
        let unit_bytes = if chance.percent(30) { SECTOR_BYTES } else { PAGE_BYTES };
        Rules {
            medium,
            survives,
            unit_bytes,
            committed,
            noise: chance.percent(30),
            whole_writes: medium == Medium::Nasty && chance.percent(40),
        }
    }

    fn survives(&self, chance: &mut Chance) -> bool {
        match self.survives {
            Survives::Nothing => false,
            Survives::Everything => true,
            Survives::Percent(percent) => chance.percent(percent),
        }
    }

    /// How many of some changes came through: at least `least`, at most `all`.
    fn prefix(&self, least: usize, all: usize, chance: &mut Chance) -> usize {
        match self.survives {
            Survives::Nothing => least,
            Survives::Everything => all,
            Survives::Percent(percent) if chance.percent(percent) => all,
            Survives::Percent(_) if chance.percent(60) => least,
            Survives::Percent(_) => least + chance.index(all - least + 1),
        }
    }
}

impl File<'_> {
    fn now(&self) -> Vec<u8> {
        let mut bytes = self.before.to_vec();
        self.changes.iter().for_each(|change| change.kind.apply(&mut bytes));
        bytes
    }

    fn left(&self, rules: &Rules, chance: &mut Chance) -> Vec<u8> {
        let covered = self.changes.partition_point(|change| change.place < self.covered);
        let (durable, pending) = self.changes.split_at(covered);
        let mut bytes = self.before.to_vec();
        durable.iter().for_each(|change| change.kind.apply(&mut bytes));
        let is_resize = |change: &Change<'_>| matches!(change.kind, ChangeKind::Resize(_));
        let mut pending = pending;
        let mut least = 0;
        if rules.medium == Medium::Ordered {
            let lost = |change: &Change<'_>| is_resize(change) && change.place > rules.committed;
            pending = &pending[..pending.iter().position(lost).unwrap_or(pending.len())];
            least = pending.iter().rposition(is_resize).map_or(0, |last| last + 1);
        }
        if pending.is_empty() || rules.whole_writes {
            pending
                .iter()
                .filter(|_| rules.survives(chance))
                .for_each(|change| change.kind.apply(&mut bytes));
            return bytes;
        }
        let mut sizes = vec![bytes.len()];
        for change in pending {
            let size = sizes[sizes.len() - 1];
            sizes.push(match change.kind {
                ChangeKind::Write(offset, written) => size.max(offset + written.len()),
                ChangeKind::Resize(size) => size,
            });
        }
        let size = size_left(&sizes[least..], rules, chance);
        let durable_size = bytes.len();
        let longest = sizes.iter().copied().max().unwrap_or(durable_size);
        let old = std::mem::take(&mut bytes);
        let mut left = vec![0; size];
        for (unit, start) in (0..longest.min(size)).step_by(rules.unit_bytes).enumerate() {
            debug_assert_eq!(unit * rules.unit_bytes, start);
            let end = start + rules.unit_bytes;
            let is_touched = pending.iter().any(|change| change.kind.touches(start, end));
            let grown = rules.medium == Medium::Ordered && size > sizes[least] && end > sizes[least];
            let through = match (is_touched, grown) {
                (false, _) => pending.len(),
                (true, true) => pending.len(),
                (true, false) => rules.prefix(least, pending.len(), chance),
            };
            let mut content = vec![0; rules.unit_bytes];
            if start < durable_size {
                let known = &old[start..end.min(durable_size)];
                content[..known.len()].copy_from_slice(known);
            } else if rules.noise && rules.medium == Medium::Nasty && is_touched && through == 0 {
                content.fill_with(|| chance.any().to_le_bytes()[0]);
            }
            for change in &pending[..through] {
                change.kind.apply_within(start, &mut content);
            }
            let kept = end.min(size) - start;
            left[start..start + kept].copy_from_slice(&content[..kept]);
        }
        left
    }
}

/// The size that a file has after a cut, of those that it had since it was synchronised.
fn size_left(sizes: &[usize], rules: &Rules, chance: &mut Chance) -> usize {
    let (first, last) = (sizes[0], sizes[sizes.len() - 1]);
    match rules.survives {
        Survives::Nothing => first,
        Survives::Everything => last,
        Survives::Percent(_) => match chance.between(0, 3) {
            0 => sizes[chance.index(sizes.len())],
            1 => {
                let least = sizes.iter().copied().min().unwrap_or(first);
                let most = sizes.iter().copied().max().unwrap_or(last);
                least + chance.index(most - least + 1)
            }
            2 => first,
            _ => last,
        },
    }
}

impl ChangeKind<'_> {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match *self {
            ChangeKind::Write(offset, written) => {
                let end = offset + written.len();
                if end > bytes.len() {
                    bytes.resize(end, 0);
                }
                bytes[offset..end].copy_from_slice(written);
            }
            ChangeKind::Resize(size) => bytes.resize(size, 0),
        }
    }

    fn touches(&self, start: usize, end: usize) -> bool {
        match *self {
            ChangeKind::Write(offset, written) => offset < end && offset + written.len() > start,
            ChangeKind::Resize(size) => size < end,
        }
    }

    /// Applies what lies within a unit that starts at `start`.
    fn apply_within(&self, start: usize, unit: &mut [u8]) {
        let end = start + unit.len();
        match *self {
            ChangeKind::Write(offset, written) => {
                let (from, to) = (offset.max(start), (offset + written.len()).min(end));
                if from < to {
                    unit[from - start..to - start].copy_from_slice(&written[from - offset..to - offset]);
                }
            }
            ChangeKind::Resize(size) if size < end => unit[size.max(start) - start..].fill(0),
            ChangeKind::Resize(_) => {}
        }
    }
}

#[cfg(test)]
#[path = "disk_tests.rs"]
mod tests;
