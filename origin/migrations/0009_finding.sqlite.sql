-- What is found by a part of its name is put in order without a look at the tables: the names stand beside the
-- trigrams, and only those that everyone may see.

ALTER TABLE song_names ADD COLUMN folded TEXT NOT NULL DEFAULT '';
UPDATE song_names SET folded = (SELECT title_folded FROM songs WHERE songs.id = song_names.id);
DELETE FROM song_grams WHERE rowid IN (
    SELECT place FROM song_names n JOIN songs s ON s.id = n.id WHERE s.taken_down_at IS NOT NULL);
DELETE FROM song_names WHERE id IN (SELECT id FROM songs WHERE taken_down_at IS NOT NULL);
DROP TRIGGER song_name_added;
DROP TRIGGER song_name_changed;
CREATE TRIGGER song_name_added AFTER INSERT ON songs WHEN new.taken_down_at IS NULL BEGIN
    INSERT INTO song_names (id, folded) VALUES (new.id, new.title_folded);
    INSERT INTO song_grams (rowid, folded) SELECT place, folded FROM song_names WHERE id = new.id;
END;
CREATE TRIGGER song_name_changed AFTER UPDATE OF title_folded, taken_down_at ON songs
WHEN old.title_folded <> new.title_folded OR (old.taken_down_at IS NULL) <> (new.taken_down_at IS NULL) BEGIN
    DELETE FROM song_grams WHERE rowid = (SELECT place FROM song_names WHERE id = old.id);
    DELETE FROM song_names WHERE id = old.id;
    INSERT INTO song_names (id, folded) SELECT new.id, new.title_folded WHERE new.taken_down_at IS NULL;
    INSERT INTO song_grams (rowid, folded) SELECT place, folded FROM song_names WHERE id = new.id;
END;

ALTER TABLE album_names ADD COLUMN folded TEXT NOT NULL DEFAULT '';
UPDATE album_names SET folded = (SELECT title_folded FROM albums WHERE albums.id = album_names.id);
DROP TRIGGER album_name_added;
DROP TRIGGER album_name_changed;
CREATE TRIGGER album_name_added AFTER INSERT ON albums BEGIN
    INSERT INTO album_names (id, folded) VALUES (new.id, new.title_folded);
    INSERT INTO album_grams (rowid, folded) SELECT place, folded FROM album_names WHERE id = new.id;
END;
CREATE TRIGGER album_name_changed AFTER UPDATE OF title_folded ON albums WHEN old.title_folded <> new.title_folded BEGIN
    UPDATE album_names SET folded = new.title_folded WHERE id = new.id;
    UPDATE album_grams SET folded = new.title_folded WHERE rowid = (SELECT place FROM album_names WHERE id = new.id);
END;

ALTER TABLE artist_names ADD COLUMN folded TEXT NOT NULL DEFAULT '';
UPDATE artist_names SET folded = (SELECT name_folded FROM artists WHERE artists.id = artist_names.id);
DROP TRIGGER artist_name_added;
DROP TRIGGER artist_name_changed;
CREATE TRIGGER artist_name_added AFTER INSERT ON artists BEGIN
    INSERT INTO artist_names (id, folded) VALUES (new.id, new.name_folded);
    INSERT INTO artist_grams (rowid, folded) SELECT place, folded FROM artist_names WHERE id = new.id;
END;
CREATE TRIGGER artist_name_changed AFTER UPDATE OF name_folded ON artists WHEN old.name_folded <> new.name_folded BEGIN
    UPDATE artist_names SET folded = new.name_folded WHERE id = new.id;
    UPDATE artist_grams SET folded = new.name_folded WHERE rowid = (SELECT place FROM artist_names WHERE id = new.id);
END;

ALTER TABLE playlist_names ADD COLUMN folded TEXT NOT NULL DEFAULT '';
UPDATE playlist_names SET folded = (SELECT name_folded FROM playlists WHERE playlists.id = playlist_names.id);
DROP TRIGGER playlist_name_added;
DROP TRIGGER playlist_name_changed;
CREATE TRIGGER playlist_name_added AFTER INSERT ON playlists WHEN new.visibility = 'public' BEGIN
    INSERT INTO playlist_names (id, folded) VALUES (new.id, new.name_folded);
    INSERT INTO playlist_grams (rowid, folded) SELECT place, folded FROM playlist_names WHERE id = new.id;
END;
CREATE TRIGGER playlist_name_changed AFTER UPDATE OF name_folded, visibility ON playlists
WHEN old.name_folded <> new.name_folded OR old.visibility <> new.visibility BEGIN
    DELETE FROM playlist_grams WHERE rowid = (SELECT place FROM playlist_names WHERE id = old.id);
    DELETE FROM playlist_names WHERE id = old.id;
    INSERT INTO playlist_names (id, folded) SELECT new.id, new.name_folded WHERE new.visibility = 'public';
    INSERT INTO playlist_grams (rowid, folded) SELECT place, folded FROM playlist_names WHERE id = new.id;
END;
