//! The fields of one block, in one buffer that is used again and again.

/// How much of a block is kept.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of names and values, with 32 for each field (RFC 9113 10.5.1).
    pub bytes: usize,
    /// Fields.
    pub count: usize,
}

/// Bytes that a field counts beside its name and value.
const FIELD_BYTES: usize = 32;

/// Names and values in their order.
#[derive(Debug)]
pub struct Fields {
    text: Vec<u8>,
    /// Where each name and each value ends.
    ends: Vec<(usize, usize)>,
    limits: Limits,
    bytes: usize,
    whole: bool,
}

/// A field that is being read.
pub(super) struct Begun<'a> {
    fields: &'a mut Fields,
    start: usize,
    name_end: usize,
}

impl Fields {
    /// Room for the fields of one block.
    pub fn new(limits: Limits) -> Self {
        Self { text: Vec::new(), ends: Vec::new(), limits, bytes: 0, whole: true }
    }

    /// Forgets what was read.
    pub fn clear(&mut self, limits: Limits) {
        self.text.clear();
        self.ends.clear();
        (self.limits, self.bytes, self.whole) = (limits, 0, true);
    }

    /// Whether all fields are here: a block beyond the limits is cut.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All of them, as name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |(name_end, end)| {
            let field = (&self.text[start..*name_end], &self.text[*name_end..*end]);
            start = *end;
            field
        })
    }

    pub(super) fn push(&mut self, name: &[u8], value: &[u8]) {
        if self.counts(name.len() + value.len()) {
            self.text.extend_from_slice(name);
            let name_end = self.text.len();
            self.text.extend_from_slice(value);
            self.ends.push((name_end, self.text.len()));
        }
    }

    pub(super) fn begin(&mut self) -> Begun<'_> {
        let start = self.text.len();
        Begun { fields: self, start, name_end: start }
    }

    /// Counts a field, and says whether it is to be kept.
    fn counts(&mut self, length: usize) -> bool {
        self.bytes = self.bytes.saturating_add(length + FIELD_BYTES);
        self.whole &= self.bytes <= self.limits.bytes && self.ends.len() < self.limits.count;
        self.whole
    }
}

impl Begun<'_> {
    pub(super) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.fields.text
    }

    pub(super) fn name_ends(&mut self) {
        self.name_end = self.fields.text.len();
    }

    pub(super) fn both(&self) -> (&[u8], &[u8]) {
        self.fields.text[self.start..].split_at(self.name_end - self.start)
    }

    pub(super) fn end(self) {
        let end = self.fields.text.len();
        match self.fields.counts(end - self.start) {
            true => self.fields.ends.push((self.name_end, end)),
            false => self.fields.text.truncate(self.start),
        }
    }
}
