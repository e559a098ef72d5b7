-- Who may open what: one row for each principal and update, derived by src/updates/access.rs and written nowhere else.
-- A principal is a person's id, `everyone` (every account), or a group's id: its members of today, where the author let later members in.
-- An author always sees their own updates and has no row.
CREATE TABLE update_access (
    principal TEXT NOT NULL,
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    -- updates.listed_at, so that one principal's updates can be read in order of time.
    listed_at BIGINT NOT NULL,
    PRIMARY KEY (principal, update_id)
);
CREATE INDEX update_access_listed ON update_access (principal, listed_at DESC, update_id DESC);
CREATE INDEX update_access_update ON update_access (update_id);

-- Since when people who join its groups later may open it too; NULL: only those who were members when it was sent.
ALTER TABLE updates ADD COLUMN later_members_at BIGINT;

-- How often a guest's page reported that it was opened, and when last.
ALTER TABLE links ADD COLUMN opens BIGINT NOT NULL DEFAULT 0;
ALTER TABLE links ADD COLUMN last_opened_at BIGINT;

-- The news an author gets of who joined is among what the inbox reads by this index.
DROP INDEX notices_to_hear;
CREATE INDEX notices_to_hear ON notices (person_id, at)
WHERE read_at IS NULL AND kind IN ('sent', 'comment', 'mention', 'answer', 'declined', 'confirmed', 'corrected', 'all_heard', 'joined');

-- What there was before. Whoever could open an update only because they joined its group after it was sent has no receipt, and gets no row.
INSERT INTO update_access (principal, update_id, listed_at)
SELECT 'everyone', id, listed_at FROM updates
WHERE published_at IS NOT NULL AND trashed_at IS NULL AND (visibility = 'workspace' OR everyone_at IS NOT NULL);
INSERT INTO update_access (principal, update_id, listed_at)
SELECT r.person_id, u.id, u.listed_at FROM receipts r JOIN updates u ON u.id = r.update_id
WHERE u.published_at IS NOT NULL AND u.trashed_at IS NULL AND r.removed_at IS NULL;

-- Links of people who were deactivated are closed for good, as they are from now on at deactivation.
UPDATE links SET revoked_at = (SELECT a.deactivated_at FROM updates u JOIN people a ON a.id = u.author_id WHERE u.id = links.update_id)
WHERE revoked_at IS NULL AND EXISTS (SELECT 1 FROM updates u JOIN people a ON a.id = u.author_id
    WHERE u.id = links.update_id AND a.deactivated_at IS NOT NULL);
