-- Files that come over many requests: how far each is, and what of it lies where.

CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    -- What its sender tells it from others by.
    nonce TEXT,
    -- What it belongs to; an upload whose media is gone is thrown away.
    update_id TEXT NOT NULL,
    media_id TEXT NOT NULL,
    -- The draft was made for it, and goes with it while it is empty.
    made_draft_at BIGINT,
    file_name TEXT NOT NULL,
    -- As its sender described it.
    metadata TEXT NOT NULL,
    length BIGINT,
    -- It began without a length: a recording.
    deferred_at BIGINT,
    -- So many bytes are durable; nothing beyond them counts.
    received BIGINT NOT NULL,
    -- Raised by each writer that takes it over; an older one can commit nothing more.
    generation BIGINT NOT NULL,
    -- Where it will lie when it is whole.
    key TEXT NOT NULL,
    -- In a bucket: the unfinished object there, and the last number given to a part of it.
    multipart TEXT,
    parts BIGINT NOT NULL,
    -- Parts nobody told of had to be taken in: JSON, the stretches [start, end) of that object which count.
    stretches TEXT,
    -- What its first bytes show it to be; none until enough of them are there.
    content_type TEXT,
    created_at BIGINT NOT NULL,
    touched_at BIGINT NOT NULL,
    finished_at BIGINT,
    -- Its page never came back: finished with what had arrived.
    broken_off_at BIGINT
);
CREATE INDEX uploads_person ON uploads (person_id, id);
CREATE UNIQUE INDEX uploads_nonce ON uploads (person_id, nonce);
CREATE INDEX uploads_media ON uploads (media_id);
CREATE INDEX uploads_open ON uploads (touched_at) WHERE finished_at IS NULL;

-- In a bucket what arrived lies in pieces: segments of one request each (key), then parts of the unfinished object (part, etag).
CREATE TABLE upload_pieces (
    upload_id TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    start BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    key TEXT,
    part BIGINT,
    etag TEXT,
    PRIMARY KEY (upload_id, start)
);

-- The recording ends where its page was lost.
ALTER TABLE media ADD COLUMN broken_off_at BIGINT;
