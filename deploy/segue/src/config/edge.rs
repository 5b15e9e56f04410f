//! `[edge]`: the settings of the edge itself, and of the store that it falls back to, of which it knows nothing.

use std::ops::{Deref, DerefMut};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IntoDeserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// The section.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(crate) struct Edge {
    #[serde(flatten)]
    pub(crate) node: segue_edge::Config,
    #[serde(flatten)]
    pub(crate) store: Store,
}

/// Object storage as an edge's last upstream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Store {
    pub(crate) store: String,
    pub(crate) store_reads: usize,
    pub(crate) store_timeout_seconds: u64,
    pub(crate) store_cache_bytes: u64,
}

impl Default for Store {
    fn default() -> Self {
        Self { store: String::new(), store_reads: 64, store_timeout_seconds: 20, store_cache_bytes: 64 << 20 }
    }
}

impl Deref for Edge {
    type Target = segue_edge::Config;

    fn deref(&self) -> &segue_edge::Config {
        &self.node
    }
}

impl DerefMut for Edge {
    fn deref_mut(&mut self) -> &mut segue_edge::Config {
        &mut self.node
    }
}

/// serde's `flatten` reads a section into memory first, and then no error knows its line any more. So the edge's own
/// settings are read by the edge, through a map that lacks the others.
impl<'de> Deserialize<'de> for Edge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Section)
    }
}

struct Section;

impl<'de> Visitor<'de> for Section {
    type Value = Edge;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the settings of an edge")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Edge, A::Error> {
        let mut store = Store::default();
        let rest = Rest { map, store: &mut store };
        let node = segue_edge::Config::deserialize(serde::de::value::MapAccessDeserializer::new(rest))?;
        Ok(Edge { node, store })
    }
}

/// The settings without those of the store, which are taken out while they go by.
struct Rest<'a, A> {
    map: A,
    store: &'a mut Store,
}

/// A name that was read: of a setting of the store, or what the edge made of another.
enum Name<T> {
    Ours(&'static str),
    Edges(T),
}

impl Store {
    const NAMES: [&'static str; 4] = ["store", "store_reads", "store_timeout_seconds", "store_cache_bytes"];

    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "store" => self.store = map.next_value()?,
            "store_reads" => self.store_reads = map.next_value()?,
            "store_timeout_seconds" => self.store_timeout_seconds = map.next_value()?,
            "store_cache_bytes" => self.store_cache_bytes = map.next_value()?,
            other => return Err(A::Error::unknown_field(other, &Self::NAMES)),
        }
        Ok(())
    }
}

/// Reads one name.
struct NameSeed<'a, K>(&'a mut Option<K>);

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for NameSeed<'_, K> {
    type Value = Name<K::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let name = String::deserialize(deserializer)?;
        if let Some(own) = Store::NAMES.into_iter().find(|own| *own == name) {
            return Ok(Name::Ours(own));
        }
        let seed = self.0.take().ok_or_else(|| D::Error::custom("a name is read once"))?;
        seed.deserialize(name.into_deserializer()).map(Name::Edges)
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let mut seed = Some(seed);
        loop {
            match self.map.next_key_seed(NameSeed(&mut seed))? {
                None => return Ok(None),
                Some(Name::Edges(name)) => return Ok(Some(name)),
                Some(Name::Ours(name)) => self.store.take(name, &mut self.map)?,
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_is_read_by_its_two_owners() {
        let text = "store = 's3://music'\nlisten = 'h:1'\nstore_reads = 3\nworkers = 2\n";
        let edge: Edge = toml::from_str(text).unwrap();
        assert_eq!((edge.store.store.as_str(), edge.store.store_reads), ("s3://music", 3));
        assert_eq!((edge.listen.as_str(), edge.workers), ("h:1", 2));
        assert_eq!(toml::from_str::<Edge>("").unwrap(), Edge::default());
        let again = toml::Table::try_from(&edge).unwrap();
        assert_eq!(again.try_into::<Edge>().unwrap(), edge);
    }

    #[test]
    fn errors_know_their_lines() {
        for (text, line) in [
            ("listen = 'h:1'\nworkers = 'x'\n", 2),
            ("store_reads = 'x'\n", 1),
            ("\nstore_cache_bytes = -1\n", 2),
            ("listen = 'h:1'\n\nspeed = 9\n", 3),
        ] {
            let error = toml::from_str::<Edge>(text).unwrap_err();
            let before = &text[..error.span().unwrap().start];
            assert_eq!(before.matches('\n').count() + 1, line, "{error}");
        }
    }
}
