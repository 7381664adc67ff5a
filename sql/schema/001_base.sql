-- The first form of the main database, of which only `site` is left. All of it as it is now stands in 002_rows.sql.

CREATE TABLE site (
    id          INTEGER PRIMARY KEY,                -- 1; other sites come with a database server
    hmac_key    TEXT    NOT NULL,                   -- from which members' tokens and csrf values are derived
    last_event  INTEGER NOT NULL DEFAULT 0,         -- the last event's id; held to COMMIT, so ids rise in the order of commits
    last_queue  INTEGER NOT NULL DEFAULT 0,         -- the last event of kind queue: since then nobody's place has changed
    last_id     INTEGER NOT NULL DEFAULT 0,         -- the last id of everything else
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE conference (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER NOT NULL,
    type        TEXT    NOT NULL CHECK (type IN ('reservationless', 'scheduled')),
    subject     TEXT    NOT NULL,
    owner       TEXT    NOT NULL,
    account     TEXT    NOT NULL,
    reqid       TEXT,
    digest      TEXT    NOT NULL,
    code        INTEGER NOT NULL
        CHECK (code % 2 = 0 AND code BETWEEN 0 AND 9999998),
    state       TEXT    NOT NULL CHECK (state IN ('waiting', 'talking', 'ended')),
    timezone    TEXT    NOT NULL DEFAULT '',
    start_at    INTEGER NOT NULL,
    end_at      INTEGER NOT NULL DEFAULT 0,
    duration_s  INTEGER NOT NULL DEFAULT 0,
    recurrence  TEXT    NOT NULL DEFAULT '',
    options     TEXT    NOT NULL DEFAULT '',
    created_at  INTEGER NOT NULL,
    talking_at  INTEGER NOT NULL DEFAULT 0,
    ended_at    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site, id)
) STRICT;
CREATE UNIQUE INDEX conference_code ON conference (site, code) WHERE ended_at = 0;
CREATE UNIQUE INDEX conference_reqid ON conference (site, account, reqid) WHERE reqid IS NOT NULL;
CREATE INDEX conference_account ON conference (site, account, created_at) WHERE ended_at = 0;

CREATE TABLE member (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER NOT NULL,
    conf        INTEGER NOT NULL,
    role        TEXT    NOT NULL CHECK (role IN ('customer', 'agent', 'supervisor', 'bot', 'phone')),
    is_leader   INTEGER NOT NULL CHECK (is_leader IN (0, 1)),
    name        TEXT    NOT NULL,
    agent       INTEGER NOT NULL DEFAULT 0,
    account     TEXT    NOT NULL DEFAULT '',
    reqid       TEXT,
    joined_at   INTEGER NOT NULL,
    left_at     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, conf) REFERENCES conference (site, id)
) STRICT;
CREATE INDEX member_conf ON member (site, conf, id);
CREATE UNIQUE INDEX member_reqid ON member (site, conf, account, reqid) WHERE reqid IS NOT NULL;
CREATE UNIQUE INDEX member_agent ON member (site, conf, agent) WHERE agent <> 0;
CREATE INDEX member_of_agent ON member (site, agent, left_at) WHERE agent <> 0;

CREATE TABLE event (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER NOT NULL,
    conf        INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    member      INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    audience    TEXT    NOT NULL CHECK (audience IN ('all', 'staff', 'member', 'agent')),
    to_id       INTEGER NOT NULL DEFAULT 0,
    text        TEXT    NOT NULL DEFAULT '',
    data        TEXT    NOT NULL DEFAULT '',
    nonce       TEXT,
    PRIMARY KEY (site, id)
) STRICT;
CREATE INDEX event_conf ON event (site, conf, id);
CREATE UNIQUE INDEX event_nonce ON event (site, member, nonce) WHERE nonce IS NOT NULL;

CREATE TABLE agent (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER NOT NULL,
    login       TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    role        TEXT    NOT NULL CHECK (role IN ('agent', 'supervisor', 'admin')),
    password    TEXT    NOT NULL,
    state       TEXT    NOT NULL DEFAULT 'notready' CHECK (state IN ('ready', 'notready')),
    reason      TEXT    NOT NULL DEFAULT '',
    next        TEXT    NOT NULL DEFAULT '',
    capacity    INTEGER NOT NULL CHECK (capacity >= 0),
    phone       TEXT    NOT NULL DEFAULT '',
    is_present  INTEGER NOT NULL DEFAULT 0 CHECK (is_present IN (0, 1)),
    idle_since  INTEGER NOT NULL DEFAULT 0,
    is_disabled INTEGER NOT NULL DEFAULT 0 CHECK (is_disabled IN (0, 1)),
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (site, id)
) STRICT;
CREATE UNIQUE INDEX agent_login ON agent (site, login);
CREATE INDEX agent_free ON agent (site, idle_since, id) WHERE state = 'ready' AND is_present = 1 AND is_disabled = 0;
CREATE INDEX agent_present ON agent (site, id) WHERE is_present = 1;

CREATE TABLE agent_skill (
    site        INTEGER NOT NULL REFERENCES site(id),
    agent       INTEGER NOT NULL,
    skill       TEXT    NOT NULL,
    level       INTEGER NOT NULL DEFAULT 1 CHECK (level BETWEEN 1 AND 10),
    PRIMARY KEY (site, agent, skill),
    FOREIGN KEY (site, agent) REFERENCES agent (site, id)
) STRICT;

