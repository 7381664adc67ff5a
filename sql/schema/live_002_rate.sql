-- Limits count on the boot clock: a wall clock that is set, or read a moment apart by two requests, opens none of them.

DROP TABLE rate;

CREATE TABLE rate (
    site        INTEGER NOT NULL,
    bucket      TEXT    NOT NULL,                   -- what is counted, for whom: "code:192.0.2.7"
    until_ms    INTEGER NOT NULL,                   -- on the boot clock; then it counts no more
    count       INTEGER NOT NULL,
    PRIMARY KEY (site, bucket)
) STRICT;
CREATE INDEX rate_until ON rate (site, until_ms);
