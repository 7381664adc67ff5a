--- Conferences and their codes.

-- conference_insert: a new conference; a code that a live one has is a conflict.
--   in  id int, type text, subject text, owner text, account text, reqid text, digest text, code int
--   in  timezone text, start_at int, end_at int, duration_s int, recurrence text, options text, at int
--   run
INSERT INTO conference (site, id, type, subject, owner, account, reqid, digest, code, state, timezone, start_at, end_at,
    duration_s, recurrence, options, created_at)
VALUES ($site, $id, $type, $subject, $owner, $account, $reqid, $digest, $code, 'waiting', $timezone, $start_at, $end_at,
    $duration_s, $recurrence, $options, $at);

-- conference: one conference, live or not.
--   in  id int
--   out id int, type text, subject text, owner text, account text, digest text, code int, state text, timezone text
--   out start_at int, end_at int, duration_s int, recurrence text, options text, created_at int, talking_at int, ended_at int
--   one
SELECT id, type, subject, owner, account, digest, code, state, timezone, start_at, end_at, duration_s, recurrence, options,
    created_at, talking_at, ended_at
FROM conference WHERE site = $site AND id = $id;

-- conference_state: where a conference is in its life, for those who ask with every message.
--   in  id int
--   out state text, ended_at int
--   one
SELECT state, ended_at FROM conference WHERE site = $site AND id = $id;

-- conference_by_code: the live conference of a participant's code.
--   in  code int
--   out id int
--   one
SELECT id FROM conference WHERE site = $site AND code = $code AND ended_at = 0;

-- conference_own_by_code: the live conference of a participant's code, if that account scheduled it.
--   in  code int, account text
--   out id int
--   one
SELECT id FROM conference INDEXED BY conference_code
WHERE site = $site AND code = $code AND ended_at = 0 AND account = $account;

-- conference_by_reqid: the conference that an account's earlier request made.
--   in  account text, reqid text
--   out id int, digest text
--   one
SELECT id, digest FROM conference WHERE site = $site AND account = $account AND reqid = $reqid;

-- conference_change: other values for a live conference.
--   in  id int, type text, subject text, owner text, timezone text, start_at int, end_at int, duration_s int
--   in  recurrence text, options text
--   count
UPDATE conference SET type = $type, subject = $subject, owner = $owner, timezone = $timezone, start_at = $start_at,
    end_at = $end_at, duration_s = $duration_s, recurrence = $recurrence, options = $options
WHERE site = $site AND id = $id AND ended_at = 0;

-- conference_list: an account's live conferences, oldest first.
--   in  account text
--   out id int
--   many
SELECT id FROM conference WHERE site = $site AND account = $account AND ended_at = 0 ORDER BY created_at, id LIMIT 10000;

-- conference_talk: a person has joined the customer.
--   in  id int, at int
--   count
UPDATE conference SET state = 'talking', talking_at = $at WHERE site = $site AND id = $id AND state = 'waiting';

-- conference_wait: nobody is with the customer any more.
--   in  id int
--   count
UPDATE conference SET state = 'waiting' WHERE site = $site AND id = $id AND state = 'talking' AND ended_at = 0;

-- conference_end: the end; its codes are free again.
--   in  id int, at int
--   count
UPDATE conference SET state = 'ended', ended_at = $at WHERE site = $site AND id = $id AND ended_at = 0;

-- conference_live_count: whether more than so many conferences are live.
--   in  most int
--   out live int
--   one
SELECT count(*) AS live
FROM (SELECT 1 FROM conference INDEXED BY conference_code WHERE site = $site AND ended_at = 0 LIMIT $most + 1);
