//! Transcoder of Segue: decode, encode, fragment and publish music as HLS/CMAF.

pub mod demo;
pub mod source;
