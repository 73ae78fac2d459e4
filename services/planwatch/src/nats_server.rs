//! The private nats-server of `up`: found, or installed once into the user's cache.

use anyhow::{Context, bail};
use bus::server::{SERVER_VARIABLE, ServerBinary, find_server};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The installer and its pin, so that the executable alone can install what it needs.
const INSTALL: &str = include_str!("../../../deploy/nats/install");
const PIN: &str = include_str!("../../../deploy/nats/pin");

/// Finds a nats-server that is new enough; installs the pinned one where there is none.
pub fn find_or_install() -> anyhow::Result<ServerBinary> {
    let cache = cache_folder();
    let mut folders = beside_executable();
    folders.extend(cache.clone());
    let missing = match find_server(&folders) {
        Ok(binary) => return Ok(binary),
        Err(error) => error,
    };
    // A binary that was named and does not do is a person's decision to correct.
    if std::env::var_os(SERVER_VARIABLE).is_some_and(|named| !named.is_empty()) {
        return Err(missing.into());
    }
    let Some(cache) = cache else {
        return Err(
            anyhow::Error::new(missing).context("there is no cache directory to install one into: set HOME")
        );
    };
    crate::output::say(format_args!("[up] installing nats-server into {}", cache.display()));
    let scripts = tempfile_folder()?;
    let installed = install(&scripts, &cache);
    // The scripts are no use any more; what stays in the temporary directory is harmless.
    let _may_stay = std::fs::remove_dir_all(&scripts);
    installed?;
    Ok(find_server(&[cache])?)
}

fn install(scripts: &std::path::Path, destination: &std::path::Path) -> anyhow::Result<()> {
    for (name, text) in [("install", INSTALL), ("pin", PIN)] {
        let file = scripts.join(name);
        std::fs::write(&file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    let status = Command::new("sh")
        .arg(scripts.join("install"))
        .arg(destination)
        .stdin(Stdio::null())
        // The path that it prints is known; standard output is for data of ours alone.
        .stdout(Stdio::null())
        .status()
        .context("cannot run `sh` to install nats-server")?;
    if !status.success() {
        bail!("nats-server was not installed; the lines above say why");
    }
    Ok(())
}

fn tempfile_folder() -> anyhow::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("planwatch-nats-{}", crate::installation::secret()?));
    crate::private_file::make_folder(&folder)?;
    Ok(folder)
}

fn pinned_version() -> Option<&'static str> {
    PIN.lines().find_map(|line| line.strip_prefix("version="))
}

fn server_folder() -> Option<String> {
    pinned_version().map(|version| format!("nats-server-{version}"))
}

/// Where a build keeps its tools: beside the directory of the executable.
fn beside_executable() -> Vec<PathBuf> {
    let tools = std::env::current_exe()
        .ok()
        .and_then(|executable| Some(executable.parent()?.parent()?.join("tools")));
    tools.zip(server_folder()).map(|(tools, folder)| tools.join(folder)).into_iter().collect()
}

fn cache_folder() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| folder("HOME").map(|home| home.join(".cache")))?;
    Some(cache.join("planwatch").join(server_folder()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pin_names_a_version() {
        let version = pinned_version().unwrap();
        assert_eq!(version.split('.').count(), 3, "{version}");
    }
}
