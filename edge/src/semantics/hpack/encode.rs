//! Writing of blocks: from the static table and as literals that nobody is to remember (RFC 7541 6.1, 6.2.2).

use super::huffman;
use super::integer::write;
use super::table::STATIC;

/// Says that nothing will ever be put into the table of whoever reads (RFC 7541 6.3).
pub const NO_TABLE: u8 = 0x20;

/// Writes a field; its text in whichever form is shorter.
pub fn field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let mut named = None;
    for (place, (known, its)) in STATIC.iter().enumerate() {
        if known.as_bytes() == name {
            if its.as_bytes() == value {
                return write(0x80, 7, place + 1, out);
            }
            named.get_or_insert(place + 1);
        }
    }
    match named {
        Some(index) => write(0, 4, index, out),
        None => {
            out.push(0);
            text(name, out);
        }
    }
    text(value, out);
}

/// Writes a status.
pub fn status(status: u16, out: &mut Vec<u8>) {
    field(b":status", itoa::Buffer::new().format(status).as_bytes(), out);
}

/// Writes a text.
pub fn text(text: &[u8], out: &mut Vec<u8>) {
    let coded = huffman::length(text);
    if coded < text.len() {
        write(0x80, 7, coded, out);
        huffman::encode(text, out);
    } else {
        plain(text, out);
    }
}

/// Writes a text as it is: what is written for one response alone is not worth coding.
pub fn plain(text: &[u8], out: &mut Vec<u8>) {
    write(0, 7, text.len(), out);
    out.extend_from_slice(text);
}

/// Writes the name of a literal.
pub fn name(name: &[u8], out: &mut Vec<u8>) {
    match STATIC.iter().position(|(known, _)| known.as_bytes() == name) {
        Some(place) => write(0, 4, place + 1, out),
        None => {
            out.push(0);
            text(name, out);
        }
    }
}
