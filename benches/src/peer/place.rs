//! Where a proxy lives while it is measured: its folders, its certificate, its core.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use crate::client::Failure;

/// Folders that are gone in the end, and what all proxies are given alike.
#[derive(Debug, Clone)]
pub struct Place {
    disk: Arc<TempDir>,
    memory: Arc<TempDir>,
    name: String,
    /// Port of the origin on the loopback address.
    pub origin: u16,
    /// The core that proxies are bound to; none: any.
    pub core: Option<usize>,
    /// Bytes that may be cached.
    pub cache_bytes: u64,
    /// Connections that must be possible.
    pub connections: usize,
    /// nginx keeps files open, which is faster; but what it has open it goes on serving though it was evicted, so that
    /// it holds more than its limit.
    pub keep_open: bool,
}

impl Place {
    /// A place with a new certificate (ECDSA, P-256).
    ///
    /// # Errors
    /// When a folder or file cannot be written.
    pub fn new(origin: u16, core: Option<usize>, cache_bytes: u64) -> Result<Self, Failure> {
        let memory = Path::new("/dev/shm");
        let memory = if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? };
        let disk = Arc::new(tempfile::tempdir()?);
        let (memory, name) = (Arc::new(memory), String::new());
        let place =
            Self { disk, memory, name, origin, core, cache_bytes, connections: 16_000, keep_open: true };
        // Workers of some proxies are other users.
        [place.disk.path(), place.memory.path()].into_iter().try_for_each(open_to_all)?;
        place.write_certificate()?;
        Ok(place)
    }

    fn write_certificate(&self) -> Result<(), Failure> {
        let folder = self.cert();
        fs::create_dir(&folder)?;
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        fs::write(folder.join("cert.pem"), &cert)?;
        fs::write(folder.join("key.pem"), &key)?;
        fs::write(folder.join("both.pem"), cert + &key)?;
        Ok(())
    }

    /// The same for one proxy, with folders of its own.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub fn within(&self, name: &str) -> Result<Self, Failure> {
        let place = Self { name: name.to_owned(), ..self.clone() };
        for folder in [place.run(), place.cache()] {
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir(&folder)?;
            open_to_all(&folder)?;
        }
        Ok(place)
    }

    /// Settings and logs.
    pub(super) fn run(&self) -> PathBuf {
        self.disk.path().join(&self.name)
    }

    /// What is cached, in memory.
    pub(super) fn cache(&self) -> PathBuf {
        self.memory.path().join(&self.name)
    }

    /// The folder of `cert.pem`, `key.pem` and `both.pem`.
    #[must_use]
    pub fn cert(&self) -> PathBuf {
        self.disk.path().join("cert")
    }

    /// Where a proxy of that name writes its log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.run().join("log.txt")
    }

    /// Where the edge on that port writes its log.
    #[must_use]
    pub fn edge_log(&self, port: u16) -> PathBuf {
        self.run().join(format!("edge.{port}.txt"))
    }

    /// A folder for what the harness itself writes.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        self.disk.path()
    }

    /// Writes a settings file: `@NAME@` of the template becomes its value.
    pub(super) fn write(
        &self,
        file: &str,
        template: &str,
        values: &[(&str, &str)],
    ) -> Result<String, Failure> {
        let path = self.run().join(file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let (run, cache, cert) = (self.run(), self.cache(), self.cert());
        let own = [
            ("RUN", run.to_string_lossy().into_owned()),
            ("CACHE", cache.to_string_lossy().into_owned()),
            ("CERT", cert.to_string_lossy().into_owned()),
            ("ORIGIN", self.origin.to_string()),
            ("BYTES", self.cache_bytes.to_string()),
        ];
        let own = own.iter().map(|(name, value)| (*name, value.as_str()));
        let text = own
            .chain(values.iter().copied())
            .fold(template.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), value));
        fs::write(&path, text)?;
        Ok(path.to_string_lossy().into_owned())
    }
}

fn open_to_all(folder: &Path) -> std::io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777))
}
