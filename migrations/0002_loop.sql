-- Closing the loop: when people work, groups, answers of three kinds, questions, earlier versions, notices.

-- Working hours are JSON, {"days":[1,2,3,4,5],"from":"09:00","to":"17:00"}; none means those.
ALTER TABLE people ADD COLUMN working_hours TEXT;
ALTER TABLE people ADD COLUMN away_until BIGINT;
-- Mail about asks is not wanted, since then.
ALTER TABLE people ADD COLUMN mail_off_at BIGINT;

-- Named sets of people: they hold people only.
CREATE TABLE groups (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    made_by TEXT NOT NULL REFERENCES people (id),
    created_at BIGINT NOT NULL
);
CREATE TABLE group_members (
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, person_id)
);
CREATE INDEX group_members_person ON group_members (person_id, group_id);

-- The groups an update is addressed to: their members of that moment become recipients.
CREATE TABLE group_audience (
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (update_id, group_id)
);
CREATE INDEX group_audience_group ON group_audience (group_id);

-- The members that a group had when the update was sent to it: they stay recipients for as long as it is named.
CREATE TABLE asked_through (
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (update_id, group_id, person_id)
);
CREATE INDEX asked_through_group ON asked_through (group_id);

-- By when, as so many working days of each recipient; then due_at is none.
ALTER TABLE updates ADD COLUMN due_days BIGINT;
-- What the recipient is asked when reading back; none is the usual question.
ALTER TABLE updates ADD COLUMN prompt TEXT;
-- Counted again from the receipts with every answer, so that lists need not.
ALTER TABLE updates ADD COLUMN recipients BIGINT NOT NULL DEFAULT 0;
ALTER TABLE updates ADD COLUMN acknowledged BIGINT NOT NULL DEFAULT 0;
ALTER TABLE updates ADD COLUMN owing BIGINT NOT NULL DEFAULT 0;
-- The earliest due time of those who owe.
ALTER TABLE updates ADD COLUMN next_due_at BIGINT;
-- Readbacks that their author has not heard, and questions that nobody has answered: what the author owes.
ALTER TABLE updates ADD COLUMN unheard BIGINT NOT NULL DEFAULT 0;
ALTER TABLE updates ADD COLUMN open_questions BIGINT NOT NULL DEFAULT 0;
-- These three are written as the inbox orders its sections.
CREATE INDEX updates_waiting ON updates (author_id, (coalesce(next_due_at, 9223372036854775807)), published_at) WHERE owing > 0;
CREATE INDEX updates_to_hear ON updates (author_id) WHERE unheard > 0 OR open_questions > 0;

-- One answer a recipient: `acknowledged`, `read_back` or `declined`.
ALTER TABLE receipts RENAME COLUMN acknowledged_at TO answered_at;
ALTER TABLE receipts RENAME COLUMN acknowledged_revision TO answered_revision;
ALTER TABLE receipts ADD COLUMN answer TEXT;
-- The readback, or why it was declined.
ALTER TABLE receipts ADD COLUMN words TEXT;
-- What the author said to a readback: `confirmed` or `corrected`.
ALTER TABLE receipts ADD COLUMN verdict TEXT;
-- Since when an answer is owed, by when it is due and when that was told; none when nothing is owed. They follow from the other facts.
ALTER TABLE receipts ADD COLUMN owes_since BIGINT;
ALTER TABLE receipts ADD COLUMN due_at BIGINT;
ALTER TABLE receipts ADD COLUMN due_told_at BIGINT;
-- Since when an answer was last owed, kept while it is answered: whoever takes the answer back owes it as before.
ALTER TABLE receipts ADD COLUMN asked_at BIGINT;
ALTER TABLE receipts ADD COLUMN reminded_at BIGINT;
-- The author opened the exchange of the two to all who see the update.
ALTER TABLE receipts ADD COLUMN disclosed_at BIGINT;
CREATE INDEX receipts_owing ON receipts (person_id, (CASE WHEN reminded_at >= owes_since THEN 0 ELSE 1 END), (coalesce(due_at, 9223372036854775807)), owes_since)
WHERE owes_since IS NOT NULL;
CREATE INDEX receipts_next ON receipts (update_id, due_at) WHERE owes_since IS NOT NULL;
CREATE INDEX receipts_due ON receipts (due_at) WHERE owes_since IS NOT NULL AND due_told_at IS NULL;

