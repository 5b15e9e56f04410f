-- Who is credited on songs and albums, editions of one release, and what curators set. MusicBrainz identifiers are the
-- 16 bytes of their UUID.
ALTER TABLE artists ADD COLUMN mb_id BLOB;

-- Editions of one album share one.
CREATE TABLE release_groups (
    id    BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    mb_id BLOB
) STRICT, WITHOUT ROWID;

-- The credit is the line that is shown: names and what joins them.
ALTER TABLE songs ADD COLUMN credit TEXT NOT NULL DEFAULT '';
ALTER TABLE songs ADD COLUMN isrc TEXT;
ALTER TABLE songs ADD COLUMN mb_id BLOB;
-- Which way of reading tags this row comes from; older ones are read again.
ALTER TABLE songs ADD COLUMN read_as INTEGER NOT NULL DEFAULT 0;
CREATE INDEX songs_by_isrc ON songs (isrc) WHERE isrc IS NOT NULL;

ALTER TABLE albums ADD COLUMN credit TEXT NOT NULL DEFAULT '';
ALTER TABLE albums ADD COLUMN mb_id BLOB;
ALTER TABLE albums ADD COLUMN release_group_id BLOB REFERENCES release_groups (id);
ALTER TABLE albums ADD COLUMN disc_total INTEGER;
-- 1 when a curator made it: it stays while it is empty.
ALTER TABLE albums ADD COLUMN made INTEGER NOT NULL DEFAULT 0;
CREATE INDEX albums_by_release_group ON albums (release_group_id, id);

CREATE TABLE song_credits (
    song_id   BLOB    NOT NULL REFERENCES songs (id) ON DELETE CASCADE,
    place     INTEGER NOT NULL,
    artist_id BLOB    NOT NULL REFERENCES artists (id),
    role      TEXT    NOT NULL CHECK (role IN ('main', 'featured', 'remixer', 'conductor', 'composer', 'lyricist')),
    -- As credited, and what stands behind it in the line.
    name      TEXT    NOT NULL,
    joint     TEXT    NOT NULL,
    PRIMARY KEY (song_id, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX song_credits_by_artist ON song_credits (artist_id);

CREATE TABLE album_credits (
    album_id  BLOB    NOT NULL REFERENCES albums (id) ON DELETE CASCADE,
    place     INTEGER NOT NULL,
    artist_id BLOB    NOT NULL REFERENCES artists (id),
    role      TEXT    NOT NULL CHECK (role IN ('main', 'featured', 'remixer', 'conductor', 'composer', 'lyricist')),
    name      TEXT    NOT NULL,
    joint     TEXT    NOT NULL,
    PRIMARY KEY (album_id, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX album_credits_by_artist ON album_credits (artist_id);

-- The songs and albums that an artist's page lists, in its order: those credited to them for performing, each once,
-- without what is taken down. The counts of artists are the numbers of these rows.
CREATE TABLE artist_songs (
    artist_id    BLOB NOT NULL REFERENCES artists (id),
    title_folded TEXT NOT NULL,
    song_id      BLOB NOT NULL REFERENCES songs (id) ON DELETE CASCADE,
    PRIMARY KEY (artist_id, title_folded, song_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX artist_songs_by_song ON artist_songs (song_id);
CREATE TABLE artist_albums (
    artist_id    BLOB NOT NULL REFERENCES artists (id),
    title_folded TEXT NOT NULL,
    album_id     BLOB NOT NULL REFERENCES albums (id) ON DELETE CASCADE,
    PRIMARY KEY (artist_id, title_folded, album_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX artist_albums_by_album ON artist_albums (album_id);

-- What curators set; null where the tags say it.
CREATE TABLE song_edits (
    song_id      BLOB    NOT NULL PRIMARY KEY REFERENCES songs (id) ON DELETE CASCADE,
    title        TEXT,
    artist       TEXT,
    album_id     BLOB    REFERENCES albums (id),
    -- 1 when it is to be on no album.
    single       INTEGER NOT NULL DEFAULT 0,
    track_number INTEGER,
    disc_number  INTEGER,
    isrc         TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX song_edits_by_album ON song_edits (album_id) WHERE album_id IS NOT NULL;
-- Albums come and go with the tags of songs; what was set for one is there again when it comes back.
CREATE TABLE album_edits (
    album_id         BLOB NOT NULL PRIMARY KEY CHECK (length(album_id) = 16),
    title            TEXT,
    artist           TEXT,
    release_date     TEXT,
    release_group_id BLOB
) STRICT, WITHOUT ROWID;

-- What there is so far has one credit each; reading its tags again finds the others.
INSERT INTO release_groups (id) SELECT id FROM albums;
UPDATE albums SET release_group_id = id, credit = (SELECT name FROM artists WHERE artists.id = albums.artist_id),
    song_count = (SELECT COUNT(*) FROM songs WHERE album_id = albums.id AND taken_down_at IS NULL),
    duration_ms = COALESCE((SELECT SUM(duration_ms) FROM songs WHERE album_id = albums.id AND taken_down_at IS NULL), 0);
UPDATE songs SET credit = (SELECT name FROM artists WHERE artists.id = songs.artist_id);
INSERT INTO song_credits (song_id, place, artist_id, role, name, joint) SELECT id, 0, artist_id, 'main', credit, '' FROM songs;
INSERT INTO album_credits (album_id, place, artist_id, role, name, joint) SELECT id, 0, artist_id, 'main', credit, '' FROM albums;
INSERT INTO artist_songs (artist_id, title_folded, song_id) SELECT artist_id, title_folded, id FROM songs WHERE taken_down_at IS NULL;
INSERT INTO artist_albums (artist_id, title_folded, album_id) SELECT artist_id, title_folded, id FROM albums WHERE song_count > 0;
UPDATE artists SET song_count = (SELECT COUNT(*) FROM artist_songs WHERE artist_id = artists.id),
    album_count = (SELECT COUNT(*) FROM artist_albums WHERE artist_id = artists.id);
