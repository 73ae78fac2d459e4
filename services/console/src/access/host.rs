//! The hosts that are answered, so that a page of another site cannot reach a console on loopback under a
//! name of its own (DNS rebinding).

use crate::problem::Problem;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};
use std::net::SocketAddr;

const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Which hosts are answered, whatever the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    allowed: Option<Vec<String>>,
}

impl Hosts {
    /// Answers every host.
    pub fn any() -> Hosts {
        Hosts { allowed: None }
    }

    /// On loopback, its names and the configured ones; elsewhere the configured ones, or all where none is.
    pub fn of(listen: SocketAddr, configured: &[String]) -> Hosts {
        let configured = configured.iter().map(|name| name.to_ascii_lowercase());
        if listen.ip().is_loopback() {
            let names = LOOPBACK_NAMES.iter().map(|name| (*name).to_owned());
            Hosts { allowed: Some(names.chain([ip_as_host(listen)]).chain(configured).collect()) }
        } else {
            let configured: Vec<String> = configured.collect();
            Hosts { allowed: (!configured.is_empty()).then_some(configured) }
        }
    }

    /// Refuses a request that asks for another host.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Problem::malformed("the request must have one `Host` header"));
        };
        let authority = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
        let Some(authority) = authority else {
            return Err(Problem::malformed("the `Host` header is no host"));
        };
        let Some(allowed) = &self.allowed else { return Ok(()) };
        let asked = [Some(&authority), uri.authority()];
        if asked.into_iter().flatten().all(|authority| is_among(allowed, authority)) {
            return Ok(());
        }
        Err(Problem::wrong_host(format!(
            "this console does not answer to `{}`: use localhost or 127.0.0.1, or add the name to `allowed_hosts` in its configuration",
            authority.host()
        )))
    }
}

fn is_among(allowed: &[String], authority: &Authority) -> bool {
    let host = authority.host();
    let plain = !authority.as_str().contains('@');
    plain && allowed.iter().any(|name| name.eq_ignore_ascii_case(host))
}

fn ip_as_host(listen: SocketAddr) -> String {
    match listen {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: &Hosts, uri: &str, host: &str) -> Option<u16> {
        let headers = [(header::HOST, host.parse().unwrap())].into_iter().collect();
        hosts.check(&uri.parse().unwrap(), &headers).err().map(|problem| problem.status().as_u16())
    }

    #[test]
    fn on_loopback_only_its_names_and_the_configured_ones_are_answered() {
        let hosts = Hosts::of("127.0.0.2:8080".parse().unwrap(), &["Plan.Example".into()]);
        for good in
            ["localhost", "LOCALHOST:8080", "127.0.0.1:9", "[::1]:80", "127.0.0.2", "plan.example:8080"]
        {
            assert_eq!(check(&hosts, "/", good), None, "{good}");
        }
        for foreign in
            ["evil.example", "localhost.evil.example", "evil.example:8080", "user@localhost", "127.0.0.3"]
        {
            assert_eq!(check(&hosts, "/", foreign), Some(421), "{foreign}");
        }
        assert_eq!(check(&hosts, "http://evil.example/", "localhost"), Some(421));
        assert_eq!(check(&hosts, "/", "not a host"), Some(400));
    }

    #[test]
    fn elsewhere_every_host_is_answered_unless_some_are_named() {
        let listen = "0.0.0.0:80".parse().unwrap();
        assert_eq!(check(&Hosts::of(listen, &[]), "/", "any.example"), None);
        assert_eq!(check(&Hosts::of(listen, &["one.example".into()]), "/", "two.example"), Some(421));
    }
}
