-- One row for every playback session, in a partition for every month: the identifier begins with its time. Guests have
-- the account of 16 zero bytes. What fits no month lies in the partition by default, so that nothing is refused.
DROP INDEX plays_by_song;
ALTER TABLE plays RENAME TO plays_before;
CREATE TABLE plays (
    user_id          BYTEA  NOT NULL CHECK (length(user_id) = 16),
    playback_session BYTEA  NOT NULL CHECK (length(playback_session) = 16),
    song_id          BYTEA  NOT NULL REFERENCES songs (id),
    started_at       BIGINT NOT NULL,
    heard_ms         BIGINT NOT NULL DEFAULT 0 CHECK (heard_ms >= 0),
    -- 1 when it is in the roll-ups.
    counted          BIGINT NOT NULL DEFAULT 0,
    -- 1 when the player said that it was the end.
    ended            BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, playback_session)
) PARTITION BY RANGE (playback_session);
CREATE INDEX plays_by_song ON plays (song_id);
CREATE TABLE plays_elsewhen PARTITION OF plays DEFAULT;

-- The first 48 bits of a playback session that began at that time.
CREATE FUNCTION session_bound(at TIMESTAMPTZ) RETURNS BYTEA
    LANGUAGE SQL IMMUTABLE STRICT
    RETURN substring(int8send(CAST(extract(epoch FROM at) * 1000 AS BIGINT)) FROM 3);

-- Makes the partition of the month of that time (milliseconds since the Unix epoch), unless it is there; rows of that
-- month that lie in the partition by default are moved into it. Says whether it made one.
CREATE FUNCTION make_plays_partition(at_ms BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    first TIMESTAMPTZ := date_trunc('month', to_timestamp(at_ms / 1000.0), 'UTC');
    next  TIMESTAMPTZ := date_trunc('month', first + INTERVAL '32 days', 'UTC');
    name  TEXT := 'plays_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    IF to_regclass(quote_ident(name)) IS NOT NULL THEN
        RETURN 0;
    END IF;
    -- One at a time, also among several origins; and until the end of this transaction no play may come to lie there
    -- that would have to be moved. The whole is locked before its part, as every statement does.
    LOCK TABLE ONLY plays IN SHARE UPDATE EXCLUSIVE MODE;
    LOCK TABLE plays_elsewhen IN ACCESS EXCLUSIVE MODE;
    IF to_regclass(quote_ident(name)) IS NOT NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE plays INCLUDING ALL)', name);
    EXECUTE format('WITH moved AS (DELETE FROM plays_elsewhen WHERE playback_session >= %L AND playback_session < %L RETURNING *)
        INSERT INTO %I SELECT * FROM moved', session_bound(first), session_bound(next), name);
    EXECUTE format('ALTER TABLE plays ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        name, session_bound(first), session_bound(next));
    RETURN 1;
END
$$;

INSERT INTO plays (user_id, playback_session, song_id, started_at)
    SELECT decode(repeat('00', 16), 'hex'), playback_session, song_id, started_at FROM plays_before;
SELECT make_plays_partition(month) FROM (SELECT DISTINCT CAST(extract(epoch FROM
    date_trunc('month', to_timestamp(started_at / 1000.0), 'UTC')) * 1000 AS BIGINT) AS month FROM plays_before) AS months;
DROP TABLE plays_before;
