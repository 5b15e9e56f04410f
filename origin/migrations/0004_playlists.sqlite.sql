
-- Public playlists are found by any part of their name, as songs are (see 0002).
CREATE TABLE playlist_names (place INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE) STRICT;
CREATE VIRTUAL TABLE playlist_grams USING fts5(folded, content='', contentless_delete=1, tokenize='trigram case_sensitive 1');
CREATE TRIGGER playlist_name_added AFTER INSERT ON playlists WHEN new.visibility = 'public' BEGIN
    INSERT INTO playlist_names (id) VALUES (new.id);
    INSERT INTO playlist_grams (rowid, folded) SELECT place, new.name_folded FROM playlist_names WHERE id = new.id;
END;
CREATE TRIGGER playlist_name_changed AFTER UPDATE OF name_folded, visibility ON playlists
WHEN old.name_folded <> new.name_folded OR old.visibility <> new.visibility BEGIN
    DELETE FROM playlist_grams WHERE rowid = (SELECT place FROM playlist_names WHERE id = old.id);
    DELETE FROM playlist_names WHERE id = old.id;
    INSERT INTO playlist_names (id) SELECT new.id WHERE new.visibility = 'public';
    INSERT INTO playlist_grams (rowid, folded) SELECT place, new.name_folded FROM playlist_names WHERE id = new.id;
END;
CREATE TRIGGER playlist_name_gone AFTER DELETE ON playlists WHEN old.visibility = 'public' BEGIN
    DELETE FROM playlist_grams WHERE rowid = (SELECT place FROM playlist_names WHERE id = old.id);
    DELETE FROM playlist_names WHERE id = old.id;
END;

-- A song that leaves the catalog leaves the playlists; one that gets another length changes theirs.
CREATE TRIGGER playlist_song_gone BEFORE DELETE ON songs BEGIN
    UPDATE playlists SET
        version = version + 1,
        song_count = song_count - (SELECT COUNT(*) FROM playlist_entries e
                                   WHERE e.song_id = old.id AND e.playlist_id = playlists.id),
        duration_ms = duration_ms - (SELECT SUM(e.duration_ms) FROM playlist_entries e
                                     WHERE e.song_id = old.id AND e.playlist_id = playlists.id)
    WHERE id IN (SELECT playlist_id FROM playlist_entries WHERE song_id = old.id);
    DELETE FROM playlist_entries WHERE song_id = old.id;
END;
CREATE TRIGGER playlist_song_changed AFTER UPDATE OF duration_ms ON songs WHEN old.duration_ms <> new.duration_ms BEGIN
    UPDATE playlists SET
        version = version + 1,
        duration_ms = duration_ms + (SELECT SUM(new.duration_ms - e.duration_ms) FROM playlist_entries e
                                     WHERE e.song_id = new.id AND e.playlist_id = playlists.id)
    WHERE id IN (SELECT playlist_id FROM playlist_entries WHERE song_id = new.id);
    UPDATE playlist_entries SET duration_ms = new.duration_ms WHERE song_id = new.id;
END;
