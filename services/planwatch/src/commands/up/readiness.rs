//! Waiting until what was started is there, and noticing when it never will be.

use crate::exit::{Exit, Failure};
use crate::output;
use crate::supervisor::{Child, ChildState};
use bus::server::{ServerConfig, await_ready};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// A child that ended so often before everything was ready is not going to start.
const FAILURES_LIMIT: u32 = 6;
/// How long nothing is said about what is missing, and how often it is said after that.
const TELL_AFTER: Duration = Duration::from_secs(5);
const TELL_EVERY: Duration = Duration::from_secs(60);
const ASK_LIMIT: Duration = Duration::from_secs(5);
const SAID_LIMIT_CHARS: usize = 1_000;

/// Waits until the private nats-server takes connections, whichever of its starts that is.
pub(super) async fn nats_accepts(child: &Child, config: &ServerConfig) -> Result<(), Failure> {
    loop {
        match child.state() {
            state @ ChildState::Running { pid } => {
                tokio::select! {
                    ready = await_ready(config, pid) => {
                        ready.map_err(Failure::unreachable)?;
                        return Ok(());
                    }
                    () = changes(child, &state) => {}
                }
            }
            state => {
                give_up_on(child, &state)?;
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }
}

async fn changes(child: &Child, from: &ChildState) {
    while child.state() == *from {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Waits until the console says that every service is ready; gives the address it listens on.
///
/// What is missing may need a person, who finds it on the console: `tell_serving` is called once when the
/// console listens and something else keeps it from being ready.
pub(super) async fn everything_is_ready(
    children: &[Child],
    address_file: &Path,
    tell_serving: impl Fn(SocketAddr),
) -> Result<SocketAddr, Failure> {
    let mut tell_at = Instant::now() + TELL_AFTER;
    let mut told_serving = false;
    let mut told = String::new();
    loop {
        for child in children {
            give_up_on(child, &child.state())?;
        }
        let written = std::fs::read_to_string(address_file).ok();
        let address = written.and_then(|text| text.trim().parse().ok());
        let missing = match address {
            None => "the console does not listen yet".to_owned(),
            Some(address) => match ask_readiness(address).await {
                Ok(()) => return Ok(address),
                Err(missing) => missing,
            },
        };
        let now = Instant::now();
        if now >= tell_at && (missing != told || now >= tell_at + TELL_EVERY) {
            output::say(format_args!("[up] not ready yet: {missing}"));
            if let (Some(address), false) = (address, told_serving) {
                tell_serving(address);
                told_serving = true;
            }
            told = missing;
            tell_at = now + TELL_AFTER;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn give_up_on(child: &Child, state: &ChildState) -> Result<(), Failure> {
    match state {
        ChildState::Ended { failures, how, code } if *failures >= FAILURES_LIMIT => {
            let error = anyhow::anyhow!("{} does not start: {how}; its lines above say why", child.name());
            if *code == Some(Exit::Unreachable as i32) {
                return Err(Failure::unreachable(error));
            }
            Err(Failure::refused(error))
        }
        _ => Ok(()),
    }
}

/// Asks the console whether everything is ready; what is missing comes in its own words.
async fn ask_readiness(address: SocketAddr) -> Result<(), String> {
    let asked = tokio::task::spawn_blocking(move || {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(ASK_LIMIT))
            .http_status_as_error(false)
            .build()
            .new_agent();
        let mut response = agent
            .get(format!("http://{}/readyz", reachable(address)))
            .call()
            .map_err(|error| error.to_string())?;
        if response.status() == 200 {
            return Ok(());
        }
        let said = response.body_mut().read_to_string().map_err(|error| error.to_string())?;
        Err(reasons(&said).chars().take(SAID_LIMIT_CHARS).collect())
    });
    asked.await.unwrap_or_else(|_| Err("asking for it was cut short".to_owned()))
}

/// What a problem document names as missing; the whole of what was said if it is none.
fn reasons(said: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Problem {
        errors: Vec<Missing>,
    }
    #[derive(serde::Deserialize)]
    struct Missing {
        reason: String,
    }
    match serde_json::from_str::<Problem>(said) {
        Ok(problem) if !problem.errors.is_empty() => {
            problem.errors.into_iter().map(|missing| missing.reason).collect::<Vec<_>>().join("; ")
        }
        _ => said.to_owned(),
    }
}

/// The address under which this machine reaches a listener on any address.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
