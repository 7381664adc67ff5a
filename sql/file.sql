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

-- file_held: the bytes of a conference's files, unfinished as if whole; a member's unfinished ones; behind which id others come.
--   in  conf int, member int
--   out bytes int, unfinished int, newest int
--   one
SELECT (SELECT coalesce(sum(f.total), 0) FROM member m INDEXED BY member_conf CROSS JOIN file f INDEXED BY file_nonce
        WHERE m.site = $site AND m.conf = $conf AND f.site = $site AND f.member = m.id) AS bytes,
    (SELECT count(*) FROM file WHERE site = $site AND member = $member AND event = 0) AS unfinished,
    (SELECT last_id FROM site WHERE id = $site) AS newest;

-- file_held_since: the same of the files that came later.
--   in  conf int, member int, newest int
--   out bytes int, unfinished int
--   one
SELECT coalesce(sum(total), 0) AS bytes, coalesce(sum(member = $member AND event = 0), 0) AS unfinished FROM file NOT INDEXED
WHERE site = $site AND id > $newest AND conf = $conf;

-- file_stale: unfinished files, behind one of them, of which no piece has come between two times.
--   in  id int, from_at int, to_at int, most int
--   out id int, place text
--   many
SELECT id, place FROM file NOT INDEXED
WHERE site = $site AND id > $id AND event = 0 AND created_at NOT BETWEEN $from_at AND $to_at ORDER BY id LIMIT $most;

-- file_forget: one of them, unless a piece has come since.
--   in  id int, from_at int, to_at int
--   count
DELETE FROM file WHERE site = $site AND id = $id AND event = 0 AND created_at NOT BETWEEN $from_at AND $to_at;

-- file_idle: of a member's unfinished files the one of which no piece came for longest, and none since then.
--   in  member int, since int
--   out id int, place text
--   one
SELECT id, place FROM file WHERE site = $site AND member = $member AND event = 0 AND created_at <= $since
ORDER BY created_at, id LIMIT 1;

-- file_give_up: an unfinished file whose bytes are lost.
--   in  id int
--   count
DELETE FROM file WHERE site = $site AND id = $id AND event = 0;
