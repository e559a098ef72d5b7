// The person's recorder settings, remembered in this browser.
import { readStorage, writeStorage } from "../lib/dom.js";
import { type Bubble, defaultBubble } from "./camera-bubble.js";
import type { RecordingSource } from "./capture.js";

export interface RecorderChoice {
  source: RecordingSource;
  /** A device id, "none", or an empty string for the default device. */
  microphone: string;
  camera: string;
  /** Whether audio from a shared screen is recorded. */
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
