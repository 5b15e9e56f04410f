//! Object storage of Segue: folder, S3 and memory behind one trait.
//!
//! [`Storage`] is the contract, [`open`] turns a URL into a ready store. Everything else is a backend or a
//! wrapper of the same trait:
//!
//! | store | for |
//! |---|---|
//! | [`Folder`] | one machine: objects are plain files under a folder |
//! | [`S3`] | AWS S3 and what speaks its protocol (Garage, MinIO, Ceph) |
//! | [`Memory`] | tests |
//! | [`Retrying`] | wraps any of them: retries with jitter, deadlines, bodies that resume |
//! | [`testing::Chaos`] | wraps any of them in tests: failures, latency, throttling, cut bodies |
//!
//! What each backend promises is written in this folder's `README.md` and held by `tests/contract.rs`.
#![forbid(unsafe_code)]

mod error;
mod folder;
mod memory;
mod object;
mod path;
mod payload;
mod retry;
mod s3;
mod storage;
pub mod testing;
mod url;

pub use error::{Error, ErrorKind};
pub use folder::Folder;
pub use memory::Memory;
pub use object::{Object, ObjectMeta};
pub use path::{MAX_PATH_BYTES, MAX_SEGMENT_BYTES, check_path, check_prefix};
pub use payload::Payload;
pub use retry::{RetryPolicy, Retrying};
pub use s3::{S3, S3Credentials, S3Options};
pub use storage::{Storage, StorageRef};
pub use url::{Location, open, open_existing};
