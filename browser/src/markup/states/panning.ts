// A drag moves the picture within the window.
import type { EditorContext } from "../context.js";
import type { PointerState } from "./state.js";

export class Panning implements PointerState {
  /** The last position, in window pixels. */
  #last: { x: number; y: number };

  constructor(
    private readonly context: EditorContext,
    private readonly stage: HTMLElement,
    { clientX, clientY }: PointerEvent,
  ) {
    this.#last = { x: clientX, y: clientY };
  }

  enter(): void {
    this.stage.classList.add("grabbed");
  }

  pointerMove(events: PointerEvent[]): void {
    const { clientX: x, clientY: y } = events.at(-1) as PointerEvent;
    this.context.viewport.pan(x - this.#last.x, y - this.#last.y);
    this.#last = { x, y };
  }

  pointerUp(): void {
    this.stage.classList.remove("grabbed");
  }

  cancel(): void {
    this.stage.classList.remove("grabbed");
  }
}
