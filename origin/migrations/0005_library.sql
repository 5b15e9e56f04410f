-- What listeners did and kept: roll-ups of plays, favourites, the queue. Times are milliseconds since the Unix epoch,
-- days are counted since it. The plays themselves stand in the files for each database.

-- Playback sessions that a client has named, so that a request sent twice starts one. Kept for some days.
CREATE TABLE play_events (
    user_id          BLOB    NOT NULL CHECK (length(user_id) = 16),
    event_id         TEXT    NOT NULL,
    playback_session BLOB    NOT NULL CHECK (length(playback_session) = 16),
    song_id          BLOB    NOT NULL CHECK (length(song_id) = 16),
    at               INTEGER NOT NULL,
    PRIMARY KEY (user_id, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX play_events_by_age ON play_events (at);

-- Plays that count, of everyone. Names nobody.
CREATE TABLE play_counts (
    kind      TEXT    NOT NULL CHECK (kind IN ('song', 'album', 'artist')),
    object_id BLOB    NOT NULL CHECK (length(object_id) = 16),
    day       INTEGER NOT NULL,
    plays     INTEGER NOT NULL,
    heard_ms  INTEGER NOT NULL,
    PRIMARY KEY (kind, object_id, day)
) STRICT, WITHOUT ROWID;

-- Plays that count, of one account; guests have none. Days first: periods are read as one range.
CREATE TABLE user_counts (
    user_id   BLOB    NOT NULL CHECK (length(user_id) = 16),
    kind      TEXT    NOT NULL CHECK (kind IN ('song', 'artist')),
    object_id BLOB    NOT NULL CHECK (length(object_id) = 16),
    day       INTEGER NOT NULL,
    plays     INTEGER NOT NULL,
    heard_ms  INTEGER NOT NULL,
    PRIMARY KEY (user_id, kind, day, object_id)
) STRICT, WITHOUT ROWID;

-- Plays that fade with time, as a logarithm (see src/playback/popularity.rs).
CREATE TABLE popularity (
    song_id BLOB NOT NULL PRIMARY KEY CHECK (length(song_id) = 16),
    score   REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX popularity_by_score ON popularity (score, song_id);

-- Albums and artists come and go with the tags of songs, so what an account likes names them without a foreign key.
CREATE TABLE favourites (
    user_id   BLOB    NOT NULL REFERENCES users (id),
    kind      TEXT    NOT NULL CHECK (kind IN ('song', 'album', 'artist')),
    object_id BLOB    NOT NULL CHECK (length(object_id) = 16),
    added_at  INTEGER NOT NULL,
    PRIMARY KEY (user_id, kind, object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX favourites_by_age ON favourites (user_id, kind, added_at, object_id);

CREATE TABLE favourite_counts (
    user_id BLOB    NOT NULL REFERENCES users (id),
    kind    TEXT    NOT NULL,
    count   INTEGER NOT NULL CHECK (count >= 0),
    PRIMARY KEY (user_id, kind)
) STRICT, WITHOUT ROWID;

-- What an account listens to on whichever device.
CREATE TABLE queues (
    user_id     BLOB    NOT NULL PRIMARY KEY REFERENCES users (id),
    -- Identifiers of songs, 16 bytes each.
    songs       BLOB    NOT NULL CHECK (length(songs) % 16 = 0),
    place       INTEGER NOT NULL,
    position_ms INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

