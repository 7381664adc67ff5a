-- An agent of whom nothing is heard any more leaves the customer who is waiting for him, and may come back by himself. Whoever
-- leaves others, who go on, sees what happened until then.

ALTER TABLE member ADD COLUMN is_lost INTEGER NOT NULL DEFAULT 0 CHECK (is_lost IN (0, 1)); -- he left because he was not heard of
ALTER TABLE member ADD COLUMN left_event INTEGER NOT NULL DEFAULT 0; -- with which he left those who went on; 0: he did not
CREATE INDEX member_lost ON member (site, agent) WHERE is_lost = 1;