CREATE TABLE topic (
    site        INTEGER NOT NULL REFERENCES site(id),
    name        TEXT    NOT NULL,
    skill       TEXT    NOT NULL DEFAULT '',
    priority    INTEGER NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 10),
    PRIMARY KEY (site, name)
) STRICT;

CREATE TABLE session (
    site        INTEGER NOT NULL REFERENCES site(id),
    hash        TEXT    NOT NULL,
    agent       INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (site, hash),
    FOREIGN KEY (site, agent) REFERENCES agent (site, id)
) STRICT;
CREATE INDEX session_agent ON session (site, agent);

CREATE TABLE api_key (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          TEXT    NOT NULL,
    hash        TEXT    NOT NULL,
    about       TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site, id)
) STRICT;

CREATE TABLE invitation (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER NOT NULL,
    conf        INTEGER NOT NULL,
    url         TEXT    NOT NULL,
    account     TEXT    NOT NULL,
    reqid       TEXT,
    digest      TEXT    NOT NULL,
    subject     TEXT    NOT NULL DEFAULT '',
    topic       TEXT    NOT NULL DEFAULT '',
    skill       TEXT    NOT NULL DEFAULT '',
    priority    INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 10),
    name        TEXT    NOT NULL DEFAULT '',
    phone       TEXT    NOT NULL DEFAULT '',
    email       TEXT    NOT NULL DEFAULT '',
    language    TEXT    NOT NULL DEFAULT '',
    page        TEXT    NOT NULL DEFAULT '',
    state       TEXT    NOT NULL CHECK (state IN ('queued', 'offered', 'accepted', 'done', 'abandoned', 'cancelled')),
    epoch       INTEGER NOT NULL DEFAULT 0,
    agent       INTEGER NOT NULL DEFAULT 0,
    queued_at   INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL DEFAULT 0,
    ended_at    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, conf) REFERENCES conference (site, id)
) STRICT;
CREATE UNIQUE INDEX invitation_reqid ON invitation (site, account, reqid) WHERE reqid IS NOT NULL;
CREATE INDEX invitation_conf ON invitation (site, conf, id);
CREATE INDEX invitation_queue ON invitation (site, priority, queued_at, id) WHERE state = 'queued';
CREATE INDEX invitation_waiting ON invitation (site, priority, queued_at, id, conf) WHERE state IN ('queued', 'offered');
CREATE INDEX invitation_accepted ON invitation (site, accepted_at) WHERE accepted_at > 0;
CREATE INDEX invitation_phone ON invitation (site, phone, id) WHERE phone <> '';

CREATE TABLE reservation (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER NOT NULL,
    invitation  INTEGER NOT NULL,
    agent       INTEGER NOT NULL,
    epoch       INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('pending', 'accepted', 'rejected', 'timeout', 'revoked', 'cancelled')),
    offered_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    boot        TEXT    NOT NULL,
    boot_ms     INTEGER NOT NULL,
    ended_at    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, invitation) REFERENCES invitation (site, id)
) STRICT;
CREATE UNIQUE INDEX reservation_agent ON reservation (site, agent) WHERE state = 'pending';
CREATE UNIQUE INDEX reservation_invitation ON reservation (site, invitation) WHERE state = 'pending';
CREATE INDEX reservation_past ON reservation (site, invitation, agent);

CREATE TABLE decision (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER NOT NULL,
    conf        INTEGER NOT NULL,
    invitation  INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    agent       INTEGER NOT NULL,
    verdict     TEXT    NOT NULL
        CHECK (verdict IN ('offered', 'passed_over', 'accepted', 'declined', 'no_answer', 'gone', 'withdrawn')),
    reason      TEXT    NOT NULL,
    PRIMARY KEY (site, id)
) STRICT;
CREATE INDEX decision_conf ON decision (site, conf, id);

CREATE TABLE file (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER NOT NULL,
    conf        INTEGER NOT NULL,
    member      INTEGER NOT NULL,
    nonce       TEXT    NOT NULL,
    place       TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    type        TEXT    NOT NULL,
    bytes       INTEGER NOT NULL,
    total       INTEGER NOT NULL,
    event       INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, conf) REFERENCES conference (site, id)
) STRICT;
CREATE UNIQUE INDEX file_nonce ON file (site, member, nonce);

CREATE TABLE request (
    site        INTEGER NOT NULL REFERENCES site(id),
    reqid       TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    phone       TEXT    NOT NULL,
    email       TEXT    NOT NULL,
    topic       TEXT    NOT NULL,
    question    TEXT    NOT NULL,
    language    TEXT    NOT NULL,
    page        TEXT    NOT NULL,
    consent     TEXT    NOT NULL,
    conf        TEXT    NOT NULL DEFAULT '',
    token       TEXT    NOT NULL DEFAULT '',
    window      TEXT    NOT NULL DEFAULT '',
    position    INTEGER NOT NULL DEFAULT 0,
    wait_s      INTEGER NOT NULL DEFAULT -1,
    is_done     INTEGER NOT NULL DEFAULT 0 CHECK (is_done IN (0, 1)),
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (site, reqid)
) STRICT;
CREATE INDEX request_open ON request (site, created_at) WHERE is_done = 0;

CREATE TABLE job (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    due_at      INTEGER NOT NULL,
    boot        TEXT    NOT NULL DEFAULT '',
    boot_ms     INTEGER NOT NULL DEFAULT 0,
    attempts    INTEGER NOT NULL DEFAULT 0,
    last_error  TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (site, id)
) STRICT;
CREATE UNIQUE INDEX job_key ON job (site, kind, key);
CREATE INDEX job_due ON job (site, due_at);
