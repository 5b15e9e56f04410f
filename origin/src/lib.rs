//! Origin of Segue: catalog, playback, media endpoint and web player.
//!
//! | module | what it is |
//! |---|---|
//! | `server`, `listen`, `app` | the life of an origin, its listener, what handlers share |
//! | `api`, `http` | the routes, one file per resource; what all routes share |
//! | `catalog`, `database` | artists, albums and songs in SQLite |
//! | `import` | from descriptors in the store to the catalog |
//! | `playback` | edges, tokens, plays |
//! | `media`, `covers`, `store` | bytes of the store as players' resources |
#![forbid(unsafe_code)]

mod api;
mod app;
mod catalog;
mod clock;
mod config;
mod covers;
mod database;
mod http;
mod import;
mod listen;
mod media;
mod metrics;
mod playback;
mod server;
mod store;

pub use app::IngestStatus;
pub use config::Config;
pub use database::DatabaseError;
pub use import::ImportError;
pub use playback::KeysFileError;
pub use server::{Running, StartError, start, start_with};
