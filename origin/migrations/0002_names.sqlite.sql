-- Finding names by any part of three characters or more: trigram indexes beside the tables. The tables have no
-- row numbers, so each indexed name gets one here.
CREATE TABLE song_names (place INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE) STRICT;
CREATE TABLE album_names (place INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE) STRICT;
CREATE TABLE artist_names (place INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE) STRICT;
CREATE VIRTUAL TABLE song_grams USING fts5(folded, content='', contentless_delete=1, tokenize='trigram case_sensitive 1');
CREATE VIRTUAL TABLE album_grams USING fts5(folded, content='', contentless_delete=1, tokenize='trigram case_sensitive 1');
CREATE VIRTUAL TABLE artist_grams USING fts5(folded, content='', contentless_delete=1, tokenize='trigram case_sensitive 1');

INSERT INTO song_names (id) SELECT id FROM songs;
INSERT INTO song_grams (rowid, folded) SELECT place, title_folded FROM songs JOIN song_names USING (id);
INSERT INTO album_names (id) SELECT id FROM albums;
INSERT INTO album_grams (rowid, folded) SELECT place, title_folded FROM albums JOIN album_names USING (id);
INSERT INTO artist_names (id) SELECT id FROM artists;
INSERT INTO artist_grams (rowid, folded) SELECT place, name_folded FROM artists JOIN artist_names USING (id);

CREATE TRIGGER song_name_added AFTER INSERT ON songs BEGIN
    INSERT INTO song_names (id) VALUES (new.id);
    INSERT INTO song_grams (rowid, folded) SELECT place, new.title_folded FROM song_names WHERE id = new.id;
END;
CREATE TRIGGER song_name_changed AFTER UPDATE OF title_folded ON songs WHEN old.title_folded <> new.title_folded BEGIN
    UPDATE song_grams SET folded = new.title_folded WHERE rowid = (SELECT place FROM song_names WHERE id = new.id);
END;
CREATE TRIGGER song_name_gone AFTER DELETE ON songs BEGIN
    DELETE FROM song_grams WHERE rowid = (SELECT place FROM song_names WHERE id = old.id);
    DELETE FROM song_names WHERE id = old.id;
END;
CREATE TRIGGER album_name_added AFTER INSERT ON albums BEGIN
    INSERT INTO album_names (id) VALUES (new.id);
    INSERT INTO album_grams (rowid, folded) SELECT place, new.title_folded FROM album_names WHERE id = new.id;
END;
CREATE TRIGGER album_name_changed AFTER UPDATE OF title_folded ON albums WHEN old.title_folded <> new.title_folded BEGIN
    UPDATE album_grams SET folded = new.title_folded WHERE rowid = (SELECT place FROM album_names WHERE id = new.id);
END;
CREATE TRIGGER album_name_gone AFTER DELETE ON albums BEGIN
    DELETE FROM album_grams WHERE rowid = (SELECT place FROM album_names WHERE id = old.id);
    DELETE FROM album_names WHERE id = old.id;
END;
CREATE TRIGGER artist_name_added AFTER INSERT ON artists BEGIN
    INSERT INTO artist_names (id) VALUES (new.id);
    INSERT INTO artist_grams (rowid, folded) SELECT place, new.name_folded FROM artist_names WHERE id = new.id;
END;
CREATE TRIGGER artist_name_changed AFTER UPDATE OF name_folded ON artists WHEN old.name_folded <> new.name_folded BEGIN
    UPDATE artist_grams SET folded = new.name_folded WHERE rowid = (SELECT place FROM artist_names WHERE id = new.id);
END;
CREATE TRIGGER artist_name_gone AFTER DELETE ON artists BEGIN
    DELETE FROM artist_grams WHERE rowid = (SELECT place FROM artist_names WHERE id = old.id);
    DELETE FROM artist_names WHERE id = old.id;
END;
