-- Each row is one search and one page: sqlite kept the first form's rows under numbers of its own, beside an index of their keys.
-- Now an id alone is the row's key (there is one site in sqlite's file, and no id is used twice), and other keys hold their rows
-- themselves. Times are ms since 1970 UTC; flags are 0 or 1; "" is "not given". Only `site` is still as 001 made it.

ALTER TABLE conference RENAME TO old_conference;
ALTER TABLE member RENAME TO old_member;
ALTER TABLE event RENAME TO old_event;
ALTER TABLE agent RENAME TO old_agent;
ALTER TABLE agent_skill RENAME TO old_agent_skill;
ALTER TABLE topic RENAME TO old_topic;
ALTER TABLE session RENAME TO old_session;
ALTER TABLE api_key RENAME TO old_api_key;
ALTER TABLE invitation RENAME TO old_invitation;
ALTER TABLE reservation RENAME TO old_reservation;
ALTER TABLE decision RENAME TO old_decision;
ALTER TABLE file RENAME TO old_file;
ALTER TABLE request RENAME TO old_request;
ALTER TABLE job RENAME TO old_job;

DROP INDEX conference_code;
DROP INDEX conference_reqid;
DROP INDEX conference_account;
DROP INDEX member_conf;
DROP INDEX member_reqid;
DROP INDEX member_agent;
DROP INDEX member_of_agent;
DROP INDEX event_conf;
DROP INDEX event_nonce;
DROP INDEX agent_login;
DROP INDEX agent_free;
DROP INDEX agent_present;
DROP INDEX session_agent;
DROP INDEX invitation_reqid;
DROP INDEX invitation_conf;
DROP INDEX invitation_queue;
DROP INDEX invitation_waiting;
DROP INDEX invitation_accepted;
DROP INDEX invitation_phone;
DROP INDEX reservation_agent;
DROP INDEX reservation_invitation;
DROP INDEX reservation_past;
DROP INDEX decision_conf;
DROP INDEX file_nonce;
DROP INDEX request_open;
DROP INDEX job_key;
DROP INDEX job_due;

CREATE TABLE conference (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER PRIMARY KEY,                -- 15 random digits; on the wire followed by the server's name
    type        TEXT    NOT NULL CHECK (type IN ('reservationless', 'scheduled')),
    subject     TEXT    NOT NULL,
    owner       TEXT    NOT NULL,                   -- a name or address for people, no account
    account     TEXT    NOT NULL,                   -- who scheduled it: key:ID, agent:LOGIN or local
    reqid       TEXT,                               -- unique for each account
    digest      TEXT    NOT NULL,                   -- of the values that came with the reqid
    code        INTEGER NOT NULL                    -- the participant's; the leader's is one more
        CHECK (code % 2 = 0 AND code BETWEEN 0 AND 9999998),
    state       TEXT    NOT NULL CHECK (state IN ('waiting', 'talking', 'ended')),
    timezone    TEXT    NOT NULL DEFAULT '',
    start_at    INTEGER NOT NULL,
    end_at      INTEGER NOT NULL DEFAULT 0,         -- 0: open
    duration_s  INTEGER NOT NULL DEFAULT 0,
    recurrence  TEXT    NOT NULL DEFAULT '',        -- as the client writes it: D-WE, W-1-MON
    options     TEXT    NOT NULL DEFAULT '',        -- everything else that came, urlencoded, for whoever asks later
    created_at  INTEGER NOT NULL,
    talking_at  INTEGER NOT NULL DEFAULT 0,         -- a person joined the customer; 0: not yet
    ended_at    INTEGER NOT NULL DEFAULT 0          -- 0: live
) STRICT;
CREATE UNIQUE INDEX conference_code ON conference (site, code) WHERE ended_at = 0;
CREATE UNIQUE INDEX conference_reqid ON conference (site, account, reqid) WHERE reqid IS NOT NULL;
CREATE INDEX conference_account ON conference (site, account, created_at) WHERE ended_at = 0;

