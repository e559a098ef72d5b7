// Updates the status that changes continuously: the microphone's level, the recorded time, and warnings about silence
// and limits.
import { announce, formatTime } from "../lib/dom.js";
import type { MicrophoneLevel } from "./audio-mixer.js";
import { remaining } from "./automatic-end.js";
import type { Recording } from "./recording.js";
import type { RecorderSources } from "./sources.js";
import { showInTab } from "./tab-indicator.js";
import type { RecorderState, RecorderView } from "./view.js";

/** The update interval, in milliseconds. */
const interval = 100;

/**
 * Milliseconds of silence before the recorder warns about it. While choosing devices, the person is asked to speak, so
 * the warning comes soon. While recording, they may show something without speaking, so it comes later.
 */
const silenceDelay = { choosing: 3000, recording: 10_000 };

/** The recorder warns about a limit at most this many milliseconds before the recording reaches it. */
const limitWarning = 5 * 60_000;

interface StatusCallbacks {
  read(): { state: RecorderState; recording: Recording | null };
  /**
   * The recording reached a limit. `reason` is a clause without a period, such as "A recording can be at most 60
   * minutes long".
   */
  limitReached(reason: string): void;
}

export class LiveStatus {
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * `dataset` contains the data attributes of the `<screen-recorder>` element. Some of them are the server's limits.
   */
  constructor(
    private readonly view: RecorderView,
    private readonly sources: RecorderSources,
    private readonly dataset: DOMStringMap,
    private readonly callbacks: StatusCallbacks,
  ) {}

  start(): void {
    this.stop();
    this.#timer = setInterval(() => this.update(), interval);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  update(): void {
    const { state, recording } = this.callbacks.read();
    const isSilent = this.#updateLevel(state);
    if (!recording) return;
    this.view.showTime(recording.ms);
    if (state !== "recording" && state !== "paused") return;
    showInTab(`${state === "paused" ? "Paused" : "●"} ${formatTime(recording.ms)}`);
    this.#updateWarning(recording, isSilent && state === "recording");
  }

  /** Shows the microphone's level. Returns whether the microphone has been silent for too long. */
  #updateLevel(state: RecorderState): boolean {
    const { mixer } = this.sources;
    if (!mixer) return false;
    const level = mixer.level();
    const isChoosing = state === "set" || state === "asking";
    const delay = isChoosing ? silenceDelay.choosing : silenceDelay.recording;
    const isSilent = level !== null && level.silentMs > delay;
    this.view.showLevel(level?.loudness ?? 0, levelMessage(level, isSilent));
    return isSilent;
  }

  #updateWarning(recording: Recording, isSilent: boolean): void {
    const { limit, size, sizeWords = "" } = this.dataset;
    const { ms, ofMs, reason } = remaining(recording, {
      seconds: Number(limit),
      bytes: Number(size),
      sizeText: sizeWords,
    });
    const isEndNear = ms <= Math.min(limitWarning, ofMs / 4);
    const warning = isEndNear
      ? `The recording will stop automatically in ${formatTime(ms)}.`
      : isSilent
        ? "No sound is coming from your microphone."
        : "";
    if (warning !== "" && this.view.part("warning").hidden) announce(warning);
    this.view.showWarning(warning);
    if (ms <= 0) this.callbacks.limitReached(reason);
  }
}

/** `level` is null if there is no microphone. */
function levelMessage(level: MicrophoneLevel | null, isSilent: boolean): string {
  if (!level) return "Your voice won’t be recorded";
  if (level.isUnknown)
    return "Your microphone is being recorded. This browser cannot show how loud it is.";
  if (isSilent) return "No sound is coming from your microphone. Speak, or choose another one.";
  return level.wasHeard ? "Microphone works" : "Say something.";
}
