-- Walks along names and shelves touch nothing but their index: it also says what is listed.
DROP INDEX songs_by_title;
CREATE UNIQUE INDEX songs_by_title ON songs (title_folded, id, taken_down_at);
DROP INDEX songs_by_album;
CREATE INDEX songs_by_album ON songs (album_id, disc_place, track_place, title_folded, id, taken_down_at)
    WHERE album_id IS NOT NULL;
DROP INDEX albums_by_title;
CREATE UNIQUE INDEX albums_by_title ON albums (title_folded, id, song_count, made);
DROP INDEX artists_by_name;
CREATE UNIQUE INDEX artists_by_name ON artists (name_folded, id, song_count, album_count);
