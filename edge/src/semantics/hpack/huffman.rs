//! The Huffman code of HPACK (RFC 7541 5.2 and appendix B). Codes follow from their lengths: shorter ones come first, and
//! among those of one length the lower symbol.

use super::Broken;

/// Symbols: all bytes, and the end, which must not occur.
const SYMBOLS: usize = 257;
const END: u16 = 256;
const LONGEST: usize = 30;
/// Codes of at most so many bits are found at once.
const FAST_BITS: u32 = 8;

/// Bits of each symbol's code.
#[rustfmt::skip]
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

struct Codes {
    of_symbol: [u32; SYMBOLS],
    /// Symbols in the order of their codes.
    sorted: [u16; SYMBOLS],
    /// First code of each length, how many there are, and the place of the first among the sorted.
    by_length: [(u32, u32, u32); LONGEST + 1],
    /// Symbol and length by the next bits; length 0: a longer code.
    fast: [(u8, u8); 1 << FAST_BITS],
}

static CODES: Codes = codes();

const fn codes() -> Codes {
    let mut all = Codes {
        of_symbol: [0; SYMBOLS],
        sorted: [0; SYMBOLS],
        by_length: [(0, 0, 0); LONGEST + 1],
        fast: [(0, 0); 1 << FAST_BITS],
    };
    let (mut code, mut place, mut length) = (0u32, 0usize, 1usize);
    while length <= LONGEST {
        all.by_length[length] = (code, 0, place as u32);
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if LENGTHS[symbol] as usize == length {
                all.of_symbol[symbol] = code;
                all.sorted[place] = symbol as u16;
                all.by_length[length].1 += 1;
                if length <= FAST_BITS as usize {
                    let free = FAST_BITS - length as u32;
                    let mut low = 0;
                    while low < 1 << free {
                        all.fast[((code as usize) << free) | low] = (symbol as u8, length as u8);
                        low += 1;
                    }
                }
                code += 1;
                place += 1;
            }
            symbol += 1;
        }
        code <<= 1;
        length += 1;
    }
    all
}

/// Bytes of a text's code.
pub fn length(text: &[u8]) -> usize {
    let bits: usize = text.iter().map(|byte| usize::from(LENGTHS[usize::from(*byte)])).sum();
    bits.div_ceil(8)
}

/// Writes a text's code to the end of `out`.
pub fn encode(text: &[u8], out: &mut Vec<u8>) {
    let (mut held, mut count) = (0u64, 0u32);
    for byte in text {
        let bits = u32::from(LENGTHS[usize::from(*byte)]);
        held = held << bits | u64::from(CODES.of_symbol[usize::from(*byte)]);
        count += bits;
        while count >= 8 {
            count -= 8;
            out.push((held >> count) as u8);
        }
    }
    if count > 0 {
        // Filled up with the first bits of the end's code, which are ones.
        out.push((held << (8 - count)) as u8 | (0xff >> count));
    }
}

/// Reads a coded text to the end of `out`.
///
/// # Errors
/// For codes that are none, the end's own, and a last byte that is not filled up with ones.
pub fn decode(coded: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
    out.reserve(coded.len() * 8 / 5 + 1);
    // The next bits are the highest.
    let (mut held, mut count) = (0u64, 0u32);
    let mut rest = coded.iter();
    loop {
        while count <= 56 {
            let Some(byte) = rest.next() else { break };
            held |= u64::from(*byte) << (56 - count);
            count += 8;
        }
        if count == 0 {
            return Ok(());
        }
        let (symbol, bits) = CODES.fast[(held >> (64 - FAST_BITS)) as usize];
        let bits = u32::from(bits);
        if bits != 0 && bits <= count {
            out.push(symbol);
            held <<= bits;
            count -= bits;
            continue;
        }
        if count < 8 {
            let filled = held >> (64 - count) == (1 << count) - 1;
            return if filled { Ok(()) } else { Err(Broken::Huffman) };
        }
        let (symbol, bits) = long(held, count).ok_or(Broken::Huffman)?;
        out.push(symbol);
        held <<= bits;
        count -= bits;
    }
}

/// The symbol of a code that is longer than those found at once.
fn long(held: u64, count: u32) -> Option<(u8, u32)> {
    let bits = (FAST_BITS + 1..=count.min(LONGEST as u32)).find(|bits| {
        let (first, many, _) = CODES.by_length[*bits as usize];
        ((held >> (64 - bits)) as u32).checked_sub(first).is_some_and(|place| place < many)
    })?;
    let (first, _, start) = CODES.by_length[bits as usize];
    let place = (held >> (64 - bits)) as u32 - first + start;
    let symbol = CODES.sorted[place as usize];
    (symbol != END).then_some((symbol as u8, bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(coded: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut out = Vec::new();
        decode(coded, &mut out).map(|()| out)
    }

    /// The examples of RFC 7541 appendix C.4 and C.6.
    #[test]
    fn examples() {
        for (text, coded) in [
            ("www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"),
            ("no-cache", "a8eb10649cbf"),
            ("custom-key", "25a849e95ba97d7f"),
            ("custom-value", "25a849e95bb8e8b4bf"),
            ("302", "6402"),
            ("private", "aec3771a4b"),
            ("Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"),
            ("https://www.example.com", "9d29ad171863c78f0b97c8e9ae82ae43d3"),
            ("gzip", "9bd9ab"),
        ] {
            let mut out = Vec::new();
            encode(text.as_bytes(), &mut out);
            assert_eq!(hex::encode(&out), coded, "{text}");
            assert_eq!(length(text.as_bytes()), out.len());
            assert_eq!(decoded(&out).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn every_code_is_used_once() {
        let sum: u64 = LENGTHS.iter().map(|bits| 1u64 << (LONGEST as u32 - u32::from(*bits))).sum();
        assert_eq!(sum, 1 << LONGEST);
        assert_eq!(CODES.of_symbol[usize::from(END)], (1 << LONGEST) - 1);
        assert_eq!((CODES.of_symbol[usize::from(b'~')], CODES.of_symbol[249]), (0x1ffd, 0x0ffffffe));
    }

    #[test]
    fn wrong_codes_are_refused() {
        for coded in ["ff", "ffff", "ffffffff", "fffffffc", "a8eb10649cbfff", "00"] {
            let coded = hex::decode(coded).unwrap();
            assert!(decoded(&coded).is_err(), "{coded:x?}");
        }
        assert_eq!(decoded(&[]), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn there_and_back(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut out = Vec::new();
            encode(&text, &mut out);
            prop_assert_eq!(out.len(), length(&text));
            prop_assert_eq!(decoded(&out).unwrap(), text);
        }

        #[test]
        fn what_is_read_has_one_form(coded in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(text) = decoded(&coded) {
                let mut out = Vec::new();
                encode(&text, &mut out);
                prop_assert_eq!(out, coded);
            }
        }
    }
}
