//! What indexes point to (RFC 7541 2.3).

use std::collections::VecDeque;

/// RFC 7541 appendix A.
#[rustfmt::skip]
pub(super) const STATIC: [(&str, &str); 61] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"),
    (":scheme", "http"), (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"),
    (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"), ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""), ("accept", ""),
    ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""), ("cache-control", ""),
    ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""), ("date", ""), ("etag", ""),
    ("expect", ""), ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""),
    ("if-none-match", ""), ("if-range", ""), ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""),
    ("location", ""), ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""),
    ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""),
    ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""), ("via", ""),
    ("www-authenticate", ""),
];

/// Bytes that an entry counts beside its name and value (RFC 7541 4.1).
const ENTRY_BYTES: usize = 32;

/// What blocks before this one put in; the newest first.
#[derive(Debug)]
pub(super) struct Dynamic {
    entries: VecDeque<Entry>,
    bytes: usize,
    limit: usize,
}

#[derive(Debug)]
struct Entry {
    text: Box<[u8]>,
    name: usize,
}

impl Dynamic {
    pub(super) fn new(limit: usize) -> Self {
        Self { entries: VecDeque::new(), bytes: 0, limit }
    }

    pub(super) fn get(&self, place: usize) -> Option<(&[u8], &[u8])> {
        self.entries.get(place).map(|entry| entry.text.split_at(entry.name))
    }

    pub(super) fn resize(&mut self, limit: usize) {
        self.limit = limit;
        self.make_room(0);
    }

    /// Puts a field in; one that is larger than the table only empties it (RFC 7541 4.4).
    pub(super) fn insert(&mut self, name: &[u8], value: &[u8]) {
        let bytes = name.len() + value.len() + ENTRY_BYTES;
        self.make_room(bytes);
        if bytes <= self.limit {
            self.bytes += bytes;
            self.entries.push_front(Entry { text: [name, value].concat().into(), name: name.len() });
        }
    }

    fn make_room(&mut self, bytes: usize) {
        while self.bytes + bytes > self.limit {
            let Some(oldest) = self.entries.pop_back() else { return };
            self.bytes -= oldest.text.len() + ENTRY_BYTES;
        }
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
