// A drag draws a freehand line.
import type { EditorContext } from "../context.js";
import type { Shape, StrokePoint } from "../shapes.js";
import { strokeShape } from "../tools.js";
import { insidePicture, type PointerState } from "./state.js";

export class DrawingStroke implements PointerState {
  #points: StrokePoint[];
  #shape: Shape | null;

  constructor(
    private readonly context: EditorContext,
    event: PointerEvent,
  ) {
    this.#points = [this.#pointOf(event)];
    this.#shape = this.#smoothed();
  }

  enter(): void {
    this.context.doc.select([], true);
    this.context.canvas.showPreview(this.#shape);
  }

  pointerMove(events: PointerEvent[]): void {
    for (const event of events) this.#points.push(this.#pointOf(event));
    this.#shape = this.#smoothed();
    this.context.canvas.showPreview(this.#shape);
  }

  pointerUp(): void {
    this.context.canvas.showPreview(null);
    // Do not select the stroke, because the next stroke of handwriting usually begins close to it.
    if (this.#shape) this.context.doc.add(this.#shape, false);
  }

  cancel(): void {
    this.context.canvas.showPreview(null);
  }

  #smoothed(): Shape | null {
    const { doc, viewport } = this.context;
    return strokeShape(this.#points, doc.size, doc.style, 1 / viewport.scale);
  }

  #pointOf(event: PointerEvent): StrokePoint {
    const point = this.context.viewport.toImage(event.clientX, event.clientY);
    const [x, y] = insidePicture(this.context, point);
    // Use the pressure only for pens: a mouse always reports 0.5, and the value for fingers depends
    // on the browser.
    return event.pointerType === "pen" ? [x, y, event.pressure] : [x, y];
  }
}
