// The strip below the video of the trim editor: two handles, the range between them, and the playhead.
import { make } from "../lib/dom.js";
import { formatExact } from "./trim-time.js";

export type End = "from" | "to";

/** The two ends of a range, in milliseconds from the start of the recording. */
export type Range = Record<End, number>;

interface StripCallbacks {
  /** Called when the person drags a handle or moves it with the keyboard. */
  moved(end: End, ms: number): void;
  /** Called when the person presses the strip at the time `ms`. */
  seek(ms: number): void;
}

export class TrimStrip {
  readonly element: HTMLElement;
  #kept = make("div", { class: "trim-kept" });
  #playhead = make("div", { class: "trim-now" });
  #handles: Record<End, HTMLElement>;
  #range: Range;

  /** `duration` is the length of the whole recording, in milliseconds. */
  constructor(
    readonly duration: number,
    readonly callbacks: StripCallbacks,
  ) {
    this.#range = { from: 0, to: duration };
    this.#handles = { from: this.#makeHandle("from"), to: this.#makeHandle("to") };
    this.element = make(
      "div",
      { class: "trim-strip" },
      this.#kept,
      this.#playhead,
      this.#handles.from,
      this.#handles.to,
    );
    this.element.addEventListener("pointerdown", (event) => {
      if (!(event.target instanceof Element && event.target.closest("[role=slider]")))
        callbacks.seek(this.#timeAt(event));
    });
  }

  draw(range: Range, position: number): void {
    this.#range = range;
    for (const end of ["from", "to"] as const) {
      const handle = this.#handles[end];
      handle.style.left = this.#percent(range[end]);
      handle.setAttribute("aria-valuenow", String(range[end]));
      handle.setAttribute("aria-valuetext", formatExact(range[end]));
    }
    this.#kept.style.left = this.#percent(range.from);
    this.#kept.style.right = `${100 - parseFloat(this.#percent(range.to))}%`;
    this.#playhead.style.left = this.#percent(position);
  }

  #percent(ms: number): string {
    return `${Math.max(0, Math.min(100, (ms / this.duration) * 100))}%`;
  }

  #timeAt(event: PointerEvent): number {
    const box = this.element.getBoundingClientRect();
    return Math.round(((event.clientX - box.left) / box.width) * this.duration);
  }

  #makeHandle(end: End): HTMLElement {
    const handle = make("div", {
      class: "trim-handle",
      role: "slider",
      tabindex: "0",
      "data-end": end,
      "aria-label": end === "from" ? "Start" : "End",
      "aria-valuemin": "0",
      "aria-valuemax": String(this.duration),
    });
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      handle.focus();
      event.preventDefault();
    });
    handle.addEventListener("pointermove", (event) => {
      if (handle.hasPointerCapture(event.pointerId)) this.callbacks.moved(end, this.#timeAt(event));
    });
    handle.addEventListener("keydown", (event) => this.#handleKey(event, end));
    return handle;
  }

  #handleKey(event: KeyboardEvent, end: End): void {
    const now = this.#range[end];
    const step = event.shiftKey ? 1000 : 100;
    const targets: Record<string, number> = {
      ArrowLeft: now - step,
      ArrowDown: now - step,
      ArrowRight: now + step,
      ArrowUp: now + step,
      PageDown: now - 10_000,
      PageUp: now + 10_000,
      Home: 0,
      End: this.duration,
    };
    const target = targets[event.key];
    if (target === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.callbacks.moved(end, target);
  }
}
