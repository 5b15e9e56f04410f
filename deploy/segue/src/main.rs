//! Segue, the open music-streaming CDN, in one binary.
fn main() {}
