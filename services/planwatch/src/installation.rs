//! What an installation chooses once and keeps: its nats-server's port and the passwords of its users.

use crate::data_directory::DataDirectory;
use crate::private_file;
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};

/// The users of the bus: the four services and a reader who may only look.
pub const USERS: [&str; 5] = ["ingestion", "projection", "alerting", "console", "reader"];

const SECRET_BYTES: usize = 32;

/// Ports and passwords; the file is readable by its owner alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installation {
    /// The port of the private nats-server on the loopback address.
    pub nats_port: u16,
    /// The password of each user of the bus.
    pub passwords: BTreeMap<String, String>,
}

impl Installation {
    /// Reads the installation's choices, or makes and writes them the first time.
    pub fn open(directory: &DataDirectory) -> anyhow::Result<Installation> {
        let file = directory.installation_file();
        if file.exists() {
            return Ok(service::config::read(&file)?);
        }
        let mut passwords = BTreeMap::new();
        for user in USERS {
            passwords.insert(user.to_owned(), secret()?);
        }
        let installation = Installation { nats_port: free_port()?, passwords };
        installation.write(directory)?;
        Ok(installation)
    }

    /// Takes another port where something else listens on the one that was chosen.
    pub fn ensure_free_port(&mut self, directory: &DataDirectory) -> anyhow::Result<()> {
        if TcpListener::bind((Ipv4Addr::LOCALHOST, self.nats_port)).is_err() {
            self.nats_port = free_port()?;
            self.write(directory)?;
        }
        Ok(())
    }

    /// The password of one of [`USERS`].
    pub fn password(&self, user: &str) -> anyhow::Result<&str> {
        self.passwords.get(user).map(String::as_str).with_context(|| {
            format!("the installation has no password for `{user}`: add one under [passwords]")
        })
    }

    fn write(&self, directory: &DataDirectory) -> anyhow::Result<()> {
        let text = toml::to_string(self).context("cannot write the installation's choices as TOML")?;
        private_file::write(&directory.installation_file(), &text)
    }
}

/// Makes a secret of 32 random bytes in hexadecimal.
pub fn secret() -> anyhow::Result<String> {
    use std::fmt::Write;
    let mut bytes = [0u8; SECRET_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes what is written to it");
        text
    }))
}

/// Reads the operator's token, or makes it the first time.
pub fn operator_token(directory: &DataDirectory) -> anyhow::Result<String> {
    let file = directory.token_file();
    if file.exists() {
        let token =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
        return Ok(token.trim().to_owned());
    }
    let token = secret()?;
    private_file::write(&file, &format!("{token}\n"))?;
    Ok(token)
}

/// Finds a port on the loopback address that nothing listens on now.
pub fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free on 127.0.0.1")?;
    Ok(listener.local_addr().context("a bound socket has an address")?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_and_token_are_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let directory = DataDirectory::prepare(folder.path()).unwrap();
        let first = Installation::open(&directory).unwrap();
        assert_eq!(Installation::open(&directory).unwrap(), first);
        let token = operator_token(&directory).unwrap();
        assert_eq!(token.len(), SECRET_BYTES * 2);
        assert_eq!(operator_token(&directory).unwrap(), token);
    }

    #[test]
    fn a_taken_port_is_replaced_and_a_free_one_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let directory = DataDirectory::prepare(folder.path()).unwrap();
        let mut installation = Installation::open(&directory).unwrap();
        let chosen = installation.nats_port;
        installation.ensure_free_port(&directory).unwrap();
        assert_eq!(installation.nats_port, chosen);
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, chosen)).unwrap();
        installation.ensure_free_port(&directory).unwrap();
        assert_ne!(installation.nats_port, chosen);
        assert_eq!(Installation::open(&directory).unwrap(), installation);
    }
}
