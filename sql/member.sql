--- Who is in a conference.

-- member_insert: somebody joins.
--   in  id int, conf int, role text, is_leader int, name text, agent int, account text, reqid text, at int
--   run
INSERT INTO member (site, id, conf, role, is_leader, name, agent, account, reqid, joined_at)
VALUES ($site, $id, $conf, $role, $is_leader, $name, $agent, $account, $reqid, $at);

-- member: one member.
--   in  id int
--   out id int, conf int, role text, is_leader int, name text, agent int, joined_at int, left_at int, lost int
--   out left_event int
--   one
SELECT id, conf, role, is_leader, name, agent, joined_at, left_at, lost, left_event FROM member
WHERE site = $site AND id = $id;

-- member_by_reqid: the member that an account's earlier request made.
--   in  conf int, account text, reqid text
--   out id int
--   one
SELECT id FROM member WHERE site = $site AND conf = $conf AND account = $account AND reqid = $reqid;

-- member_by_agent: an agent's place in a conference.
--   in  conf int, agent int
--   out id int
--   one
SELECT id FROM member WHERE site = $site AND conf = $conf AND agent = $agent AND agent <> 0;

-- member_list: everybody who is or was in a conference, in the order of joining.
--   in  conf int
--   out id int
--   many
SELECT id FROM member WHERE site = $site AND conf = $conf ORDER BY id LIMIT 1000;

-- member_staffed: whether an agent, a supervisor or a leader is there.
--   in  conf int
--   out is_staffed int
--   one
SELECT EXISTS (SELECT 1 FROM member WHERE site = $site AND conf = $conf AND left_at = 0
    AND (is_leader = 1 OR role IN ('agent', 'supervisor'))) AS is_staffed;

-- member_staff: the agents, supervisors and leaders who are there.
--   in  conf int
--   out id int, agent int, is_present int
--   many
SELECT m.id, m.agent, coalesce(a.is_present, 0) AS is_present
FROM member m LEFT JOIN agent a ON a.site = m.site AND a.id = m.agent
WHERE m.site = $site AND m.conf = $conf AND m.left_at = 0 AND (m.is_leader = 1 OR m.role IN ('agent', 'supervisor'))
ORDER BY m.id;

-- member_count: how many are or were in a conference.
--   in  conf int
--   out members int
--   one
SELECT count(*) AS members FROM member WHERE site = $site AND conf = $conf;

-- member_first_customer: whose case it is: the first who came as a customer.
--   in  conf int
--   out id int
--   one
SELECT id FROM member WHERE site = $site AND conf = $conf AND role = 'customer' ORDER BY id LIMIT 1;

-- member_leave: he is gone.
--   in  id int, at int
--   count
UPDATE member SET left_at = $at WHERE site = $site AND id = $id AND left_at = 0;

-- member_left: the event with which he left; 0: he ended it for all.
--   in  id int, event int
--   run
UPDATE member SET left_event = $event WHERE site = $site AND id = $id;

-- member_leave_all: a conference ends for all.
--   in  conf int, at int
--   run
UPDATE member SET left_at = $at WHERE site = $site AND conf = $conf AND left_at = 0;

-- member_lose: nothing is heard of him any more.
--   in  id int, at int, lost int
--   count
UPDATE member SET left_at = $at, lost = $lost WHERE site = $site AND id = $id AND left_at = 0;

-- member_lose_again: who was lost together with one who came back, and has not come back himself, is lost together with him anew.
--   in  conf int, lost int
--   run
UPDATE member SET lost = $lost WHERE site = $site AND conf = $conf AND lost <> 0;

-- member_lost: the members of an agent who were not heard of, in rooms that he has not come back to.
--   in  agent int
--   out id int
--   many
SELECT id FROM member WHERE site = $site AND agent = $agent AND lost <> 0 ORDER BY id LIMIT 100;

-- member_forget_lost: whether he is back or not, he does not come back by himself any more.
--   in  id int
--   run
UPDATE member SET lost = 0 WHERE site = $site AND id = $id;

-- member_forget_lost_before: the same for all who were lost from a conference, but for those with this number.
--   in  conf int, lost int
--   run
UPDATE member SET lost = 0 WHERE site = $site AND conf = $conf AND lost <> 0 AND lost <> $lost;

-- member_forget_all_lost: the same for all that he was lost from.
--   in  agent int
--   run
UPDATE member SET lost = 0 WHERE site = $site AND agent = $agent AND lost <> 0;

-- member_return: he is back.
--   in  id int
--   count
UPDATE member SET left_at = 0, lost = 0, left_event = 0 WHERE site = $site AND id = $id AND left_at <> 0;

-- member_agents: the agents who are in a conference.
--   in  conf int
--   out agent int
--   many
SELECT agent FROM member WHERE site = $site AND conf = $conf AND agent <> 0 AND left_at = 0;

-- member_conferences: the conferences that an agent is in, oldest first.
--   in  agent int
--   out id int, conf int, role text, joined_at int
--   many
SELECT id, conf, role, joined_at FROM member WHERE site = $site AND agent = $agent AND agent <> 0 AND left_at = 0
ORDER BY joined_at, id LIMIT 100;
