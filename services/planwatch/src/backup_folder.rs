//! A backup: the log as a bundle, and beside it what a new start needs besides the log.
//!
//! ```text
//! planwatch-backup.json  what it is a backup of, until where, made when and by which version
//! plan.toml              the plan's file, as it was given
//! clock                  the time of day last taken as right
//! log/                   the log as a bundle: events, tree, the last checkpoint, the public keys
//! SHA256SUMS             checksums of everything that the bundle's tree does not cover, for `sha256sum -c`, too
//! ```
//!
//! Nothing secret is in it: no private key, no password, no token.

use crate::findings::Findings;
use crate::log_directory::{CHECKPOINT_NAME, VKEYS_NAME};
use crate::public_keys::{self, read_bounded};
use event_log::files::{FileKind, Files, RealFiles};
use event_log::{BundleReport, verify_bundle};
use events::{PlanId, Position};
use evidence::VerifierKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The format that this version writes, and the newest that it reads.
pub const FORMAT: u32 = 1;
/// What says that a directory is a backup.
pub const MARK_NAME: &str = "planwatch-backup.json";
/// The plan's file.
pub const PLAN_NAME: &str = "plan.toml";
/// The time of day last taken as right.
pub const CLOCK_NAME: &str = "clock";
/// The bundle.
pub const LOG_NAME: &str = "log";
/// The checksums; written last.
pub const SUMS_NAME: &str = "SHA256SUMS";
/// What the checksums cover, as far as it is there; the tree covers the rest of the bundle.
const SUMMED: [&str; 6] =
    [MARK_NAME, PLAN_NAME, CLOCK_NAME, "log/planwatch-bundle.json", "log/checkpoint", "log/vkeys"];
/// The largest of these files.
const FILE_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// What a backup says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The format of the backup.
    pub format: u32,
    /// The version that made it.
    pub version: String,
    /// The plan whose log it is.
    pub plan: PlanId,
    /// When it was begun.
    pub made_at: String,
    /// The last position in it.
    pub head: Position,
    /// Up to which position the log has signed it.
    pub signed: u64,
    /// Where the private keys were, which are not in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<PathBuf>,
}

/// A backup that was looked at.
pub struct Checked {
    /// What was found.
    pub findings: Findings,
    /// What it holds, where nothing is wrong.
    pub whole: Option<Whole>,
}

/// A backup in which nothing is wrong.
pub struct Whole {
    /// What it says about itself.
    pub mark: Mark,
    /// What its bundle holds.
    pub bundle: BundleReport,
    /// The keys with which that was verified.
    pub keys: Vec<VerifierKey>,
}

/// Whether a directory looks like a backup.
pub fn is_one(place: &Path) -> bool {
    place.join(MARK_NAME).exists() || place.join(SUMS_NAME).exists()
}

/// Writes down the checksums of what is there.
pub fn sums(place: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    for name in SUMMED.iter().filter(|name| place.join(name).exists()) {
        let bytes = read_bounded(&place.join(name), FILE_LIMIT_BYTES)?;
        writeln!(text, "{}  {name}", sha256_hex(&bytes)).expect("a text takes what is written to it");
    }
    Ok(text)
}

