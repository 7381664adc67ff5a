--- What may be lost: presence, typing, rates.

-- presence_seen: a poll of his has arrived.
--   in  agent int, boot text, boot_ms int
--   run
INSERT INTO presence (site, agent, boot, boot_ms) VALUES ($site, $agent, $boot, $boot_ms)
ON CONFLICT (site, agent) DO UPDATE SET boot = $boot, boot_ms = $boot_ms;

-- presence_read: when his last poll arrived.
--   in  agent int
--   out boot text, boot_ms int
--   one
SELECT boot, boot_ms FROM presence WHERE site = $site AND agent = $agent;

-- typing_note: somebody is writing.
--   scan only the end of an index: the newest serial
--   in  conf int, member int, boot_ms int
--   run
INSERT INTO typing (site, conf, member, serial, boot_ms)
VALUES ($site, $conf, $member, (SELECT coalesce(max(serial), 0) + 1 FROM typing WHERE site = $site), $boot_ms)
ON CONFLICT (site, conf, member) DO UPDATE SET serial = excluded.serial, boot_ms = $boot_ms;

-- typing_last: the newest serial.
--   scan only the end of an index
--   out serial int
--   one
SELECT coalesce(max(serial), 0) AS serial FROM typing WHERE site = $site;

-- typing_news: where somebody wrote after a cursor.
--   in  after int
--   out serial int, conf int
--   many
SELECT serial, conf FROM typing WHERE site = $site AND serial > $after ORDER BY serial LIMIT 1000;

-- typing_of: who wrote in a conference since then; what is later than now is of another boot.
--   in  conf int, since_ms int, now_ms int
--   out member int
--   many
SELECT member FROM typing WHERE site = $site AND conf = $conf AND boot_ms > $since_ms AND boot_ms <= $now_ms ORDER BY member;

-- rate_take: one more; how many that makes, and until when they count. A time after the latest is of another boot.
--   in  bucket text, now int, window_ms int, latest int, most int
--   out count int, until_ms int
--   one
INSERT INTO rate (site, bucket, until_ms, count) VALUES ($site, $bucket, $now + $window_ms, 1)
ON CONFLICT (site, bucket) DO UPDATE SET
    count = CASE WHEN until_ms > $now AND until_ms <= $latest THEN count + 1 ELSE 1 END,
    until_ms = CASE WHEN until_ms > $now AND until_ms <= $latest AND count + 1 <> $most THEN until_ms
        ELSE $now + $window_ms END
RETURNING count, until_ms;

-- rate_read: how many there are, and until when they count.
--   in  bucket text, now int, latest int
--   out count int, until_ms int
--   one
SELECT count, until_ms FROM rate
WHERE site = $site AND bucket = $bucket AND until_ms > $now AND until_ms <= $latest;

-- rate_forget: forgets a bucket.
--   in  bucket text
--   run
DELETE FROM rate WHERE site = $site AND bucket = $bucket;

-- rate_forget_old: forgets what counts no more.
--   in  now int
--   run
DELETE FROM rate WHERE site = $site AND until_ms <= $now;
