//! The bus that `up` uses: a private nats-server, or one that is named.

use crate::data_directory::{self, DataDirectory};
use crate::exit::Failure;
use crate::installation::Installation;
use crate::nats_server;
use crate::service_configs::BusAccess;
use crate::supervisor::Program;
use bus::server::{Role, ServerBinary, ServerConfig, ServerUser};
use bus::{Bus, BusConfig, ConnectError};
use std::ffi::OsString;
use std::path::Path;

const SCHEME: &str = "nats://";

/// Where the bus is and who starts it.
pub(super) struct BusPlace {
    /// Its address, without credentials.
    pub(super) url: String,
    /// The credentials that the address brought, for all services.
    credentials: Option<(String, String)>,
    /// The server that `up` starts, where none was named.
    pub(super) private: Option<PrivateBus>,
}

/// A nats-server under this supervisor.
pub(super) struct PrivateBus {
    binary: ServerBinary,
    pub(super) config: ServerConfig,
}

impl BusPlace {
    /// Takes the server that is named, or finds a binary and a port for a private one.
    pub(super) fn choose(
        named: Option<&str>,
        installation: &mut Installation,
        directory: &DataDirectory,
    ) -> Result<BusPlace, Failure> {
        if let Some(named) = named {
            let (url, credentials) = split_credentials(named)?;
            return Ok(BusPlace { url, credentials, private: None });
        }
        let binary = nats_server::find_or_install().map_err(Failure::unreachable)?;
        installation.ensure_free_port(directory)?;
        let mut users = Vec::new();
        for role in Role::SERVICES {
            users.push(ServerUser { role, password: installation.password(role.user())?.to_owned() });
        }
        let config = ServerConfig { store_dir: directory.nats_folder(), port: installation.nats_port, users };
        let url = format!("{SCHEME}127.0.0.1:{}", installation.nats_port);
        Ok(BusPlace { url, credentials: None, private: Some(PrivateBus { binary, config }) })
    }

    /// Makes sure that a server which is named answers and takes its user, before anything is started that
    /// needs it; the private one is not there yet.
    pub(super) async fn answers(&self, installation: &Installation) -> Result<(), Failure> {
        if self.private.is_some() {
            return Ok(());
        }
        let BusAccess { url, user, password, .. } = self.access(data_directory::SERVICES[0], installation)?;
        let config = BusConfig { url, user, password, name: "planwatch-up".to_owned() };
        match Bus::connect(&config).await {
            Ok(_) => Ok(()),
            Err(error @ (ConnectError::Unreachable { .. } | ConnectError::Lost { .. })) => {
                Err(Failure::unreachable(
                    anyhow::Error::new(error).context("the server of --nats is not reachable"),
                ))
            }
            Err(error) => {
                Err(Failure::refused(anyhow::Error::new(error).context("the server of --nats is of no use")))
            }
        }
    }

    /// How a service reaches the bus.
    pub(super) fn access(&self, service: &str, installation: &Installation) -> anyhow::Result<BusAccess> {
        let (user, password) = match &self.credentials {
            Some((user, password)) => (user.clone(), password.clone()),
            None => (service.to_owned(), installation.password(service)?.to_owned()),
        };
        Ok(BusAccess { url: self.url.clone(), user, password, name: format!("planwatch-{service}") })
    }
}

impl PrivateBus {
    /// Writes the server's configuration and says how it is started: through this executable, which binds
    /// it to the supervisor's life before it becomes nats-server.
    pub(super) fn program(&self, executable: &Path, directory: &DataDirectory) -> anyhow::Result<Program> {
        let config = self.config.write()?;
        let mut arguments: Vec<OsString> = vec![
            "supervised-exec".into(),
            "--ppid".into(),
            std::process::id().to_string().into(),
            "--".into(),
            self.binary.path().into(),
        ];
        arguments.extend(self.binary.arguments(&config));
        Ok(Program {
            name: "nats",
            executable: executable.to_owned(),
            arguments,
            pid_file: directory.pid_file("nats"),
        })
    }
}

/// Splits `nats://user:password@host:port`; user and password stand as they are, without percent-encoding.
fn split_credentials(named: &str) -> Result<(String, Option<(String, String)>), Failure> {
    let wrong = || {
        Failure::usage(format_args!(
            "--nats: write the server's address as {SCHEME}host:port or {SCHEME}user:password@host:port"
        ))
    };
    let rest = named.strip_prefix(SCHEME).ok_or_else(wrong)?;
    let (credentials, place) = match rest.rsplit_once('@') {
        None => (None, rest),
        Some((credentials, place)) => {
            let (user, password) = credentials.split_once(':').ok_or_else(wrong)?;
            (Some((user.to_owned(), password.to_owned())), place)
        }
    };
    let place = place.trim_end_matches('/');
    if place.is_empty() { Err(wrong()) } else { Ok((format!("{SCHEME}{place}"), credentials)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split_from_its_credentials() {
        let credentials = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        for (named, url, expected) in [
            ("nats://h:4222", "nats://h:4222", None),
            ("nats://u:p@h:4222/", "nats://h:4222", credentials("u", "p")),
            ("nats://u:p@x:y@[::1]:4222", "nats://[::1]:4222", credentials("u", "p@x:y")),
        ] {
            assert_eq!(split_credentials(named).unwrap(), (url.to_owned(), expected), "{named}");
        }
        for wrong in ["h:4222", "nats://", "nats://u@h", "http://h"] {
            assert!(split_credentials(wrong).is_err(), "{wrong}");
        }
    }
}
