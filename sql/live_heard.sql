--- When the staff of a room were heard of, and since when their customer is alone.

-- heard_note: he has asked for something.
--   in  conf int, member int, boot text, boot_ms int
--   run
INSERT INTO heard (site, conf, member, boot, boot_ms) VALUES ($site, $conf, $member, $boot, $boot_ms)
ON CONFLICT (site, conf, member) DO UPDATE SET boot = $boot, boot_ms = $boot_ms;

-- heard_read: when he last asked for something.
--   in  conf int, member int
--   out boot text, boot_ms int
--   one
SELECT boot, boot_ms FROM heard WHERE site = $site AND conf = $conf AND member = $member;

-- heard_forget: the room is closed.
--   in  conf int
--   run
DELETE FROM heard WHERE site = $site AND conf = $conf;

-- alone_note: he has asked in vain, and does since then.
--   in  conf int, boot text, boot_ms int, asked_ms int, is_paused int
--   run
INSERT INTO alone (site, conf, boot, boot_ms, asked_ms, is_paused) VALUES ($site, $conf, $boot, $boot_ms, $asked_ms, $is_paused)
ON CONFLICT (site, conf) DO UPDATE SET boot = $boot, boot_ms = $boot_ms, asked_ms = $asked_ms, is_paused = $is_paused;

-- alone_read: since when, and until when.
--   in  conf int
--   out boot text, boot_ms int, asked_ms int, is_paused int
--   one
SELECT boot, boot_ms, asked_ms, is_paused FROM alone WHERE site = $site AND conf = $conf;

-- alone_forget: the room is closed.
--   in  conf int
--   run
DELETE FROM alone WHERE site = $site AND conf = $conf;
