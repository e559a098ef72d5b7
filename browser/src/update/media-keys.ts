// The shortcuts on the page of an update that concern the media on the stage.
import { announce } from "../lib/dom.js";
import { latinKey } from "../lib/latin-key.js";
import { stage } from "./media-stage.js";
import { ARROW_MS, FINE_MS, seekBy, togglePlayback } from "./player-keys.js";

const SKIP_MS = 10_000;

/** Handles a key press. Returns whether the key was one of these shortcuts. */
export function mediaKey(event: KeyboardEvent): boolean {
  const target = event.target instanceof Element ? event.target : null;
  const video = stage()?.video;
  const key = latinKey(event);
  switch (key) {
    case " ":
    case "k":
      // Ignore the space bar on a focused control, because it activates the control.
      if (!video || (key === " " && target?.closest("button, summary, a, video, select")))
        return false;
      togglePlayback(video);
      return true;
    case "j":
    case "l":
      if (!video) return false;
      seekBy(video, key === "j" ? -SKIP_MS : SKIP_MS);
      return true;
    case "ArrowLeft":
    case "ArrowRight": {
      if (target?.closest("video, select, input")) return false;
      const direction = key === "ArrowLeft" ? -1 : 1;
      if (video) seekBy(video, direction * (event.shiftKey ? FINE_MS : ARROW_MS));
      else stepMedia(direction);
      return true;
    }
    case "m":
      stage()?.marks?.toggleMarks();
      return true;
    default:
      return false;
  }
}

function stepMedia(offset: number): void {
  const shown = stage();
  if (!shown?.step(offset)) return;
  announce(`${shown.numberOf(shown.shownMedia)} of ${shown.count}: ${shown.shownName}`);
}
