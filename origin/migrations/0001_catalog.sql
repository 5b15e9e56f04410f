-- The catalog, read from descriptors, and the plays. Times are milliseconds since the Unix epoch.
-- Identifiers are raw bytes; *_folded columns hold names without case and marks (see src/catalog/fold.rs).

CREATE TABLE artists (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name        TEXT    NOT NULL,
    name_folded TEXT    NOT NULL,
    album_count INTEGER NOT NULL DEFAULT 0 CHECK (album_count >= 0),
    song_count  INTEGER NOT NULL DEFAULT 0 CHECK (song_count >= 0)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX artists_by_name ON artists (name_folded, id);

CREATE TABLE albums (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    artist_id    BLOB    NOT NULL REFERENCES artists (id),
    title        TEXT    NOT NULL,
    title_folded TEXT    NOT NULL,
    release_date TEXT    NOT NULL DEFAULT '',
    song_count   INTEGER NOT NULL DEFAULT 0 CHECK (song_count >= 0),
    duration_ms  INTEGER NOT NULL DEFAULT 0 CHECK (duration_ms >= 0)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX albums_by_title ON albums (title_folded, id);
CREATE INDEX albums_by_artist ON albums (artist_id, title_folded, id);

CREATE TABLE covers (
    sha256    BLOB    NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
    extension TEXT    NOT NULL CHECK (extension IN ('jpg', 'png')),
    size      INTEGER NOT NULL,
    width     INTEGER NOT NULL,
    height    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every packaging of every asset that was imported; songs.rev says which of them is current.
CREATE TABLE assets (
    asset        BLOB    NOT NULL CHECK (length(asset) = 16),
    rev          BLOB    NOT NULL CHECK (length(rev) = 6),
    cover_sha256 BLOB    REFERENCES covers (sha256),
    imported_at  INTEGER NOT NULL,
    PRIMARY KEY (asset, rev)
) STRICT, WITHOUT ROWID;
CREATE INDEX assets_by_cover ON assets (cover_sha256) WHERE cover_sha256 IS NOT NULL;

CREATE TABLE songs (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    rev           BLOB    NOT NULL,
    title         TEXT    NOT NULL,
    title_folded  TEXT    NOT NULL,
    artist_id     BLOB    NOT NULL REFERENCES artists (id),
    album_id      BLOB    REFERENCES albums (id),
    track_number  INTEGER,
    disc_number   INTEGER,
    -- Places that never are null, for ordering: a song without a number stands behind the others.
    disc_place    INTEGER NOT NULL,
    track_place   INTEGER NOT NULL,
    duration_ms   INTEGER NOT NULL CHECK (duration_ms > 0),
    renditions    TEXT    NOT NULL,
    cover_sha256  BLOB    REFERENCES covers (sha256),
    added_at      INTEGER NOT NULL,
    -- When this packaging became the current one.
    current_since INTEGER NOT NULL,
    FOREIGN KEY (id, rev) REFERENCES assets (asset, rev)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX songs_by_title ON songs (title_folded, id);
CREATE INDEX songs_by_artist ON songs (artist_id, title_folded, id);
CREATE INDEX songs_by_album ON songs (album_id, disc_place, track_place, title_folded, id) WHERE album_id IS NOT NULL;
CREATE INDEX songs_by_cover ON songs (cover_sha256) WHERE cover_sha256 IS NOT NULL;
CREATE INDEX songs_with_cover_by_artist ON songs (artist_id) WHERE cover_sha256 IS NOT NULL;
CREATE INDEX songs_with_cover_by_album ON songs (album_id) WHERE cover_sha256 IS NOT NULL;

-- One row for every playback session; its identifier begins with its time, so that rows are appended.
CREATE TABLE plays (
    playback_session BLOB    NOT NULL PRIMARY KEY CHECK (length(playback_session) = 16),
    song_id          BLOB    NOT NULL REFERENCES songs (id),
    started_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX plays_by_song ON plays (song_id, started_at);
