//! Signing in and out: by the one-time link, or by the operator's token.

use super::language::{Language, Words};
use super::{Frame, rendered};
use crate::access::channel::Channel;
use crate::access::{code, origin};
use crate::edge::Edge;
use crate::problem::Problem;
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use service::listener::Peer;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    words: &'static Words,
    trouble: Option<&'static str>,
    /// The code of the link that was opened, while it can be used.
    code: Option<String>,
}

/// `GET /sign-in`: says how to come in; with `?code=…` shows the button that uses the code.
///
/// It uses nothing up: previews of links, prefetching and history open a page without anybody wanting to.
pub async fn door(State(edge): State<Edge>, uri: Uri) -> Response {
    let pairs =
        Query::<Vec<(String, String)>>::try_from_uri(&uri).map(|Query(pairs)| pairs).unwrap_or_default();
    let language = Language::of(value(&pairs, "lang"));
    let Some(given) = value(&pairs, "code") else {
        return shown(language, StatusCode::OK, None);
    };
    if !code::holds(edge.access().code_file(), given).await {
        return shown(language, StatusCode::FORBIDDEN, Some(language.words().sign_in_code_used));
    }
    let mut frame = Frame::of(language, false);
    frame.other = format!("{}&code={given}", frame.other);
    let page = SignInPage { frame, words: language.words(), trouble: None, code: Some(given.to_owned()) };
    rendered(StatusCode::OK, &page)
}

/// `POST /sign-in`: lets in whoever has the token, or brings the code of the link first.
pub async fn enter(
    State(edge): State<Edge>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    headers: HeaderMap,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let fields = match form {
        Ok(Form(fields)) => fields,
        Err(rejection) => {
            return Problem::of_status(rejection.status(), rejection.body_text()).into_response();
        }
    };
    let language = Language::of(value(&fields, "lang"));
    let words = language.words();
    let channel = Channel::of(peer, &headers);
    if origin::is_foreign(&headers) {
        return shown(language, StatusCode::FORBIDDEN, Some(words.sign_in_foreign));
    }
    if let Some(given) = value(&fields, "code") {
        if code::redeem(edge.access().code_file(), given).await {
            tracing::info!("Signed the operator in by the one-time link");
            return let_in(&edge, language, channel);
        }
        return shown(language, StatusCode::FORBIDDEN, Some(words.sign_in_code_used));
    }
    if edge.access().is_token(value(&fields, "token").unwrap_or_default().trim()) {
        tracing::info!("Signed the operator in by the token");
        return let_in(&edge, language, channel);
    }
    shown(language, StatusCode::FORBIDDEN, Some(words.sign_in_wrong_token))
}

/// `POST /sign-out`: makes the browser forget its session.
pub async fn leave(
    State(edge): State<Edge>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Response {
    let cookie = edge.access().sessions().forget(Channel::of(peer, &headers));
    with_cookie(Redirect::to("/sign-in").into_response(), &cookie)
}

fn let_in(edge: &Edge, language: Language, channel: Channel) -> Response {
    match edge.access().sessions().issue(Timestamp::now(), channel) {
        Ok(cookie) => {
            let page = format!("/?{}", language.query());
            with_cookie(Redirect::to(&page).into_response(), &cookie)
        }
        Err(error) => {
            Problem::unavailable(format!("the system gives no random bytes: {error}")).into_response()
        }
    }
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    let cookie = HeaderValue::from_str(cookie).expect("a session is made of header characters");
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

fn shown(language: Language, status: StatusCode, trouble: Option<&'static str>) -> Response {
    let page = SignInPage { frame: Frame::of(language, false), words: language.words(), trouble, code: None };
    rendered(status, &page)
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
}
