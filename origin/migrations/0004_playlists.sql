-- Playlists of listeners. Times are milliseconds since the Unix epoch.

CREATE TABLE playlists (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    owner_id    BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    name_folded TEXT    NOT NULL,
    description TEXT    NOT NULL DEFAULT '',
    visibility  TEXT    NOT NULL CHECK (visibility IN ('public', 'unlisted', 'private')),
    song_count  INTEGER NOT NULL DEFAULT 0 CHECK (song_count >= 0),
    duration_ms INTEGER NOT NULL DEFAULT 0 CHECK (duration_ms >= 0),
    -- Counts changes: the snapshot and the entity-tag.
    version     INTEGER NOT NULL DEFAULT 1,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX playlists_by_owner ON playlists (owner_id, id);
CREATE UNIQUE INDEX public_playlists_by_owner ON playlists (owner_id, id) WHERE visibility = 'public';
CREATE UNIQUE INDEX public_playlists_by_name ON playlists (name_folded, id) WHERE visibility = 'public';

-- Positions are text that sorts by its bytes (see src/playlists/position.rs): between any two there is always another,
-- so that nothing is numbered anew.
CREATE TABLE playlist_entries (
    playlist_id BLOB    NOT NULL REFERENCES playlists (id) ON DELETE CASCADE,
    position    TEXT    NOT NULL,
    entry_id    BLOB    NOT NULL CHECK (length(entry_id) = 16),
    song_id     BLOB    NOT NULL REFERENCES songs (id) ON DELETE CASCADE,
    -- As counted in the playlist.
    duration_ms INTEGER NOT NULL,
    added_at    INTEGER NOT NULL,
    -- Null when that account was erased.
    added_by    BLOB    REFERENCES users (id) ON DELETE SET NULL,
    PRIMARY KEY (playlist_id, position, entry_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX playlist_entries_by_id ON playlist_entries (playlist_id, entry_id);
CREATE INDEX playlist_entries_by_song ON playlist_entries (song_id, playlist_id);
CREATE INDEX playlist_entries_by_adder ON playlist_entries (added_by) WHERE added_by IS NOT NULL;

-- Accounts that may change the songs of another's playlist.
CREATE TABLE playlist_collaborators (
    user_id     BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    playlist_id BLOB    NOT NULL REFERENCES playlists (id) ON DELETE CASCADE,
    added_at    INTEGER NOT NULL,
    PRIMARY KEY (user_id, playlist_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX playlist_collaborators_by_playlist ON playlist_collaborators (playlist_id, user_id);
