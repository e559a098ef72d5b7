// When a recording ends by itself: after so long, or because the server takes no larger files.
import type { Recording } from "./recording.js";

/** Seconds before the size is reached: what the browser has recorded and not handed over yet must still fit. */
const reserve = 4;

/** What `_recorder.html` says of it: seconds, bytes, and these in words. */
export interface Limits {
  seconds: number;
  bytes: number;
  size: string;
}

/** For how many milliseconds it can go on, of how many about, and the words for its end. */
export function left(
  recording: Recording,
  { seconds, bytes, size }: Limits,
): { ms: number; of: number; end: string } {
  const { ms, rate } = recording;
  const time = seconds * 1000 - ms;
  const room = bytes - recording.bytes - (reserve * rate) / 8;
  // What is still, or quiet, is smaller than was asked for; that shows after a while.
  const pace = ms > 10_000 ? recording.bytes / ms : rate / 8000;
  const fits = room <= 0 ? 0 : room / Math.max(pace, 1e-3);
  if (fits < time)
    return { ms: fits, of: ms + fits, end: `A recording is at most ${size} large here` };
  return {
    ms: time,
    of: seconds * 1000,
    end: `A recording is at most ${Math.round(seconds / 60)} minutes long`,
  };
}
