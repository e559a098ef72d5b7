-- One text for SQLite and PostgreSQL: TEXT for words, ids and JSON, BIGINT for milliseconds since the epoch and counts,
-- and a nullable time where a boolean would stand. Keys for folding and order are made in Rust.

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE people (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT,
    time_zone TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deactivated_at BIGINT
);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    secret_hash TEXT NOT NULL UNIQUE,
    browser TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL
);
CREATE INDEX sessions_person ON sessions (person_id);

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);
CREATE INDEX tokens_person ON tokens (person_id);

CREATE TABLE invitations (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    invited_by TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- One-hour links for a new password.
CREATE TABLE resets (
    id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    secret_hash TEXT NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL
);

CREATE INDEX resets_person ON resets (person_id);

-- Numbered under one row's lock, so that no reader can skip a number that commits late.
CREATE TABLE event_counter (
    n BIGINT NOT NULL
);
INSERT INTO event_counter (n) VALUES (0);

CREATE TABLE events (
    n BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    update_id TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX events_at ON events (at);

CREATE TABLE updates (
    id TEXT PRIMARY KEY,
    author_id TEXT NOT NULL REFERENCES people (id),
    title TEXT NOT NULL,
    notes TEXT NOT NULL,
    visibility TEXT NOT NULL,
    expectation TEXT NOT NULL,
    due_at BIGINT,
    otherwise TEXT,
    everyone_at BIGINT,
    -- Grows with every material edit; acknowledgements of an earlier one are stale.
    revision BIGINT NOT NULL,
    what_changed TEXT,
    -- Grows with every edit: two people editing the same thing learn of each other.
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    published_at BIGINT,
    edited_at BIGINT,
    trashed_at BIGINT,
    -- What lists are ordered by: when it was published, or begun.
    listed_at BIGINT NOT NULL
);
CREATE INDEX updates_listed ON updates (listed_at, id);
CREATE INDEX updates_author ON updates (author_id, listed_at, id);
CREATE INDEX updates_everyone ON updates (everyone_at, published_at);
CREATE INDEX updates_trashed ON updates (trashed_at);

-- The people an update is addressed to, as its author named them.
CREATE TABLE audience (
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (update_id, person_id)
);
CREATE INDEX audience_person ON audience (person_id);

-- "Invite and ask": who accepts the invitation becomes a recipient.
CREATE TABLE invited_audience (
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    invitation_id TEXT NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
    PRIMARY KEY (update_id, invitation_id)
);
CREATE INDEX invited_audience_invitation ON invited_audience (invitation_id);

CREATE TABLE receipts (
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    sent_at BIGINT NOT NULL,
    opened_at BIGINT,
    acknowledged_at BIGINT,
    acknowledged_revision BIGINT,
    removed_at BIGINT,
    PRIMARY KEY (update_id, person_id)
);
CREATE INDEX receipts_person ON receipts (person_id, update_id);

-- When somebody last had the page open, and the time before that: what came since then is new.
CREATE TABLE visits (
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    seen_at BIGINT NOT NULL,
    before_at BIGINT,
    PRIMARY KEY (update_id, person_id)
);

CREATE TABLE links (
    id TEXT PRIMARY KEY,
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    comments_at BIGINT,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX links_update ON links (update_id);

-- Somebody who came through a share link and said a name.
CREATE TABLE guests (
    id TEXT PRIMARY KEY,
    link_id TEXT NOT NULL REFERENCES links (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    acknowledged_at BIGINT,
    acknowledged_revision BIGINT
);
CREATE INDEX guests_link ON guests (link_id);

CREATE TABLE comments (
    id TEXT PRIMARY KEY,
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    parent_id TEXT REFERENCES comments (id) ON DELETE CASCADE,
    media_id TEXT,
    person_id TEXT REFERENCES people (id),
    guest_id TEXT REFERENCES guests (id),
    -- The link a thread was begun through; on its first comment only.
    link_id TEXT REFERENCES links (id),
    body TEXT NOT NULL,
    at_ms BIGINT,
    until_ms BIGINT,
    region TEXT,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    edited_at BIGINT,
    removed_at BIGINT,
    resolved_at BIGINT
);
CREATE INDEX comments_update ON comments (update_id, id);
CREATE INDEX comments_parent ON comments (parent_id);
CREATE INDEX comments_guest ON comments (guest_id);
CREATE INDEX comments_person ON comments (person_id);
CREATE INDEX comments_link ON comments (link_id);
CREATE INDEX comments_media ON comments (media_id);
CREATE INDEX comments_time ON comments (update_id, created_at);

-- The subject is an update or a comment, the actor a person or a guest: ids are unique among all.
CREATE TABLE reactions (
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    subject_id TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    emoji TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (subject_id, actor_id, emoji)
);
CREATE INDEX reactions_update ON reactions (update_id);

-- A recording or a picture of an update, or a picture in a comment (then comment_id is set).
CREATE TABLE media (
    id TEXT PRIMARY KEY,
    update_id TEXT NOT NULL REFERENCES updates (id) ON DELETE CASCADE,
    comment_id TEXT REFERENCES comments (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    file_name TEXT NOT NULL,
    width BIGINT,
    height BIGINT,
    duration_ms BIGINT,
    generation BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX media_update ON media (update_id, id);
CREATE INDEX media_comment ON media (comment_id);

CREATE TABLE renditions (
    media_id TEXT NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    content_type TEXT NOT NULL,
    width BIGINT,
    height BIGINT,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (media_id, name)
);
CREATE INDEX renditions_key ON renditions (key);

-- Storage keys that were written to, or are about to be, and belong to no media: kept until they do or are deleted.
CREATE TABLE loose_objects (
    key TEXT PRIMARY KEY,
    since BIGINT NOT NULL
);

-- What can be found: a row an update or comment, its words folded and parted by spaces. The engines' own indexes over it
-- are made by search.rs. The number grows with the time of the subject, so the newest are found first.
CREATE TABLE said (
    n BIGINT PRIMARY KEY,
    update_id TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    words TEXT NOT NULL
);
CREATE INDEX said_update ON said (update_id);
CREATE INDEX said_subject ON said (subject_id);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    lease TEXT,
    leased_until BIGINT,
    error TEXT,
    dead_at BIGINT
);
CREATE INDEX jobs_due ON jobs (dead_at, run_at);
