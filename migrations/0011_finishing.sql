-- The process that is finishing an upload, and when its lease ends in real time.
ALTER TABLE uploads ADD COLUMN finisher TEXT;
ALTER TABLE uploads ADD COLUMN finisher_until BIGINT;
