//! HPACK (RFC 7541): field blocks of HTTP/2. Blocks of strangers are read within limits; our own are written from the static
//! table and as literals, so that writing has no state and a block can be kept for later.

pub mod encode;
mod fields;
pub mod huffman;
mod integer;
mod table;

pub use fields::{Fields, Limits};

use integer::Rest;
use table::{Dynamic, STATIC};

/// Most bytes of the dynamic table for reading: what a peer assumes without being told (RFC 9113 6.5.2).
pub const TABLE_BYTES: usize = 4096;

/// Why a block cannot be read: the connection's state is lost with it (RFC 9113 4.3, COMPRESSION_ERROR).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It ends in the middle of something.
    #[error("hpack: the block ends too early")]
    Short,
    /// A number is larger than any that makes sense.
    #[error("hpack: a number is too large")]
    Number,
    /// There is nothing at an index.
    #[error("hpack: an index is outside of the tables")]
    Index,
    /// A text is not Huffman's.
    #[error("hpack: a Huffman code is invalid")]
    Huffman,
    /// The table's size changes in the middle of a block, or beyond what was agreed.
    #[error("hpack: a table size update is out of place or too large")]
    TableSize,
}

/// Reads blocks, in the order in which they came.
#[derive(Debug)]
pub struct Decoder {
    table: Dynamic,
}

/// How a literal is to be remembered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    InTable,
    Not,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { table: Dynamic::new(TABLE_BYTES) }
    }
}

impl Decoder {
    /// Reads a whole block into `fields`. Beyond the limits it is read on, for the table's sake, but no more fields are
    /// kept: see [`Fields::is_whole`].
    ///
    /// # Errors
    /// When the block breaks the rules; nothing can be read on that connection any more.
    pub fn decode(&mut self, block: &[u8], fields: &mut Fields) -> Result<(), Broken> {
        let mut rest = Rest(block);
        let mut begun = false;
        while let Some(first) = rest.peek() {
            if first & 0xe0 == 0x20 {
                let size = rest.integer(5)?;
                if begun || size > TABLE_BYTES {
                    return Err(Broken::TableSize);
                }
                self.table.resize(size);
                continue;
            }
            begun = true;
            match first {
                _ if first & 0x80 != 0 => self.indexed(rest.integer(7)?, fields)?,
                _ if first & 0x40 != 0 => self.literal(&mut rest, 6, Kept::InTable, fields)?,
                _ => self.literal(&mut rest, 4, Kept::Not, fields)?,
            }
        }
        Ok(())
    }

    fn indexed(&self, index: usize, fields: &mut Fields) -> Result<(), Broken> {
        let (name, value) = self.at(index)?;
        fields.push(name, value);
        Ok(())
    }

    fn at(&self, index: usize) -> Result<(&[u8], &[u8]), Broken> {
        match index {
            0 => Err(Broken::Index),
            1..=61 => {
                let (name, value) = STATIC[index - 1];
                Ok((name.as_bytes(), value.as_bytes()))
            }
            _ => self.table.get(index - 62).ok_or(Broken::Index),
        }
    }

    fn literal(
        &mut self,
        rest: &mut Rest<'_>,
        prefix: u32,
        kept: Kept,
        fields: &mut Fields,
    ) -> Result<(), Broken> {
        let index = rest.integer(prefix)?;
        let mut field = fields.begin();
        match index {
            0 => rest.text(field.text())?,
            _ => field.text().extend_from_slice(self.at(index)?.0),
        }
        field.name_ends();
        rest.text(field.text())?;
        if kept == Kept::InTable {
            let (name, value) = field.both();
            self.table.insert(name, value);
        }
        field.end();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
