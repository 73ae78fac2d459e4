//! `planwatch up`: everything on one machine under one supervisor.

mod bus_access;
mod readiness;
mod signing;

use crate::adopt;
use crate::data_directory::{self, DataDirectory};
use crate::exit::{Exit, Failure, Outcome};
use crate::installation::{self, Installation};
use crate::output;
use crate::private_file;
use crate::service_configs;
use crate::supervisor::{self, Child, Program};
use anyhow::Context;
use bus_access::BusPlace;
use clap::Args;
use events::PlanId;
use serde_json::json;
use service::running::StopSignals;
use std::ffi::OsString;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

/// What is started, and where.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Where everything is kept [default: $XDG_DATA_HOME/planwatch, else ~/.local/share/planwatch]
    #[arg(long, value_name = "DIR", env = data_directory::DATA_VARIABLE)]
    data: Option<PathBuf>,
    /// The plan to adopt into an empty log [default: the embedded plan of Bình Dương]
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Where the console listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    http: SocketAddr,
    /// Use this nats-server instead of a private one: nats://user:password@host:port
    #[arg(long, value_name = "URL")]
    nats: Option<String>,
    /// Adopt the plan but load no sample history
    #[arg(long)]
    empty: bool,
    /// Print one line of JSON when everything is ready
    #[arg(long)]
    json: bool,
}

/// The plan that a data directory watches.
struct Plan {
    id: PlanId,
    file: PathBuf,
    /// Whether it is the embedded one, which has a sample history.
    embedded: bool,
    /// Whether a person named it now, so that the log has to agree.
    named: bool,
}

/// Starts everything, says when it is ready, and stops everything when asked.
pub fn run(arguments: Arguments) -> Outcome {
    let root = arguments.data.clone().unwrap_or_else(data_directory::default_root);
    let directory = DataDirectory::prepare(&root)?;
    let Some(_held) = directory.lock()? else {
        let error = anyhow::anyhow!(
            "another `planwatch up` runs on `{}`: stop it, or name another directory with --data",
            directory.root().display()
        );
        return Err(Failure::unreachable(error));
    };
    supervisor::leftovers::end_all(&directory.run_folder(), directory.root())
        .context("cannot end what an earlier `up` left behind")?;
    // One thread, which starts every child: the kernel ends a child with the thread that started it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the supervisor")?;
    runtime.block_on(supervise(&arguments, &directory))
}

async fn supervise(arguments: &Arguments, directory: &DataDirectory) -> Outcome {
    let mut signals = StopSignals::new().context("cannot listen for signals")?;
    let mut children = Vec::new();
    let ended = tokio::select! {
        ended = start_and_stay(arguments, directory, &mut children) => ended,
        received = signals.next() => {
            output::say(format_args!("[up] stopping because of {received}"));
            Ok(())
        }
    };
    // The last started first: nothing is asked of a service that is gone.
    children.reverse();
    tokio::select! {
        () = supervisor::stop_in_order(children) => {}
        again = signals.next() => {
            output::say(format_args!("[up] ending at once because of a second signal, {again}"));
            return Ok(Exit::Refused);
        }
    }
    ended?;
    output::say("[up] stopped");
    Ok(Exit::Done)
}

/// Returns only with an error: what is ready stays until a signal.
async fn start_and_stay(
    arguments: &Arguments,
    directory: &DataDirectory,
    children: &mut Vec<Child>,
) -> Result<(), Failure> {
    let plan = plan_of(arguments, directory)?;
    let listen = address_to_listen_on(arguments.http)?;
    let mut installation = Installation::open(directory)?;
    installation::operator_token(directory)?;
    let vkey = signing::prepare(directory, &plan.id).map_err(Failure::refused)?;
    let bus = BusPlace::choose(arguments.nats.as_deref(), &mut installation, directory)?;
    bus.answers(&installation).await?;
    service_configs::write(directory, &plan.id, listen, |service| bus.access(service, &installation))?;
    let copies = [
        service_configs::log_folder(directory, "projection", &plan.id).join("log"),
        service_configs::log_folder(directory, "alerting", &plan.id),
    ];
    adopt::none_is_lost(&service_configs::log_folder(directory, "ingestion", &plan.id), &copies, &plan.id)
        .map_err(Failure::refused)?;
    prepare(arguments, directory, &plan).await?;

    let executable = std::env::current_exe().context("cannot tell where this executable lies")?;
    if let Some(private) = &bus.private {
        let program = private.program(&executable, directory)?;
        children.push(Child::start(program));
        let child = children.last().expect("one was just pushed");
        readiness::nats_accepts(child, &private.config).await?;
    }
    let code = installation::secret()?;
    private_file::write(&directory.sign_in_code_file(), &format!("{code}\n"))?;
    remove_stale(&directory.console_address_file())?;
    for service in data_directory::SERVICES {
        children.push(Child::start(service_program(&executable, directory, service)));
    }
    let address_file = directory.console_address_file();
    let tell_serving = |address| {
        let (console, sign_in) = places(address, &code);
        output::say(format_args!("[up] meanwhile the console answers at {console}; sign in: {sign_in}"));
    };
    let address = readiness::everything_is_ready(children, &address_file, tell_serving).await?;
    tell_ready(arguments, directory, &bus, &installation, address, (&code, &vkey));
    std::future::pending().await
}

