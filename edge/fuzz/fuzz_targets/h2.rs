//! Frames and field blocks of strangers: whatever comes, what is read has one meaning, does not hang on what follows, and the
//! fields stay within their limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_edge::semantics::h2::frame::{Frame, HEAD, MAX_PAYLOAD, read};
use segue_edge::semantics::h2::head::{Asked, trailers};
use segue_edge::semantics::hpack::{Decoder, Fields, Limits, encode};

const LIMITS: Limits = Limits { bytes: 1024, count: 20 };

fuzz_target!(|bytes: &[u8]| {
    let mut decoder = Decoder::default();
    let mut fields = Fields::new(LIMITS);
    let mut rest = bytes;
    let mut block = Vec::new();
    while let Ok(Some((frame, length))) = read(rest) {
        assert!((HEAD..=HEAD + MAX_PAYLOAD).contains(&length));
        assert_eq!(read(&rest[..length]), Ok(Some((frame, length))), "what follows counts");
        assert_eq!(read(&rest[..length - 1]), Ok(None), "whole without its last byte");
        rest = &rest[length..];
        let (part, whole) = match frame {
            Ok(Frame::Headers { block, whole, .. } | Frame::Continuation { block, whole, .. }) => (block, whole),
            _ => continue,
        };
        block.extend_from_slice(part);
        if whole {
            fields.clear(LIMITS);
            if decoder.decode(&block, &mut fields).is_err() {
                return;
            }
            check(&fields);
            block.clear();
        }
    }
});

fn check(fields: &Fields) {
    let bytes: usize = fields.iter().map(|(name, value)| name.len() + value.len() + 32).sum();
    assert!(bytes <= LIMITS.bytes && fields.len() <= LIMITS.count);
    // Written anew they are the same.
    let mut block = Vec::new();
    fields.iter().for_each(|(name, value)| encode::field(name, value, &mut block));
    let mut again = Fields::new(LIMITS);
    Decoder::default().decode(&block, &mut again).expect("our own block");
    assert!(fields.iter().eq(again.iter()));
    let regular = trailers(fields).is_ok();
    if let Ok(asked) = Asked::read(fields) {
        assert!(!regular, "a request has fields that trailers may not have");
        for (name, value) in asked.regular() {
            assert!(!name.is_empty() && !name.iter().any(u8::is_ascii_uppercase) && !name.contains(&b':'));
            assert!(!value.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')));
            assert!(!matches!(name, b"connection" | b"transfer-encoding" | b"upgrade" | b"keep-alive"));
        }
        let named = fields.iter().filter(|(name, _)| *name == b":method").count();
        assert!(named == 1 && !asked.method.is_empty());
        if let Some(path) = asked.path {
            assert!(path == "*" || path.starts_with('/'));
            assert!(!path.contains([' ', '#', '\r', '\n']));
        }
    }
}
