-- What one reader may see of a room is found by itself: what is for others, however much it is, is not gone through. Audiences
-- `all` and `staff` have to_id 0, and what comes behind the index's columns is the row's id, so each is in order.

DROP INDEX event_conf;
CREATE INDEX event_seen ON event (site, conf, audience, to_id);
