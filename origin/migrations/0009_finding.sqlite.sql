-- What is found by a part of its name is put in order without a look at the tables: the names stand beside the
-- trigrams, and only those that are listed.

ALTER TABLE song_names ADD COLUMN folded TEXT NOT NULL DEFAULT '';
DROP TRIGGER song_name_added;
DROP TRIGGER song_name_changed;
DELETE FROM song_grams WHERE rowid IN (
    SELECT place FROM song_names n JOIN songs ON songs.id = n.id WHERE NOT (taken_down_at IS NULL));
DELETE FROM song_names WHERE id IN (SELECT id FROM songs WHERE NOT (taken_down_at IS NULL));
UPDATE song_names SET folded = (SELECT title_folded FROM songs WHERE songs.id = song_names.id);
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
DROP TRIGGER album_name_added;
DROP TRIGGER album_name_changed;
DELETE FROM album_grams WHERE rowid IN (
    SELECT place FROM album_names n JOIN albums ON albums.id = n.id WHERE NOT ((song_count > 0 OR made = 1)));
DELETE FROM album_names WHERE id IN (SELECT id FROM albums WHERE NOT ((song_count > 0 OR made = 1)));
UPDATE album_names SET folded = (SELECT title_folded FROM albums WHERE albums.id = album_names.id);
CREATE TRIGGER album_name_added AFTER INSERT ON albums WHEN (new.song_count > 0 OR new.made = 1) BEGIN
    INSERT INTO album_names (id, folded) VALUES (new.id, new.title_folded);
    INSERT INTO album_grams (rowid, folded) SELECT place, folded FROM album_names WHERE id = new.id;
END;
CREATE TRIGGER album_name_changed AFTER UPDATE OF title_folded, song_count, made ON albums
WHEN old.title_folded <> new.title_folded OR (old.song_count > 0 OR old.made = 1) <> (new.song_count > 0 OR new.made = 1) BEGIN
    DELETE FROM album_grams WHERE rowid = (SELECT place FROM album_names WHERE id = old.id);
    DELETE FROM album_names WHERE id = old.id;
    INSERT INTO album_names (id, folded) SELECT new.id, new.title_folded WHERE (new.song_count > 0 OR new.made = 1);
    INSERT INTO album_grams (rowid, folded) SELECT place, folded FROM album_names WHERE id = new.id;
END;

ALTER TABLE artist_names ADD COLUMN folded TEXT NOT NULL DEFAULT '';
DROP TRIGGER artist_name_added;
DROP TRIGGER artist_name_changed;
DELETE FROM artist_grams WHERE rowid IN (
    SELECT place FROM artist_names n JOIN artists ON artists.id = n.id WHERE NOT ((song_count + album_count > 0)));
DELETE FROM artist_names WHERE id IN (SELECT id FROM artists WHERE NOT ((song_count + album_count > 0)));
UPDATE artist_names SET folded = (SELECT name_folded FROM artists WHERE artists.id = artist_names.id);
CREATE TRIGGER artist_name_added AFTER INSERT ON artists WHEN (new.song_count + new.album_count > 0) BEGIN
    INSERT INTO artist_names (id, folded) VALUES (new.id, new.name_folded);
    INSERT INTO artist_grams (rowid, folded) SELECT place, folded FROM artist_names WHERE id = new.id;
END;
CREATE TRIGGER artist_name_changed AFTER UPDATE OF name_folded, song_count, album_count ON artists
WHEN old.name_folded <> new.name_folded OR (old.song_count + old.album_count > 0) <> (new.song_count + new.album_count > 0) BEGIN
    DELETE FROM artist_grams WHERE rowid = (SELECT place FROM artist_names WHERE id = old.id);
    DELETE FROM artist_names WHERE id = old.id;
    INSERT INTO artist_names (id, folded) SELECT new.id, new.name_folded WHERE (new.song_count + new.album_count > 0);
    INSERT INTO artist_grams (rowid, folded) SELECT place, folded FROM artist_names WHERE id = new.id;
END;

ALTER TABLE playlist_names ADD COLUMN folded TEXT NOT NULL DEFAULT '';
DROP TRIGGER playlist_name_added;
DROP TRIGGER playlist_name_changed;
UPDATE playlist_names SET folded = (SELECT name_folded FROM playlists WHERE playlists.id = playlist_names.id);
CREATE TRIGGER playlist_name_added AFTER INSERT ON playlists WHEN new.visibility = 'public' BEGIN
    INSERT INTO playlist_names (id, folded) VALUES (new.id, new.name_folded);
    INSERT INTO playlist_grams (rowid, folded) SELECT place, folded FROM playlist_names WHERE id = new.id;
END;
CREATE TRIGGER playlist_name_changed AFTER UPDATE OF name_folded, visibility ON playlists
WHEN old.name_folded <> new.name_folded OR (old.visibility = 'public') <> (new.visibility = 'public') BEGIN
    DELETE FROM playlist_grams WHERE rowid = (SELECT place FROM playlist_names WHERE id = old.id);
    DELETE FROM playlist_names WHERE id = old.id;
    INSERT INTO playlist_names (id, folded) SELECT new.id, new.name_folded WHERE new.visibility = 'public';
    INSERT INTO playlist_grams (rowid, folded) SELECT place, folded FROM playlist_names WHERE id = new.id;
END;
