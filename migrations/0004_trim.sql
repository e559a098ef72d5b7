-- A recording may be trimmed: which stretch of the whole plays, in milliseconds of the original; none of these where all of it does.
ALTER TABLE media ADD COLUMN trim_from_ms BIGINT;
ALTER TABLE media ADD COLUMN trim_to_ms BIGINT;
-- Where the stretch began that the last trim was said in: said again, it is known.
ALTER TABLE media ADD COLUMN trim_base_ms BIGINT;
-- How long the whole is.
ALTER TABLE media ADD COLUMN whole_ms BIGINT;
-- Until then who was given the address of the raw file may go on playing it, though the seekable copy has taken its place.
ALTER TABLE media ADD COLUMN raw_until BIGINT;
