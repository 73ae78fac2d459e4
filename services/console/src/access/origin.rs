//! Where a request comes from: a session may act only from the console's own pages.

use axum::http::{HeaderMap, Uri, header};

/// Whether the browser says that one of the console's own pages sent the request.
///
/// `Sec-Fetch-Site` cannot be set by a page; where a browser does not send it, `Origin` must be the host
/// that was asked for. A request that says neither is not taken for one of ours.
pub fn is_own(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()?.parse::<Uri>().ok());
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    match (origin.as_ref().and_then(Uri::authority), host) {
        (Some(origin), Some(host)) => origin.as_str().eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// Whether the browser says that another site sent the request; a client that is no browser says nothing.
pub fn is_foreign(headers: &HeaderMap) -> bool {
    let says_something = headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN);
    says_something && !is_own(headers)
}
