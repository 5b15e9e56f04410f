//! Origin of Segue: catalog, playback, media endpoint and web player.
//!
//! | module | what it is |
//! |---|---|
//! | `server`, `listen`, `app` | the life of an origin, its listener, what handlers share |
//! | `api`, `http` | the routes, one file per resource; what all routes share |
//! | `accounts` | who there is, how they sign in, what they may do |
//! | `catalog` | artists, albums and songs |
//! | `library` | what an account has played, likes, listens to, and might like |
//! | `database` | SQLite or PostgreSQL |
//! | `import` | from descriptors in the store to the catalog |
//! | `playback` | edges, tokens, plays |
//! | `playlists` | lists that listeners keep |
//! | `shared` | what the origins of one database share at once, through Redis |
//! | `takedown` | songs that may not be played any more, here and at the edges |
//! | `media`, `covers`, `store` | bytes of the store as players' resources |
//! | `media_server` | the media endpoint over a store alone |
#![forbid(unsafe_code)]

mod accounts;
mod api;
mod app;
mod catalog;
mod clock;
mod config;
mod covers;
mod database;
mod edge_admin;
mod http;
mod ids;
mod import;
mod json;
mod library;
mod listen;
mod media;
mod media_server;
mod metrics;
mod playback;
mod playlists;
mod server;
mod shared;
mod store;
mod takedown;

pub use accounts::Registration;
pub use app::IngestStatus;
pub use config::Config;
pub use database::DatabaseError;
pub use import::ImportError;
pub use media_server::{MediaConfig, MediaServer};
pub use playback::KeysFileError;
pub use server::{Running, StartError, start, start_with};