/// Checks a backup: that nothing else is in it, every checksum, the whole bundle. Without keys those that lie in
/// it are taken, which shows damage, not forgery.
pub fn check(place: &Path, given: &[VerifierKey]) -> Checked {
    let refused =
        |file: PathBuf, what: String| Checked { findings: Findings::only(place, file, what), whole: None };
    let mut strays = Vec::new();
    match RealFiles.list_below(place) {
        Err(error) => return refused(place.to_owned(), format!("cannot be listed: {error}")),
        Ok(found) => {
            for (name, kind) in found {
                if kind != FileKind::File {
                    let what =
                        "is a link or no plain file, and may lead anywhere: a backup has plain files only";
                    return refused(place.join(name), what.to_owned());
                }
                let text = name.to_str().unwrap_or_default();
                if !SUMMED.contains(&text) && text != SUMS_NAME && !name.starts_with(LOG_NAME) {
                    strays.push(place.join(name));
                }
            }
        }
    }
    let mark = read_bounded(&place.join(MARK_NAME), FILE_LIMIT_BYTES)
        .map_err(|error| format!("{error:#}: without it this is no backup, or one that was cut short"))
        .and_then(|bytes| read_mark(&bytes));
    let mark = match mark {
        Ok(mark) => mark,
        Err(what) => return refused(place.join(MARK_NAME), what),
    };
    let log = place.join(LOG_NAME);
    let keys = match own_keys(&log) {
        _ if !given.is_empty() => Ok(given.to_vec()),
        own => own,
    };
    let keys = match keys {
        Ok(keys) => keys,
        Err(what) => return refused(log.join(VKEYS_NAME), what),
    };
    let checked = verify_bundle(&RealFiles, &log, &keys);
    let mut findings = Findings::of_bundle(place, &checked);
    for stray in strays {
        findings.add(stray, "the file does not belong to a backup");
    }
    for (file, what) in wrong_sums(place) {
        findings.add(file, what);
    }
    let Ok(bundle) = checked else { return Checked { findings, whole: None } };
    if (&bundle.plan, *bundle.selected.start(), *bundle.selected.end()) != (&mark.plan, 1, mark.head.0) {
        findings.add(
            place.join(MARK_NAME),
            format!(
                "the backup says that it holds positions 1 to {} of the log of `{}`, the bundle in it {} to {} of \
                 that of `{}`",
                mark.head,
                mark.plan,
                bundle.selected.start(),
                bundle.selected.end(),
                bundle.plan
            ),
        );
    }
    if bundle.signed() < mark.signed {
        let what = format!("{} events were signed, the bundle holds no such checkpoint", mark.signed);
        findings.add(log.join(CHECKPOINT_NAME), what);
    }
    if given.is_empty() && !keys.is_empty() {
        findings.sentence.push_str(
            " (by the public keys that lie in the backup; --vkey holds it against those that you believe)",
        );
    }
    let whole = findings.is_ok().then_some(Whole { mark, bundle, keys });
    Checked { findings, whole }
}

fn read_mark(bytes: &[u8]) -> Result<Mark, String> {
    #[derive(Deserialize)]
    struct Number {
        format: u32,
    }
    let malformed = |error: serde_json::Error| format!("is malformed: {error}");
    // The number alone is read first: a newer format may hold anything else.
    let Number { format } = serde_json::from_slice(bytes).map_err(malformed)?;
    if format > FORMAT {
        return Err(format!(
            "the backup has format {format}, this version knows up to {FORMAT}: use the newer version"
        ));
    }
    serde_json::from_slice(bytes).map_err(malformed)
}

/// The keys that lie in a backup, where something in it is signed.
fn own_keys(log: &Path) -> Result<Vec<VerifierKey>, String> {
    let checkpoint = log.join(CHECKPOINT_NAME);
    if !checkpoint.exists() {
        return Ok(Vec::new());
    }
    let keys = public_keys::read_file(&log.join(VKEYS_NAME)).map_err(|error| format!("{error:#}"))?;
    if keys.is_empty() {
        return Err("a signed log without any public key: give it with --vkey".to_owned());
    }
    Ok(keys)
}

/// The files whose checksums do not fit.
fn wrong_sums(place: &Path) -> Vec<(PathBuf, String)> {
    let sums_file = place.join(SUMS_NAME);
    let text = read_bounded(&sums_file, FILE_LIMIT_BYTES)
        .and_then(|bytes| String::from_utf8(bytes).map_err(anyhow::Error::from));
    let text = match text {
        Ok(text) => text,
        Err(error) => return vec![(sums_file, format!("{error:#}: the backup was cut short or damaged"))],
    };
    let mut wrong = Vec::new();
    let mut known = BTreeMap::new();
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let entry = line.strip_suffix('\n').and_then(|line| line.split_once("  "));
        match entry.filter(|(_, name)| SUMMED.contains(name)) {
            Some((sum, name)) if known.insert(name, sum).is_none() => {}
            _ => wrong
                .push((sums_file.clone(), format!("line {} is no checksum of a file in a backup", at + 1))),
        }
    }
    for name in SUMMED {
        let file = place.join(name);
        match (known.get(name), file.exists()) {
            (None, false) => {}
            (None, true) => wrong.push((file, format!("has no checksum in `{SUMS_NAME}`"))),
            (Some(_), false) => wrong.push((file, "the file is missing".to_owned())),
            (Some(sum), true) => match read_bounded(&file, FILE_LIMIT_BYTES) {
                Err(error) => wrong.push((file, format!("{error:#}"))),
                Ok(bytes) if sha256_hex(&bytes) == **sum => {}
                Ok(_) => {
                    wrong.push((file, format!("differs from its checksum in `{SUMS_NAME}`: one was altered")))
                }
            },
        }
    }
    wrong
}

fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes what is written to it");
        text
    })
}
