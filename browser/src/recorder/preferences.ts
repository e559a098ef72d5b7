// The recorder's choices, remembered in this browser.
import { readStorage, writeStorage } from "../lib/dom.js";
import { type Bubble, defaultBubble } from "./camera-bubble.js";
import type { RecordingSource } from "./capture.js";

export interface RecorderChoice {
  source: RecordingSource;
  /** The id of a device, "none", or empty for the default one. */
  microphone: string;
  camera: string;
  /** Whether the sound of a shared screen is recorded. */
  sound: boolean;
  bubble: Bubble;
}

const defaultChoice: RecorderChoice = {
  source: "screen",
  microphone: "",
  camera: "",
  sound: true,
  bubble: defaultBubble,
};

export function loadChoice(): RecorderChoice {
  try {
    const stored = JSON.parse(readStorage("localStorage", "recorder") ?? "{}") as object;
    return { ...defaultChoice, ...stored };
  } catch {
    return { ...defaultChoice };
  }
}

export function saveChoice(choice: RecorderChoice): void {
  writeStorage("localStorage", "recorder", JSON.stringify(choice));
}
