--- The site's row: its key and the two counters that every id comes from.

-- site_make: makes the site's row, unless it is there; the first event is 2, for a poll behind 0 wants everything, at once.
--   in  hmac_key text, at int
--   run
INSERT INTO site (id, hmac_key, created_at, last_event) VALUES ($site, $hmac_key, $at, 1) ON CONFLICT (id) DO NOTHING;

-- site: its key.
--   out hmac_key text
--   one
SELECT hmac_key FROM site WHERE id = $site;

-- site_counters: how far the log has come.
--   out last_event int, last_queue int
--   one
SELECT last_event, last_queue FROM site WHERE id = $site;

-- site_write: moves a time to and fro, to see whether the database can be written.
--   in  by int
--   count
UPDATE site SET created_at = created_at + $by WHERE id = $site;

-- site_next_event: the next event's id; the row stays locked until COMMIT, so ids rise in the order of commits.
--   in  is_queue int
--   out id int
--   one
UPDATE site SET last_event = last_event + 1, last_queue = CASE WHEN $is_queue = 1 THEN last_event + 1 ELSE last_queue END
WHERE id = $site RETURNING last_event AS id;

-- site_next_id: the next id of anything else.
--   out id int
--   one
UPDATE site SET last_id = last_id + 1 WHERE id = $site RETURNING last_id AS id;

-- health_counts: how busy the place is.
--   out waiting int, talking int, agents_ready int, events int
--   one
SELECT (SELECT count(*) FROM invitation WHERE site = $site AND state IN ('queued', 'offered')) AS waiting,
    (SELECT count(*) FROM conference INDEXED BY conference_code
        WHERE site = $site AND ended_at = 0 AND state = 'talking') AS talking,
    (SELECT count(*) FROM agent WHERE site = $site AND state = 'ready' AND is_present = 1 AND is_disabled = 0) AS agents_ready,
    last_event AS events
FROM site WHERE id = $site;
