//! HTTP's rules as pure functions over field values: no IO, no clock, safe on any input.
//!
//! Public so that fuzz targets reach them.

pub mod cache_control;
pub mod cdn_loop;
pub mod cmcd;
pub mod cmsd;
pub mod conditional;
pub mod encoding;
pub mod forwarded;
pub mod h2;
pub mod hop_by_hop;
pub mod hpack;
pub mod proxy_protocol;
pub mod range;
pub mod reference;
pub mod repr_digest;
pub mod request_head;
pub mod vary;

pub use cache_control::CacheControl;
