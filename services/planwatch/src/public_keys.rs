//! Public keys on the command line: as text, or as a file with one on each line.

use crate::exit::Failure;
use anyhow::Context;
use clap::Args;
use evidence::{NOTE_LIMIT_BYTES, VerifierKey};
use std::path::Path;

/// The public keys that are believed.
#[derive(Debug, Clone, Args)]
pub struct KeyArguments {
    /// A public key of the log or of a witness, `<name>+<id>+<base64>`, or a file of such lines; may be repeated
    #[arg(long = "vkey", value_name = "KEY|FILE")]
    vkeys: Vec<String>,
}

impl KeyArguments {
    /// Reads the keys; a wrong one is wrong usage.
    pub fn read(&self) -> Result<Vec<VerifierKey>, Failure> {
        let mut keys = Vec::new();
        for given in &self.vkeys {
            match given.parse::<VerifierKey>() {
                Ok(key) => keys.push(key),
                Err(_) if Path::new(given).is_file() => {
                    let found =
                        read_file(Path::new(given)).map_err(|error| Failure::usage(format!("{error:#}")))?;
                    if found.is_empty() {
                        return Err(Failure::usage(format_args!("`{given}` holds no public key")));
                    }
                    keys.extend(found);
                }
                Err(error) => {
                    return Err(Failure::usage(format_args!("--vkey is neither a key nor a file: {error}")));
                }
            }
        }
        Ok(keys)
    }
}

/// Reads a file of public keys.
pub fn read_file(file: &Path) -> anyhow::Result<Vec<VerifierKey>> {
    let bytes = read_bounded(file, NOTE_LIMIT_BYTES)?;
    let text = String::from_utf8(bytes).with_context(|| format!("`{}` is no text", file.display()))?;
    VerifierKey::parse_lines(&text).with_context(|| format!("`{}` is no list of public keys", file.display()))
}

/// Reads a file that is small.
pub fn read_bounded(file: &Path, limit_bytes: usize) -> anyhow::Result<Vec<u8>> {
    service::durable::read_bounded(file, limit_bytes)
        .with_context(|| format!("cannot read `{}`", file.display()))
}
