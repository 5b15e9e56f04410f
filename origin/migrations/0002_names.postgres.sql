-- Finding names by any part: trigram indexes (pg_trgm, which comes with PostgreSQL).
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX songs_by_part ON songs USING gin (title_folded gin_trgm_ops);
CREATE INDEX albums_by_part ON albums USING gin (title_folded gin_trgm_ops);
CREATE INDEX artists_by_part ON artists USING gin (name_folded gin_trgm_ops);

-- The name that SQLite has for it.
CREATE FUNCTION instr(whole TEXT, part TEXT) RETURNS INTEGER
    LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE RETURN strpos(whole, part);
