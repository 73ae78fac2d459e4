//! How a request came to the console's machine: encrypted or not.

use axum::http::HeaderMap;
use std::net::SocketAddr;

/// The header in which a proxy says over what it was asked.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// What a browser and the console, or the proxy before it, speak over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// HTTPS.
    Encrypted,
    /// HTTP.
    Plain,
}

impl Channel {
    /// Tells it of one request.
    ///
    /// The console itself speaks plain HTTP, so HTTPS ends at a proxy, which says so in `X-Forwarded-Proto`. It
    /// is believed only where the connection comes from this machine: from elsewhere anybody may write the
    /// header. The header has to be there once and to say `https`; everything else is plain. All that hangs on
    /// it is whether cookies are marked `Secure`, so a liar on this machine keeps only himself from signing in.
    pub fn of(peer: SocketAddr, headers: &HeaderMap) -> Channel {
        let mut said = headers.get_all(FORWARDED_PROTO).iter();
        match (said.next(), said.next()) {
            (Some(proto), None)
                if peer.ip().to_canonical().is_loopback()
                    && proto.as_bytes().eq_ignore_ascii_case(b"https") =>
            {
                Channel::Encrypted
            }
            _ => Channel::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, said: &[&'static str]) -> Channel {
        let mut headers = HeaderMap::new();
        for proto in said {
            headers.append(FORWARDED_PROTO, proto.parse().unwrap());
        }
        Channel::of(peer.parse().unwrap(), &headers)
    }

    #[test]
    fn a_proxy_on_this_machine_is_believed_and_nobody_else() {
        for here in ["127.0.0.1:5000", "127.8.0.1:5000", "[::1]:5000", "[::ffff:127.0.0.1]:5000"] {
            assert_eq!(of(here, &["https"]), Channel::Encrypted, "{here}");
            assert_eq!(of(here, &["HTTPS"]), Channel::Encrypted, "{here}");
            assert_eq!(of(here, &["http"]), Channel::Plain, "{here}");
            assert_eq!(of(here, &[]), Channel::Plain, "{here}");
            assert_eq!(of(here, &["http", "https"]), Channel::Plain, "{here}");
            assert_eq!(of(here, &["https, http"]), Channel::Plain, "{here}");
        }
        for elsewhere in ["192.0.2.1:5000", "[2001:db8::1]:5000", "[::ffff:192.0.2.1]:5000"] {
            assert_eq!(of(elsewhere, &["https"]), Channel::Plain, "{elsewhere}");
        }
    }
}
