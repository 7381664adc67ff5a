--- The log of everything: appended to, never changed.

-- event_insert: one more.
--   in  id int, conf int, at int, member int, kind text, audience text, to_id int, text text, data text, nonce text
--   run
INSERT INTO event (site, id, conf, at, member, kind, audience, to_id, text, data, nonce)
VALUES ($site, $id, $conf, $at, $member, $kind, $audience, $to_id, $text, $data, $nonce);

-- event_by_nonce: what an earlier request of this member added.
--   in  member int, nonce text
--   out id int, kind text, text text, data text
--   one
SELECT id, kind, text, data FROM event WHERE site = $site AND member = $member AND nonce = $nonce;

-- event_since: what a member may see of a conference after a cursor.
--   in  conf int, after int, upto int, member int, is_staff int, most int
--   out id int, conf int, at int, member int, kind text, text text, data text, role text, name text, nonce text
--   many
SELECT e.id, e.conf, e.at, e.member, e.kind, e.text, e.data, m.role, m.name,
    CASE WHEN e.member = $member THEN e.nonce END AS nonce
FROM event e LEFT JOIN member m ON m.site = e.site AND m.id = e.member
WHERE e.site = $site AND e.conf = $conf AND e.id > $after AND e.id <= $upto
    AND (e.audience = 'all' OR (e.audience = 'staff' AND $is_staff = 1) OR (e.audience = 'member' AND e.to_id = $member))
ORDER BY e.id LIMIT $most;

-- event_since_agent: the same for all conferences that an agent is in or left just now (an OR would search all he ever was in).
--   in  agent int, left_after int, after int, upto int, most int
--   out id int, conf int, at int, member int, kind text, text text, data text, role text, name text, nonce text
--   many
SELECT e.id, e.conf, e.at, e.member, e.kind, e.text, e.data, m.role, m.name,
    CASE WHEN e.member = mine.id THEN e.nonce END AS nonce
FROM (
    SELECT site, id, conf FROM member WHERE site = $site AND agent = $agent AND agent <> 0 AND left_at = 0
    UNION ALL
    SELECT site, id, conf FROM member WHERE site = $site AND agent = $agent AND agent <> 0 AND left_at > $left_after
) mine
    CROSS JOIN event e ON e.site = mine.site AND e.conf = mine.conf AND e.id > $after AND e.id <= $upto
        AND (e.audience IN ('all', 'staff') OR (e.audience = 'member' AND e.to_id = mine.id))
    LEFT JOIN member m ON m.site = e.site AND m.id = e.member
ORDER BY e.id LIMIT $most;

-- event_at: when an event happened.
--   in  id int
--   out at int
--   one
SELECT at FROM event WHERE site = $site AND id = $id;

-- event_tail: the cursor behind which the last events of a conference stand that a member may see.
--   in  conf int, member int, is_staff int, most int
--   out id int
--   one
SELECT id FROM event
WHERE site = $site AND conf = $conf
    AND (audience = 'all' OR (audience = 'staff' AND $is_staff = 1) OR (audience = 'member' AND to_id = $member))
ORDER BY id DESC LIMIT 1 OFFSET $most;

-- event_news: whom the events after a cursor concern.
--   in  after int, most int
--   out id int, conf int, kind text, audience text, to_id int
--   many
SELECT id, conf, kind, audience, to_id FROM event NOT INDEXED WHERE site = $site AND id > $after ORDER BY id LIMIT $most;

-- event_last_of: the newest event of a kind that a member (below 0: whoever) caused in a conference.
--   in  conf int, member int, kind text
--   out id int
--   one
SELECT id FROM event WHERE site = $site AND conf = $conf AND ($member < 0 OR member = $member) AND kind = $kind
ORDER BY id DESC LIMIT 1;

-- event_for_agent: whether something happened to an agent himself (an offer, his state) or in a room that is offered to him.
--   in  agent int, after int
--   out id int
--   one
SELECT id FROM event WHERE site = $site AND conf = 0 AND id > $after AND to_id = $agent AND audience = 'agent'
UNION ALL
SELECT e.id FROM reservation r
    CROSS JOIN invitation i ON i.site = r.site AND i.id = r.invitation
    CROSS JOIN event e ON e.site = i.site AND e.conf = i.conf AND e.id > $after AND e.audience IN ('all', 'staff')
WHERE r.site = $site AND r.agent = $agent AND r.state = 'pending'
LIMIT 1;
