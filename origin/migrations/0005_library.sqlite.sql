-- One row for every playback session; its identifier begins with its time, so that an account's rows are appended.
-- Guests have the account of 16 zero bytes.
DROP INDEX plays_by_song;
ALTER TABLE plays RENAME TO plays_before;
CREATE TABLE plays (
    user_id          BLOB    NOT NULL CHECK (length(user_id) = 16),
    playback_session BLOB    NOT NULL CHECK (length(playback_session) = 16),
    song_id          BLOB    NOT NULL REFERENCES songs (id),
    started_at       INTEGER NOT NULL,
    heard_ms         INTEGER NOT NULL DEFAULT 0 CHECK (heard_ms >= 0),
    -- 1 when it is in the roll-ups.
    counted          INTEGER NOT NULL DEFAULT 0,
    -- 1 when the player said that it was the end.
    ended            INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, playback_session)
) STRICT, WITHOUT ROWID;
INSERT INTO plays (user_id, playback_session, song_id, started_at)
    SELECT zeroblob(16), playback_session, song_id, started_at FROM plays_before;
DROP TABLE plays_before;
CREATE INDEX plays_by_song ON plays (song_id);
