//! A real origin over real HTTP: memory or folder store, packed objects made here. The origin knows no audio, so
//! any bytes of the right sizes and digests will do.
// The lint's exception for tests does not see helpers of integration tests.
#![allow(clippy::unwrap_used)]

mod accounts;
mod cached;
mod catalog;
mod covers;
mod curation;
mod edge_admin;
mod faults;
mod gateway;
mod hostile;
mod imports;
mod library;
mod matrix;
mod media;
mod media_server;
mod play;
mod playlist_files;
mod playlists;
mod plays;
mod revoked;
mod shared;
mod slow;
mod support;
mod takedowns;
mod tls;
mod warm;
