//! Transcoder of Segue: decode, encode, fragment and publish music as HLS/CMAF.

pub mod cmaf;
pub mod demo;
pub mod encode;
pub mod source;
