//! The configuration files of the four services, as `up` writes them: the very files with which each starts singly.

use crate::data_directory::DataDirectory;
use crate::private_file;
use anyhow::Context;
use events::PlanId;
use serde::Serialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Who connects to the bus, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BusAccess {
    /// The server's address.
    pub url: String,
    /// The user.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// What the server calls the connection.
    pub name: String,
}

/// What stands above the keys, for who runs ingestion singly.
const ABOUT_KEYS: &str = "\
# The keys that sign the log's checkpoints, and the last checkpoint that they signed. The directory and the
# private keys are their owner's alone; they belong into no copy of the log. `planwatch key` makes and exchanges
# them. Without this line nothing is signed.
";

#[derive(Serialize)]
struct LogServiceFile<'a> {
    plan: &'a PlanId,
    data: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<PathBuf>,
    bus: &'a BusAccess,
}

#[derive(Serialize)]
struct ConsoleFile<'a> {
    plan: &'a PlanId,
    listen: SocketAddr,
    token_file: PathBuf,
    sign_in_code_file: PathBuf,
    ready_file: PathBuf,
    bus: &'a BusAccess,
}

/// Where the log of a service, or its copy of the log, lies: a directory for each plan.
pub fn log_folder(directory: &DataDirectory, service: &str, plan: &PlanId) -> PathBuf {
    directory.service_folder(service).join(plan.as_str())
}

/// Writes the four files; `access` gives each service its way to the bus.
pub fn write(
    directory: &DataDirectory,
    plan: &PlanId,
    listen: SocketAddr,
    access: impl Fn(&str) -> anyhow::Result<BusAccess>,
) -> anyhow::Result<()> {
    for service in ["ingestion", "projection", "alerting"] {
        let data = log_folder(directory, service, plan);
        let keys = (service == "ingestion").then(|| directory.keys_folder());
        write_one(directory, service, &LogServiceFile { plan, data, keys, bus: &access(service)? })?;
    }
    let console = ConsoleFile {
        plan,
        listen,
        token_file: directory.token_file(),
        sign_in_code_file: directory.sign_in_code_file(),
        ready_file: directory.console_address_file(),
        bus: &access("console")?,
    };
    write_one(directory, "console", &console)
}

fn write_one(directory: &DataDirectory, service: &str, file: &impl Serialize) -> anyhow::Result<()> {
    let text =
        toml::to_string(file).with_context(|| format!("cannot write the configuration of {service}"))?;
    let text = text.replacen("\nkeys = ", &format!("\n{ABOUT_KEYS}keys = "), 1);
    let text = format!(
        "# Written by `planwatch up` at every start; to run {service} singly, copy it first.\n\n{text}"
    );
    private_file::write(&directory.config_file(service), &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::config;

    #[test]
    fn each_service_reads_the_file_that_is_written_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let directory = DataDirectory::prepare(folder.path()).unwrap();
        let plan = PlanId::parse("binh-duong").unwrap();
        let access = |service: &str| {
            Ok(BusAccess {
                url: "nats://127.0.0.1:4222".into(),
                user: service.into(),
                password: "a \"quoted\" one".into(),
                name: service.into(),
            })
        };
        write(&directory, &plan, ([127, 0, 0, 1], 8080).into(), access).unwrap();
        let ingestion: ingestion::Config = config::read(&directory.config_file("ingestion")).unwrap();
        assert_eq!(ingestion.data, directory.root().join("ingestion/binh-duong"));
        assert_eq!(ingestion.bus.password, "a \"quoted\" one");
        assert_eq!(ingestion.keys, Some(directory.keys_folder()));
        let text = std::fs::read_to_string(directory.config_file("ingestion")).unwrap();
        assert!(text.contains("# The keys that sign"), "{text}");
        let _: projection::Config = config::read(&directory.config_file("projection")).unwrap();
        let _: alerting::Config = config::read(&directory.config_file("alerting")).unwrap();
        let console: console::Config = config::read(&directory.config_file("console")).unwrap();
        assert_eq!(console.listen.port(), 8080);
    }
}
