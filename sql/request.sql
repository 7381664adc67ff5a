--- The application server's own: forms that were sent, and the work that is due.

-- request_insert: a form, before anybody else hears of it; one that stands already is left as it is.
--   in  reqid text, digest text, name text, phone text, email text, topic text, question text, language text, page text
--   in  consent text, at int, boot text, boot_ms int
--   count
INSERT INTO request (site, reqid, digest, name, phone, email, topic, question, language, page, consent, created_at, boot, boot_ms)
VALUES ($site, $reqid, $digest, $name, $phone, $email, $topic, $question, $language, $page, $consent, $at, $boot, $boot_ms)
ON CONFLICT (site, reqid) DO NOTHING;

-- sent_form: a form and how far it got.
--   in  reqid text
--   out reqid text, digest text, name text, phone text, email text, topic text, question text, language text, page text
--   out conf text, token text, window text, position int, wait_s int, is_done int, created_at int, boot text, boot_ms int
--   one
SELECT reqid, digest, name, phone, email, topic, question, language, page, conf, token, window, position, wait_s,
    is_done, created_at, boot, boot_ms
FROM request WHERE site = $site AND reqid = $reqid;

-- request_done: its conference stands, its invitation is queued, the customer is a member.
--   in  reqid text, conf text, token text, window text, position int, wait_s int
--   run
UPDATE request SET is_done = 1, conf = $conf, token = $token, window = $window, position = $position, wait_s = $wait_s
WHERE site = $site AND reqid = $reqid;

-- request_open: the forms that are kept and not finished, and when the oldest was sent.
--   out kept int, oldest_at int
--   one
SELECT count(*) AS kept, coalesce(min(created_at), 0) AS oldest_at FROM request INDEXED BY request_open
WHERE site = $site AND is_done = 0;

-- job_insert: something to do later; what is already noted stays as it is.
--   in  kind text, key text, due_at int
--   run
INSERT INTO job (site, kind, key, due_at) VALUES ($site, $kind, $key, $due_at) ON CONFLICT (site, kind, key) DO NOTHING;

-- job_claim: the next that is due and nobody's; ours until the lease runs out. After far_at is now: the clock was set back.
--   in  at int, far_at int, boot text, boot_ms int, until_ms int
--   out kind text, key text, attempts int
--   one
UPDATE job SET boot = $boot, boot_ms = $until_ms, attempts = attempts + 1
WHERE site = $site AND (kind, key) = (SELECT kind, key FROM (
    SELECT 1 AS turn, kind, key, due_at FROM job WHERE site = $site AND due_at <= $at AND (boot <> $boot OR boot_ms <= $boot_ms)
    UNION ALL
    SELECT 2, kind, key, due_at FROM job WHERE site = $site AND due_at > $far_at AND (boot <> $boot OR boot_ms <= $boot_ms))
    ORDER BY turn, due_at LIMIT 1)
RETURNING kind, key, attempts;

-- job_later: it did not work; again at due_at.
--   in  kind text, key text, due_at int, last_error text
--   run
UPDATE job SET due_at = $due_at, boot = '', boot_ms = 0, last_error = $last_error
WHERE site = $site AND kind = $kind AND key = $key;

-- job_hurry: what is to be done later is due now.
--   in  kind text, at int
--   count
UPDATE job SET due_at = $at WHERE site = $site AND kind = $kind AND due_at > $at;

-- job_hurry_forms: what was just made due now comes in the order in which it was sent: each a millisecond sooner than the next.
--   scan only what is kept and not finished
--   in  at int, boot text
--   run
UPDATE job SET due_at = $at - sent.newer
FROM (SELECT reqid, row_number() OVER (ORDER BY boot = $boot DESC,
    CASE WHEN boot = $boot THEN boot_ms ELSE created_at END DESC, reqid DESC) AS newer FROM request INDEXED BY request_open
    WHERE site = $site AND is_done = 0) AS sent
WHERE job.site = $site AND job.kind = 'form' AND job.key = sent.reqid AND job.due_at = $at;

-- job_done: it is done.
--   in  kind text, key text
--   run
DELETE FROM job WHERE site = $site AND kind = $kind AND key = $key;

-- job_waiting: how much is due, and since when.
--   in  at int
--   out waiting int, oldest_at int
--   one
SELECT count(*) AS waiting, coalesce(min(due_at), 0) AS oldest_at FROM job WHERE site = $site AND due_at <= $at;
