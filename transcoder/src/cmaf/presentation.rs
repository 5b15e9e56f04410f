//! Headers of the one `trak`: `tkhd`, `edts`, `mdhd`, `hdlr`, `smhd`, `dinf` (14496-12 8.3 to 8.7).

use mp4_atom::{Dinf, Dref, Edts, Elst, ElstEntry, Hdlr, Mdhd, Smhd, Tkhd, Url};

use super::TRACK_ID;
use crate::encode::Stream;

pub(super) fn track_header() -> Tkhd {
    Tkhd { track_id: TRACK_ID, enabled: true, in_movie: true, volume: 1.into(), ..Tkhd::default() }
}

/// One edit from the encoder delay to the end: its duration 0 stands for all fragments (Apple, Preparing Audio for
/// HTTP Live Streaming).
pub(super) fn edits(stream: &Stream) -> Edts {
    let edit =
        ElstEntry { segment_duration: 0, media_time: Some(u64::from(stream.delay)), media_rate: 1.into() };
    Edts { elst: Some(Elst { entries: vec![edit] }) }
}

/// Timescale is the sample rate, so that every time is a whole number of samples.
pub(super) fn media_header(stream: &Stream) -> Mdhd {
    Mdhd { timescale: stream.sample_rate, language: "und".to_owned(), ..Mdhd::default() }
}

pub(super) fn handler() -> Hdlr {
    Hdlr { handler: b"soun".into(), name: "SoundHandler".to_owned() }
}

pub(super) fn sound_header() -> Smhd {
    Smhd::default()
}

/// Media lies in the same file.
pub(super) fn data_information() -> Dinf {
    Dinf { dref: Dref { entries: vec![Url::default().into()] } }
}