fn service_program(executable: &Path, directory: &DataDirectory, service: &'static str) -> Program {
    let arguments: [OsString; 5] = [
        service.into(),
        "--config".into(),
        directory.config_file(service).into(),
        "--supervised".into(),
        std::process::id().to_string().into(),
    ];
    Program {
        name: service,
        executable: executable.to_owned(),
        arguments: arguments.into(),
        pid_file: directory.pid_file(service),
    }
}

fn remove_stale(file: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(anyhow::Error::new(error).context(format!("cannot remove `{}`", file.display())))
        }
        _ => Ok(()),
    }
}

/// The plan that is named, else the one with which the directory began, else the embedded one.
fn plan_of(arguments: &Arguments, directory: &DataDirectory) -> Result<Plan, Failure> {
    let kept = directory.plan_file();
    let kept_plan = match std::fs::read_to_string(&kept) {
        Ok(text) => Some((adopt::read_plan(&kept.display().to_string(), &text)?.id, text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(anyhow::Error::new(error)
                .context(format!("cannot read `{}`", kept.display()))
                .into());
        }
    };
    let Some(named) = &arguments.plan else {
        let (id, text) = match kept_plan {
            Some(kept_plan) => kept_plan,
            None => {
                private_file::write(&kept, adopt::BINH_DUONG)?;
                let id = adopt::read_plan(adopt::BINH_DUONG_NAME, adopt::BINH_DUONG)?.id;
                (id, adopt::BINH_DUONG.to_owned())
            }
        };
        return Ok(Plan { id, file: kept, embedded: text == adopt::BINH_DUONG, named: false });
    };
    let text = std::fs::read_to_string(named)
        .with_context(|| format!("cannot read the plan `{}`", named.display()))?;
    let id = adopt::read_plan(&named.display().to_string(), &text)?.id;
    match &kept_plan {
        Some((kept_id, _)) => adopt::same_plan(kept_id, &id)?,
        None => private_file::write(&kept, &text)?,
    }
    Ok(Plan { id, file: named.clone(), embedded: text == adopt::BINH_DUONG, named: true })
}

/// Fixes the port for the life of this `up`, so that a console that is started again keeps its address.
fn address_to_listen_on(wanted: SocketAddr) -> Result<SocketAddr, Failure> {
    TcpListener::bind(wanted).and_then(|listener| listener.local_addr()).map_err(|error| {
        Failure::unreachable(anyhow::Error::new(error).context(format!(
            "cannot listen on {wanted}: stop what listens there, or choose another address with --http"
        )))
    })
}

/// Begins the log in a process of its own: it opens sled, of which a process holds at most one.
async fn prepare(arguments: &Arguments, directory: &DataDirectory, plan: &Plan) -> Result<(), Failure> {
    let executable = std::env::current_exe().context("cannot tell where this executable lies")?;
    let mut command = tokio::process::Command::new(executable);
    command
        .args(["prepare", "--supervised", &std::process::id().to_string()])
        .arg("--config")
        .arg(directory.config_file("ingestion"))
        .arg("--plan")
        .arg(&plan.file)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true);
    if plan.embedded && !arguments.empty {
        command.arg("--sample");
    }
    if plan.named {
        command.arg("--must-agree");
    }
    let status = command.status().await.context("cannot run this executable again")?;
    if status.success() {
        return Ok(());
    }
    let error = anyhow::anyhow!("the log cannot be begun or is not this plan's; the lines above say why");
    // What a child lacks, `up` lacks.
    if status.code() == Some(Exit::Unreachable as i32) {
        return Err(Failure::unreachable(error));
    }
    Err(Failure::refused(error))
}

fn tell_ready(
    arguments: &Arguments,
    directory: &DataDirectory,
    bus: &BusPlace,
    installation: &Installation,
    address: SocketAddr,
    (code, vkey): (&str, &str),
) {
    let (console, sign_in) = places(address, code);
    let token_file = directory.token_file();
    if arguments.json {
        let reader = bus
            .private
            .as_ref()
            .and_then(|_| installation.password("reader").ok())
            .map(|password| json!({"user": "reader", "password": password}));
        output::json(&json!({
            "ready": true,
            "console": console,
            "nats": bus.url,
            "token_file": token_file,
            "nats_reader": reader,
            "sign_in": sign_in,
            "vkey": vkey,
            "keys": directory.keys_folder(),
        }));
        return;
    }
    output::line(format_args!(
        "planwatch is ready.\n\n  Console   {console}\n  Sign in   {sign_in}   (works once)\n  \
         Data      {}\n  Log's key {vkey}\n\nCtrl-C stops everything; the next start finds its data again.",
        directory.root().display()
    ));
    if !is_loopback(address) {
        output::say(format_args!("[up] the console listens on {address}: other machines can reach it"));
    }
}

/// The console's address and the link that signs in once.
fn places(address: SocketAddr, code: &str) -> (String, String) {
    let console = format!("http://{}", readiness::reachable(address));
    let sign_in = format!("{console}/sign-in?code={code}");
    (console, sign_in)
}

fn is_loopback(address: SocketAddr) -> bool {
    match address {
        SocketAddr::V4(address) => Ipv4Addr::is_loopback(address.ip()),
        SocketAddr::V6(address) => Ipv6Addr::is_loopback(address.ip()),
    }
}
