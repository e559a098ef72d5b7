-- Lists as ranges of indexes: each list of a person is a merge of a few ranges, each of which is already in order.

-- Whether an update contains a video or a picture. Kept in step with the table media by src/updates/media_kinds.rs.
ALTER TABLE updates ADD COLUMN has_video BIGINT NOT NULL DEFAULT 0;
ALTER TABLE updates ADD COLUMN has_image BIGINT NOT NULL DEFAULT 0;
UPDATE updates SET
    has_video = CASE WHEN EXISTS (SELECT 1 FROM media m WHERE m.update_id = updates.id AND m.comment_id IS NULL AND m.removed_at IS NULL AND m.kind = 'video') THEN 1 ELSE 0 END,
    has_image = CASE WHEN EXISTS (SELECT 1 FROM media m WHERE m.update_id = updates.id AND m.comment_id IS NULL AND m.removed_at IS NULL AND m.kind = 'image') THEN 1 ELSE 0 END
WHERE EXISTS (SELECT 1 FROM media m WHERE m.update_id = updates.id);

-- The table of who may open what, in the order of lists, and with copies of columns of updates, so that a filter of a list can be part of an index.
CREATE TABLE update_access_in_order (
    principal TEXT NOT NULL,
    listed_at BIGINT NOT NULL,
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    author_id TEXT NOT NULL,
    has_video BIGINT NOT NULL,
    has_image BIGINT NOT NULL,
    PRIMARY KEY (principal, listed_at, update_id)
);
INSERT INTO update_access_in_order (principal, listed_at, update_id, author_id, has_video, has_image)
SELECT x.principal, u.listed_at, u.id, u.author_id, u.has_video, u.has_image FROM update_access x JOIN updates u ON u.id = x.update_id;
DROP TABLE update_access;
ALTER TABLE update_access_in_order RENAME TO update_access;
CREATE INDEX update_access_update ON update_access (update_id);
CREATE INDEX update_access_author ON update_access (principal, author_id, listed_at, update_id);
CREATE INDEX update_access_video ON update_access (principal, listed_at, update_id) WHERE has_video = 1;
CREATE INDEX update_access_image ON update_access (principal, listed_at, update_id) WHERE has_image = 1;

-- What a person wrote, in the order of lists.
CREATE INDEX updates_own ON updates (author_id, listed_at, id) WHERE trashed_at IS NULL;
CREATE INDEX updates_own_drafts ON updates (author_id, listed_at, id) WHERE trashed_at IS NULL AND published_at IS NULL;
CREATE INDEX updates_own_published ON updates (author_id, listed_at, id) WHERE trashed_at IS NULL AND published_at IS NOT NULL;
CREATE INDEX updates_own_trashed ON updates (author_id, listed_at, id) WHERE trashed_at IS NOT NULL;
CREATE INDEX updates_own_video ON updates (author_id, listed_at, id) WHERE trashed_at IS NULL AND has_video = 1;
CREATE INDEX updates_own_image ON updates (author_id, listed_at, id) WHERE trashed_at IS NULL AND has_image = 1;
-- What was sent to everyone.
CREATE INDEX updates_to_everyone ON updates (listed_at, id) WHERE everyone_at IS NOT NULL AND published_at IS NOT NULL AND trashed_at IS NULL;
-- The library used to read this index from its newest end until it had found a page of what the person may see.
DROP INDEX updates_listed;

-- What can be found, in the order of lists: n is updates.listed_at * 65536 plus a number that differs between the places of one update.
-- The facets say who can find a place and which filters it passes; src/search/facets.rs derives them.
CREATE TABLE said_in_order (
    n BIGINT PRIMARY KEY,
    update_id TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    words TEXT NOT NULL,
    facets TEXT NOT NULL DEFAULT ''
);
INSERT INTO said_in_order (n, update_id, subject_id, words)
SELECT u.listed_at * 65536 + row_number() OVER (PARTITION BY u.listed_at ORDER BY s.subject_id) - 1, s.update_id, s.subject_id, s.words
FROM said s JOIN updates u ON u.id = s.update_id;
DROP TABLE said;
ALTER TABLE said_in_order RENAME TO said;
CREATE INDEX said_update ON said (update_id);
CREATE INDEX said_subject ON said (subject_id);
