-- What the original of a video can carry besides pictures and sound: `none`, or `possible`, for its author alone. Empty where it was not looked at.
ALTER TABLE media ADD COLUMN original_metadata TEXT;
-- How far the bytes of an unfinished upload were looked at: JSON.
ALTER TABLE uploads ADD COLUMN metadata_scan TEXT;

-- Videos that were stored without ffmpeg play as they came. They are looked at now, and prepared if ffmpeg is there.
INSERT INTO jobs (id, kind, payload, run_at, attempts)
SELECT 'original-metadata-' || m.id, 'process', '{"media":"' || m.id || '","generation":' || CAST(m.generation AS TEXT) || '}', 0, 0
FROM media m
WHERE m.kind = 'video' AND m.state = 'ready' AND EXISTS (
    SELECT 1 FROM renditions o JOIN renditions p ON p.media_id = o.media_id AND p.key = o.key
    WHERE o.media_id = m.id AND o.name = 'original' AND p.name = 'playable'
);
