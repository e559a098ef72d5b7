// A press places a numbered step. Dragging moves the step before it is added.
import type { EditorContext } from "../context.js";
import type { Point, Shape } from "../shapes.js";
import { shapeAtPoint } from "../tools.js";
import { insidePicture, lastPoint, type PointerState } from "./state.js";

export class PlacingStep implements PointerState {
  #shape: Shape | null;

  constructor(
    private readonly context: EditorContext,
    from: Point,
  ) {
    this.#shape = this.#stepAt(from);
  }

  enter(): void {
    this.context.canvas.showPreview(this.#shape);
  }

  pointerMove(events: PointerEvent[]): void {
    this.#shape = this.#stepAt(lastPoint(this.context, events));
    this.context.canvas.showPreview(this.#shape);
  }

  pointerUp(): void {
    this.context.canvas.showPreview(null);
    if (this.#shape) this.context.doc.add(this.#shape);
  }

  cancel(): void {
    this.context.canvas.showPreview(null);
  }

  #stepAt(point: Point): Shape | null {
    const { doc } = this.context;
    const at = insidePicture(this.context, point);
    return shapeAtPoint("step", at, doc.size, doc.size, doc.style, doc.nextStepNumber);
  }
}
