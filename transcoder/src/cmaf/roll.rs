//! The `roll` sample group: an AAC decoder needs the access unit before the one it is to present (14496-12 10.1,
//! QuickTime File Format appendix G).

use mp4_atom::{AnySampleGroupEntry, FourCC, Sbgp, SbgpEntry, Sgpd, SgpdEntry};

const ROLL: FourCC = FourCC::new(b"roll");
/// Access units before: a window overlaps the one before it.
const DISTANCE: i16 = -1;

/// `sgpd` of the init segment: one group, roll distance -1.
pub(super) fn description() -> Sgpd {
    let distance = DISTANCE.to_be_bytes();
    let entry = SgpdEntry {
        description_length: Some(distance.len() as u32),
        entry: AnySampleGroupEntry::UnknownGroupingType(ROLL, distance.to_vec()),
    };
    Sgpd {
        grouping_type: ROLL,
        default_length: Some(distance.len() as u32),
        default_group_description_index: None,
        static_group_description: false,
        static_mapping: false,
        essential: false,
        entries: vec![entry],
    }
}

/// `sbgp` that puts `frames` access units into the group of the init segment's `sgpd`: a fragment that has no
/// `sgpd` of its own refers to that one by indices from 1 (14496-12 8.9.4).
pub(super) fn membership(frames: u32) -> Sbgp {
    let entry = SbgpEntry { sample_count: frames, group_description_index: 1 };
    let entries = if frames == 0 { Vec::new() } else { vec![entry] };
    Sbgp { grouping_type: ROLL, grouping_type_parameter: None, entries }
}
