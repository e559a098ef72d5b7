-- Keys that a rendition was served under before it was drawn anew: whoever has such an address gets what takes its place, while the address is good.
CREATE TABLE former_keys (
    key TEXT PRIMARY KEY,
    media_id TEXT NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX former_keys_media ON former_keys (media_id);
CREATE INDEX former_keys_until ON former_keys (until);