CREATE TABLE member (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER PRIMARY KEY,
    conf        INTEGER NOT NULL,
    role        TEXT    NOT NULL CHECK (role IN ('customer', 'agent', 'supervisor', 'bot', 'phone')),
    is_leader   INTEGER NOT NULL CHECK (is_leader IN (0, 1)),
    name        TEXT    NOT NULL,                   -- "" shows as the role
    agent       INTEGER NOT NULL DEFAULT 0,         -- the agent behind it, or 0
    account     TEXT    NOT NULL DEFAULT '',        -- who asked for it: key:ID, local, guest:ADDRESS, …
    reqid       TEXT,                               -- unique in the conference for each account
    joined_at   INTEGER NOT NULL,
    left_at     INTEGER NOT NULL DEFAULT 0,         -- 0: still there
    FOREIGN KEY (conf) REFERENCES conference (id)
) STRICT;
CREATE INDEX member_conf ON member (site, conf);
CREATE UNIQUE INDEX member_reqid ON member (site, conf, account, reqid) WHERE reqid IS NOT NULL;
CREATE UNIQUE INDEX member_agent ON member (site, conf, agent) WHERE agent <> 0;
CREATE INDEX member_of_agent ON member (site, agent, left_at) WHERE agent <> 0;

-- Everything said or happening in a conference; append-only. History, polls, transcripts and reports are reads of it.
CREATE TABLE event (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER PRIMARY KEY,                -- rises in the order of commits
    conf        INTEGER NOT NULL,                   -- 0: concerns an agent only
    at          INTEGER NOT NULL,
    member      INTEGER NOT NULL,                   -- who; 0: the system
    kind        TEXT    NOT NULL,
    audience    TEXT    NOT NULL CHECK (audience IN ('all', 'staff', 'member', 'agent')),
    to_id       INTEGER NOT NULL DEFAULT 0,         -- the member or agent of the audience
    text        TEXT    NOT NULL DEFAULT '',        -- what was said
    data        TEXT    NOT NULL DEFAULT '',        -- the kind's further fields as the inside of a JSON object
    nonce       TEXT                                -- the client's, unique for the member
) STRICT;
CREATE INDEX event_conf ON event (site, conf);
CREATE UNIQUE INDEX event_nonce ON event (site, member, nonce) WHERE nonce IS NOT NULL;

