//! A run of access units in one buffer.

/// Access units back to back, as they will lie in an `mdat` box: encoders write at the end, the packer takes from
/// the front, and nothing is copied in between.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct AccessUnits {
    bytes: Vec<u8>,
    sizes: Vec<u32>,
}

impl AccessUnits {
    /// Access units held.
    pub fn len(&self) -> usize {
        self.sizes.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// Bytes of each access unit.
    pub fn sizes(&self) -> &[u32] {
        &self.sizes
    }

    /// All bytes, access unit after access unit.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Offers `room` zeroed bytes at the end to `write`, which says how many of them it filled; 0 adds no unit.
    ///
    /// # Errors
    /// Whatever `write` returns; nothing is added then.
    pub fn append<E>(
        &mut self,
        room: usize,
        write: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let start = self.bytes.len();
        self.bytes.resize(start + room, 0);
        let written = write(&mut self.bytes[start..]);
        let size = written.as_ref().map_or(0, |&size| size.min(room));
        self.bytes.truncate(start + size);
        if size > 0 {
            self.sizes.push(size as u32);
        }
        written
    }

    /// Bytes of the first `count` access units.
    pub fn front(&self, count: usize) -> &[u8] {
        &self.bytes[..self.front_len(count)]
    }

    /// Drops the first `count` access units.
    pub fn drop_front(&mut self, count: usize) {
        self.bytes.drain(..self.front_len(count));
        self.sizes.drain(..count);
    }

    fn front_len(&self, count: usize) -> usize {
        self.sizes[..count].iter().map(|&size| size as usize).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(units: &mut AccessUnits, unit: &[u8]) {
        let written = units.append(8, |room| {
            room[..unit.len()].copy_from_slice(unit);
            Ok::<_, ()>(unit.len())
        });
        assert_eq!(written, Ok(unit.len()));
    }

    #[test]
    fn what_is_appended_leaves_in_order() {
        let mut units = AccessUnits::default();
        for unit in [&b"abc"[..], b"", b"d", b"ef"] {
            push(&mut units, unit);
        }
        assert_eq!((units.sizes(), units.front(2)), (&[3, 1, 2][..], &b"abcd"[..]));
        units.drop_front(2);
        assert_eq!((units.len(), units.bytes()), (1, &b"ef"[..]));
    }

    #[test]
    fn a_failed_write_adds_nothing() {
        let mut units = AccessUnits::default();
        assert_eq!(units.append(8, |_| Err("no")), Err("no"));
        assert!(units.is_empty() && units.bytes().is_empty());
    }
}
