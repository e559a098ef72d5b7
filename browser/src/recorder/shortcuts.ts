// The keyboard shortcuts of the recorder.
import { latinKey } from "../lib/latin-key.js";
import type { RecorderState } from "./view.js";

export type Shortcut = "cancel" | "stop" | "pause" | "resume";

/**
 * Returns the shortcut that a key press triggers in this state, or null if it triggers none. Escape
 * cancels, Alt+Shift+S stops, and Alt+Shift+P pauses or resumes.
 */
export function shortcutOf(event: KeyboardEvent, state: RecorderState): Shortcut | null {
  if (event.key === "Escape") return state === "counting" || state === "asking" ? "cancel" : null;
  if (!event.altKey || !event.shiftKey || event.ctrlKey || event.metaKey) return null;
  const key = latinKey(event).toLowerCase();
  if (key === "s" && (state === "recording" || state === "paused")) return "stop";
  if (key === "p" && state === "recording") return "pause";
  if (key === "p" && state === "paused") return "resume";
  return null;
}
