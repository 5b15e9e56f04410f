//! What all identifiers have in common: 16 bytes, shown as 32 hexadecimal digits.

/// A kind of identifier: bytes, text, JSON, order.
macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        // The spelling of all identifiers is the one of AssetId: 32 lowercase hexadecimal digits.
        pub(crate) struct $name(segue_manifests::AssetId);

        impl $name {
            /// The raw bytes, as the database keeps them.
            pub(crate) fn bytes(&self) -> &[u8] {
                &self.0.0
            }
        }

        // Places in lists do not care whose identifier it is.
        impl From<$name> for segue_manifests::AssetId {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<[u8; 16]> for $name {
            fn from(bytes: [u8; 16]) -> Self {
                Self(segue_manifests::AssetId(bytes))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = segue_manifests::IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self(text.parse()?))
            }
        }
    };
}
pub(crate) use id_type;

/// A UUID of version 7 (RFC 9562 5.7): time in milliseconds first, so that rows are appended, then chance.
pub(crate) fn timed_id(now_ms: u64) -> [u8; 16] {
    let mut id: [u8; 16] = chance();
    id[..6].copy_from_slice(&now_ms.to_be_bytes()[2..]);
    id[6] = id[6] & 0x0f | 0x70;
    id[8] = id[8] & 0x3f | 0x80;
    id
}

/// Bytes that nobody can guess.
pub(crate) fn chance<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random source works");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    id_type!(
        /// Any kind.
        AnyId
    );

    #[test]
    fn identifiers_are_ordered_by_time() {
        let (early, late) = (AnyId::from(timed_id(1000)), AnyId::from(timed_id(2000)));
        assert!(early < late);
        assert_ne!(early, AnyId::from(timed_id(1000)));
        assert_eq!(early.to_string().parse(), Ok(early));
        assert_eq!(&early.to_string()[12..13], "7");
        assert_eq!(hex::encode(early.bytes()), early.to_string());
    }
}
