//! Identifiers of accounts.

use crate::ids::{id_type, timed_id};

id_type!(
    /// Names an account; the later made, the greater.
    UserId
);

impl UserId {
    /// Whoever has no account.
    pub(crate) const GUEST: Self = Self(segue_manifests::AssetId([0; 16]));

    /// A new one.
    pub(crate) fn new(now_ms: u64) -> Self {
        timed_id(now_ms).into()
    }
}