CREATE TABLE agent (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER PRIMARY KEY,
    login       TEXT    NOT NULL,
    name        TEXT    NOT NULL,                   -- as customers see it
    role        TEXT    NOT NULL CHECK (role IN ('agent', 'supervisor', 'admin')),
    password    TEXT    NOT NULL,                   -- yescrypt (crypt(5))
    state       TEXT    NOT NULL DEFAULT 'notready' CHECK (state IN ('ready', 'notready')),
    reason      TEXT    NOT NULL DEFAULT '',        -- of not ready: his own, or no_answer, signed_out
    next        TEXT    NOT NULL DEFAULT '',        -- what he becomes after the current work
    capacity    INTEGER NOT NULL CHECK (capacity >= 0),
    phone       TEXT    NOT NULL DEFAULT '',        -- where he wants to be called, E.164
    is_present  INTEGER NOT NULL DEFAULT 0 CHECK (is_present IN (0, 1)), -- his polls arrive (their times: live.db)
    idle_since  INTEGER NOT NULL DEFAULT 0,         -- since when he has had nothing new; longest idle is offered first
    is_disabled INTEGER NOT NULL DEFAULT 0 CHECK (is_disabled IN (0, 1)),
    created_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX agent_login ON agent (site, login);
CREATE INDEX agent_free ON agent (site, idle_since, id) WHERE state = 'ready' AND is_present = 1 AND is_disabled = 0;
CREATE INDEX agent_present ON agent (site) WHERE is_present = 1;

CREATE TABLE agent_skill (
    site        INTEGER NOT NULL REFERENCES site(id),
    agent       INTEGER NOT NULL,
    skill       TEXT    NOT NULL,
    level       INTEGER NOT NULL DEFAULT 1 CHECK (level BETWEEN 1 AND 10),
    PRIMARY KEY (site, agent, skill),
    FOREIGN KEY (agent) REFERENCES agent (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE topic (
    site        INTEGER NOT NULL REFERENCES site(id),
    name        TEXT    NOT NULL,                   -- as the form offers it
    skill       TEXT    NOT NULL DEFAULT '',        -- that it needs; "": anybody's
    priority    INTEGER NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 10), -- 1 goes first
    PRIMARY KEY (site, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    site        INTEGER NOT NULL REFERENCES site(id),
    hash        TEXT    NOT NULL,                   -- SHA-256 of the token
    agent       INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (site, hash),
    FOREIGN KEY (agent) REFERENCES agent (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_agent ON session (site, agent, expires_at);

CREATE TABLE api_key (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          TEXT    NOT NULL,
    hash        TEXT    NOT NULL,                   -- SHA-256 of the secret
    about       TEXT    NOT NULL,                   -- whose it is
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site, id)
) STRICT, WITHOUT ROWID;

-- The queuing server's: one row for each conference invitation.
CREATE TABLE invitation (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER PRIMARY KEY,
    conf        INTEGER NOT NULL,
    url         TEXT    NOT NULL,                   -- the vcs_call URL of the conference
    account     TEXT    NOT NULL,                   -- who put it
    reqid       TEXT,                               -- unique for each account
    digest      TEXT    NOT NULL,
    subject     TEXT    NOT NULL DEFAULT '',
    topic       TEXT    NOT NULL DEFAULT '',
    skill       TEXT    NOT NULL DEFAULT '',
    priority    INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 10),
    name        TEXT    NOT NULL DEFAULT '',        -- the customer's, as he wrote them
    phone       TEXT    NOT NULL DEFAULT '',
    email       TEXT    NOT NULL DEFAULT '',
    language    TEXT    NOT NULL DEFAULT '',
    page        TEXT    NOT NULL DEFAULT '',
    state       TEXT    NOT NULL CHECK (state IN ('queued', 'offered', 'accepted', 'done', 'abandoned', 'cancelled')),
    epoch       INTEGER NOT NULL DEFAULT 0,         -- how often it was offered; an offer of an older epoch is void
    agent       INTEGER NOT NULL DEFAULT 0,         -- who accepted
    queued_at   INTEGER NOT NULL,                   -- never changes: his place
    accepted_at INTEGER NOT NULL DEFAULT 0,
    ended_at    INTEGER NOT NULL DEFAULT 0,
    FOREIGN KEY (conf) REFERENCES conference (id)
) STRICT;
CREATE UNIQUE INDEX invitation_reqid ON invitation (site, account, reqid) WHERE reqid IS NOT NULL;
CREATE INDEX invitation_conf ON invitation (site, conf);
CREATE INDEX invitation_waiting ON invitation (site, priority, queued_at, id, state, conf) WHERE state IN ('queued', 'offered');
CREATE INDEX invitation_accepted ON invitation (site, accepted_at) WHERE accepted_at > 0;
CREATE INDEX invitation_phone ON invitation (site, phone) WHERE phone <> '';

-- One offer to one agent: a lease on the boot clock.
CREATE TABLE reservation (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER PRIMARY KEY,
    invitation  INTEGER NOT NULL,
    agent       INTEGER NOT NULL,
    epoch       INTEGER NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('pending', 'accepted', 'rejected', 'timeout', 'revoked', 'cancelled')),
    offered_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,                   -- wall clock, for people
    boot        TEXT    NOT NULL,                   -- the lease counts in this boot only …
    boot_ms     INTEGER NOT NULL,                   -- … until this moment of its clock; afterwards: when it ended
    ended_at    INTEGER NOT NULL DEFAULT 0,
    FOREIGN KEY (invitation) REFERENCES invitation (id)
) STRICT;
CREATE UNIQUE INDEX reservation_agent ON reservation (site, agent) WHERE state = 'pending';
CREATE UNIQUE INDEX reservation_invitation ON reservation (site, invitation) WHERE state = 'pending';
CREATE INDEX reservation_past ON reservation (site, invitation, agent);

-- Why routing did what it did; one row for each candidate looked at.
CREATE TABLE decision (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER NOT NULL,
    conf        INTEGER NOT NULL,
    invitation  INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    agent       INTEGER NOT NULL,                   -- the candidate; 0: nobody
    verdict     TEXT    NOT NULL
        CHECK (verdict IN ('offered', 'passed_over', 'accepted', 'declined', 'no_answer', 'gone', 'withdrawn')),
    reason      TEXT    NOT NULL,
    PRIMARY KEY (site, conf, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE file (
    site        INTEGER NOT NULL REFERENCES site(id),
    id          INTEGER PRIMARY KEY,
    conf        INTEGER NOT NULL,
    member      INTEGER NOT NULL,
    nonce       TEXT    NOT NULL,                   -- the client's, unique for the member
    place       TEXT    NOT NULL,                   -- random name below state_dir/files
    name        TEXT    NOT NULL,                   -- as the sender called it
    type        TEXT    NOT NULL,                   -- by its first bytes, never as sent
    bytes       INTEGER NOT NULL,                   -- on the disk so far
    total       INTEGER NOT NULL,
    event       INTEGER NOT NULL DEFAULT 0,         -- that announced it; 0: not whole yet
    created_at  INTEGER NOT NULL,
    FOREIGN KEY (conf) REFERENCES conference (id)
) STRICT;
CREATE UNIQUE INDEX file_nonce ON file (site, member, nonce);

-- The application server's: a form that was sent, until its conference stands and its invitation is queued.
CREATE TABLE request (
    site        INTEGER NOT NULL REFERENCES site(id),
    reqid       TEXT    NOT NULL,
    digest      TEXT    NOT NULL,                   -- of the entries
    name        TEXT    NOT NULL,
    phone       TEXT    NOT NULL,
    email       TEXT    NOT NULL,
    topic       TEXT    NOT NULL,
    question    TEXT    NOT NULL,
    language    TEXT    NOT NULL,
    page        TEXT    NOT NULL,
    consent     TEXT    NOT NULL,
    conf        TEXT    NOT NULL DEFAULT '',        -- the answer, once it is done: conference …
    token       TEXT    NOT NULL DEFAULT '',        -- … the customer's token …
    window      TEXT    NOT NULL DEFAULT '',        -- … the room's URL …
    position    INTEGER NOT NULL DEFAULT 0,         -- … his place in the queue then …
    wait_s      INTEGER NOT NULL DEFAULT -1,        -- … and the wait expected then; -1: unknown
    is_done     INTEGER NOT NULL DEFAULT 0 CHECK (is_done IN (0, 1)),
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (site, reqid)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_open ON request (site, created_at) WHERE is_done = 0;

-- Work that is due: claimed by whoever looks first, given back when its lease runs out.
CREATE TABLE job (
    site        INTEGER NOT NULL REFERENCES site(id),
    kind        TEXT    NOT NULL,                   -- form: finish the request `key`
    key         TEXT    NOT NULL,
    due_at      INTEGER NOT NULL,
    boot        TEXT    NOT NULL DEFAULT '',        -- the lease, as in reservation
    boot_ms     INTEGER NOT NULL DEFAULT 0,
    attempts    INTEGER NOT NULL DEFAULT 0,
    last_error  TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (site, kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_due ON job (site, due_at);

INSERT INTO conference SELECT * FROM old_conference;
INSERT INTO member SELECT * FROM old_member;
INSERT INTO event SELECT * FROM old_event;
INSERT INTO agent SELECT * FROM old_agent;
INSERT INTO agent_skill SELECT * FROM old_agent_skill;
INSERT INTO topic SELECT * FROM old_topic;
INSERT INTO session SELECT * FROM old_session;
INSERT INTO api_key SELECT * FROM old_api_key;
INSERT INTO invitation SELECT * FROM old_invitation;
INSERT INTO reservation SELECT * FROM old_reservation;
INSERT INTO decision SELECT * FROM old_decision;
INSERT INTO file SELECT * FROM old_file;
INSERT INTO request SELECT * FROM old_request;
INSERT INTO job (site, kind, key, due_at, boot, boot_ms, attempts, last_error)
SELECT site, kind, key, due_at, boot, boot_ms, attempts, last_error FROM old_job;

DROP TABLE old_job;
DROP TABLE old_request;
DROP TABLE old_file;
DROP TABLE old_decision;
DROP TABLE old_reservation;
DROP TABLE old_invitation;
DROP TABLE old_api_key;
DROP TABLE old_session;
DROP TABLE old_topic;
DROP TABLE old_agent_skill;
DROP TABLE old_agent;
DROP TABLE old_event;
DROP TABLE old_member;
DROP TABLE old_conference;
