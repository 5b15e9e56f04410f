-- Songs that may not be played any more. They stay where playlists and plays name them.
ALTER TABLE songs ADD COLUMN taken_down_at INTEGER;
CREATE INDEX songs_taken_down ON songs (taken_down_at) WHERE taken_down_at IS NOT NULL;
