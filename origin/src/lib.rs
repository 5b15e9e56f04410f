//! Origin of Segue: catalog, playback, media endpoint and web player.
