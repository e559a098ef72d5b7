// The state in which no pointer is pressed. A press starts another state, and the cursor indicates in advance which
// one.
import type { EditorContext } from "../context.js";
import type { Mark } from "../marks.js";
import type { Handle } from "../geometry.js";
import type { Point } from "../shapes.js";
import { Cropping } from "./cropping.js";
import { DrawingShape } from "./drawing-shape.js";
import { DrawingStroke } from "./drawing-stroke.js";
import { PlacingStep } from "./placing-step.js";
import { PointingMark } from "./pointing-mark.js";
import { Resizing } from "./resizing.js";
import { Selecting } from "./selecting.js";
import { markAt, type PointerState } from "./state.js";

/** How close a press must be to a mark or handle, in screen pixels. A finger is less precise than a mouse or a pen. */
const reach = { mark: { fine: 6, finger: 14 }, handle: { fine: 9, finger: 22 } };

const cursors: Record<Handle, string> = {
  nw: "nwse-resize",
  se: "nwse-resize",
  ne: "nesw-resize",
  sw: "nesw-resize",
  n: "ns-resize",
  s: "ns-resize",
  e: "ew-resize",
  w: "ew-resize",
  from: "move",
  to: "move",
};

export class Idle {
  constructor(
    private readonly context: EditorContext,
    private readonly stage: HTMLElement,
  ) {}

  /** Returns the state that a press starts, or null if it starts none. */
  pointerDown(event: PointerEvent): PointerState | null {
    const { context } = this;
    const { canvas, cropTool, doc, tool, viewport } = context;
    const from = viewport.toImage(event.clientX, event.clientY);
    const pointer = event.pointerType === "touch" ? "finger" : "fine";
    const handle = canvas.handleAt(event.clientX, event.clientY, reach.handle[pointer]);
    if (cropTool) return new Cropping(context, cropTool, handle, from);
    const [selected] = doc.selected;
    if (handle && selected) return new Resizing(context, selected, handle);
    // With the step tool, require an exact hit, because steps are often close to each other.
    const mark = markAt(context, event, tool === "step" ? 0 : reach.mark[pointer]);
    if (tool === "select" || event.ctrlKey || event.metaKey) return this.#select(event, from, mark);
    if (tool === "text") {
      context.editText(mark?.shape.kind === "text" ? mark.id : this.#textOrigin(from));
      return null;
    }
    if (tool === "freehand") return new DrawingStroke(context, event);
    if (tool !== "step") return new DrawingShape(context, tool, from, mark);
    return mark?.shape.kind === "step"
      ? this.#select(event, from, mark)
      : new PlacingStep(context, from);
  }

  /** Sets the cursor to indicate what a press would do. */
  hover(event: MouseEvent): void {
    const { canvas, cropTool, tool } = this.context;
    const handle = canvas.handleAt(event.clientX, event.clientY, reach.handle.fine);
    const isOverMark =
      !cropTool && tool === "select" && markAt(this.context, event, reach.mark.fine) !== undefined;
    this.stage.style.cursor = handle ? cursors[handle] : isOverMark ? "move" : "";
  }

  doubleClick(event: MouseEvent): void {
    const mark = markAt(this.context, event, reach.mark.fine);
    if (this.context.tool === "select" && mark?.shape.kind === "text")
      this.context.editText(mark.id);
  }

  #select(event: PointerEvent, from: Point, mark: Mark | undefined): PointerState {
    if (!mark) return new Selecting(this.context, from, event.shiftKey);
    if (!event.shiftKey) return new PointingMark(this.context, from, mark, event.pointerType);
    this.#toggleSelected(mark.id);
    // Return a state that ignores a drag, because a press with Shift only changes the selection.
    return {};
  }

  #toggleSelected(id: number): void {
    const ids = new Set(this.context.doc.selected.map((mark) => mark.id));
    if (!ids.delete(id)) ids.add(id);
    this.context.doc.select(ids);
  }

  /** The top left corner of a new text whose first line is at the pointer. */
  #textOrigin([x, y]: Point): Point {
    return [x, y - 0.6 * this.context.doc.textSize];
  }
}
