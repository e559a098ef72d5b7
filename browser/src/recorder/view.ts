// What the recorder shows: the parts of its template, by the state that it is in.
import { type Ability, type Device, type Source, unable } from "./capture.js";
import { formatTime, make, setMessage } from "../lib/dom.js";

/** Nothing; choosing; the browser asks; 3-2-1; recording; held; the last piece is on its way. */
export type State = "idle" | "set" | "asking" | "counting" | "recording" | "paused" | "finishing";

const said: Partial<Record<State, string>> = {
  recording: "Recording",
  paused: "Paused",
  finishing: "Finishing",
};

export class RecorderView {
  #again: (() => void) | null = null;

  constructor(readonly root: HTMLElement) {}

  part<E extends HTMLElement = HTMLElement>(name: string): E {
    const found = this.root.querySelector<E>(`[data-part="${name}"]`);
    if (!found) throw new Error(`the recorder has no part ${name}`);
    return found;
  }

  button(name: string): HTMLButtonElement {
    const found = this.root.querySelector<HTMLButtonElement>(`[data-do="${name}"]`);
    if (!found) throw new Error(`the recorder has no button ${name}`);
    return found;
  }

  get source(): Source {
    return (this.root.querySelector<HTMLInputElement>("input[name=source]:checked")?.value ??
      "screen") as Source;
  }

  set source(source: Source) {
    for (const input of this.root.querySelectorAll<HTMLInputElement>("input[name=source]"))
      input.checked = input.value === source;
  }

  /** Offers what this browser can, and says why it is not more. */
  offer(ability: Ability): void {
    this.button("open").hidden = ability !== "all" && ability !== "camera";
    this.button("screenshot").hidden = ability !== "all";
    this.button("film").hidden = ability !== "phone";
    const note = this.part("cannot");
    note.hidden = ability === "all";
    if (ability !== "all") this.#write(note.querySelector("p"), unable[ability]);
    for (const input of this.root.querySelectorAll<HTMLInputElement>("input[name=source]"))
      input.disabled = ability === "camera" && input.value !== "camera";
    if (ability === "camera") this.source = "camera";
    if (this.root.dataset["refused"] !== undefined)
      for (const button of this.part("starts").querySelectorAll("button")) button.disabled = true;
  }

  show(state: State, camera: boolean): void {
    this.root.dataset["state"] = state;
    const running = state === "recording" || state === "paused";
    const out = running || state === "counting" || state === "asking";
    this.part("starts").hidden = state !== "idle";
    this.part("recorder").hidden = state === "idle";
    this.part("bar").hidden = !running && state !== "finishing";
    this.part("set").hidden = state !== "set" && state !== "asking";
    // Only Cancel is left while the browser asks: a question that got lost must not lock the page.
    for (const part of this.part("set").children)
      if (part instanceof HTMLElement)
        part.inert = state === "asking" && !part.classList.contains("actions");
    this.button("record").inert = state === "asking";
    this.part("stage").hidden =
      !(out && state !== "asking") && !(camera && (state === "set" || state === "asking"));
    this.part("count").hidden = state !== "counting";
    for (const part of ["count", "preview"]) this.part(part).style.opacity = "";
    this.part("camera-field").hidden = !camera;
    for (const part of ["sound-field", "asks"]) this.part(part).hidden = this.source === "camera";
    this.part("bubble-hint").hidden = this.source !== "both";
    this.#write(
      this.part("empty"),
      `Your ${this.source === "camera" ? "camera" : "screen"} comes here.`,
    );
    this.button("pause").hidden = state !== "recording";
    this.button("resume").hidden = state !== "paused";
    this.button("restart").hidden = !running;
    this.button("stop").hidden = !running;
    for (const level of this.root.querySelectorAll<HTMLElement>(".recorder-bar .level"))
      level.hidden = !running;
    this.#write(this.part("state"), said[state] ?? "");
  }

  /** Shows a picture on the stage; without one, the place where it will be. */
  picture(track: MediaStreamTrack | null): void {
    const video = this.part<HTMLVideoElement>("preview");
    video.hidden = track === null;
    this.part("empty").hidden = track !== null;
    this.#play(video, track);
  }

  /** The camera in its bubble; once it is part of the picture, only the bubble's rim is left to hold. */
  face(track: MediaStreamTrack | null, composed: boolean): void {
    const bubble = this.part("bubble");
    bubble.hidden = track === null;
    bubble.classList.toggle("composed", composed);
    this.#play(this.part<HTMLVideoElement>("face"), composed ? null : track);
  }

  #play(video: HTMLVideoElement, track: MediaStreamTrack | null): void {
    video.srcObject = track && new MediaStream([track]);
    // Taken away again before it began: nothing to say.
    if (track) video.play().catch(() => undefined);
  }

  /** Fills the choice of a device. */
  devices(kind: Device, found: { id: string; name: string }[], chosen: string): void {
    const select = this.part<HTMLSelectElement>(kind);
    const options = found.map(({ id, name }) => make("option", { value: id }, name));
    if (kind === "microphone") options.push(make("option", { value: "none" }, "No microphone"));
    else if (options.length === 0) options.push(make("option", { value: "none" }, "No camera"));
    select.replaceChildren(...options);
    select.value = chosen;
    if (select.selectedIndex < 0) select.selectedIndex = options.length - 1;
  }

  /** How loud the microphone is, and what to make of it. */
  level(loud: number, words: string): void {
    for (const meter of this.root.querySelectorAll<HTMLMeterElement>(".level")) {
      meter.value = loud;
      meter.style.setProperty("--loud", loud.toFixed(2));
    }
    this.#write(this.part("heard"), words);
  }

  time(ms: number): void {
    this.#write(this.part("time"), formatTime(ms));
  }

  safety(words: string): void {
    this.#write(this.part("safety"), words);
  }

  /** What to know while it records; nothing hides it. */
  warning(words: string): void {
    const warning = this.part("warning");
    warning.hidden = words === "";
    this.#write(warning, words);
  }

  /** What is missing in the recording so far; empty if nothing is. */
  missing(words: string): void {
    const note = this.part("missing");
    note.hidden = words === "";
    this.#write(note.lastElementChild, words);
  }

  count(number: string): void {
    this.#write(this.part("number"), number);
  }

  /** Takes the number off the page; resolves when whoever captures the page has a picture without it, of which no event tells. */
  uncounted(): Promise<void> {
    // The preview as well: where it shows this page, it shows the countdown again some frames later.
    for (const part of ["count", "preview"]) this.part(part).style.opacity = "0";
    return new Promise((resolve) => setTimeout(resolve, 250));
  }

  /** Says what is wrong, with a way to try again where there is one. */
  problem(words: string, again: (() => void) | null = null): void {
    this.part("problem").hidden = words === "";
    this.#write(this.part("problem").querySelector("p"), words);
    this.button("again").hidden = again === null;
    this.#again = again;
  }

  again(): void {
    const act = this.#again;
    this.problem("");
    act?.();
  }

  #write(element: Element | null, words: string): void {
    if (element) setMessage(element, words);
  }
}
