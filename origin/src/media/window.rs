//! Cutting a byte stream into the segments that lie in it.

use bytes::{Bytes, BytesMut};
use segue_manifests::{SegmentRef, Sha256};

use crate::store::StoreError;

/// Cuts bytes that arrive into consecutive segments, each checked against its digest.
#[derive(Debug)]
pub(super) struct Cutter {
    segments: std::vec::IntoIter<SegmentRef>,
    current: Option<SegmentRef>,
    buffer: BytesMut,
}

impl Cutter {
    /// Segments that follow one another without a gap, in order.
    pub(super) fn new(segments: Vec<SegmentRef>) -> Self {
        let mut segments = segments.into_iter();
        let current = segments.next();
        let buffer = BytesMut::with_capacity(current.map_or(0, |segment| segment.size as usize));
        Self { segments, current, buffer }
    }

    /// Takes bytes in; hands every segment that they complete to `done`, in order.
    pub(super) fn push(&mut self, mut chunk: &[u8], mut done: impl FnMut(Result<Bytes, StoreError>)) {
        while let Some(segment) = self.current {
            let missing = segment.size as usize - self.buffer.len();
            if chunk.len() < missing {
                self.buffer.extend_from_slice(chunk);
                return;
            }
            let (head, rest) = chunk.split_at(missing);
            self.buffer.extend_from_slice(head);
            chunk = rest;
            self.current = self.segments.next();
            let next = BytesMut::with_capacity(self.current.map_or(0, |segment| segment.size as usize));
            done(checked(std::mem::replace(&mut self.buffer, next).freeze(), &segment));
        }
    }
}

fn checked(bytes: Bytes, segment: &SegmentRef) -> Result<Bytes, StoreError> {
    match Sha256::of(&bytes) == segment.sha256 {
        true => Ok(bytes),
        false => Err(StoreError::Damaged(format!(
            "segment at byte {} of its packed object hashes to something else",
            segment.offset
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn segments(sizes: &[usize], data: &[u8]) -> Vec<SegmentRef> {
        let mut offset = 0;
        sizes
            .iter()
            .map(|&size| {
                let sha256 = Sha256::of(&data[offset..offset + size]);
                offset += size;
                SegmentRef { offset: (offset - size) as u64, size: size as u32, sha256 }
            })
            .collect()
    }

    proptest! {
        #[test]
        fn any_chunks_make_the_same_segments(
            sizes in proptest::collection::vec(1usize..50, 0..8),
            chunk in 1usize..80,
            extra in 0usize..10,
        ) {
            let total: usize = sizes.iter().sum();
            let data: Vec<u8> = (0..total + extra).map(|n| n as u8).collect();
            let mut cutter = Cutter::new(segments(&sizes, &data));
            let mut out = Vec::new();
            for piece in data.chunks(chunk) {
                cutter.push(piece, |segment| out.push(segment.unwrap()));
            }
            prop_assert_eq!(out.len(), sizes.len());
            prop_assert_eq!(out.concat(), &data[..total]);
        }
    }

    #[test]
    fn damage_hits_only_its_segment() {
        let mut data = b"aabbcc".to_vec();
        let mut cutter = Cutter::new(segments(&[2, 2, 2], &data));
        data[2] ^= 1;
        let mut out = Vec::new();
        cutter.push(&data, |segment| out.push(segment.is_ok()));
        assert_eq!(out, [true, false, true]);
    }
}
