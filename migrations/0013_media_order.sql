-- The place of media in their update. Media with the same position are in the order of their ids.
ALTER TABLE media ADD COLUMN position BIGINT NOT NULL DEFAULT 0;
