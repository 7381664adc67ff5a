-- When a form was sent is kept on the boot clock, too: how long its customer has waited must not change with a clock that is set.

ALTER TABLE request ADD COLUMN boot TEXT NOT NULL DEFAULT '';
ALTER TABLE request ADD COLUMN boot_ms INTEGER NOT NULL DEFAULT 0;
