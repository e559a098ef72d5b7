// A drag draws an arrow, line, rectangle, ellipse, highlight or redaction. A press without a drag selects the mark
// under it.
import type { EditorContext } from "../context.js";
import type { Mark } from "../marks.js";
import type { Point, Shape } from "../shapes.js";
import { shapeFromDrag, type Tool } from "../tools.js";
import { isConstrained, isDrag, lastPoint, type PointerState } from "./state.js";

export class DrawingShape implements PointerState {
  #shape: Shape | null = null;

  constructor(
    private readonly context: EditorContext,
    private readonly tool: Tool,
    private readonly from: Point,
    private readonly markBelow: Mark | undefined,
  ) {}

  pointerMove(events: PointerEvent[]): void {
    const { canvas, doc } = this.context;
    const to = lastPoint(this.context, events);
    if (!this.#shape && !isDrag(this.context, this.from, to)) return;
    this.#shape = shapeFromDrag(
      this.tool,
      this.from,
      to,
      doc.size,
      doc.style,
      isConstrained(events),
    );
    canvas.showPreview(this.#shape);
  }

  pointerUp(): void {
    const { canvas, doc } = this.context;
    canvas.showPreview(null);
    if (this.#shape) doc.add(this.#shape);
    else if (this.markBelow) doc.select([this.markBelow.id]);
    else doc.select([], true);
  }

  cancel(): void {
    this.context.canvas.showPreview(null);
  }
}
