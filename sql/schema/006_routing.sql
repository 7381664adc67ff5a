-- Who waits for a skill, and who has it, are found by the skill: routing asks nobody who can do nothing for those who wait.

CREATE INDEX invitation_queued ON invitation (site, skill, priority, queued_at, id) WHERE state = 'queued';
CREATE INDEX agent_skilled ON agent_skill (site, skill, agent);
