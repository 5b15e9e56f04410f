//! What a request belongs to: `traceparent` and `tracestate` (W3C Trace Context, level 1).

/// Longest state that is told on, bytes: the least that the recommendation asks for (3.3.1.5).
pub const MAX_STATE: usize = 512;
/// Most members of a state (3.3.1.1).
const MAX_MEMBERS: usize = 32;
/// Longest key and value, and longest parts of a key with an `@` (3.3.1.3).
const MAX_NAME: usize = 256;
const MAX_TENANT: usize = 241;
const MAX_SYSTEM: usize = 14;

/// The caller's part of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The trace; never all zeros.
    pub trace: [u8; 16],
    /// The part; never all zeros.
    pub span: [u8; 8],
    /// The caller may have recorded it.
    pub sampled: bool,
}

impl Parent {
    /// Reads a `traceparent` of version 00, or what of a later version is known; `None` for what is neither (3.2).
    pub fn read(field: &str) -> Option<Self> {
        let (text, rest) = field.split_at_checked(55)?;
        let mut parts = text.split('-');
        let [version] = digits(parts.next()?)?;
        let trace = digits(parts.next()?).filter(|trace| *trace != [0; 16])?;
        let span = digits(parts.next()?).filter(|span| *span != [0; 8])?;
        let [flags] = digits::<1>(parts.next()?)?;
        let fits = match version {
            0xff => false,
            0 => rest.is_empty(),
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        (fits && parts.next().is_none()).then_some(Self { trace, span, sampled: flags & 1 == 1 })
    }

    /// The field's value, of version 00: flags that this version does not know are not told on.
    pub fn field(&self) -> String {
        let flags = u8::from(self.sampled);
        format!("00-{}-{}-{flags:02x}", hex::encode(self.trace), hex::encode(self.span))
    }
}

/// Joins the lines of a `tracestate` (3.3.1); `None` where one breaks the grammar, or there is too much of it: the state is
/// dropped then, and the trace goes on.
pub fn state<'a>(lines: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut joined = String::new();
    for (number, member) in lines.flat_map(members).enumerate() {
        if number == MAX_MEMBERS || !is_member(member) {
            return None;
        }
        if number > 0 {
            joined.push(',');
        }
        joined.push_str(member);
    }
    (!joined.is_empty() && joined.len() <= MAX_STATE).then_some(joined)
}

/// Members of a list; empty ones are allowed, and mean nothing.
fn members(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').map(|member| member.trim_matches([' ', '\t'])).filter(|member| !member.is_empty())
}

fn is_member(member: &str) -> bool {
    member.split_once('=').is_some_and(|(name, value)| is_name(name) && is_value(value))
}

fn is_name(name: &str) -> bool {
    let letters =
        |text: &str| text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/'));
    let begins = |text: &str, digit: bool| {
        text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || (digit && b.is_ascii_digit()))
    };
    match name.split_once('@') {
        None => name.len() <= MAX_NAME && begins(name, false) && letters(name),
        Some((tenant, system)) => {
            (1..=MAX_TENANT).contains(&tenant.len())
                && (1..=MAX_SYSTEM).contains(&system.len())
                && begins(tenant, true)
                && begins(system, false)
                && letters(tenant)
                && letters(system)
        }
    }
}

fn is_value(value: &str) -> bool {
    (1..=MAX_NAME).contains(&value.len())
        && value.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'=')
        && !value.ends_with(' ')
}

/// Lowercase hexadecimal digits.
fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn only_valid_parents_are_taken() {
        let parent = |text: &str| Parent::read(text).map(|parent| parent.sampled);
        for (text, sampled) in [
            (format!("00-{TRACE}-{SPAN}-01"), true),
            (format!("00-{TRACE}-{SPAN}-00"), false),
            (format!("00-{TRACE}-{SPAN}-03"), true),
            (format!("00-{TRACE}-{SPAN}-fe"), false),
            (format!("cc-{TRACE}-{SPAN}-01"), true),
            (format!("cc-{TRACE}-{SPAN}-01-what-will-be"), true),
        ] {
            assert_eq!(parent(&text), Some(sampled), "{text}");
        }
        for text in [
            format!("cc-{TRACE}-{SPAN}-01.what"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!(" 00-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-0\u{e9}"),
            String::new(),
        ] {
            assert_eq!(parent(&text), None, "{text}");
        }
    }

    #[test]
    fn what_is_read_is_written() {
        let text = format!("00-{TRACE}-{SPAN}-01");
        assert_eq!(Parent::read(&text).unwrap().field(), text);
        let unknown = Parent::read(&format!("cc-{TRACE}-{SPAN}-ff-more")).unwrap();
        assert_eq!(unknown.field(), text, "what this version does not know is left out");
    }

    #[test]
    fn states() {
        let of = |lines: &[&str]| state(lines.iter().copied());
        assert_eq!(of(&["a=1, b=2 ,", "", "t1@s=x y"]).as_deref(), Some("a=1,b=2,t1@s=x y"));
        assert_eq!(of(&["1t@s=1,a_-*/=1"]).as_deref(), Some("1t@s=1,a_-*/=1"));
        let many = vec!["a=1"; MAX_MEMBERS + 1].join(",");
        let long = format!("a={}", "1".repeat(MAX_NAME + 1));
        let much = vec![format!("a={}", "1".repeat(200)); 3].join(",");
        for wrong in [
            "", " , ", "a", "a=", "=1", "A=1", "1=1", "a=b=c", "a@=1", "@s=1", "a@1=1", "a=\u{e9}", &many,
            &long, &much,
        ] {
            assert_eq!(of(&[wrong]), None, "{wrong}");
        }
        assert_eq!(of(&["a=1", "B=1"]), None, "one bad member spoils it");
    }

    proptest! {
        #[test]
        fn anything_is_read(text in "\\PC{0,80}", lines in proptest::collection::vec("\\PC{0,40}", 0..4)) {
            if let Some(parent) = Parent::read(&text) {
                prop_assert_eq!(Parent::read(&parent.field()), Some(parent));
            }
            if let Some(joined) = state(lines.iter().map(String::as_str)) {
                prop_assert_eq!(state([joined.as_str()].into_iter()), Some(joined));
            }
        }
    }
}
