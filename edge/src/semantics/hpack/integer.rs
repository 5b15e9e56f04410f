//! Numbers and texts of blocks (RFC 7541 5).

use super::{Broken, huffman};

/// Larger numbers mean nothing in a block: it is shorter than that.
const MOST: usize = 1 << 24;

/// What is left of a block.
pub(super) struct Rest<'a>(pub(super) &'a [u8]);

impl<'a> Rest<'a> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        let (first, rest) = self.0.split_first().ok_or(Broken::Short)?;
        self.0 = rest;
        Ok(*first)
    }

    /// A number whose first `prefix` bits are the last of the next byte.
    pub(super) fn integer(&mut self, prefix: u32) -> Result<usize, Broken> {
        let most = (1usize << prefix) - 1;
        let mut value = usize::from(self.byte()?) & most;
        if value < most {
            return Ok(value);
        }
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            value += usize::from(byte & 0x7f) << shift;
            if value > MOST {
                return Err(Broken::Number);
            }
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Broken::Number)
    }

    /// Reads a text to the end of `out`.
    pub(super) fn text(&mut self, out: &mut Vec<u8>) -> Result<(), Broken> {
        let coded = self.peek().ok_or(Broken::Short)? & 0x80 != 0;
        let length = self.integer(7)?;
        let (text, rest) = self.0.split_at_checked(length).ok_or(Broken::Short)?;
        self.0 = rest;
        match coded {
            true => huffman::decode(text, out),
            false => {
                out.extend_from_slice(text);
                Ok(())
            }
        }
    }
}

/// Writes a number behind the bits of `first` that are above its prefix.
pub(super) fn write(first: u8, prefix: u32, value: usize, out: &mut Vec<u8>) {
    let most = (1usize << prefix) - 1;
    if value < most {
        out.push(first | value as u8);
        return;
    }
    out.push(first | most as u8);
    let mut left = value - most;
    while left >= 0x80 {
        out.push(left as u8 & 0x7f | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}
