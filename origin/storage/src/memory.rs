//! The store for tests: a sorted map.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};

use crate::error::{Error, ErrorKind};
use crate::object::resolve_range;
use crate::path::{check_path, check_prefix};
use crate::{Object, ObjectMeta, Payload, Storage};

/// Objects in memory, gone with the process.
#[derive(Debug)]
pub struct Memory {
    objects: Mutex<BTreeMap<String, Entry>>,
    versions: AtomicU64,
    capacity: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    content: Bytes,
    version: u64,
}

impl Entry {
    fn meta(&self, path: &str) -> ObjectMeta {
        let etag = Some(format!("\"{:x}\"", self.version));
        ObjectMeta { path: path.to_owned(), size: self.content.len() as u64, etag }
    }
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Memory::with_capacity(u64::MAX)
    }

    /// An empty store that is [`ErrorKind::Full`] when its objects would take more than `capacity` bytes.
    pub fn with_capacity(capacity: u64) -> Self {
        Memory { objects: Mutex::default(), versions: AtomicU64::new(1), capacity }
    }

    /// The map; a panic elsewhere cannot leave it half changed.
    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, operation: &str, path: &str) -> Result<Entry, Error> {
        check_path(path)?;
        let found = self.objects().get(path).cloned();
        found.ok_or_else(|| Error::not_found(format!("memory {operation} {path}")))
    }

    fn insert(&self, path: &str, content: Bytes) -> Result<(), Error> {
        let mut objects = self.objects();
        if self.capacity != u64::MAX && used_beside(&objects, path) + content.len() as u64 > self.capacity {
            let reason = format!("the capacity of {} bytes is used up", self.capacity);
            return Err(Error::new(ErrorKind::Full, format!("memory put {path}"), reason));
        }
        let version = self.versions.fetch_add(1, Ordering::Relaxed);
        objects.insert(path.to_owned(), Entry { content, version });
        Ok(())
    }
}

fn used_beside(objects: &BTreeMap<String, Entry>, path: &str) -> u64 {
    let others = objects.iter().filter(|(taken, _)| *taken != path);
    others.map(|(_, entry)| entry.content.len() as u64).sum()
}

impl Default for Memory {
    fn default() -> Self {
        Memory::new()
    }
}

#[async_trait]
impl Storage for Memory {
    async fn put(&self, path: &str, payload: Payload, _content_type: &str) -> Result<(), Error> {
        check_path(path)?;
        let content = match payload {
            Payload::Bytes(bytes) => bytes,
            Payload::File(file) => tokio::fs::read(&file).await.map(Bytes::from).map_err(|e| {
                Error::new(ErrorKind::Other, format!("memory put {path}"), "the file to store cannot be read")
                    .with_source(e)
            })?,
        };
        self.insert(path, content)
    }

    async fn get(&self, path: &str, range: Option<Range<u64>>) -> Result<Object, Error> {
        let entry = self.entry("get", path)?;
        let meta = entry.meta(path);
        let range = resolve_range(&format!("memory get {path}"), range, meta.size)?;
        // The range lies within the content, whose length is a usize.
        let content = entry.content.slice(range.start as usize..range.end as usize);
        let chunks = (!content.is_empty()).then_some(Ok(content));
        Ok(Object { meta, range, body: stream::iter(chunks).boxed() })
    }

    async fn head(&self, path: &str) -> Result<ObjectMeta, Error> {
        Ok(self.entry("head", path)?.meta(path))
    }

    fn list(&self, prefix: &str) -> BoxStream<'static, Result<ObjectMeta, Error>> {
        if let Err(error) = check_prefix(prefix) {
            return stream::iter([Err(error)]).boxed();
        }
        let objects = self.objects();
        let from_prefix = objects.range(prefix.to_owned()..);
        let matching = from_prefix.take_while(|(path, _)| path.starts_with(prefix));
        let found: Vec<_> = matching.map(|(path, entry)| Ok(entry.meta(path))).collect();
        stream::iter(found).boxed()
    }

    async fn delete(&self, path: &str) -> Result<(), Error> {
        check_path(path)?;
        self.objects().remove(path);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_store_says_so_and_keeps_what_it_has() {
        let store = Memory::with_capacity(4);
        store.put("a", "1234".into(), "text/plain").await.unwrap();
        let refused = store.put("b", "5".into(), "text/plain").await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Full);
        store.put("a", "abcd".into(), "text/plain").await.unwrap();
        assert_eq!(store.get("a", None).await.unwrap().bytes(4).await.unwrap(), "abcd");
        assert_eq!(store.head("b").await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}
