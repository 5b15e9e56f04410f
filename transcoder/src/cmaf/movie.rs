//! `mvhd` and `mvex` (14496-12 8.2.2, 8.8.1).

use mp4_atom::{Mvex, Mvhd, Trex};

use super::{SYNC_FLAGS, TRACK_ID};
use crate::encode::Stream;

/// Zero duration: what is presented is said by the fragments (23000-19 7.5.1).
pub(super) fn header(stream: &Stream) -> Mvhd {
    Mvhd {
        timescale: stream.sample_rate,
        rate: 1.into(),
        volume: 1.into(),
        next_track_id: TRACK_ID + 1,
        ..Mvhd::default()
    }
}

/// Defaults of every access unit: its duration, and that it is sync.
pub(super) fn extends(stream: &Stream) -> Mvex {
    let trex = Trex {
        track_id: TRACK_ID,
        default_sample_description_index: 1,
        default_sample_duration: stream.frame_samples,
        default_sample_size: 0,
        default_sample_flags: SYNC_FLAGS,
    };
    Mvex { mehd: None, trex: vec![trex] }
}
