// The progress of sending a recording to the server, as numbers and as a message.
import { formatTime } from "../lib/dom.js";
import { deletedMessage } from "./tus.js";

/** The progress of sending a recording. Times are in milliseconds of recorded time. */
export interface SendProgress {
  recordedMs: number;
  /** How much of the recording has reached the spool or the server. */
  spooledMs: number;
  /** How much of the recording has reached the server. */
  safeMs: number;
  state: "sending" | "waiting" | "signed-out" | "refused" | "done";
  /** The progress as a message for the person. */
  message: string;
}

export function progressMessage({
  state,
  reason,
  safeMs,
  spooledMs,
  isDeleted,
  inMemoryOnly,
}: Pick<SendProgress, "state" | "safeMs" | "spooledMs"> & {
  /** The reason why nothing is being sent, as a sentence. */
  reason: string;
  /** Whether the media was deleted on the server. */
  isDeleted: boolean;
  /** Whether the newest pieces are only in memory, because the spool rejects them. */
  inMemoryOnly: boolean;
}): string {
  const safe = `Safe on the server up to ${formatTime(safeMs)}`;
  const both = `${safe}, kept in this browser up to ${formatTime(spooledMs)}.`;
  const tab = inMemoryOnly
    ? " This browser has no space for the rest, which is only in this tab. Keep the tab open."
    : "";
  switch (state) {
    case "sending":
      return `${safe}.${tab}`;
    case "waiting":
    case "signed-out":
      return `${reason} ${both}${tab}`;
    case "refused":
      return `${reason} ${isDeleted ? deletedMessage(safeMs, spooledMs - safeMs) : both}${tab}`;
    case "done":
      return "The whole recording is safe on the server.";
  }
}
