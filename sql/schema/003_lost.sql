-- An agent of whom nothing is heard any more leaves the customer who is waiting for him, and may come back by himself. Whoever
-- leaves others, who go on, sees what happened until then.

ALTER TABLE member ADD COLUMN lost INTEGER NOT NULL DEFAULT 0; -- 0: he is not, or somebody came since
ALTER TABLE member ADD COLUMN left_event INTEGER NOT NULL DEFAULT 0; -- with which he left those who went on; 0: he did not

UPDATE member SET left_event = coalesce((SELECT max(e.id) FROM event e
    WHERE e.site = member.site AND e.conf = member.conf AND e.member = member.id AND e.kind = 'left'), 0)
WHERE left_at <> 0 AND conf IN (SELECT id FROM conference WHERE ended_at = 0);

CREATE INDEX member_lost ON member (site, agent) WHERE lost <> 0;

-- Of a room full of guests, its staff: each request of a customer asks for them.
CREATE INDEX member_staff ON member (site, conf) WHERE is_leader = 1 OR role IN ('agent', 'supervisor');
