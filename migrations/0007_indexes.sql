-- Most updates are not in the trash and most media are not in a comment. SQLite has no statistics here, took the empty value for a rare one, and read
-- whole tables by these indexes. Without the empty value they cannot be chosen for it.
DROP INDEX updates_trashed;
CREATE INDEX updates_trashed ON updates (trashed_at) WHERE trashed_at IS NOT NULL;
DROP INDEX media_comment;
CREATE INDEX media_comment ON media (comment_id) WHERE comment_id IS NOT NULL;

-- The clock by which run_at was last set: a clock that was set back since delays nothing.
ALTER TABLE jobs ADD COLUMN scheduled_at BIGINT;
CREATE INDEX jobs_scheduled ON jobs (scheduled_at) WHERE scheduled_at IS NOT NULL;
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE leased_until IS NOT NULL;
