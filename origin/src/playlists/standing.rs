//! How a playlist stands, and what the caller may do with it.

use sqlx::AnyConnection;

use super::{PlaylistError, PlaylistId, Visibility};
use crate::accounts::UserId;
use crate::catalog::fixed;
use crate::database::DatabaseError;

/// What someone may do with a playlist. Each holds the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    /// Nothing: it does not exist for them.
    None,
    See,
    /// Change its songs.
    Edit,
    /// Everything else.
    Own,
}

/// A playlist as writes need it.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) owner: UserId,
    pub(super) song_count: u64,
    pub(super) version: u64,
    pub(super) access: Access,
}

/// The access of `caller`; a guest is none.
pub(super) fn access(
    caller: Option<UserId>,
    owner: UserId,
    visibility: Visibility,
    collaborates: bool,
) -> Access {
    match caller {
        Some(caller) if caller == owner => Access::Own,
        Some(_) if collaborates => Access::Edit,
        _ if visibility == Visibility::Private => Access::None,
        _ => Access::See,
    }
}

/// Takes the playlist for the transaction, so that nobody else changes it until the end, and checks that the caller
/// has `needed` and that it still is at `version`, where one is given.
pub(super) async fn take(
    db: &mut AnyConnection,
    id: PlaylistId,
    caller: UserId,
    needed: Access,
    version: Option<u64>,
) -> Result<Standing, PlaylistError> {
    sqlx::query("UPDATE playlists SET version = version WHERE id = $1")
        .bind(id.bytes())
        .execute(&mut *db)
        .await?;
    let standing = find(db, id, Some(caller)).await?.ok_or(PlaylistError::Unknown)?;
    if standing.access < needed {
        return Err(PlaylistError::Forbidden);
    }
    if version.is_some_and(|version| version != standing.version) {
        return Err(PlaylistError::Stale);
    }
    Ok(standing)
}

/// The playlist as it stands; `None` where it does not exist for the caller.
pub(super) async fn find(
    db: &mut AnyConnection,
    id: PlaylistId,
    caller: Option<UserId>,
) -> Result<Option<Standing>, DatabaseError> {
    type Row = (Vec<u8>, String, i64, i64, i64);
    let row: Option<Row> = sqlx::query_as(
        "SELECT owner_id, visibility, song_count, version,
             (SELECT COUNT(*) FROM playlist_collaborators c WHERE c.playlist_id = p.id AND c.user_id = $2)
         FROM playlists p WHERE id = $1",
    )
    .bind(id.bytes())
    .bind(caller.unwrap_or(UserId::GUEST).bytes())
    .fetch_optional(db)
    .await?;
    let Some((owner, visibility, song_count, version, collaborates)) = row else { return Ok(None) };
    let owner = UserId::from(fixed(&owner, "owner_id")?);
    let visibility = visibility.parse().map_err(|()| DatabaseError::Column("visibility"))?;
    let access = access(caller, owner, visibility, collaborates > 0);
    let standing = Standing { owner, song_count: song_count as u64, version: version as u64, access };
    Ok(Some(standing).filter(|it| it.access > Access::None))
}

/// Counts songs in or out and the change itself; answers with the new version.
pub(super) async fn touch(
    db: &mut AnyConnection,
    id: PlaylistId,
    songs: i64,
    duration_ms: i64,
    now: u64,
) -> Result<u64, DatabaseError> {
    let (version,): (i64,) = sqlx::query_as(
        "UPDATE playlists SET version = version + 1, song_count = song_count + $2,
             duration_ms = duration_ms + $3, updated_at = $4
         WHERE id = $1 RETURNING version",
    )
    .bind(id.bytes())
    .bind(songs)
    .bind(duration_ms)
    .bind(now as i64)
    .fetch_one(db)
    .await?;
    Ok(version as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_do_what() {
        let (ann, ben) = (UserId::from([1; 16]), UserId::from([2; 16]));
        let table = [
            (Some(ann), Visibility::Private, false, Access::Own),
            (Some(ben), Visibility::Private, true, Access::Edit),
            (Some(ben), Visibility::Private, false, Access::None),
            (Some(ben), Visibility::Unlisted, false, Access::See),
            (None, Visibility::Private, false, Access::None),
            (None, Visibility::Public, false, Access::See),
        ];
        for (caller, visibility, collaborates, expected) in table {
            assert_eq!(access(caller, ann, visibility, collaborates), expected, "{caller:?} {visibility:?}");
        }
    }
}
