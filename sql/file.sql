--- Files that travel through a conference; their bytes are in the file system.

-- file_insert: the first piece of a file has come.
--   in  id int, conf int, member int, nonce text, place text, name text, type text, bytes int, total int, at int
--   run
INSERT INTO file (site, id, conf, member, nonce, place, name, type, bytes, total, created_at)
VALUES ($site, $id, $conf, $member, $nonce, $place, $name, $type, $bytes, $total, $at);

-- file_by_nonce: a member's upload that began earlier.
--   in  member int, nonce text
--   out id int, place text, name text, type text, bytes int, total int, event int
--   one
SELECT id, place, name, type, bytes, total, event FROM file WHERE site = $site AND member = $member AND nonce = $nonce;

-- file: one file.
--   in  id int
--   out id int, conf int, place text, name text, type text, bytes int, total int, event int
--   one
SELECT id, conf, place, name, type, bytes, total, event FROM file WHERE site = $site AND id = $id;

-- file_grow: another piece has come, right behind the last one; created_at is then of the newest piece.
--   in  id int, had int, bytes int, at int
--   count
UPDATE file SET bytes = $bytes, created_at = $at WHERE site = $site AND id = $id AND bytes = $had AND event = 0;

-- file_announce: it is whole, and the conference knows.
--   in  id int, event int, type text
--   count
UPDATE file SET event = $event, type = $type WHERE site = $site AND id = $id AND event = 0;

-- file_all: every file whose bytes are kept, behind one of them.
--   in  id int, most int
--   out id int, place text, bytes int
--   many
SELECT id, place, bytes FROM file NOT INDEXED WHERE site = $site AND id > $id ORDER BY id LIMIT $most;

-- file_held: what a conference's files count (unfinished as if whole); a member's unfinished ones; behind which id others come.
--   in  conf int, member int, least int
--   out bytes int, unfinished int, newest int
--   one
SELECT (SELECT coalesce(sum(max(f.total, $least)), 0) FROM member m INDEXED BY member_conf CROSS JOIN file f INDEXED BY file_nonce
        WHERE m.site = $site AND m.conf = $conf AND f.site = $site AND f.member = m.id) AS bytes,
    (SELECT count(*) FROM file WHERE site = $site AND member = $member AND event = 0) AS unfinished,
    (SELECT last_id FROM site WHERE id = $site) AS newest;

-- file_held_since: the same of the files that came later.
--   in  conf int, member int, newest int, least int
--   out bytes int, unfinished int
--   one
SELECT coalesce(sum(max(total, $least)), 0) AS bytes, coalesce(sum(member = $member AND event = 0), 0) AS unfinished
FROM file NOT INDEXED WHERE site = $site AND id > $newest AND conf = $conf;

-- file_stale: unfinished files, behind one of them, of which no piece has come between two times.
--   in  id int, from_at int, to_at int, most int
--   out id int, place text, bytes int
--   many
SELECT id, place, bytes FROM file NOT INDEXED
WHERE site = $site AND id > $id AND event = 0 AND created_at NOT BETWEEN $from_at AND $to_at ORDER BY id LIMIT $most;

-- file_idle: of a member's unfinished files the one that is so for longest; what is in the future is of before the clock was set.
--   in  member int, from_at int, to_at int
--   out id int, place text, bytes int, total int
--   one
SELECT id, place, bytes, total FROM file WHERE site = $site AND member = $member AND event = 0
    AND created_at NOT BETWEEN $from_at AND $to_at ORDER BY created_at <= $to_at, created_at, id LIMIT 1;

-- file_idle_in: a conference's unfinished files that are so, or whose members have left; those that will be largest come first.
--   in  conf int, from_at int, to_at int, most int
--   out id int, place text, bytes int, total int
--   many
SELECT f.id AS id, f.place AS place, f.bytes AS bytes, f.total AS total
FROM member m INDEXED BY member_conf CROSS JOIN file f INDEXED BY file_nonce
WHERE m.site = $site AND m.conf = $conf AND f.site = $site AND f.member = m.id AND f.event = 0
    AND (m.left_at <> 0 OR f.created_at NOT BETWEEN $from_at AND $to_at) ORDER BY f.total DESC, f.id LIMIT $most;

-- file_forget: an unfinished file, unless a piece has come since it had so many bytes.
--   in  id int, bytes int
--   count
DELETE FROM file WHERE site = $site AND id = $id AND event = 0 AND bytes = $bytes;
