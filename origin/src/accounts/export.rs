//! Everything that belongs to one account: to be given out, and to be erased.

use serde::Serialize;

use super::{Account, AccountError, Accounts, Session, UserId};
use crate::library;
use crate::playlists::kept::{self, KeptCollaboration, KeptPlaylist};

/// Statements that erase an account; `$1` is the account. What others see of it goes too.
pub(super) const ERASE: &[&str] = &[
    "DELETE FROM plays WHERE user_id = $1",
    "DELETE FROM user_counts WHERE user_id = $1",
    "DELETE FROM play_events WHERE user_id = $1",
    "DELETE FROM favourites WHERE user_id = $1",
    "DELETE FROM favourite_counts WHERE user_id = $1",
    "DELETE FROM queues WHERE user_id = $1",
    "DELETE FROM sessions WHERE user_id = $1",
    // What the account put into others' playlists stays there, without its name.
    "UPDATE playlist_entries SET added_by = NULL WHERE added_by = $1",
    "DELETE FROM playlist_collaborators WHERE user_id = $1",
    "DELETE FROM playlists WHERE owner_id = $1",
    "DELETE FROM users WHERE id = $1",
];

/// All that is kept about an account.
#[derive(Debug, Serialize)]
pub(crate) struct Export {
    account: Account,
    sessions: Vec<Session>,
    #[serde(flatten)]
    library: library::Export,
    playlists: Vec<KeptPlaylist>,
    collaborations: Vec<KeptCollaboration>,
}

impl Accounts {
    /// Gathers what is kept about an account.
    pub(crate) async fn export(&self, id: UserId, now: u64) -> Result<Export, AccountError> {
        let account = self.account(id).await?.ok_or(AccountError::Unknown)?;
        let sessions = self.sessions(id, [0; 16], now).await?;
        let library = library::Export::gather(&self.database, id).await?;
        let playlists = kept::playlists(&self.database, id).await?;
        let collaborations = kept::collaborations(&self.database, id).await?;
        Ok(Export { account, sessions, library, playlists, collaborations })
    }
}
