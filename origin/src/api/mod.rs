//! The routes. One file per resource; handlers read the request, ask the part that knows, and answer.

mod albums;
mod artists;
mod covers;
mod curation;
mod health;
mod imports;
mod keys;
mod library;
mod list;
mod media;
mod openapi;
mod playlists;
mod plays;
mod server;
mod songs;
mod status;
mod takedowns;
mod users;
mod web;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post, put};

use crate::app::App;
use crate::http::layers::Shell;
use crate::http::{conditional, gateway, layers, problem};
pub(crate) use media::Door;

/// Largest request body, bytes.
const MAX_BODY: usize = 16 << 10;

/// The private side: health and metrics, for balancers and dashboards.
pub(crate) fn admin_router(app: App) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .with_state(app)
}

/// Every route with what lies around it.
pub(crate) fn router(app: App) -> Router {
    let shell = Arc::clone(&app.shell);
    let queue_body = DefaultBodyLimit::max(library::MAX_QUEUE_BODY);
    Router::new()
        .route("/songs", get(songs::list))
        .route("/songs/{id}", get(songs::one).patch(songs::change))
        .route("/songs/{id}/takedown", put(takedowns::put).delete(takedowns::delete))
        .route("/albums", get(albums::list).post(albums::create))
        .route("/albums/{id}", get(albums::one).patch(albums::change).delete(albums::delete))
        .route("/albums/{id}/songs", get(albums::songs))
        .route("/artists", get(artists::list))
        .route("/artists/{id}", get(artists::one))
        .route("/artists/{id}/albums", get(artists::albums))
        .route("/artists/{id}/songs", get(artists::songs))
        .route("/play/{id}", post(plays::start))
        .route("/plays/{session}/progress", post(plays::progress))
        .route("/stream/{id}", get(plays::stream))
        .route("/users", get(users::list))
        .route("/users/register", post(users::register))
        .route("/users/login", post(users::login))
        .route("/users/logout", post(users::logout))
        .route("/users/{id}", get(users::one).patch(users::change).delete(users::erase))
        .route("/users/{id}/export", get(users::export))
        .route("/users/{id}/password", put(users::set_password))
        .route("/users/{id}/role", put(users::set_role))
        .route("/users/{id}/sessions", get(users::sessions))
        .route("/users/{id}/sessions/{session}", delete(users::revoke))
        .route("/users/{id}/tokens", post(users::make_token))
        .route("/users/{id}/history", get(library::history).delete(library::clear_history))
        .route("/users/{id}/recent", get(library::recent))
        .route("/users/{id}/top/{kind}", get(library::tops))
        .route("/users/{id}/favourites/{kind}", get(library::favourites))
        .route(
            "/users/{id}/favourites/{kind}/{object}",
            get(library::favourite).put(library::like).delete(library::unlike),
        )
        .route("/users/{id}/queue", get(library::queue).put(library::keep_queue).layer(queue_body))
        .route("/users/{id}/recommendations", get(library::recommendations))
        .route("/invitations", post(users::invite))
        .route("/audit", get(users::audit))
        .route("/server", get(server::show))
        .merge(playlists::routes())
        .route("/covers/{sha256}", get(covers::one))
        .route("/imports", post(imports::create))
        .route("/openapi.json", get(openapi::show))
        .route("/docs", get(web::docs))
        .route("/status", get(status::show))
        .route("/v1/{*path}", get(media::resource))
        .route("/.well-known/segue-keys.json", get(keys::show))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/", get(web::index))
        .route("/favicon.ico", get(web::favicon))
        .route("/web/{*path}", get(web::file))
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(conditional::validate))
        .layer(from_fn_with_state(app.clone(), gateway::enter))
        .layer(from_fn_with_state(Arc::clone(&shell), layers::guard))
        .layer(from_fn_with_state(Arc::clone(&shell), layers::headers))
        .layer(from_fn_with_state(shell, layers::observe))
        .with_state(app)
}

/// The media endpoint alone, as it answers in [`router`].
pub(crate) fn media_router(door: Door, shell: Arc<Shell>) -> Router {
    Router::new()
        .route("/v1/{*path}", get(media::resource))
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(from_fn(conditional::validate))
        .layer(from_fn_with_state(Arc::clone(&shell), layers::guard))
        .layer(from_fn_with_state(Arc::clone(&shell), layers::headers))
        .layer(from_fn_with_state(shell, layers::observe))
        .with_state(door)
}
