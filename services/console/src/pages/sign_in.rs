//! Signing in and out: by the one-time link, or by the operator's token.

use super::language::{Language, Words};
use super::{Frame, rendered};
use crate::access::{code, origin};
use crate::edge::Edge;
use crate::problem::Problem;
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    words: &'static Words,
    trouble: Option<&'static str>,
}

/// `GET /sign-in`: says how to come in; with `?code=…` lets in whoever brings the code first.
pub async fn door(State(edge): State<Edge>, method: Method, uri: Uri) -> Response {
    let pairs =
        Query::<Vec<(String, String)>>::try_from_uri(&uri).map(|Query(pairs)| pairs).unwrap_or_default();
    let language = Language::of(value(&pairs, "lang"));
    match value(&pairs, "code") {
        // Whoever only asks for the headers does not use the code up.
        Some(given) if method == Method::GET => {
            if code::redeem(edge.access().code_file(), given).await {
                tracing::info!("Signed the operator in by the one-time link");
                let_in(&edge, language)
            } else {
                shown(language, StatusCode::FORBIDDEN, Some(language.words().sign_in_code_used))
            }
        }
        _ => shown(language, StatusCode::OK, None),
    }
}

/// `POST /sign-in`: lets in whoever has the token.
pub async fn enter(
    State(edge): State<Edge>,
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
    if origin::is_foreign(&headers) {
        return shown(language, StatusCode::FORBIDDEN, Some(language.words().sign_in_foreign));
    }
    if edge.access().is_token(value(&fields, "token").unwrap_or_default().trim()) {
        tracing::info!("Signed the operator in by the token");
        return let_in(&edge, language);
    }
    shown(language, StatusCode::FORBIDDEN, Some(language.words().sign_in_wrong_token))
}

/// `POST /sign-out`: makes the browser forget its session.
pub async fn leave(State(edge): State<Edge>) -> Response {
    with_cookie(Redirect::to("/sign-in").into_response(), &edge.access().sessions().forget())
}

fn let_in(edge: &Edge, language: Language) -> Response {
    match edge.access().sessions().issue(Timestamp::now()) {
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
    let page = SignInPage { frame: Frame::of(language, false), words: language.words(), trouble };
    rendered(status, &page)
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
}
