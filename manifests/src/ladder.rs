//! The ladder: which renditions a track is packed into.

use serde::{Deserialize, Serialize};

use crate::RenditionName;

/// One rendition to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Bit rate asked of the encoder, bit/s.
    pub bit_rate: u32,
    /// Audio bandwidth asked of the encoder, Hz.
    pub bandwidth_hz: u32,
}

impl Rung {
    /// `aac-<kbps>`.
    pub fn name(&self) -> RenditionName {
        format!("aac-{}", self.bit_rate / 1000).parse().expect("digits make a valid name")
    }
}

/// The renditions of a track, lowest bit rate first: the first variant is where players start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// Lowest bit rate first.
    pub rungs: Vec<Rung>,
}

impl Default for Ladder {
    /// AAC-LC at 128, 256 and 320 kbit/s. The lowest keeps its peak under 192 kbit/s (HLS Authoring
    /// Specification 9.21).
    fn default() -> Self {
        let rung = |kbps: u32, bandwidth_hz| Rung { bit_rate: kbps * 1000, bandwidth_hz };
        Self { rungs: vec![rung(128, 18_000), rung(256, 20_000), rung(320, 20_000)] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_ladder_rises() {
        let names: Vec<_> = Ladder::default().rungs.iter().map(|r| r.name().to_string()).collect();
        assert_eq!(names, ["aac-128", "aac-256", "aac-320"]);
    }
}
