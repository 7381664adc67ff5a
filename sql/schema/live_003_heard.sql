-- When the staff of a room were heard of, and since when their customer is alone.

CREATE TABLE heard (
    site        INTEGER NOT NULL,
    conf        INTEGER NOT NULL,
    member      INTEGER NOT NULL,
    boot        TEXT    NOT NULL,                   -- of another boot: long ago
    boot_ms     INTEGER NOT NULL,                   -- when he last asked for something in this room
    PRIMARY KEY (site, conf, member)
) STRICT;

CREATE TABLE alone (
    site        INTEGER NOT NULL,
    conf        INTEGER NOT NULL,
    boot        TEXT    NOT NULL,
    boot_ms     INTEGER NOT NULL,                   -- since when; of before anything was heard: it is over
    asked_ms    INTEGER NOT NULL,                   -- when he last asked for something
    is_paused   INTEGER NOT NULL,                   -- he had asked for nothing for long, and it began anew
    PRIMARY KEY (site, conf)
) STRICT;
