//! `planwatch log verify`: of a log's directory, a bundle or a backup, with nothing but public keys.

use super::live::{self, ReceiptArguments};
use crate::backup_folder;
use crate::exit::{Failure, Outcome};
use crate::findings::Findings;
use crate::log_directory::{CHECKPOINT_NAME, LogDirectory};
use crate::log_place::LogArguments;
use crate::progress::while_working;
use crate::public_keys::{self, KeyArguments};
use clap::Args;
use event_log::files::RealFiles;
use event_log::{
    Against, Agreement, BundleLeaves, CheckpointVerdict, IndexLeaves, KeptLeaves, OpenError, VerifyError,
    VerifyReport, verify_against, verify_bundle,
};
use evidence::{NOTE_LIMIT_BYTES, SignedCheckpoint, VerifierKey};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

const BUNDLE_MARK: &str = "planwatch-bundle.json";

/// What is checked, and what it is held against.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A data directory, a log's own directory, an exported bundle, or a backup [default: the data directory]
    #[arg(value_name = "DIR|BUNDLE|BACKUP")]
    place: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyArguments,
    /// Hold a log's directory or a running system against a signed checkpoint, too, or a directory against that of
    /// a bundle that was exported earlier; may be repeated. The last one that lies with the log is always looked at
    #[arg(long = "checkpoint", value_name = "FILE|BUNDLE")]
    checkpoints: Vec<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    receipt: ReceiptArguments,
    #[command(flatten)]
    log: LogArguments,
}

/// Checks it and says what is wrong and where.
pub(super) fn run(arguments: &Arguments) -> Outcome {
    let keys = arguments.keys.read()?;
    if let Some(outcome) = arguments.receipt.verify(&keys, arguments.json) {
        return outcome;
    }
    if arguments.log.server.server.is_some() && arguments.place.is_none() && !keys.is_empty() {
        return live::system(&arguments.log.server.client()?, &keys, &arguments.checkpoints, arguments.json);
    }
    let place = arguments.place.clone().unwrap_or_else(|| arguments.log.root());
    if arguments.place.is_some() && !place.is_dir() {
        return Err(Failure::unreachable(anyhow::anyhow!("there is no directory `{}`", place.display())));
    }
    let is_bundle = place.join(BUNDLE_MARK).exists();
    if (is_bundle || backup_folder::is_one(&place)) && !arguments.checkpoints.is_empty() {
        return Err(Failure::usage(
            "--checkpoint is for a log's directory: bundles and backups bring theirs",
        ));
    }
    let findings = if is_bundle {
        while_working("checking the bundle", || bundle(&place, &keys))?
    } else if backup_folder::is_one(&place) {
        while_working("checking the backup", || backup_folder::check(&place, &keys).findings)
    } else {
        let log = match arguments.log.log_directory(&place) {
            Ok(log) => log,
            Err(error) if arguments.place.is_some() => {
                return Err(Failure::refused(error.context(format!(
                    "`{}` is no data directory, no log, no bundle and no backup (or one that was cut short)",
                    place.display()
                ))));
            }
            Err(error) => return Err(Failure::unreachable(error)),
        };
        let checked = Checked::gather(&log, keys, &arguments.checkpoints)?;
        while_working("checking the log", || checked.look(&log))
    };
    findings.print(arguments.json)
}

/// Checks a bundle. A signed one is checked with the keys that whoever asks believes, never with its own.
pub(super) fn bundle(place: &Path, keys: &[VerifierKey]) -> Result<Findings, Failure> {
    if keys.is_empty() && place.join(CHECKPOINT_NAME).exists() {
        return Err(Failure::usage(format_args!(
            "`{}` is signed: give the log's public key with --vkey. The bundle's own `vkeys` does not prove anything; \
             compare it with what the log's owner has published",
            place.display()
        )));
    }
    Ok(Findings::of_bundle(place, &verify_bundle(&RealFiles, place, keys)))
}

/// A log's directory with all that it is held against.
struct Checked {
    checkpoints: Vec<(PathBuf, Vec<u8>)>,
    keys: Vec<VerifierKey>,
    /// Whether the keys were given, and not those that lie with the log.
    keys_are_given: bool,
    /// Exported earlier: their leaves tell which position differs.
    bundles: Vec<PathBuf>,
}

impl Checked {
    fn gather(log: &LogDirectory, given: Vec<VerifierKey>, named: &[PathBuf]) -> Result<Checked, Failure> {
        let keys_are_given = !given.is_empty();
        let keys = if keys_are_given { given } else { log.vkeys()? };
        if keys.is_empty() && !named.is_empty() {
            return Err(Failure::usage(
                "a checkpoint proves something with the log's public key only: give it with --vkey",
            ));
        }
        let mut checked = Checked { checkpoints: Vec::new(), keys, keys_are_given, bundles: Vec::new() };
        let kept = Some(log.checkpoint_file()).filter(|file| file.exists() && !checked.keys.is_empty());
        for named in kept.iter().chain(named) {
            let file = if named.join(BUNDLE_MARK).is_file() {
                checked.bundles.push(named.clone());
                named.join(CHECKPOINT_NAME)
            } else {
                named.clone()
            };
            let bytes = public_keys::read_bounded(&file, NOTE_LIMIT_BYTES).map_err(Failure::unreachable)?;
            checked.checkpoints.push((file, bytes));
        }
        Ok(checked)
    }

