//! `/v1/...`: what edges pull.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use segue_manifests::{MediaPath, path};

use crate::app::App;
use crate::http::{Conditions, Problem};

/// A playlist, init segment or media segment. Paths carry no token here: edges take it out.
pub(super) async fn resource(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    conditions: Conditions,
) -> Result<Response, Problem> {
    app.media_secret.check(&headers)?;
    let path = path::normalise(uri.path()).map_err(|error| {
        Problem::bad_request("bad-path", format!("The path is refused: {}.", error.code()))
    })?;
    let path =
        MediaPath::parse(&path).ok_or_else(|| Problem::not_found("There is no such media resource."))?;
    Ok(app.media.resource(&path, &conditions).await?.answer(&conditions))
}
