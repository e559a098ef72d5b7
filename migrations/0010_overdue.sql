-- Overdue answers are among what the inbox reads by this index.
DROP INDEX notices_to_hear;
CREATE INDEX notices_to_hear ON notices (person_id, at)
WHERE read_at IS NULL AND kind IN ('sent', 'comment', 'mention', 'answer', 'declined', 'confirmed', 'corrected', 'all_heard', 'joined', 'overdue');
