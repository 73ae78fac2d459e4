//! Making signing keys out of the system's randomness.

use anyhow::Context;
use events::PlanId;
use evidence::{KeyName, SEED_BYTES, VerifierKey};
use ingestion::keys::Keys;
use std::path::Path;

/// The name of a plan's log where `up` chooses it: its keys and its checkpoints bear it.
pub fn name_of(plan: &PlanId) -> KeyName {
    KeyName::parse(&format!("planwatch/{plan}")).expect("a plan's id is a word without spaces or plus signs")
}

/// Makes a key beside those that are in a directory, which is made where it is missing.
pub fn make(directory: &Path, name: &KeyName) -> anyhow::Result<VerifierKey> {
    let mut seed = [0; SEED_BYTES];
    getrandom::fill(&mut seed)
        .map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
    Keys::make(directory, name, &seed)
        .with_context(|| format!("cannot make a signing key in `{}`", directory.display()))
}
