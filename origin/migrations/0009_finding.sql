-- Walks along names and shelves touch nothing but their index: it also says what is taken down.
DROP INDEX songs_by_title;
CREATE UNIQUE INDEX songs_by_title ON songs (title_folded, id, taken_down_at);
DROP INDEX songs_by_artist;
CREATE INDEX songs_by_artist ON songs (artist_id, title_folded, id, taken_down_at);
DROP INDEX songs_by_album;
CREATE INDEX songs_by_album ON songs (album_id, disc_place, track_place, title_folded, id, taken_down_at)
    WHERE album_id IS NOT NULL;
