-- How often the catalog was changed. Every transaction that changes what its lists and details show adds one.
CREATE TABLE catalog_generation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation INTEGER NOT NULL
) STRICT;
INSERT INTO catalog_generation (one, generation) VALUES (1, 0);
