-- Walks along names and shelves touch nothing but their index: it holds only what is listed, or says what is taken down.
DROP INDEX songs_by_title;
CREATE UNIQUE INDEX songs_by_title ON songs (title_folded, id) WHERE taken_down_at IS NULL;
DROP INDEX songs_by_album;
CREATE INDEX songs_by_album ON songs (album_id, disc_place, track_place, title_folded, id, taken_down_at)
    WHERE album_id IS NOT NULL;
DROP INDEX albums_by_title;
CREATE UNIQUE INDEX albums_by_title ON albums (title_folded, id) WHERE song_count > 0 OR made = 1;
DROP INDEX artists_by_name;
CREATE UNIQUE INDEX artists_by_name ON artists (name_folded, id) WHERE song_count + album_count > 0;
