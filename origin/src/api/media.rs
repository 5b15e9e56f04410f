//! `/v1/...`: what edges pull.

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::extract::{FromRef, State};
use axum::response::Response;
use http::{HeaderMap, Uri};
use segue_manifests::{MediaPath, path};

use crate::app::App;
use crate::http::secret::Secret;
use crate::http::{Conditions, Problem};
use crate::media::Media;

/// What media requests need.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) media: Arc<Media>,
    pub(crate) secret: Arc<ArcSwap<Secret>>,
}

impl FromRef<App> for Door {
    fn from_ref(app: &App) -> Self {
        Self { media: Arc::clone(&app.media), secret: Arc::clone(&app.media_secret) }
    }
}

/// A playlist, init segment or media segment. Paths carry no token here: edges take it out.
pub(super) async fn resource(
    State(door): State<Door>,
    uri: Uri,
    headers: HeaderMap,
    conditions: Conditions,
) -> Result<Response, Problem> {
    door.secret.load().check(&headers)?;
    let path = path::normalise(uri.path()).map_err(|error| {
        Problem::bad_request("bad-path", format!("The path is refused: {}.", error.code()))
    })?;
    let path =
        MediaPath::parse(&path).ok_or_else(|| Problem::not_found("There is no such media resource."))?;
    Ok(door.media.resource(&path, &conditions).await?.answer(&conditions))
}
