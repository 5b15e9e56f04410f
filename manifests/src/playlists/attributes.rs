//! Attribute lists (BIS 4.2).

use super::{PlaylistError, error};

/// The attributes of one tag, in order.
pub(super) struct Attributes<'a> {
    line: usize,
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Attributes<'a> {
    pub(super) fn read(line: usize, text: &'a str) -> Result<Self, PlaylistError> {
        let mut pairs = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (name, tail) = rest.split_once('=').ok_or(error(line, "an attribute has no value"))?;
            let (value, tail) = Self::value(line, tail)?;
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(error(line, "an attribute stands twice"));
            }
            pairs.push((name, value));
            rest = tail;
        }
        Ok(Self { line, pairs })
    }

    /// One value, quotes kept, and what follows its comma.
    fn value(line: usize, text: &'a str) -> Result<(&'a str, &'a str), PlaylistError> {
        let end = match text.strip_prefix('"') {
            Some(quoted) => quoted.find('"').ok_or(error(line, "a quoted value has no end"))? + 2,
            None => text.find(',').unwrap_or(text.len()),
        };
        let (value, rest) = text.split_at(end);
        match rest.strip_prefix(',') {
            Some("") => Err(error(line, "an attribute list ends with a comma")),
            Some(tail) => Ok((value, tail)),
            None if rest.is_empty() => Ok((value, "")),
            None => Err(error(line, "text follows a quoted value")),
        }
    }

    fn raw(&self, name: &str) -> Option<&'a str> {
        self.pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    pub(super) fn quoted(&self, name: &str) -> Result<Option<String>, PlaylistError> {
        let Some(value) = self.raw(name) else { return Ok(None) };
        let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
        inner.map(|v| Some(v.to_owned())).ok_or(error(self.line, "a value is not quoted"))
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<u64>, PlaylistError> {
        self.raw(name).map(|value| integer(self.line, value)).transpose()
    }
}

/// A decimal integer without sign.
pub(super) fn integer(line: usize, text: &str) -> Result<u64, PlaylistError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().ok_or(error(line, "not a decimal integer"))
}