-- What recipient and author said to each other, in order: `readback`, `decline`, `confirmed`, `corrected`.
CREATE TABLE exchanges (
    id TEXT PRIMARY KEY,
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    revision BIGINT NOT NULL,
    body TEXT NOT NULL,
    said_at BIGINT NOT NULL,
    taken_back_at BIGINT
);
CREATE INDEX exchanges_update ON exchanges (update_id, person_id, id);

ALTER TABLE guests ADD COLUMN readback TEXT;

-- Each revision: the present one as it began, earlier ones as they stood when the next one began.
CREATE TABLE revisions (
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    revision BIGINT NOT NULL,
    title TEXT NOT NULL,
    notes TEXT NOT NULL,
    what_changed TEXT,
    -- JSON: ids and names of its media, in order.
    media TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    PRIMARY KEY (update_id, revision)
);

-- Taken out of what is shown, but still in the version before, which its author can read.
ALTER TABLE media ADD COLUMN removed_at BIGINT;

-- `comment` or `question`; a question is answered by a reply of someone else and accepted by its asker.
ALTER TABLE comments ADD COLUMN kind TEXT NOT NULL DEFAULT 'comment';
ALTER TABLE comments ADD COLUMN answered_at BIGINT;
ALTER TABLE comments ADD COLUMN accepted_at BIGINT;
ALTER TABLE comments ADD COLUMN accepted_id TEXT;
-- JSON: the people and groups it names, as they were written.
ALTER TABLE comments ADD COLUMN mentions TEXT;
CREATE INDEX comments_open ON comments (update_id) WHERE kind = 'question' AND answered_at IS NULL AND accepted_at IS NULL AND removed_at IS NULL;

-- What a comment said before it was edited.
CREATE TABLE comment_versions (
    comment_id TEXT NOT NULL REFERENCES comments (id) ON DELETE CASCADE,
    n BIGINT NOT NULL,
    body TEXT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (comment_id, n)
);

-- What is being written: `subject` is `comment`, `readback`, `decline`, or the id of the comment that is answered.
CREATE TABLE drafts (
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (person_id, update_id, subject)
);

-- Who is told what: one row a person and thing.
CREATE TABLE notices (
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    actor_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    read_at BIGINT,
    -- When it was handed to the mail server.
    mailed_at BIGINT,
    PRIMARY KEY (person_id, kind, subject_id)
);
CREATE INDEX notices_unread ON notices (person_id, at) WHERE read_at IS NULL;
CREATE INDEX notices_to_hear ON notices (person_id, at)
WHERE read_at IS NULL AND kind IN ('sent', 'comment', 'mention', 'answer', 'declined', 'confirmed', 'corrected', 'all_heard');
CREATE INDEX notices_read ON notices (read_at) WHERE read_at IS NOT NULL;
CREATE INDEX notices_update ON notices (update_id, person_id);

-- Rows of the inbox put off: until a time, or until somebody has answered.
CREATE TABLE snoozes (
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    entry_id TEXT NOT NULL,
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    until_at BIGINT,
    PRIMARY KEY (person_id, entry_id)
);
CREATE INDEX snoozes_update ON snoozes (update_id);

-- Updates of which a person wants to hear nothing that does not concern them.
CREATE TABLE mutes (
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    PRIMARY KEY (person_id, update_id)
);
CREATE INDEX mutes_update ON mutes (update_id);

