//! Several responses of one resource, told apart by what requests say in the fields that `Vary` names (RFC 9111 4.1).
//!
//! ```text
//!   /path           -> Varying: names of the fields, variants by age
//!   /path NUL hash  -> the object for requests that say the same in these fields
//! ```
//!
//! A resource without `Vary` has its object at the first place and pays nothing for this.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use http::header::{HeaderMap, HeaderName};

use crate::semantics::vary;

/// Most variants of one resource: beyond, the oldest goes. A stranger can make up as many values as they like.
pub(crate) const MAX_VARIANTS: usize = 32;
/// Parts the cache key of a resource from what tells its variants apart. No target has it.
pub(crate) const SEPARATOR: char = '\0';

/// The cache key of the resource that a variant belongs to.
pub(crate) fn resource(cache_key: &str) -> &str {
    cache_key.split(SEPARATOR).next().unwrap_or(cache_key)
}

/// Which fields tell the variants of a resource apart, and which variants there are.
#[derive(Debug)]
pub(crate) struct Varying {
    names: Vec<HeaderName>,
    /// Cache keys of variants, oldest first.
    kept: Mutex<VecDeque<Arc<str>>>,
}

/// Where one response belongs among the variants of its resource.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub(super) varying: Arc<Varying>,
    pub(crate) cache_key: Arc<str>,
}

impl Varying {
    pub(super) fn new(names: Vec<HeaderName>) -> Self {
        Self { names, kept: Mutex::default() }
    }

    pub(super) fn names(&self) -> &[HeaderName] {
        &self.names
    }

    /// The cache key of the variant for a request. Hashed: the values may be long, and secret.
    pub(crate) fn cache_key(&self, resource: &str, request: &HeaderMap) -> String {
        let hash = digest(&SHA256, &vary::selecting(&self.names, request));
        format!("{resource}{SEPARATOR}{}", hex::encode(&hash.as_ref()[..16]))
    }

    /// Notes that a variant is kept; gives back the one that has to go for it.
    pub(super) fn note(&self, cache_key: &Arc<str>) -> Option<Arc<str>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.contains(cache_key) {
            return None;
        }
        kept.push_back(cache_key.clone());
        if kept.len() > MAX_VARIANTS { kept.pop_front() } else { None }
    }

    /// All variants that may be kept.
    pub(super) fn kept(&self) -> Vec<Arc<str>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Variant {
    /// Whether the response is for such a request too.
    pub(crate) fn suits(&self, request: &HeaderMap) -> bool {
        self.varying.cache_key(resource(&self.cache_key), request) == *self.cache_key
    }
}
