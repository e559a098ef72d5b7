// Computes when a recording ends automatically: after the maximum duration, or before its file exceeds the size that
// the server accepts.
import type { Recording } from "./recording.js";

/**
 * The size limit leaves room for this many seconds of data, which the browser may have recorded but
 * not yet delivered.
 */
const reservedSeconds = 4;
/** After this many milliseconds, the measured bit rate predicts the file's growth better than the requested one. */
const measuredAfter = 10_000;

/** The limits that the recorder's template specifies. */
export interface Limits {
  seconds: number;
  bytes: number;
  /** The maximum size, as text for the person. */
  sizeText: string;
}

/**
 * Returns how much longer the recording can run (`ms`), how long it will then be in total (`ofMs`),
 * and the limit that will end it (`reason`).
 */
export function remaining(
  recording: Recording,
  { seconds, bytes, sizeText }: Limits,
): { ms: number; ofMs: number; reason: string } {
  const { ms, bitRate } = recording;
  const timeLeft = seconds * 1000 - ms;
  const bytesLeft = bytes - recording.bytes - (reservedSeconds * bitRate) / 8;
  // The requested bit rate is too high an estimate for still pictures and silence, so use the measured rate as soon as
  // it is reliable.
  const bytesPerMs = ms > measuredAfter ? recording.bytes / ms : bitRate / 8000;
  const sizeLeft = bytesLeft <= 0 ? 0 : bytesLeft / Math.max(bytesPerMs, 1e-3);
  return sizeLeft < timeLeft
    ? {
        ms: sizeLeft,
        ofMs: ms + sizeLeft,
        reason: `A recording can be at most ${sizeText}`,
      }
    : {
        ms: timeLeft,
        ofMs: seconds * 1000,
        reason: `A recording can be at most ${Math.round(seconds / 60)} minutes long`,
      };
}
