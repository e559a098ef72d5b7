-- Shapes over pictures and in comments, and what is destroyed in pictures for good.

-- The layer of a picture: JSON, its shapes in the order they are drawn.
CREATE TABLE markups (
    media_id TEXT PRIMARY KEY REFERENCES media (id) ON DELETE CASCADE,
    shapes TEXT NOT NULL,
    -- What is written in them.
    texts TEXT NOT NULL,
    -- A digest of what the last saving asked for: asked again, it is known.
    asked TEXT NOT NULL
);
-- Raised by each saving; what was drawn of an older one does not commit.
ALTER TABLE media ADD COLUMN markup_revision BIGINT NOT NULL DEFAULT 0;
-- How many shapes the layer has.
ALTER TABLE media ADD COLUMN marks BIGINT NOT NULL DEFAULT 0;
-- The shapes of a comment's anchor: JSON.
ALTER TABLE comments ADD COLUMN drawing TEXT;
-- What is written in them.
ALTER TABLE comments ADD COLUMN drawn TEXT;
-- What the bytes of an upload came under, before they were put together.
ALTER TABLE uploads ADD COLUMN came TEXT;

-- Pictures that are hidden while something of them is destroyed. A row outlives its media: what it names is deleted all the same.
CREATE TABLE burns (
    media_id TEXT PRIMARY KEY,
    -- Who asked for it.
    person_id TEXT NOT NULL,
    asked TEXT NOT NULL,
    -- The layer that is saved with it, in the picture as it was: JSON.
    shapes TEXT NOT NULL,
    -- Boxes to fill, and the box that is to be left: JSON.
    redactions TEXT NOT NULL,
    crop TEXT,
    -- The key of the picture as it was, and all keys its bytes lay under: JSON.
    original TEXT NOT NULL,
    keys TEXT NOT NULL,
    -- What takes its place, once it is stored: JSON.
    made TEXT
);

-- The media that was being worked on when the object was written.
ALTER TABLE loose_objects ADD COLUMN media_id TEXT;
CREATE INDEX loose_objects_media ON loose_objects (media_id);
