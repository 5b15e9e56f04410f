//! What a `put` writes: something that can be read again, so that a failed attempt can be repeated.

use std::path::PathBuf;

use bytes::Bytes;

/// The content of an object to be written.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Bytes in memory; cloning shares them.
    Bytes(Bytes),
    /// A local file, read from its beginning at every attempt; it must not change until the put is done.
    File(PathBuf),
}

impl Payload {
    /// Size in bytes.
    ///
    /// # Errors
    /// When the file cannot be looked at, or is no regular file.
    pub(crate) async fn size(&self) -> std::io::Result<u64> {
        match self {
            Payload::Bytes(bytes) => Ok(bytes.len() as u64),
            Payload::File(path) => {
                let metadata = tokio::fs::metadata(path).await?;
                match metadata.is_file() {
                    true => Ok(metadata.len()),
                    false => Err(std::io::Error::other("not a regular file")),
                }
            }
        }
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Payload::Bytes(bytes)
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Payload::Bytes(bytes.into())
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Payload::Bytes(text.into())
    }
}

impl From<&'static str> for Payload {
    fn from(text: &'static str) -> Self {
        Payload::Bytes(Bytes::from_static(text.as_bytes()))
    }
}

impl From<PathBuf> for Payload {
    fn from(path: PathBuf) -> Self {
        Payload::File(path)
    }
}
