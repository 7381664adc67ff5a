--- Agents, supervisors, administrators; their sessions and the keys of other programs.

-- agent_insert: a new agent; a login that stands already is a conflict.
--   in  id int, login text, name text, role text, password text, capacity int, at int
--   run
INSERT INTO agent (site, id, login, name, role, password, capacity, idle_since, created_at)
VALUES ($site, $id, $login, $name, $role, $password, $capacity, $at, $at);

-- agent: one agent and how many conferences he is in.
--   in  id int
--   out id int, login text, name text, role text, password text, state text, reason text, next text, capacity int, phone text
--   out is_present int, is_disabled int, busy int
--   one
SELECT id, login, name, role, password, state, reason, next, capacity, phone, is_present, is_disabled,
    (SELECT count(*) FROM member m WHERE m.site = $site AND m.agent = agent.id AND m.agent <> 0 AND m.left_at = 0) AS busy
FROM agent WHERE site = $site AND id = $id;

-- agent_by_login: the agent of a login.
--   in  login text
--   out id int
--   one
SELECT id FROM agent WHERE site = $site AND login = $login;

-- agent_list: all of them.
--   scan for the administrator, who wants all
--   out id int, login text, name text, role text, state text, reason text, is_present int, is_disabled int, capacity int
--   many
SELECT id, login, name, role, state, reason, is_present, is_disabled, capacity FROM agent WHERE site = $site ORDER BY login;

-- agent_set_password: another password.
--   in  id int, password text
--   count
UPDATE agent SET password = $password WHERE site = $site AND id = $id;

-- agent_set_disabled: whether he may work here; who comes back is not ready.
--   in  id int, is_disabled int
--   count
UPDATE agent SET is_disabled = $is_disabled, state = 'notready', reason = ''
WHERE site = $site AND id = $id AND is_disabled <> $is_disabled;

-- agent_set_state: ready or not, and why not.
--   in  id int, state text, reason text
--   count
UPDATE agent SET state = $state, reason = $reason WHERE site = $site AND id = $id AND (state <> $state OR reason <> $reason);

-- agent_set_phone: where he wants to be called.
--   in  id int, phone text
--   run
UPDATE agent SET phone = $phone WHERE site = $site AND id = $id;

-- agent_set_present: his polls have begun or stopped.
--   in  id int, is_present int
--   count
UPDATE agent SET is_present = $is_present WHERE site = $site AND id = $id AND is_present <> $is_present;

-- agent_touch: he has got something to do now; the longest idle is offered first, also when the clock was set back.
--   in  id int, at int
--   run
UPDATE agent SET idle_since = coalesce((SELECT max(other.idle_since) + 1 FROM agent other WHERE other.site = $site
    AND other.state = 'ready' AND other.is_present = 1 AND other.is_disabled = 0 AND other.idle_since > $at), $at)
WHERE site = $site AND id = $id;

-- agent_present: those whose polls arrive, as far as the main database knows.
--   out id int
--   many
SELECT id FROM agent WHERE site = $site AND is_present = 1;

-- agent_skill_set: a skill and its level.
--   in  agent int, skill text, level int
--   run
INSERT INTO agent_skill (site, agent, skill, level) VALUES ($site, $agent, $skill, $level)
ON CONFLICT (site, agent, skill) DO UPDATE SET level = $level;

-- agent_skill_list: what an agent can do.
--   in  agent int
--   out skill text, level int
--   many
SELECT skill, level FROM agent_skill WHERE site = $site AND agent = $agent ORDER BY skill;

-- session_insert: he signed in.
--   in  hash text, agent int, at int, expires_at int
--   run
INSERT INTO session (site, hash, agent, created_at, expires_at) VALUES ($site, $hash, $agent, $at, $expires_at);

-- session_read: the agent of a session.
--   in  hash text, at int
--   out agent int
--   one
SELECT agent FROM session WHERE site = $site AND hash = $hash AND expires_at > $at;

-- session_hashes: an agent's sessions that count.
--   in  agent int, at int
--   out hash text
--   many
SELECT s.hash FROM session s CROSS JOIN agent a ON a.site = s.site AND a.id = s.agent AND a.is_disabled = 0
WHERE s.site = $site AND s.agent = $agent AND s.expires_at > $at;

-- session_delete: he signed out.
--   in  hash text
--   count
DELETE FROM session WHERE site = $site AND hash = $hash;

-- session_delete_agent: all his sessions end.
--   in  agent int
--   run
DELETE FROM session WHERE site = $site AND agent = $agent;

-- session_delete_old: his sessions that ran out.
--   in  agent int, at int
--   run
DELETE FROM session WHERE site = $site AND agent = $agent AND expires_at <= $at;

-- session_count: how many of his sessions count.
--   in  agent int, at int
--   out sessions int
--   one
SELECT count(*) AS sessions FROM session WHERE site = $site AND agent = $agent AND expires_at > $at;

-- api_key_insert: a key for another program.
--   in  id text, hash text, about text, at int
--   run
INSERT INTO api_key (site, id, hash, about, created_at) VALUES ($site, $id, $hash, $about, $at);

-- api_key_read: a key that is not revoked.
--   in  id text
--   out hash text
--   one
SELECT hash FROM api_key WHERE site = $site AND id = $id AND revoked_at = 0;

-- api_key_by_about: the newest valid key of that name.
--   scan for `rtcc init`, once
--   in  about text
--   out id text
--   one
SELECT id FROM api_key WHERE site = $site AND about = $about AND revoked_at = 0 ORDER BY created_at DESC, id LIMIT 1;

-- api_key_set_hash: another secret.
--   in  id text, hash text
--   run
UPDATE api_key SET hash = $hash WHERE site = $site AND id = $id;

-- api_key_list: all keys.
--   scan for the administrator, who wants all
--   out id text, about text, created_at int, revoked_at int
--   many
SELECT id, about, created_at, revoked_at FROM api_key WHERE site = $site ORDER BY created_at, id;

-- api_key_revoke: a key opens nothing any more.
--   in  id text, at int
--   count
UPDATE api_key SET revoked_at = $at WHERE site = $site AND id = $id AND revoked_at = 0;
