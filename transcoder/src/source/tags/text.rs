//! Cleaning and reading of tag values.

use crate::source::limits::{MAX_TAG_CHARS, MAX_TAG_VALUES};

/// The value without control characters and outer blanks, cut to [`MAX_TAG_CHARS`] characters.
pub(super) fn clean(value: &str) -> String {
    let printable = value.chars().map(|c| if c.is_control() { ' ' } else { c });
    let text: String = printable.collect();
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.chars().count() <= MAX_TAG_CHARS {
        return text.to_owned();
    }
    let kept: String = text.chars().take(MAX_TAG_CHARS - 1).collect();
    format!("{}…", kept.trim_end())
}

/// Several names as one credit: `Ada, Bob & Cid`.
pub(super) fn credit(names: &[String]) -> String {
    let credit = match names {
        [] => String::new(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} & {last}", front.join(", ")),
    };
    clean(&credit)
}

/// The parts of all values, without empty ones and repetitions.
pub(super) fn split(values: &[String], separators: &[char]) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in values.iter().flat_map(|value| value.split(separators)).map(str::trim) {
        if !part.is_empty() && !parts.iter().any(|known| known == part) && parts.len() < MAX_TAG_VALUES {
            parts.push(part.to_owned());
        }
    }
    parts
}

/// A number above zero.
pub(super) fn positive(value: &str) -> Option<u32> {
    value.trim().parse().ok().filter(|&number| number > 0)
}

/// A date as `YYYY`, `YYYY-MM` or `YYYY-MM-DD` out of ISO 8601 and its usual corruptions; what follows is dropped.
pub(super) fn date(value: &str) -> Option<String> {
    let value = value.trim();
    let year = value.get(..4).filter(|year| year.bytes().all(|b| b.is_ascii_digit()) && *year != "0000")?;
    let rest = &value[4..];
    if rest.starts_with(|c: char| c.is_ascii_digit()) && rest.len() == 4 {
        return Some(joined(year, rest.get(..2), rest.get(2..)));
    }
    let mut parts = rest.split(|c: char| !c.is_ascii_digit()).skip(1);
    Some(joined(year, parts.next(), parts.next()))
}

fn joined(year: &str, month: Option<&str>, day: Option<&str>) -> String {
    let number = |text: Option<&str>, most: u8| {
        text.filter(|text| text.len() <= 2)?.parse::<u8>().ok().filter(|n| (1..=most).contains(n))
    };
    match (number(month, 12), number(day, 31)) {
        (Some(month), Some(day)) => format!("{year}-{month:02}-{day:02}"),
        (Some(month), None) => format!("{year}-{month:02}"),
        (None, _) => year.to_owned(),
    }
}

/// An ISRC (ISO 3901) in its plain form: two letters, three letters or digits, seven digits.
pub(super) fn isrc(value: &str) -> Option<String> {
    let code: String =
        value.chars().filter(|c| !matches!(c, '-' | ' ')).collect::<String>().to_ascii_uppercase();
    let code = code.strip_prefix("ISRC").unwrap_or(&code).to_owned();
    let shaped = code.bytes().enumerate().all(|(index, byte)| match index {
        0 | 1 => byte.is_ascii_uppercase(),
        2..=4 => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
        _ => byte.is_ascii_digit(),
    });
    (shaped && code.len() == 12).then_some(code)
}

/// A UUID in lowercase.
pub(super) fn uuid(value: &str) -> Option<String> {
    let id = value.trim().to_ascii_lowercase();
    let shaped = id.bytes().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    (shaped && id.len() == 36).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_normalised() {
        let cases = [
            ("1999", "1999"),
            ("1999-03", "1999-03"),
            ("1999-03-07", "1999-03-07"),
            ("1999/3/7", "1999-03-07"),
            ("1999.03.07", "1999-03-07"),
            ("19990307", "1999-03-07"),
            ("1999-03-07T12:30:00Z", "1999-03-07"),
            ("1999-00-00", "1999"),
            ("1999-13-01", "1999"),
            ("1999-03-45", "1999-03"),
            ("1999 (remaster)", "1999"),
        ];
        for (given, want) in cases {
            assert_eq!(date(given).as_deref(), Some(want), "{given}");
        }
        for bad in ["", "0000", "99", "May 1999", "１９９９"] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let cut = clean(&"ü".repeat(2000));
        assert_eq!(cut.chars().count(), MAX_TAG_CHARS);
        assert!(cut.ends_with('…'));
        assert_eq!(clean("\u{feff} a\0b\r\n"), "a b");
    }

    #[test]
    fn codes_are_checked() {
        assert_eq!(isrc("us-rc1-76-07839").as_deref(), Some("USRC17607839"));
        assert_eq!(isrc("ISRC USRC17607839").as_deref(), Some("USRC17607839"));
        assert_eq!(isrc("US-RC1-76"), None);
        let id = "F27EC8DB-AF05-4F36-916E-3D57F91ECF5E";
        assert_eq!(uuid(id), Some(id.to_ascii_lowercase()));
        assert_eq!(uuid("f27ec8dbaf054f36916e3d57f91ecf5e0000"), None);
    }
}
