//! What origins tell one another.

use std::fmt;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::accounts::UserId;

/// Something has changed, here or at another origin, and what is remembered of it counts no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// Sign-ins or the role of an account.
    Account(UserId),
    /// What everyone sees: the catalog, and what is taken down.
    Catalog,
    /// Events may have been lost: anything may have changed.
    Missed,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(user) => write!(f, "account {user}"),
            Self::Catalog => f.write_str("catalog"),
            Self::Missed => f.write_str("missed"),
        }
    }
}

impl Event {
    /// Reads what [`Event`] writes; `None` for what a later version may tell.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        match std::str::from_utf8(text).ok()?.split_once(' ') {
            Some(("account", user)) => user.parse().ok().map(Self::Account),
            None if text == b"catalog" => Some(Self::Catalog),
            None if text == b"missed" => Some(Self::Missed),
            _ => None,
        }
    }
}

/// Events, one after the other.
pub(crate) struct Events(Receiver<Event>);

impl Events {
    pub(super) fn new(events: Receiver<Event>) -> Self {
        Self(events)
    }

    /// Skips what has been told until now.
    pub(crate) fn skip(&mut self) {
        self.0 = self.0.resubscribe();
    }

    /// The next event; waits for ever where nobody can tell any.
    pub(crate) async fn next(&mut self) -> Event {
        match self.0.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(_)) => Event::Missed,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn events_are_read_as_written(user in any::<[u8; 16]>()) {
            for event in [Event::Account(user.into()), Event::Catalog, Event::Missed] {
                prop_assert_eq!(Event::read(event.to_string().as_bytes()), Some(event));
            }
        }

        #[test]
        fn other_text_is_no_event(text in any::<Vec<u8>>()) {
            if let Some(event) = Event::read(&text) {
                prop_assert_eq!(event.to_string().into_bytes(), text);
            }
        }
    }
}
