//! Playlists of strangers: no panic, and what was read writes and reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_manifests::playlists::{MediaPlaylist, MultivariantPlaylist};

fuzz_target!(|text: &str| {
    if let Ok(read) = MediaPlaylist::parse(text) {
        assert_eq!(MediaPlaylist::parse(&read.to_text()), Ok(read));
    }
    if let Ok(read) = MultivariantPlaylist::parse(text) {
        assert_eq!(MultivariantPlaylist::parse(&read.to_text()), Ok(read));
    }
});
