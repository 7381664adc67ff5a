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

-- file_grow: another piece has come, right behind the last one.
--   in  id int, had int, bytes int
--   count
UPDATE file SET bytes = $bytes WHERE site = $site AND id = $id AND bytes = $had AND event = 0;

-- file_announce: it is whole, and the conference knows.
--   in  id int, event int, type text
--   count
UPDATE file SET event = $event, type = $type WHERE site = $site AND id = $id AND event = 0;

-- file_all: every file whose bytes are kept, behind one of them.
--   in  id int, most int
--   out id int, place text, bytes int
--   many
SELECT id, place, bytes FROM file NOT INDEXED WHERE site = $site AND id > $id ORDER BY id LIMIT $most;

-- file_give_up: an unfinished file whose bytes are lost.
--   in  id int
--   count
DELETE FROM file WHERE site = $site AND id = $id AND event = 0;