    fn look(&self, log: &LogDirectory) -> Findings {
        let report = match self.verify(log, None) {
            Ok(report) => report,
            Err(error) => {
                return Findings::only(&log.folder, file_of(&log.folder, &error), service::chain(&error));
            }
        };
        let report = self.with_first_difference(log, report);
        let mut findings = Findings {
            place: log.folder.clone(),
            head: report.head,
            problems: report.problems,
            further_problems: report.further_problems,
            facts: Map::new(),
            sentence: format!("{} events in {} frames, head {}", report.events, report.frames, report.head),
        };
        let mut fact = |name: &str, value: Value| findings.facts.insert(name.to_owned(), value);
        fact("frames", json!(report.frames));
        fact("events", json!(report.events));
        fact("bytes", json!(report.bytes));
        fact("root", json!(report.root.map(|root| root.to_string())));
        fact("checkpoints", report.checkpoints.iter().map(|verdict| self.document(verdict)).collect());
        if self.keys_are_given && self.checkpoints.is_empty() {
            findings.add(
                log.checkpoint_file(),
                "no checkpoint lies with the log that a given key could have signed: give one with --checkpoint",
            );
        }
        let agreeing = report.checkpoints.iter().filter(|verdict| verdict.agreement == Agreement::Agrees);
        if let Some(verdict) = agreeing.max_by_key(|verdict| verdict.size) {
            let whose = if self.keys_are_given { "" } else { " (by the public keys that lie with the log)" };
            let size = verdict.size.unwrap_or_default();
            findings.sentence.push_str(&format!(", signed up to position {size}{whose}"));
        } else if self.checkpoints.is_empty() {
            findings.sentence.push_str(", held against no checkpoint");
        }
        findings
    }

    fn verify(
        &self,
        log: &LogDirectory,
        leaves: Option<&dyn KeptLeaves>,
    ) -> Result<VerifyReport, VerifyError> {
        let against = Against { checkpoints: self.checkpoints.clone(), keys: self.keys.clone(), leaves };
        verify_against(&RealFiles, &log.folder, None, &against)
    }

    /// Where a checkpoint differs, looks for the first position that does: with the leaves of a bundle that was
    /// exported earlier, or those of the log's own index.
    fn with_first_difference(&self, log: &LogDirectory, report: VerifyReport) -> VerifyReport {
        let is_unknown = |verdict: &CheckpointVerdict| verdict.agreement == Agreement::Differs { from: None };
        if !report.checkpoints.iter().any(is_unknown) {
            return report;
        }
        let size = |bundle: &Path| {
            let bytes = public_keys::read_bounded(&bundle.join(CHECKPOINT_NAME), NOTE_LIMIT_BYTES).ok()?;
            Some(SignedCheckpoint::parse(&bytes).ok()?.claimed().size())
        };
        let bundles = self.bundles.iter().filter_map(|bundle| {
            Some(Box::new(BundleLeaves::new(&RealFiles, bundle, size(bundle)?)) as Box<dyn KeptLeaves>)
        });
        let index = || Some(Box::new(IndexLeaves::open(&log.folder, report.plan.as_ref()?)?) as _);
        let found = bundles
            .chain(std::iter::from_fn(index).take(1))
            .filter_map(|leaves: Box<dyn KeptLeaves>| self.verify(log, Some(&*leaves)).ok())
            .find(|found| !found.checkpoints.iter().any(is_unknown));
        found.unwrap_or(report)
    }

    fn document(&self, verdict: &CheckpointVerdict) -> Value {
        let (agreement, from, why) = match &verdict.agreement {
            Agreement::Agrees => ("agrees", None, None),
            Agreement::Differs { from } => ("differs", *from, None),
            Agreement::Lacks { from } => ("lacks", Some(*from), None),
            Agreement::Refused(error) => ("refused", None, Some(error.to_string())),
        };
        let bytes = self.checkpoints.iter().find(|(file, _)| *file == verdict.file).map(|(_, bytes)| bytes);
        let signed = bytes.and_then(|bytes| SignedCheckpoint::parse(bytes).ok()?.verify(&self.keys).ok());
        let by: Vec<String> = signed.iter().flat_map(|signed| &signed.by).map(ToString::to_string).collect();
        json!({
            "file": verdict.file, "size": verdict.size, "agreement": agreement, "from": from, "why": why,
            "signed_by": by,
        })
    }
}

/// The file that a log was refused for.
fn file_of(folder: &Path, error: &VerifyError) -> PathBuf {
    match error {
        VerifyError::Read { path, .. }
        | VerifyError::Directory(OpenError::FormatMark { path, .. } | OpenError::Files { path, .. }) => {
            path.clone()
        }
        _ => folder.join("format.json"),
    }
}
