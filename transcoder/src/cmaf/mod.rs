//! CMAF (ISO/IEC 23000-19) for audio: init segments and fragments.
//!
//! Boxes are written by mp4-atom; what holds them is written here, so that children stand in the order that
//! ISO/IEC 14496-12 6.3.4 recommends. Nothing carries a date, so that equal input gives equal bytes.

mod fragment;
mod init;
mod movie;
mod presentation;
mod roll;
mod sample_table;

use mp4_atom::{Encode, FourCC, Header};

pub use fragment::{Fragment, head};
pub use init::init_segment;

/// The one `trak` of an init segment.
const TRACK_ID: u32 = 1;
/// Flags of every access unit: depends on no other (`sample_depends_on` = 2), sync (14496-12 8.8.3.1).
const SYNC_FLAGS: u32 = 0x0200_0000;

/// A box that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cmaf ({place}): {reason}")]
pub struct CmafError {
    /// The box.
    pub place: &'static str,
    /// What is wrong.
    pub reason: String,
}

impl CmafError {
    fn new(place: &'static str, reason: impl Into<String>) -> Self {
        Self { place, reason: reason.into() }
    }
}

type Result<T> = std::result::Result<T, CmafError>;

/// Writes one box.
fn put(out: &mut Vec<u8>, place: &'static str, atom: &impl Encode) -> Result<()> {
    atom.encode(out).map_err(|e| CmafError::new(place, e.to_string()))
}

/// Writes a box that holds whatever `children` writes.
fn container(
    out: &mut Vec<u8>,
    kind: &'static [u8; 4],
    children: impl FnOnce(&mut Vec<u8>) -> Result<()>,
) -> Result<()> {
    let start = out.len();
    let header = Header { kind: FourCC::new(kind), size: Some(0) };
    put(out, "header", &header)?;
    children(out)?;
    let size = u32::try_from(out.len() - start).map_err(|_| CmafError::new("header", "over 4 GiB"))?;
    out[start..start + 4].copy_from_slice(&size.to_be_bytes());
    Ok(())
}
