//! The web player, packed into the binary.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::response::Response;
use bytes::Bytes;

use crate::http::{Conditions, PathText, Problem, Representation, Variant};

struct File {
    name: &'static str,
    body: &'static [u8],
    gzip: Option<&'static [u8]>,
}

/// For what is compressed once, when the first of the files is asked for.
const ZSTD_LEVEL: i32 = 12;

static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/web_files.rs"));

static REPRESENTATIONS: LazyLock<HashMap<&'static str, Representation>> =
    LazyLock::new(|| FILES.iter().map(|file| (file.name, represent(file))).collect());

/// Names carry no version: browsers ask each time, and mostly get 304.
fn represent(file: &File) -> Representation {
    let gzip = file.gzip.map(|packed| Variant::of(Bytes::from_static(packed)));
    let plain = Variant::of(Bytes::from_static(file.body));
    let zstd = gzip.as_ref().and_then(|_| Variant::zstd_at(file.body, ZSTD_LEVEL));
    Representation::new(content_type(file.name), "no-cache", plain).with_gzip(gzip).with_zstd(zstd)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" => "image/jpeg",
        "ico" => "image/x-icon",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

fn find(name: &str, conditions: &Conditions) -> Result<Response, Problem> {
    let found = REPRESENTATIONS.get(name);
    let found = found.ok_or_else(|| Problem::not_found("The web player has no such file."))?;
    Ok(found.answer(conditions))
}

/// `GET /`
pub(super) async fn index(conditions: Conditions) -> Result<Response, Problem> {
    find("index.html", &conditions)
}

/// `GET /docs`: the API, to be read and tried.
pub(super) async fn docs(conditions: Conditions) -> Result<Response, Problem> {
    find("docs.html", &conditions)
}

/// `GET /favicon.ico`
pub(super) async fn favicon(conditions: Conditions) -> Result<Response, Problem> {
    ["favicon.ico", "logo.svg"]
        .into_iter()
        .find_map(|name| find(name, &conditions).ok())
        .ok_or_else(|| Problem::not_found("The web player has no such file."))
}

/// `GET /web/{path}`
pub(super) async fn file(PathText(name): PathText, conditions: Conditions) -> Result<Response, Problem> {
    find(&name, &conditions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packed_file_has_a_type_of_its_own() {
        for file in FILES {
            assert_ne!(content_type(file.name), "application/octet-stream", "{}", file.name);
        }
        assert!(find("../Cargo.toml", &Conditions::default()).is_err());
    }
}