-- What there was before: answers, debts and counts; what was not opened becomes a notice.
UPDATE receipts SET answer = 'acknowledged' WHERE answered_at IS NOT NULL;
UPDATE receipts SET asked_at = sent_at;
UPDATE receipts SET owes_since = sent_at, due_at = (SELECT u.due_at FROM updates u WHERE u.id = receipts.update_id)
WHERE removed_at IS NULL AND EXISTS (SELECT 1 FROM updates u JOIN people p ON p.id = receipts.person_id
    WHERE u.id = receipts.update_id AND u.published_at IS NOT NULL AND u.expectation <> 'fyi' AND p.deactivated_at IS NULL
    AND (receipts.answered_revision IS NULL OR receipts.answered_revision < u.revision));
UPDATE updates SET
    recipients = (SELECT count(*) FROM receipts r JOIN people p ON p.id = r.person_id WHERE r.update_id = updates.id AND r.removed_at IS NULL
                  AND (p.deactivated_at IS NULL OR r.answered_at IS NOT NULL)),
    acknowledged = (SELECT count(*) FROM receipts r WHERE r.update_id = updates.id AND r.removed_at IS NULL AND r.answered_revision >= updates.revision),
    owing = (SELECT count(*) FROM receipts r WHERE r.update_id = updates.id AND r.owes_since IS NOT NULL),
    next_due_at = (SELECT min(r.due_at) FROM receipts r WHERE r.update_id = updates.id AND r.owes_since IS NOT NULL);
-- What was late before is no news now.
UPDATE receipts SET due_told_at = due_at WHERE owes_since IS NOT NULL AND due_at IS NOT NULL;
INSERT INTO notices (person_id, kind, subject_id, update_id, actor_id, at)
SELECT r.person_id, 'sent', u.id, u.id, u.author_id, r.sent_at FROM receipts r JOIN updates u ON u.id = r.update_id
WHERE r.opened_at IS NULL AND r.removed_at IS NULL AND u.published_at IS NOT NULL AND u.expectation = 'fyi';
INSERT INTO notices (person_id, kind, subject_id, update_id, actor_id, at)
SELECT p.id, 'sent', u.id, u.id, u.author_id, u.published_at FROM updates u JOIN people p ON p.id <> u.author_id
WHERE u.everyone_at IS NOT NULL AND u.published_at >= p.created_at AND u.expectation = 'fyi' AND p.deactivated_at IS NULL
AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.update_id = u.id AND r.person_id = p.id);
INSERT INTO notices (person_id, kind, subject_id, update_id, actor_id, at)
SELECT u.author_id, 'comment', c.id, u.id, coalesce(c.person_id, c.guest_id), c.created_at FROM comments c JOIN updates u ON u.id = c.update_id
LEFT JOIN visits v ON v.update_id = u.id AND v.person_id = u.author_id
WHERE u.published_at IS NOT NULL AND c.removed_at IS NULL AND c.created_at > coalesce(v.seen_at, 0) AND (c.person_id IS NULL OR c.person_id <> u.author_id);
INSERT INTO notices (person_id, kind, subject_id, update_id, actor_id, at)
SELECT DISTINCT o.person_id, 'comment', c.id, c.update_id, coalesce(c.person_id, c.guest_id), c.created_at FROM comments c
JOIN comments o ON coalesce(o.parent_id, o.id) = c.parent_id JOIN updates u ON u.id = c.update_id
LEFT JOIN visits v ON v.update_id = u.id AND v.person_id = o.person_id
WHERE u.published_at IS NOT NULL AND c.removed_at IS NULL AND o.person_id IS NOT NULL AND o.person_id <> u.author_id AND o.id < c.id
AND c.created_at > coalesce(v.seen_at, 0) AND (c.person_id IS NULL OR c.person_id <> o.person_id);
INSERT INTO revisions (update_id, revision, title, notes, what_changed, media, begun_at)
SELECT id, revision, title, notes, what_changed, '', published_at FROM updates WHERE published_at IS NOT NULL;
