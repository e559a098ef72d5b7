// A drag with the crop tool moves the box, moves one of its handles, or draws a new box.
import type { EditorContext } from "../context.js";
import type { CropTool } from "../crop-tool.js";
import type { Handle } from "../geometry.js";
import type { Point } from "../shapes.js";
import { isConstrained, lastPoint, type PointerState } from "./state.js";

export class Cropping implements PointerState {
  #drag: (to: Point, constrained: boolean) => void;

  constructor(
    private readonly context: EditorContext,
    private readonly cropTool: CropTool,
    handle: Handle | null,
    private readonly from: Point,
  ) {
    this.#drag = cropTool.startDrag(handle, from);
  }

  pointerMove(events: PointerEvent[]): void {
    this.#drag(lastPoint(this.context, events), isConstrained(events));
  }

  pointerUp(): void {
    // During the drag, the size was not announced. Set the box again to announce its final size.
    this.cropTool.set(this.cropTool.box);
  }

  cancel(): void {
    this.#drag(this.from, false);
  }
}
