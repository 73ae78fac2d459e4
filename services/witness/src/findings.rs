//! What was found about a log: signed proof that it misbehaved, kept for good.
//!
//! ```text
//! <kind>-<size>-<hash>/seen        the checkpoint that was cosigned
//! <kind>-<size>-<hash>/shown       the one that does not go with it, as it came
//! <kind>-<size>-<hash>/proof       the proof that came with it; of a fork, one that leads to the larger checkpoint
//! <kind>-<size>-<hash>/root        … from this root of as many entries as the smaller one has: not the one it says
//! <kind>-<size>-<hash>/found       when, and what, for people
//! ```
//!
//! A finding is made whole beside its place and moved there; one that is there stays as it is.

use crate::record::{Record, hex_sha256};
use evidence::{AddCheckpoint, SignedCheckpoint, TreeHash};
use service::durable::{READABLE, make_folder, sync_folder, write_new};
use std::io;
use std::path::{Path, PathBuf};

/// The most findings of one kind that are kept of a log; further ones are said and counted only.
pub(crate) const FINDINGS_LIMIT: usize = 64;
const HASH_DIGITS: usize = 16;

/// What kind of misbehaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The log signed two histories of which neither continues the other: `seen`, `shown` and, for two sizes,
    /// `proof` show it to anyone.
    Fork,
    /// The log shows less than it had, and no longer has the rest.
    Shrank,
    /// Somebody sent a checkpoint that the log signed, with a proof that does not hold.
    Unproven,
}

/// What was found.
#[derive(Debug, Clone)]
pub(crate) struct Finding<'a> {
    pub(crate) kind: Kind,
    pub(crate) seen: &'a Record,
    pub(crate) shown: &'a SignedCheckpoint,
    pub(crate) proof: Option<AddCheckpoint>,
    pub(crate) root: Option<TreeHash>,
    pub(crate) found_at_seconds: u64,
}

/// What became of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It lies there now.
    New(PathBuf),
    /// It lay there before.
    Known(PathBuf),
    /// There are too many of its kind.
    TooMany,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Fork => "fork",
            Kind::Shrank => "shrank",
            Kind::Unproven => "unproven",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Kind::Fork => "The log signed both, and neither continues the other: history was rewritten.",
            Kind::Shrank => {
                "The log shows fewer events than it had, and no longer has the rest: it was cut back, or its address \
                 shows an old copy."
            }
            Kind::Unproven => {
                "The log signed both; the proof that came with the second does not show that it continues the \
                 first. Whoever sent it may have sent a wrong proof."
            }
        }
    }
}

/// Keeps a finding.
pub(crate) fn keep(folder: &Path, finding: &Finding<'_>) -> io::Result<Kept> {
    let shown = finding.shown.claimed();
    let word = finding.kind.word();
    let hash = hex_sha256(shown.to_string().as_bytes());
    let path = folder.join(format!("{word}-{}-{}", shown.size(), &hash[..HASH_DIGITS]));
    if path.try_exists()? {
        return Ok(Kept::Known(path));
    }
    if of_kind(folder, finding.kind)?.len() >= FINDINGS_LIMIT {
        return Ok(Kept::TooMany);
    }
    let beside = folder.join(format!("new-{word}-{}-{}", shown.size(), &hash[..HASH_DIGITS]));
    // One that was taken away whole is made again.
    make_folder(&beside)?;
    let write = |name: &str, text: String| write_new(&beside.join(name), text.as_bytes(), READABLE);
    write("seen", finding.seen.checkpoint.to_string())?;
    write("shown", finding.shown.to_string())?;
    if let Some(proof) = &finding.proof {
        write("proof", proof.to_string())?;
    }
    if let Some(root) = finding.root {
        write("root", format!("{root}\n"))?;
    }
    let (sentence, at) = (finding.kind.sentence(), finding.found_at_seconds);
    write("found", format!("{word}, found at {at} (seconds since 1970). {sentence}\n"))?;
    sync_folder(&beside)?;
    std::fs::rename(&beside, &path)?;
    sync_folder(folder)?;
    Ok(Kept::New(path))
}

/// The findings of a kind, by name; none where a person took them away, folder and all.
pub(crate) fn of_kind(folder: &Path, kind: Kind) -> io::Result<Vec<PathBuf>> {
    let prefix = format!("{}-", kind.word());
    let mut found = Vec::new();
    if !folder.try_exists()? {
        return Ok(found);
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use evidence::{Checkpoint, KeyName, SigningKey, leaf_hash};

    fn checkpoint(size: u64, root: &str) -> SignedCheckpoint {
        let key = SigningKey::from_seed(KeyName::parse("log.example/a").unwrap(), &[1; 32]);
        Checkpoint::new(key.name(), size, leaf_hash(root.as_bytes())).sign(&[&key]).unwrap()
    }

    #[test]
    fn a_finding_is_kept_once_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let seen = Record { cosigned_at_seconds: 5, checkpoint: checkpoint(7, "seen") };
        let shown = checkpoint(7, "shown");
        let finding = Finding {
            kind: Kind::Fork,
            seen: &seen,
            shown: &shown,
            proof: None,
            root: None,
            found_at_seconds: 9,
        };
        let Kept::New(path) = keep(folder.path(), &finding).unwrap() else { panic!("it is new") };
        let files =
            |path: &Path| ["seen", "shown", "found"].map(|name| std::fs::read(path.join(name)).unwrap());
        let before = files(&path);
        assert_eq!(before[1], shown.to_string().as_bytes());
        let later = Record { cosigned_at_seconds: 6, checkpoint: checkpoint(8, "later") };
        let again = Finding { seen: &later, found_at_seconds: 10, ..finding.clone() };
        assert_eq!(keep(folder.path(), &again).unwrap(), Kept::Known(path.clone()));
        assert_eq!(files(&path), before);
        assert_eq!(of_kind(folder.path(), Kind::Fork).unwrap(), [path]);
        assert!(of_kind(folder.path(), Kind::Shrank).unwrap().is_empty());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn findings_of_a_kind_have_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let seen = Record { cosigned_at_seconds: 5, checkpoint: checkpoint(7, "seen") };
        for number in 0..=FINDINGS_LIMIT {
            let shown = checkpoint(7, &number.to_string());
            let finding = Finding {
                kind: Kind::Unproven,
                seen: &seen,
                shown: &shown,
                proof: None,
                root: None,
                found_at_seconds: 9,
            };
            let kept = keep(folder.path(), &finding).unwrap();
            assert_eq!(kept == Kept::TooMany, number == FINDINGS_LIMIT, "{number}: {kept:?}");
        }
    }
}
