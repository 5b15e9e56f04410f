//! Request heads of strangers: what is taken has one meaning only, which a slower reader that knows nothing of the first
//! confirms, and which hangs neither on what follows nor on how the bytes came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_edge::semantics::request_head::{Framing, MAX_FIELDS, Reading, RequestHead, fields, read};

const LIMIT: usize = 1024;

fuzz_target!(|bytes: &[u8]| {
    let mut room = fields();
    let Reading::Whole(head) = read(bytes, LIMIT, &mut room) else { return };
    let text = &bytes[..head.length];
    assert!(head.length <= LIMIT && text.ends_with(b"\r\n\r\n"));
    confirm(text, &head);
    let mut room = fields();
    let Reading::Whole(alone) = read(text, LIMIT, &mut room) else { panic!("what follows counts") };
    assert_eq!((alone.length, alone.framing, alone.close), (head.length, head.framing, head.close));
    for cut in [1, head.length / 2, head.length - 1] {
        let mut room = fields();
        assert!(matches!(read(&text[..cut], LIMIT, &mut room), Reading::Partial), "whole at {cut}");
    }
});

/// Reads the same head line by line.
fn confirm(text: &[u8], head: &RequestHead<'_, '_>) {
    let text = text.trim_ascii_start();
    assert!(!text.contains(&0), "a NUL");
    let whole: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let lines: Vec<&[u8]> = whole.iter().filter(|line| !line.is_empty()).map(|line| {
        let line = line.strip_suffix(b"\r").expect("no bare line feed");
        assert!(!line.contains(&b'\r'), "a bare return");
        line
    }).collect();
    let (empty, lines) = lines.split_last().expect("an empty line");
    let (first, lines) = lines.split_first().expect("a request line");
    assert!(empty.is_empty());
    let version = if head.is_11 { "HTTP/1.1" } else { "HTTP/1.0" };
    assert_eq!(*first, format!("{} {} {version}", head.method, head.target).as_bytes());
    assert!(lines.len() == head.fields.len() && lines.len() <= MAX_FIELDS);
    let named = |wanted: &str| -> Vec<&[u8]> {
        let parts = lines.iter().map(|line| {
            let colon = line.iter().position(|byte| *byte == b':').expect("a colon");
            (&line[..colon], line[colon + 1..].trim_ascii())
        });
        parts.filter(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes())).map(|(_, value)| value).collect()
    };
    let (lengths, codings) = (named("content-length"), named("transfer-encoding"));
    let framing = match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => Framing::Bare,
        ([], [coding]) => {
            assert!(head.is_11 && coding.to_ascii_lowercase().ends_with(b"chunked"));
            Framing::Content
        }
        ([first, ..], []) => {
            let number = |text: &[u8]| std::str::from_utf8(text).unwrap().parse::<u64>().unwrap();
            assert!(lengths.iter().all(|length| number(length) == number(first)), "two lengths");
            if number(first) == 0 { Framing::Bare } else { Framing::Content }
        }
        _ => panic!("length and coding"),
    };
    assert_eq!(head.framing, framing);
    assert_eq!(usize::from(head.seen.hosts), named("host").len());
}
