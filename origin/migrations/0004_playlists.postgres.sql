
-- Public playlists are found by any part of their name, as songs are (see 0002).
CREATE INDEX public_playlists_by_part ON playlists USING gin (name_folded gin_trgm_ops) WHERE visibility = 'public';

-- A song that leaves the catalog leaves the playlists; one that gets another length changes theirs. The first
-- statement of each waits for whoever is changing one of the playlists, so that the next sees what they did.
CREATE FUNCTION playlist_song_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE playlists SET version = version + 1
    WHERE id IN (SELECT playlist_id FROM playlist_entries WHERE song_id = OLD.id);
    WITH gone AS (
        DELETE FROM playlist_entries WHERE song_id = OLD.id RETURNING playlist_id, duration_ms
    )
    UPDATE playlists p SET song_count = p.song_count - g.songs, duration_ms = p.duration_ms - g.duration_ms
    FROM (SELECT playlist_id, COUNT(*) AS songs, SUM(duration_ms) AS duration_ms FROM gone GROUP BY playlist_id) g
    WHERE p.id = g.playlist_id;
    RETURN OLD;
END $$;
CREATE TRIGGER playlist_song_gone BEFORE DELETE ON songs FOR EACH ROW EXECUTE FUNCTION playlist_song_gone();

CREATE FUNCTION playlist_song_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE playlists SET version = version + 1
    WHERE id IN (SELECT playlist_id FROM playlist_entries WHERE song_id = NEW.id);
    UPDATE playlists p SET duration_ms = p.duration_ms + g.more
    FROM (SELECT playlist_id, SUM(NEW.duration_ms - duration_ms) AS more FROM playlist_entries
          WHERE song_id = NEW.id GROUP BY playlist_id) g
    WHERE p.id = g.playlist_id;
    UPDATE playlist_entries SET duration_ms = NEW.duration_ms WHERE song_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER playlist_song_changed AFTER UPDATE OF duration_ms ON songs FOR EACH ROW
    WHEN (OLD.duration_ms <> NEW.duration_ms) EXECUTE FUNCTION playlist_song_changed();
