--- The queue.

-- invitation_insert: a conference waits, since when its customer does; after a clock was set back: behind all, nobody overtakes.
--   in  id int, conf int, url text, account text, reqid text, digest text, subject text, topic text, skill text, priority int
--   in  name text, phone text, email text, language text, page text, at int, waited_ms int
--   run
INSERT INTO invitation (site, id, conf, url, account, reqid, digest, subject, topic, skill, priority, name, phone, email,
    language, page, state, queued_at)
VALUES ($site, $id, $conf, $url, $account, $reqid, $digest, $subject, $topic, $skill, $priority, $name, $phone, $email,
    $language, $page, 'queued', coalesce((SELECT max(queued_at) FROM invitation WHERE site = $site AND priority = $priority
        AND state IN ('queued', 'offered') AND queued_at > $at), $at - $waited_ms));

-- invitation: one invitation.
--   in  id int
--   out id int, conf int, url text, subject text, topic text, skill text, priority int, name text, phone text, email text
--   out language text, page text, state text, epoch int, agent int, queued_at int, accepted_at int
--   one
SELECT id, conf, url, subject, topic, skill, priority, name, phone, email, language, page, state, epoch, agent, queued_at,
    accepted_at
FROM invitation WHERE site = $site AND id = $id;

-- invitation_by_reqid: what an account's earlier request put.
--   in  account text, reqid text
--   out id int, url text, digest text
--   one
SELECT id, url, digest FROM invitation WHERE site = $site AND account = $account AND reqid = $reqid;

-- invitation_of_conference: the newest invitation of a conference.
--   in  conf int
--   out id int, state text
--   one
SELECT id, state FROM invitation WHERE site = $site AND conf = $conf ORDER BY id DESC LIMIT 1;

-- invitation_open: the invitations of a conference that have not come to their end; more than one when it was queued again.
--   in  conf int
--   out id int
--   many
SELECT id FROM invitation WHERE site = $site AND conf = $conf AND state IN ('queued', 'offered', 'accepted') ORDER BY id;

-- invitation_ahead: how many wait before this one.
--   in  priority int, queued_at int, id int
--   out ahead int
--   one
SELECT count(*) AS ahead FROM invitation
WHERE site = $site AND state IN ('queued', 'offered')
    AND (priority < $priority OR (priority = $priority AND (queued_at < $queued_at OR (queued_at = $queued_at AND id < $id))));

-- invitation_places: the conferences that wait, in their order.
--   in  most int
--   out conf int
--   many
SELECT conf FROM invitation WHERE site = $site AND state IN ('queued', 'offered')
ORDER BY priority, queued_at, id LIMIT $most;

-- invitation_waiting: all that wait, in their order.
--   in  most int
--   out id int, conf int, state text, topic text, skill text, priority int, queued_at int
--   many
SELECT id, conf, state, topic, skill, priority, queued_at FROM invitation
WHERE site = $site AND state IN ('queued', 'offered') ORDER BY priority, queued_at, id LIMIT $most;

-- invitation_count: how many wait.
--   out waiting int
--   one
SELECT count(*) AS waiting FROM invitation INDEXED BY invitation_waiting WHERE site = $site AND state IN ('queued', 'offered');

-- invitation_for_agent: of the first who needs no skill and the first for each of his, less those he let go just now, the first.
--   scan of his skills, each of which is a search
--   in  agent int, boot text, refused_ms int
--   out id int, conf int
--   one
SELECT i.id, i.conf
FROM (SELECT '' AS skill UNION ALL SELECT s.skill FROM agent_skill s WHERE s.site = $site AND s.agent = $agent) his
    CROSS JOIN invitation i ON i.site = $site AND i.id = (SELECT q.id FROM invitation q INDEXED BY invitation_queued
        WHERE q.site = $site AND q.state = 'queued' AND q.skill = his.skill
            AND NOT EXISTS (SELECT 1 FROM reservation r WHERE r.site = $site AND r.invitation = q.id AND r.agent = $agent
                AND r.state NOT IN ('pending', 'cancelled') AND r.boot = $boot AND r.boot_ms > $refused_ms)
        ORDER BY q.priority, q.queued_at, q.id LIMIT 1)
ORDER BY i.priority, i.queued_at, i.id LIMIT 1;

-- invitation_offer: from the queue to one agent; the epoch makes every earlier offer void.
--   in  id int
--   out epoch int
--   one
UPDATE invitation SET state = 'offered', epoch = epoch + 1 WHERE site = $site AND id = $id AND state = 'queued' RETURNING epoch;

-- invitation_accept: decides the winner, in one statement.
--   in  id int, epoch int, agent int, at int
--   count
UPDATE invitation SET state = 'accepted', agent = $agent, accepted_at = $at
WHERE site = $site AND id = $id AND epoch = $epoch AND state = 'offered';

-- invitation_requeue: back to its own place.
--   in  id int, epoch int
--   count
UPDATE invitation SET state = 'queued' WHERE site = $site AND id = $id AND epoch = $epoch AND state = 'offered';

-- invitation_take: somebody came to the customer without being offered him.
--   in  id int, agent int, at int
--   count
UPDATE invitation SET state = 'accepted', agent = $agent, accepted_at = $at
WHERE site = $site AND id = $id AND state IN ('queued', 'offered');

-- invitation_return: whoever served the customer left, also one whose invitation had been cancelled: back to its own place.
--   in  id int
--   count
UPDATE invitation SET state = 'queued', agent = 0, accepted_at = 0, ended_at = 0
WHERE site = $site AND id = $id AND state IN ('accepted', 'cancelled');

-- invitation_end: nobody needs to come any more (abandoned, cancelled), or the talk is over (done).
--   in  id int, state text, at int
--   count
UPDATE invitation SET state = $state, ended_at = $at
WHERE site = $site AND id = $id AND state IN ('queued', 'offered', 'accepted');

-- invitation_pace: how many of the last twenty were accepted since then, and when the first of them.
--   in  since int
--   out accepted int, first_at int
--   one
SELECT count(*) AS accepted, coalesce(min(accepted_at), 0) AS first_at
FROM (SELECT accepted_at FROM invitation WHERE site = $site AND accepted_at > 0 AND accepted_at > $since
    ORDER BY accepted_at DESC LIMIT 20);

-- invitation_contacts: how many earlier invitations came from this number, 100 at most: some belong to a whole company.
--   in  phone text, id int
--   out contacts int
--   one
SELECT count(*) AS contacts FROM
    (SELECT 1 FROM invitation WHERE site = $site AND phone = $phone AND phone <> '' AND id < $id LIMIT 100);

-- topic_read: what a topic needs.
--   in  name text
--   out skill text, priority int
--   one
SELECT skill, priority FROM topic WHERE site = $site AND name = $name;

-- topic_set: what a topic needs from now on.
--   in  name text, skill text, priority int
--   run
INSERT INTO topic (site, name, skill, priority) VALUES ($site, $name, $skill, $priority)
ON CONFLICT (site, name) DO UPDATE SET skill = $skill, priority = $priority;

-- topic_list: all topics.
--   scan for the administrator, who wants all
--   out name text, skill text, priority int
--   many
SELECT name, skill, priority FROM topic WHERE site = $site ORDER BY name;
