--- The log of everything: appended to, never changed.
---
--- What a member may see is found by three ways through one index, each in order (what is for all, for staff, for him), which are
--- taken together as they are read: no more rows are read than are given, whatever else was written. An OR would go through all.

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
--   out id int, at int, member int, kind text, text text, data text, role text, name text, nonce text
--   many
SELECT e.id, e.at, e.member, e.kind, e.text, e.data, m.role, m.name, CASE WHEN e.member = $member THEN e.nonce END AS nonce
FROM event e LEFT JOIN member m ON m.site = e.site AND m.id = e.member
WHERE e.site = $site AND e.conf = $conf AND e.audience = 'all' AND e.to_id = 0 AND e.id > $after AND e.id <= $upto
UNION ALL
SELECT e.id, e.at, e.member, e.kind, e.text, e.data, m.role, m.name, CASE WHEN e.member = $member THEN e.nonce END AS nonce
FROM event e LEFT JOIN member m ON m.site = e.site AND m.id = e.member
WHERE e.site = $site AND e.conf = $conf AND e.audience = 'staff' AND e.to_id = 0 AND e.id > $after AND e.id <= $upto
    AND $is_staff = 1
UNION ALL
SELECT e.id, e.at, e.member, e.kind, e.text, e.data, m.role, m.name, CASE WHEN e.member = $member THEN e.nonce END AS nonce
FROM event e LEFT JOIN member m ON m.site = e.site AND m.id = e.member
WHERE e.site = $site AND e.conf = $conf AND e.audience = 'member' AND e.to_id = $member AND e.id > $after AND e.id <= $upto
ORDER BY 1 LIMIT $most;

-- event_next: the first event of a conference after a cursor that a member of the staff may see; above upto: none.
--   in  conf int, after int, upto int, member int
--   out id int
--   one
SELECT min(
    ifnull((SELECT min(id) FROM event WHERE site = $site AND conf = $conf AND audience = 'all' AND to_id = 0 AND id > $after),
        $upto + 1),
    ifnull((SELECT min(id) FROM event WHERE site = $site AND conf = $conf AND audience = 'staff' AND to_id = 0 AND id > $after),
        $upto + 1),
    ifnull((SELECT min(id) FROM event WHERE site = $site AND conf = $conf AND audience = 'member' AND to_id = $member
        AND id > $after), $upto + 1)) AS id;

-- event_rooms: the conferences that an agent is in or left just now (an OR would search all he ever was in).
--   in  agent int, left_after int
--   out member int, conf int, left_event int
--   many
SELECT id AS member, conf, left_event FROM member WHERE site = $site AND agent = $agent AND agent <> 0 AND left_at = 0
UNION ALL
SELECT id, conf, left_event FROM member WHERE site = $site AND agent = $agent AND agent <> 0 AND left_at > $left_after;

-- event_at: when an event happened.
--   in  id int
--   out at int
--   one
SELECT at FROM event WHERE site = $site AND id = $id;

-- event_tail: the cursor behind which the last events of a conference stand that a member may see.
--   in  conf int, member int, is_staff int, upto int, most int
--   out id int
--   one
SELECT id FROM event WHERE site = $site AND conf = $conf AND audience = 'all' AND to_id = 0 AND id <= $upto
UNION ALL
SELECT id FROM event WHERE site = $site AND conf = $conf AND audience = 'staff' AND to_id = 0 AND id <= $upto
    AND $is_staff = 1
UNION ALL
SELECT id FROM event WHERE site = $site AND conf = $conf AND audience = 'member' AND to_id = $member AND id <= $upto
ORDER BY 1 DESC LIMIT 1 OFFSET $most;

-- event_news: whom the events after a cursor concern.
--   in  after int, most int
--   out id int, conf int, kind text, audience text, to_id int
--   many
SELECT id, conf, kind, audience, to_id FROM event NOT INDEXED WHERE site = $site AND id > $after ORDER BY id LIMIT $most;

-- event_last_of: the newest event of a kind that a member (below 0: whoever) caused, among the last ones that are for all.
--   in  conf int, member int, kind text, most int
--   out id int
--   one
SELECT id FROM event
WHERE site = $site AND conf = $conf AND audience = 'all' AND to_id = 0 AND ($member < 0 OR member = $member) AND kind = $kind
    AND id > ifnull((SELECT id FROM event WHERE site = $site AND conf = $conf AND audience = 'all' AND to_id = 0
        ORDER BY id DESC LIMIT 1 OFFSET $most), 0)
ORDER BY id DESC LIMIT 1;

-- event_for_agent: whether something happened to an agent himself (an offer, his state) or in a room that is offered to him.
--   in  agent int, after int
--   out id int
--   one
SELECT id FROM event WHERE site = $site AND conf = 0 AND id > $after AND to_id = $agent AND audience = 'agent'
UNION ALL
SELECT e.id FROM reservation r
    CROSS JOIN invitation i ON i.site = r.site AND i.id = r.invitation
    CROSS JOIN event e ON e.site = i.site AND e.conf = i.conf AND e.audience IN ('all', 'staff') AND e.to_id = 0 AND e.id > $after
WHERE r.site = $site AND r.agent = $agent AND r.state = 'pending'
LIMIT 1;
