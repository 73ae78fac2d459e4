//! Style and script of the pages, served from the executable under names that hold their digest; and the icon.

use crate::access::{digest, hexadecimal};
use crate::problem::Problem;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::LazyLock;

const STYLE: &str = include_str!("../assets/console.css");
const SCRIPT: &str = include_str!("../assets/console.js");
const ICON: &str = include_str!("../assets/console.svg");

/// One file.
#[derive(Debug)]
pub struct Asset {
    name: String,
    media_type: &'static str,
    content: &'static str,
}

impl Asset {
    fn new(stem: &str, ending: &str, media_type: &'static str, content: &'static str) -> Asset {
        let short: String = hexadecimal(&digest(content.as_bytes())).chars().take(16).collect();
        Asset { name: format!("{stem}-{short}.{ending}"), media_type, content }
    }

    /// Where it is served.
    pub fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

/// The style of every page.
pub static STYLE_ASSET: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console", "css", "text/css; charset=utf-8", STYLE));
/// The script that keeps a page up to date.
pub static SCRIPT_ASSET: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console", "js", "text/javascript; charset=utf-8", SCRIPT));

/// Where the icon is served, under a name that stays.
pub const ICON_PATH: &str = "/favicon.svg";
/// For how long a browser may keep the icon, whose name does not tell its content.
const ICON_CACHE: &str = "public, max-age=86400";

/// `GET /favicon.svg`, and `/favicon.ico` for browsers that ask for no other: the icon.
pub async fn icon() -> Response {
    let headers = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, ICON_CACHE)];
    (headers, ICON).into_response()
}

/// `GET /assets/{name}`: a file whose content never changes under its name.
pub async fn serve(name: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    let name = name.map_or_else(|_| String::new(), |Path(name)| name);
    let assets: [&Asset; 2] = [&STYLE_ASSET, &SCRIPT_ASSET];
    let Some(asset) = assets.into_iter().find(|asset| asset.name == name) else {
        return Err(Problem::not_found("there is no such file"));
    };
    let headers = [
        (header::CONTENT_TYPE, asset.media_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, asset.content).into_response())
}
