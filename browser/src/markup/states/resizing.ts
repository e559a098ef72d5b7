// Dragging a handle resizes the selected mark, or moves an end of a line.
import type { EditorContext } from "../context.js";
import type { Mark } from "../marks.js";
import { resizeShape, type Handle } from "../geometry.js";
import type { Shape } from "../shapes.js";
import { isConstrained, lastPoint, type PointerState } from "./state.js";

export class Resizing implements PointerState {
  #shape: Shape | null = null;

  constructor(
    private readonly context: EditorContext,
    private readonly mark: Mark,
    private readonly handle: Handle,
  ) {}

  pointerMove(events: PointerEvent[]): void {
    const to = lastPoint(this.context, events);
    const { size } = this.context.doc;
    this.#shape = resizeShape(this.mark.shape, this.handle, to, size, isConstrained(events));
    this.context.canvas.showChanges(new Map([[this.mark.id, this.#shape]]));
  }

  pointerUp(): void {
    this.context.canvas.showChanges(new Map());
    if (this.#shape) this.context.doc.replace(new Map([[this.mark.id, this.#shape]]), "size");
  }

  cancel(): void {
    this.context.canvas.showChanges(new Map());
  }
}
