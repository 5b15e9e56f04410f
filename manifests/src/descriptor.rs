//! The asset descriptor, `asset.json`: written last, its presence is the commit point of a publication.
//!
//! It says where every segment of every rendition lies, how long it lasts and what it hashes to. Boundaries are
//! stored once, since all renditions share them; digests are one base64 run per rendition.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{AssetId, RenditionName, Rev, Sha256};

/// Version of the descriptor's format that this crate writes.
pub const VERSION: u32 = 1;

/// A descriptor that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// Not JSON of the expected shape.
    #[error("descriptor: {0}")]
    Json(String),
    /// Written by a newer Segue.
    #[error("descriptor: version {0} is newer than {VERSION}; upgrade this node")]
    Version(u32),
    /// Numbers that contradict one another.
    #[error("descriptor: {0}")]
    Inconsistent(&'static str),
}

/// Everything about one packaged asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Descriptor {
    /// Format version, [`VERSION`].
    pub version: u32,
    /// The audio.
    pub asset: AssetId,
    /// The packaging.
    pub rev: Rev,
    /// Samples a second; also the timescale of every rendition.
    pub sample_rate: u32,
    /// Channels, 1 or 2.
    pub channels: u8,
    /// Samples per channel that are presented: the source's length after resampling.
    pub samples: u64,
    /// Samples that decoders output before the first presented one; the edit list's media time.
    pub encoder_delay: u32,
    /// Samples per access unit: 1024 for AAC-LC.
    pub frame_samples: u32,
    /// Access units in each segment, the same in every rendition.
    pub segment_frames: Vec<u32>,
    /// Lowest bit rate first.
    pub renditions: Vec<Packed>,
    /// What was read from the source's tags.
    pub tags: Tags,
    /// Artwork, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<Cover>,
    /// Loudness of the source, if measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudness: Option<Loudness>,
    /// Where the audio came from.
    pub source: Source,
    /// Encoder and settings, for people; `rev` is derived from it among others.
    pub encoder: String,
}

/// One rendition in its packed object: init segment, then every media segment back to back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    /// Name, also the object's stem.
    pub name: RenditionName,
    /// RFC 6381 codec string.
    pub codec: String,
    /// Bit rate of the encoder as read back from it, bit/s.
    pub bit_rate: u32,
    /// The init segment at the object's start.
    pub init: InitSegment,
    /// Bytes of each media segment.
    pub segment_sizes: Vec<u32>,
    /// SHA-256 of each media segment, as one base64 text.
    #[serde(serialize_with = "write_digests", deserialize_with = "read_digests")]
    pub segment_sha256: Vec<Sha256>,
}

/// The init segment of a rendition; it is also published by content under `ObjectKey::Init`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitSegment {
    /// Bytes.
    pub size: u32,
    /// Digest, which is its public name.
    pub sha256: Sha256,
}

/// One media segment as a slice of its packed object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentRef {
    /// First byte in the packed object.
    pub offset: u64,
    /// Bytes.
    pub size: u32,
    /// Digest.
    pub sha256: Sha256,
}

/// Tags of a track; empty text and zero are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tags {
    /// Title; the file's stem where the tag is missing.
    pub title: String,
    /// Artist as credited.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub artist: String,
    /// The artists that the credit names, one by one; empty when the tags do not tell several apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub artists: Vec<String>,
    /// Album.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub album: String,
    /// Album artist.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub album_artist: String,
    /// The album artists one by one; empty when the tags do not tell several apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub album_artists: Vec<String>,
    /// Who wrote the music.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub composers: Vec<String>,
    /// Who wrote the words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lyricists: Vec<String>,
    /// Who conducts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conductors: Vec<String>,
    /// Who made the remix.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remixers: Vec<String>,
    /// Track number on its disc.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track_number: Option<u32>,
    /// Tracks on the disc.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track_total: Option<u32>,
    /// Disc number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disc_number: Option<u32>,
    /// Discs in the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disc_total: Option<u32>,
    /// Release date as tagged: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub date: String,
    /// Genres.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub genres: Vec<String>,
    /// ISO 3901 recording code.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub isrc: String,
    /// MusicBrainz recording id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mb_recording: String,
    /// MusicBrainz release id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mb_release: String,
    /// MusicBrainz release group id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mb_release_group: String,
    /// MusicBrainz artist ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mb_artists: Vec<String>,
    /// MusicBrainz album artist ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mb_album_artists: Vec<String>,
}

/// Artwork beside the renditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// `jpg` or `png`: the object is `cover.<extension>`.
    pub extension: String,
    /// Bytes.
    pub size: u32,
    /// Digest.
    pub sha256: Sha256,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// Loudness by ITU-R BS.1770 and EBU R 128.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Loudness {
    /// Integrated loudness, LUFS.
    pub integrated_lufs: f64,
    /// Loudness range, LU.
    pub range_lu: f64,
    /// True peak, dBTP.
    pub true_peak_dbtp: f64,
}

