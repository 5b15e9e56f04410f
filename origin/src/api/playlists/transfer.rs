//! `/playlists/{id}/export` and `/playlists/import`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::{changed, playlist};
use crate::app::App;
use crate::catalog::fold;
use crate::clock;
use crate::http::extract::WholeBody;
use crate::http::{Caller, PathText, Problem, QueryOf, SignedIn};
use crate::playlists::{By, Format, Visibility, Words};

/// Largest file that is imported, bytes.
pub(super) const MAX_FILE: usize = 2 << 20;

/// `?format=`
#[derive(Debug, Default, Deserialize)]
pub(super) struct ExportQuery {
    format: Option<String>,
}

/// `?name=&visibility=`
#[derive(Debug, Default, Deserialize)]
pub(super) struct ImportQuery {
    name: Option<String>,
    visibility: Option<Visibility>,
}

/// `GET /playlists/{id}/export?format=json|m3u8`
pub(super) async fn export(
    State(app): State<App>,
    Caller(caller): Caller,
    PathText(text): PathText,
    QueryOf(query): QueryOf<ExportQuery>,
) -> Result<Response, Problem> {
    let (format, content_type, ending) = match query.format.as_deref() {
        None | Some("json") => (Format::Json, "application/json", "json"),
        Some("m3u8") => (Format::M3u, "audio/mpegurl; charset=utf-8", "m3u8"),
        Some(_) => return Err(Problem::bad_request("bad-query", "format must be json or m3u8.")),
    };
    let (name, file) = app.playlists.export(playlist(&text)?, format, caller.map(|it| it.user)).await?;
    let headers = [
        (CONTENT_TYPE, content_type.to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{}.{ending}\"", file_name(&name))),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, file).into_response())
}

/// Letters and digits of the name that every system takes.
fn file_name(name: &str) -> String {
    let plain: String = fold(name)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' })
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join("-");
    if plain.is_empty() { "playlist".to_owned() } else { plain }
}

/// `POST /playlists/import?name=&visibility=`: the body is a file.
pub(super) async fn import(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    QueryOf(query): QueryOf<ImportQuery>,
    headers: HeaderMap,
    WholeBody(file): WholeBody,
) -> Result<Response, Problem> {
    let format = format_of(&headers)?;
    let words = Words { name: query.name, description: None, visibility: query.visibility };
    let by = By { user: it.user, version: None, now: clock::now_ms() };
    let imported = app.playlists.import(&file, format, words, by).await?;
    let location = [(LOCATION, format!("/playlists/{}", imported.playlist.id))];
    Ok((StatusCode::CREATED, location, changed(imported.playlist.snapshot, &imported)).into_response())
}

fn format_of(headers: &HeaderMap) -> Result<Format, Problem> {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => Ok(Format::Json),
        "audio/mpegurl"
        | "audio/x-mpegurl"
        | "application/vnd.apple.mpegurl"
        | "application/x-mpegurl"
        | "text/plain" => Ok(Format::M3u),
        _ => {
            let detail = "Send an M3U file as audio/mpegurl or text/plain, or an export as application/json.";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            Err(Problem::new(status, "unsupported-media-type", "Unsupported media type", detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_plain() {
        for (name, plain) in
            [("Über Mix", "uber-mix"), ("a/../\"b\"", "a-b"), ("東京", "playlist"), ("x\r\ny", "x-y")]
        {
            assert_eq!(file_name(name), plain);
        }
    }
}
