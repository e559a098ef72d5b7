// The recorder's elements: which of them each state shows, and their texts.
import { withFallback } from "../lib/deadline.js";
import { formatTime, make, nextPaint, setMessage } from "../lib/dom.js";
import { type Capability, limitationMessages } from "./capability.js";
import type { DeviceKind, RecordingSource } from "./capture.js";
import { watchUntilGone } from "./own-tab.js";

/** `set`: choosing sources. `asking`: the browser asks for permission. `finishing`: the last bytes are being sent. */
export type RecorderState =
  "idle" | "set" | "asking" | "counting" | "recording" | "paused" | "finishing";

const stateLabels: Partial<Record<RecorderState, string>> = {
  recording: "Recording",
  paused: "Paused",
  finishing: "Finishing",
};

/** For each state, the button that gets the focus when the focused button disappears. */
const mainButtons: Partial<Record<RecorderState, string>> = {
  idle: "open",
  set: "record",
  counting: "cancel",
  recording: "stop",
  paused: "resume",
};

/**
 * Delays after the countdown, in milliseconds. `paint`: the longest wait until the browser has
 * painted the page without the countdown. `capture`: how long the capture of a screen or window may
 * lag behind the painted page; no event reports when it has caught up. `ownTab`: the longest wait
 * until a capture of this tab has caught up.
 */
const delays = { paint: 1000, capture: 250, ownTab: 5000 };

export class RecorderView {
  #retry: (() => void) | null = null;

  constructor(readonly root: HTMLElement) {}

  /** Finds the element with this `data-part`. */
  part<E extends HTMLElement = HTMLElement>(name: string): E {
    const found = this.root.querySelector<E>(`[data-part="${name}"]`);
    if (!found) throw new Error(`the recorder has no part ${name}`);
    return found;
  }

  /** Finds the button with this `data-do`. */
  button(name: string): HTMLButtonElement {
    const found = this.root.querySelector<HTMLButtonElement>(`[data-do="${name}"]`);
    if (!found) throw new Error(`the recorder has no button ${name}`);
    return found;
  }

  get source(): RecordingSource {
    return (this.root.querySelector<HTMLInputElement>("input[name=source]:checked")?.value ??
      "screen") as RecordingSource;
  }

  set source(source: RecordingSource) {
    for (const input of this.#sourceInputs) input.checked = input.value === source;
  }

  get #sourceInputs(): NodeListOf<HTMLInputElement> {
    return this.root.querySelectorAll<HTMLInputElement>("input[name=source]");
  }

  /**
   * Offers only the options that this browser supports, and explains why the others are missing.
   */
  showCapability(capability: Capability): void {
    this.button("open").hidden = capability !== "all" && capability !== "camera";
    this.button("screenshot").hidden = capability !== "all";
    this.button("film").hidden = capability !== "phone";
    const note = this.part("cannot");
    note.hidden = capability === "all";
    if (capability !== "all")
      this.#setText(note.querySelector("p"), limitationMessages[capability]);
    for (const input of this.#sourceInputs)
      input.disabled = capability === "camera" && input.value !== "camera";
    if (capability === "camera") this.source = "camera";
    if (this.root.dataset["refused"] !== undefined)
      for (const button of this.part("starts").querySelectorAll("button")) button.disabled = true;
  }

  /** Shows the parts of the recorder that belong to a state. `hasCamera`: the chosen source includes the camera. */
  show(state: RecorderState, hasCamera: boolean): void {
    this.root.dataset["state"] = state;
    const isRunning = state === "recording" || state === "paused";
    const isChoosing = state === "set" || state === "asking";
    this.part("starts").hidden = state !== "idle";
    this.part("recorder").hidden = state === "idle";
    this.part("bar").hidden = !isRunning && state !== "finishing";
    this.part("stage").hidden = !isRunning && state !== "counting" && !(hasCamera && isChoosing);
    this.part("count").hidden = state !== "counting";
    for (const part of ["count", "preview"]) this.part(part).style.opacity = "";
    this.#showSetup(state, hasCamera);
    this.#setText(
      this.part("empty"),
      `Your ${this.source === "camera" ? "camera" : "screen"} will appear here.`,
    );
    this.button("pause").hidden = state !== "recording";
    this.button("resume").hidden = state !== "paused";
    this.button("restart").hidden = !isRunning;
    this.button("stop").hidden = !isRunning;
    for (const level of this.root.querySelectorAll<HTMLElement>(".recorder-bar .level"))
      level.hidden = !isRunning;
    this.#setText(this.part("state"), stateLabels[state] ?? "");
  }

