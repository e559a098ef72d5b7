// A drag over empty space draws a frame and selects every mark that lies completely inside the frame.
import type { EditorContext } from "../context.js";
import { bounds, boxBetween } from "../geometry.js";
import type { Box, Point } from "../shapes.js";
import { lastPoint, type PointerState } from "./state.js";

export class Selecting implements PointerState {
  /**
   * The marks that stay selected: with Shift, those that were selected before the drag; otherwise
   * none.
   */
  #kept: number[] = [];
  #frame: Box | null = null;

  constructor(
    private readonly context: EditorContext,
    private readonly from: Point,
    private readonly addsToSelection: boolean,
  ) {}

  enter(): void {
    const { doc } = this.context;
    if (this.addsToSelection) this.#kept = doc.selected.map(({ id }) => id);
    else doc.select([], true);
  }

  pointerMove(events: PointerEvent[]): void {
    this.#frame = boxBetween(this.from, lastPoint(this.context, events), this.context.doc.size);
    this.context.canvas.showMarquee(this.#frame);
  }

  pointerUp(): void {
    const { canvas, doc } = this.context;
    canvas.showMarquee(null);
    if (this.#frame) doc.select([...this.#kept, ...this.#idsInside(this.#frame)]);
  }

  cancel(): void {
    this.context.canvas.showMarquee(null);
  }

  #idsInside([x, y, w, h]: Box): number[] {
    const { doc } = this.context;
    const inside = doc.marks.filter(({ shape }) => {
      const [left, top, width, height] = bounds(shape, doc.size);
      return left >= x && top >= y && left + width <= x + w && top + height <= y + h;
    });
    return inside.map(({ id }) => id);
  }
}