/// The source file, without any path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Coding of the source: `flac`, `mp3`, `pcm_s16le`.
    pub codec: String,
    /// Sample rate of the source, Hz.
    pub sample_rate: u32,
    /// Channels of the source.
    pub channels: u8,
    /// Bits per sample, 0 where the coding has none.
    pub bits: u8,
}

impl Descriptor {
    /// Reads and checks a descriptor.
    ///
    /// # Errors
    /// When it is not JSON of this shape, of a newer version, or its numbers contradict one another.
    pub fn from_json(bytes: &[u8]) -> Result<Self, DescriptorError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let json = |e: serde_json::Error| DescriptorError::Json(e.to_string());
        let Versioned { version } = serde_json::from_slice(bytes).map_err(json)?;
        if version > VERSION {
            return Err(DescriptorError::Version(version));
        }
        let descriptor: Self = serde_json::from_slice(bytes).map_err(json)?;
        descriptor.check()?;
        Ok(descriptor)
    }

    /// Writes the descriptor as compact JSON.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a descriptor has only string keys")
    }

    /// Looks for contradictions: segment counts, zero sizes, frames against samples.
    ///
    /// # Errors
    /// [`DescriptorError::Inconsistent`] with the first contradiction found.
    pub fn check(&self) -> Result<(), DescriptorError> {
        let need = |holds: bool, what| if holds { Ok(()) } else { Err(DescriptorError::Inconsistent(what)) };
        let segments = self.segment_frames.len();
        need(self.sample_rate > 0, "the sample rate is zero")?;
        need((1..=1 << 14).contains(&self.frame_samples), "the frame length is not 1 to 16384")?;
        need((1..=8).contains(&self.channels), "channels are not 1 to 8")?;
        need(segments > 0 && !self.segment_frames.contains(&0), "a segment is empty")?;
        need(!self.renditions.is_empty(), "no renditions")?;
        for packed in &self.renditions {
            need(packed.segment_sizes.len() == segments, "segment sizes do not match the boundaries")?;
            need(packed.segment_sha256.len() == segments, "segment digests do not match the boundaries")?;
            need(packed.init.size > 0 && !packed.segment_sizes.contains(&0), "a segment has no bytes")?;
        }
        let frames: u64 = self.segment_frames.iter().map(|&n| u64::from(n)).sum();
        let coded = frames * u64::from(self.frame_samples);
        let media = self.samples.saturating_add(u64::from(self.encoder_delay));
        need(self.samples > 0, "no samples")?;
        let last_starts = coded - u64::from(self.frame_samples);
        need(media <= coded && media > last_starts, "access units do not cover the samples")
    }

    /// The rendition of that name.
    pub fn rendition(&self, name: &RenditionName) -> Option<&Packed> {
        self.renditions.iter().find(|packed| packed.name == *name)
    }

    /// Presented samples of each segment: the first is shorter by the encoder delay, the last by the padding.
    pub fn segment_samples(&self) -> Vec<u64> {
        let media = self.samples + u64::from(self.encoder_delay);
        let mut start = 0u64;
        let presented = |at: u64| at.saturating_sub(u64::from(self.encoder_delay));
        self.segment_frames
            .iter()
            .map(|&frames| {
                let end = (start + u64::from(frames) * u64::from(self.frame_samples)).min(media);
                let samples = presented(end) - presented(start);
                start = end;
                samples
            })
            .collect()
    }

    /// Presented duration in seconds.
    pub fn duration_seconds(&self) -> f64 {
        self.samples as f64 / f64::from(self.sample_rate)
    }

    /// Presented duration in milliseconds, rounded to nearest.
    pub fn duration_ms(&self) -> u64 {
        (self.duration_seconds() * 1000.0).round() as u64
    }
}

impl Packed {
    /// The media segment of that index, counted from 0.
    pub fn segment(&self, index: usize) -> Option<SegmentRef> {
        let size = *self.segment_sizes.get(index)?;
        let before: u64 = self.segment_sizes[..index].iter().map(|&n| u64::from(n)).sum();
        Some(SegmentRef {
            offset: u64::from(self.init.size) + before,
            size,
            sha256: *self.segment_sha256.get(index)?,
        })
    }

    /// Bytes of the packed object.
    pub fn object_size(&self) -> u64 {
        u64::from(self.init.size) + self.segment_sizes.iter().map(|&n| u64::from(n)).sum::<u64>()
    }
}

fn write_digests<S: Serializer>(digests: &[Sha256], serializer: S) -> Result<S::Ok, S::Error> {
    let bytes: Vec<u8> = digests.iter().flat_map(|digest| digest.0).collect();
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn read_digests<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Sha256>, D::Error> {
    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
    let bytes = STANDARD.decode(text.as_bytes()).map_err(D::Error::custom)?;
    let (digests, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(D::Error::custom("digests are not a multiple of 32 bytes"));
    }
    Ok(digests.iter().map(|digest| Sha256(*digest)).collect())
}
