--- Offers, and why they were made.

-- routing_free: agents who may be offered something, longest idle first, behind one of them.
--   in  idle_since int, id int, most int
--   out id int, idle_since int
--   many
SELECT a.id, a.idle_since FROM agent a
WHERE a.site = $site AND a.state = 'ready' AND a.is_present = 1 AND a.is_disabled = 0
    AND (a.idle_since, a.id) > ($idle_since, $id)
    AND NOT EXISTS (SELECT 1 FROM reservation r WHERE r.site = $site AND r.agent = a.id AND r.state = 'pending')
    AND (SELECT count(*) FROM member m WHERE m.site = $site AND m.agent = a.id AND m.agent <> 0 AND m.left_at = 0) < a.capacity
ORDER BY a.idle_since, a.id LIMIT $most;

-- routing_able: those of routing_free who have a skill that is waited for; the skills are walked on both sides, in turns.
--   scan of these skills, each found by a search
--   in  idle_since int, id int, most int
--   out id int, idle_since int
--   many
WITH RECURSIVE wanted (skill) AS (
    SELECT ''
    UNION ALL
    SELECT (SELECT s.skill FROM agent_skill s WHERE s.site = $site AND s.skill >= (SELECT i.skill FROM invitation i
            INDEXED BY invitation_queued WHERE i.site = $site AND i.state = 'queued' AND i.skill > w.skill
            ORDER BY i.skill LIMIT 1)
        ORDER BY s.skill LIMIT 1)
    FROM wanted w WHERE w.skill IS NOT NULL)
SELECT a.id, a.idle_since FROM agent a NOT INDEXED
WHERE a.site = $site AND a.id IN (SELECT s.agent FROM wanted w CROSS JOIN agent_skill s ON s.site = $site AND s.skill = w.skill
        WHERE EXISTS (SELECT 1 FROM invitation i WHERE i.site = $site AND i.state = 'queued' AND i.skill = w.skill))
    AND a.state = 'ready' AND a.is_present = 1 AND a.is_disabled = 0
    AND (a.idle_since, a.id) > ($idle_since, $id)
    AND NOT EXISTS (SELECT 1 FROM reservation r WHERE r.site = $site AND r.agent = a.id AND r.state = 'pending')
    AND (SELECT count(*) FROM member m WHERE m.site = $site AND m.agent = a.id AND m.agent <> 0 AND m.left_at = 0) < a.capacity
ORDER BY a.idle_since, a.id LIMIT $most;

-- routing_queued: the least skill that somebody waits for who is not offered to an agent now: "" if one needs none.
--   out skill text
--   one
SELECT skill FROM invitation INDEXED BY invitation_queued WHERE site = $site AND state = 'queued' ORDER BY skill LIMIT 1;

-- routing_ready: how many agents are ready and there, whatever they have to do.
--   out agents int
--   one
SELECT count(*) AS agents FROM agent INDEXED BY agent_free
WHERE site = $site AND state = 'ready' AND is_present = 1 AND is_disabled = 0;

-- routing_candidates: everybody who works here and what speaks for or against offering him this invitation.
--   scan at most fifty of them
--   in  skill text, invitation int, boot text, refused_ms int
--   out id int, state text, reason text, is_present int, capacity int, busy int, is_offered int, is_skilled int, has_refused int
--   many
SELECT a.id, a.state, a.reason, a.is_present, a.capacity,
    (SELECT count(*) FROM member m WHERE m.site = $site AND m.agent = a.id AND m.agent <> 0 AND m.left_at = 0) AS busy,
    EXISTS (SELECT 1 FROM reservation r WHERE r.site = $site AND r.agent = a.id AND r.state = 'pending') AS is_offered,
    ($skill = '' OR EXISTS (SELECT 1 FROM agent_skill s
        WHERE s.site = $site AND s.agent = a.id AND s.skill = $skill)) AS is_skilled,
    EXISTS (SELECT 1 FROM reservation r WHERE r.site = $site AND r.invitation = $invitation AND r.agent = a.id
        AND r.state NOT IN ('pending', 'cancelled') AND r.boot = $boot AND r.boot_ms > $refused_ms) AS has_refused
FROM agent a WHERE a.site = $site AND a.is_disabled = 0 ORDER BY a.id LIMIT 50;

-- reservation_insert: an offer; the indexes keep it one for an agent and one for an invitation.
--   in  id int, invitation int, agent int, epoch int, at int, expires_at int, boot text, boot_ms int
--   run
INSERT INTO reservation (site, id, invitation, agent, epoch, state, offered_at, expires_at, boot, boot_ms)
VALUES ($site, $id, $invitation, $agent, $epoch, 'pending', $at, $expires_at, $boot, $boot_ms);

-- reservation: one offer.
--   in  id int
--   out id int, invitation int, agent int, epoch int, state text, expires_at int, boot text, boot_ms int
--   one
SELECT id, invitation, agent, epoch, state, expires_at, boot, boot_ms FROM reservation WHERE site = $site AND id = $id;

-- reservation_end: an offer is answered, or not; when, is kept on both clocks.
--   in  id int, state text, at int, boot text, boot_ms int
--   count
UPDATE reservation SET state = $state, ended_at = $at, boot = $boot, boot_ms = $boot_ms
WHERE site = $site AND id = $id AND state = 'pending';

-- reservation_of_agent: the offer that an agent holds.
--   in  agent int
--   out id int, invitation int, epoch int, expires_at int, boot text, boot_ms int
--   one
SELECT id, invitation, epoch, expires_at, boot, boot_ms FROM reservation
WHERE site = $site AND agent = $agent AND state = 'pending';

-- reservation_of_invitation: the offer by which an invitation is offered now.
--   in  invitation int
--   out id int, agent int, epoch int
--   one
SELECT id, agent, epoch FROM reservation WHERE site = $site AND invitation = $invitation AND state = 'pending';

-- reservation_of_conference: the agent to whom a conference is offered now.
--   in  conf int
--   out agent int
--   one
SELECT r.agent FROM invitation i
    CROSS JOIN reservation r ON r.site = i.site AND r.invitation = i.id AND r.state = 'pending'
WHERE i.site = $site AND i.conf = $conf;

-- reservation_late: offers whose time is over: this boot's by its clock, other boots' all.
--   in  boot text, boot_ms int
--   out id int, invitation int, agent int, epoch int
--   many
SELECT id, invitation, agent, epoch FROM reservation INDEXED BY reservation_agent
WHERE site = $site AND state = 'pending' AND (boot <> $boot OR boot_ms <= $boot_ms) LIMIT 100;

-- decision_insert: one decision; passed_over with agent 0: a line for each reason, behind it tabs and the ids of those agents.
--   in  id int, conf int, invitation int, at int, agent int, verdict text, reason text
--   run
INSERT INTO decision (site, id, conf, invitation, at, agent, verdict, reason)
VALUES ($site, $id, $conf, $invitation, $at, $agent, $verdict, $reason);

-- decision_list: the trace of a conference.
--   in  conf int
--   out at int, invitation int, agent int, login text, verdict text, reason text
--   many
SELECT d.at, d.invitation, d.agent, coalesce(a.login, '') AS login, d.verdict, d.reason
FROM decision d LEFT JOIN agent a ON a.site = d.site AND a.id = d.agent
WHERE d.site = $site AND d.conf = $conf ORDER BY d.id LIMIT 10000;
