//! Hot bodies once more in sealed memory files, so that the kernel sends them over plain TCP without copying.
//!
//! `sendfile` hands pages to the socket, which may hold them long after the call. Each file belongs to one object and is
//! sealed: nobody can change what is still on its way, and its pages live until the last byte is acknowledged.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::process::{Resource, getrlimit};

use super::object::Object;

/// Smaller bodies gain nothing, bytes.
pub(crate) const SENDFILE_MIN: usize = 32 << 10;
/// Times that an object is asked for over plain TCP before it gets a file.
const ASKED: u32 = 3;
/// Where there was no room, it is tried again after that many.
const ASKED_AGAIN: u32 = 256;
/// Most files, and the share of the process's descriptors that they may take.
const FILES: u64 = 65_536;
const DESCRIPTORS_SHARE: u64 = 4;

/// Keeps hot bodies in sealed files, as far as there is room.
#[derive(Debug)]
pub(crate) struct Depot {
    limit_bytes: u64,
    limit_files: u64,
    used: Arc<Used>,
    objects: Mutex<Vec<Weak<Object>>>,
}

#[derive(Debug, Default)]
struct Used {
    bytes: AtomicU64,
    files: AtomicU64,
}

/// Room for one file, given back when dropped.
#[derive(Debug)]
struct Room {
    bytes: u64,
    used: Arc<Used>,
}

/// A body in a sealed file.
#[derive(Debug)]
pub(crate) struct SealedBody {
    pub(crate) file: File,
    _room: Room,
}

/// The file of an object, if it has one, and how often it was asked for.
#[derive(Debug, Default)]
pub(super) struct Slot {
    body: ArcSwapOption<SealedBody>,
    asked: AtomicU32,
}

impl Depot {
    /// Room for `limit_bytes`; 0: no files.
    pub(crate) fn new(limit_bytes: u64) -> Self {
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        Self {
            limit_bytes,
            limit_files: FILES.min(descriptors / DESCRIPTORS_SHARE),
            used: Arc::default(),
            objects: Mutex::default(),
        }
    }

    /// The object's file, if it has one; makes it one when it is asked for often.
    pub(crate) fn body(&self, object: &Arc<Object>) -> Option<Arc<SealedBody>> {
        if object.body.len() < SENDFILE_MIN || self.limit_bytes == 0 {
            return None;
        }
        let slot = &object.slot;
        // Two at once may count as one: no matter.
        let asked = slot.asked.load(Relaxed).wrapping_add(1);
        slot.asked.store(asked, Relaxed);
        let body = slot.body.load_full();
        if body.is_some() || asked % ASKED_AGAIN != ASKED {
            return body;
        }
        let made = Arc::new(self.seal(&object.body)?);
        slot.body.store(Some(made.clone()));
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(object));
        Some(made)
    }

    fn seal(&self, bytes: &Bytes) -> Option<SealedBody> {
        let room = self.room(bytes.len() as u64)?;
        let file =
            sealed(bytes).inspect_err(|error| tracing::debug!("no memory file for a body: {error}")).ok()?;
        Some(SealedBody { file, _room: room })
    }

    fn room(&self, bytes: u64) -> Option<Room> {
        let used = &self.used;
        let before = (used.bytes.fetch_add(bytes, Relaxed), used.files.fetch_add(1, Relaxed));
        let room = Room { bytes, used: used.clone() };
        (before.0 + bytes <= self.limit_bytes && before.1 < self.limit_files).then_some(room)
    }

    /// Makes room when there is little left: takes the file of every object that was hardly asked for since the last
    /// time.
    pub(crate) fn make_room(&self) {
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let crowded = self.used.bytes.load(Relaxed) > self.limit_bytes / 8 * 7
            || self.used.files.load(Relaxed) > self.limit_files / 8 * 7;
        objects.retain(|object| {
            let Some(object) = object.upgrade() else { return false };
            // Counts on from where it would get a file again.
            let idle = object.slot.asked.swap(ASKED, Relaxed) <= ASKED + 1;
            if crowded && idle {
                object.slot.body.store(None);
                object.slot.asked.store(0, Relaxed);
            }
            !(crowded && idle)
        });
    }

    /// Bytes in such files.
    pub(crate) fn bytes(&self) -> u64 {
        self.used.bytes.load(Relaxed)
    }
}

/// A memory file of these bytes that nobody can change.
fn sealed(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("segue-body", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.write_all(bytes)?;
    fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL)?;
    Ok(file)
}

impl Drop for Room {
    fn drop(&mut self) {
        self.used.bytes.fetch_sub(self.bytes, Relaxed);
        self.used.files.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::object::tests::object;
    use std::os::unix::fs::FileExt as _;

    const BODY: &[u8] = &[7; SENDFILE_MIN];

    fn hot(depot: &Depot) -> Arc<Object> {
        let object = Arc::new(object(&[("cache-control", "max-age=9")], BODY, 1, 0));
        for _ in 0..ASKED {
            depot.body(&object);
        }
        object
    }

    #[test]
    fn what_is_hot_gets_a_sealed_file() {
        let depot = Depot::new(1 << 20);
        let object = hot(&depot);
        let body = depot.body(&object).unwrap();
        let mut read = vec![0; BODY.len()];
        body.file.read_exact_at(&mut read, 0).unwrap();
        assert!(read == BODY);
        assert!(body.file.write_at(b"x", 0).is_err() && body.file.set_len(1).is_err(), "it is sealed");
        assert_eq!(depot.bytes(), BODY.len() as u64);
        drop((object, body));
        assert_eq!(depot.bytes(), 0, "its room is given back");
    }

    #[test]
    fn room_is_made_by_those_that_nobody_asks_for() {
        let depot = Depot::new(2 * SENDFILE_MIN as u64);
        let (first, second) = (hot(&depot), hot(&depot));
        let third = hot(&depot);
        assert!(depot.body(&third).is_none(), "there is no room");
        depot.make_room();
        for _ in 0..5 {
            depot.body(&second);
        }
        depot.make_room();
        assert!(depot.body(&first).is_none() && depot.body(&second).is_some());
        for _ in 0..ASKED_AGAIN {
            depot.body(&third);
        }
        assert!(depot.body(&third).is_some());
    }

    #[test]
    fn small_bodies_and_no_room_mean_no_file() {
        let small = Arc::new(object(&[], b"abc", 1, 0));
        let depot = Depot::new(1 << 20);
        assert!((0..9).all(|_| depot.body(&small).is_none()));
        let none = Depot::new(0);
        assert!(none.body(&hot(&none)).is_none());
    }
}
