//! What a source may ask for, so that one file can neither fill the memory nor run for ever.

/// Longest source, seconds.
pub(super) const MAX_SECONDS: u64 = 12 * 3600;

/// Lowest and highest sample rate, Hz.
pub(super) const SAMPLE_RATES: std::ops::RangeInclusive<u32> = 4_000..=768_000;

/// Most channels that are mixed down.
pub(super) const MAX_CHANNELS: usize = 24;

/// Largest artwork file, bytes.
pub(super) const MAX_ARTWORK_BYTES: u64 = 10 * 1024 * 1024;

/// Largest artwork, pixels a side.
pub(super) const MAX_ARTWORK_SIDE: u32 = 12_000;

/// Longest text of one tag, characters.
pub(super) const MAX_TAG_CHARS: usize = 500;

/// Most values of one tag that are kept.
pub(super) const MAX_TAG_VALUES: usize = 32;

/// Largest `moov` box, bytes: hours of audio in small fragments need a few megabytes.
pub(super) const MAX_MOOV_BYTES: u64 = 64 * 1024 * 1024;
