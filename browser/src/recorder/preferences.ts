// What one chose last time: what to record, with which devices, and where the bubble was.
import { type Bubble, usual } from "./camera-bubble.js";
import type { Source } from "./capture.js";
import { readStorage, writeStorage } from "../lib/dom.js";

export interface Choice {
  source: Source;
  /** Ids of devices; empty for the usual one. */
  microphone: string;
  camera: string;
  /** With the sound of what is shared. */
  sound: boolean;
  bubble: Bubble;
}

const first: Choice = { source: "screen", microphone: "", camera: "", sound: true, bubble: usual };

export function lastChoice(): Choice {
  try {
    return {
      ...first,
      ...(JSON.parse(readStorage("localStorage", "recorder") ?? "{}") as Partial<Choice>),
    };
  } catch {
    return { ...first };
  }
}

export function keepChoice(choice: Choice): void {
  writeStorage("localStorage", "recorder", JSON.stringify(choice));
}
