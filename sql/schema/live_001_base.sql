-- live.db: what may be lost. No fsync; a machine that stops may forget all of it.

CREATE TABLE presence (
    site        INTEGER NOT NULL,
    agent       INTEGER NOT NULL,
    boot        TEXT    NOT NULL,                   -- of another boot: long ago
    boot_ms     INTEGER NOT NULL,                   -- when his last poll arrived
    PRIMARY KEY (site, agent)
) STRICT;

CREATE TABLE typing (
    site        INTEGER NOT NULL,
    conf        INTEGER NOT NULL,
    member      INTEGER NOT NULL,
    serial      INTEGER NOT NULL,                   -- rises; what a poll has seen
    boot_ms     INTEGER NOT NULL,                   -- when, on the boot clock
    PRIMARY KEY (site, conf, member)
) STRICT;
CREATE INDEX typing_serial ON typing (site, serial);

CREATE TABLE rate (
    site        INTEGER NOT NULL,
    bucket      TEXT    NOT NULL,                   -- what is counted, for whom: "code:192.0.2.7"
    until_at    INTEGER NOT NULL,                   -- then it counts no more
    count       INTEGER NOT NULL,
    PRIMARY KEY (site, bucket)
) STRICT;
CREATE INDEX rate_until ON rate (site, until_at);