  #showSetup(state: RecorderState, hasCamera: boolean): void {
    const setup = this.part("set");
    setup.hidden = state !== "set" && state !== "asking";
    // While the browser asks for permission, disable everything except Cancel, which the person needs if they overlook
    // the browser's prompt.
    for (const part of setup.children)
      if (part instanceof HTMLElement)
        part.inert = state === "asking" && !part.classList.contains("actions");
    this.button("record").inert = state === "asking";
    this.part("camera-field").hidden = !hasCamera;
    for (const part of ["sound-field", "asks"]) this.part(part).hidden = this.source === "camera";
    this.part("bubble-hint").hidden = this.source !== "both";
  }

  /** Focuses the main button of a state if the focused element was hidden. */
  restoreFocus(state: RecorderState): void {
    const name = mainButtons[state];
    const focused = document.activeElement;
    if (name && (focused === document.body || focused?.closest("[hidden]")))
      this.button(name).focus({ preventScroll: true });
  }

  /** Shows a track on the stage. If `track` is null, shows the placeholder. */
  showPreview(track: MediaStreamTrack | null): void {
    const video = this.part<HTMLVideoElement>("preview");
    video.hidden = track === null;
    this.part("empty").hidden = track !== null;
    this.#play(video, track);
  }

  /**
   * Shows the camera in its bubble. Once the composited picture contains the camera, shows only the border of the
   * bubble, so that the person can still move the bubble.
   */
  showCamera(track: MediaStreamTrack | null, isComposed: boolean): void {
    const bubble = this.part("bubble");
    bubble.hidden = track === null;
    bubble.classList.toggle("composed", isComposed);
    this.#play(this.part<HTMLVideoElement>("face"), isComposed ? null : track);
  }

  #play(video: HTMLVideoElement, track: MediaStreamTrack | null): void {
    video.srcObject = track && new MediaStream([track]);
    // Ignore the rejection of play(), which means that the track was removed before it played.
    if (track) video.play().catch(() => undefined);
  }

  /** Fills the list of devices. `chosen` is the id of the device in use, or "none". */
  showDevices(kind: DeviceKind, found: { id: string; name: string }[], chosen: string): void {
    const select = this.part<HTMLSelectElement>(kind);
    const options = found.map(({ id, name }) => make("option", { value: id }, name));
    if (kind === "microphone") options.push(make("option", { value: "none" }, "No microphone"));
    else if (options.length === 0) options.push(make("option", { value: "none" }, "No camera"));
    select.replaceChildren(...options);
    select.value = chosen;
    if (select.selectedIndex < 0) select.selectedIndex = options.length - 1;
  }

  /** Shows the microphone's level, from 0 to 1, with a message. */
  showLevel(loudness: number, message: string): void {
    for (const meter of this.root.querySelectorAll<HTMLMeterElement>(".level")) {
      meter.value = loudness;
      meter.style.setProperty("--loud", loudness.toFixed(2));
    }
    this.#setText(this.part("heard"), message);
  }

  showTime(ms: number): void {
    this.#setText(this.part("time"), formatTime(ms));
  }

  /** Shows how much of the recording is safe on the server. */
  showProgress(message: string): void {
    this.#setText(this.part("safety"), message);
  }

  /** Shows a warning during the recording. An empty message hides the warning. */
  showWarning(message: string): void {
    const warning = this.part("warning");
    warning.hidden = message === "";
    this.#setText(warning, message);
  }

  /** Names the sources that are missing from the recording. An empty message hides the note. */
  showMissing(message: string): void {
    const note = this.part("missing");
    note.hidden = message === "";
    this.#setText(note.lastElementChild, message);
  }

  showCountdown(text: string): void {
    this.#setText(this.part("number"), text);
  }

  /**
   * Hides the countdown, and resolves once the captured screen no longer shows it. The captured screen may show this
   * page. `previewsOwnTab`: the preview shows a capture of this tab.
   */
  async hideCountdown(previewsOwnTab: boolean): Promise<void> {
    const preview = this.part<HTMLVideoElement>("preview");
    const disc = this.part("number");
    const gone =
      previewsOwnTab &&
      watchUntilGone(preview, getComputedStyle(disc).backgroundColor, topOfDisc(disc));
    // If the person shares this page, its preview shows the countdown with some delay, so hide the preview too.
    for (const part of [this.part("count"), preview]) part.style.opacity = "0";
    if (gone) return gone(delays.ownTab);
    await withFallback(nextPaint(), delays.paint, undefined);
    await new Promise((resolve) => setTimeout(resolve, delays.capture));
  }

  /** Shows a problem, with a retry button if `retry` is given. An empty message hides the problem. */
  showProblem(message: string, retry: (() => void) | null = null): void {
    this.part("problem").hidden = message === "";
    this.#setText(this.part("problem").querySelector("p"), message);
    this.button("again").hidden = retry === null;
    this.#retry = retry;
  }

  /** Runs the retry action of the last problem. */
  retry(): void {
    const retry = this.#retry;
    this.showProblem("");
    retry?.();
  }

  #setText(element: Element | null, text: string): void {
    if (element) setMessage(element, text);
  }
}

/** Returns the upper part of the countdown's disc, which the number never covers. */
function topOfDisc(disc: HTMLElement): DOMRect {
  const { left, top, width, height } = disc.getBoundingClientRect();
  return new DOMRect(left + 0.35 * width, top + 0.06 * height, 0.3 * width, 0.12 * height);
}
