// A drag moves the selected marks. Shift limits the move to a horizontal or vertical direction.
import type { EditorContext } from "../context.js";
import type { Mark } from "../marks.js";
import { moveShapes } from "../geometry.js";
import type { Point, Shape } from "../shapes.js";
import { isConstrained, lastPoint, type PointerState } from "./state.js";

export class Translating implements PointerState {
  #changes: ReadonlyMap<number, Shape> = new Map();

  constructor(
    private readonly context: EditorContext,
    private readonly from: Point,
    private readonly marks: readonly Mark[],
  ) {}

  pointerMove(events: PointerEvent[]): void {
    const to = lastPoint(this.context, events);
    let [dx, dy] = [to[0] - this.from[0], to[1] - this.from[1]];
    if (isConstrained(events)) [dx, dy] = Math.abs(dx) > Math.abs(dy) ? [dx, 0] : [0, dy];
    const shapes = this.marks.map(({ shape }) => shape);
    const moved = moveShapes(shapes, dx, dy, this.context.doc.size);
    this.#changes = new Map(this.marks.map(({ id }, i) => [id, moved[i] as Shape]));
    this.context.canvas.showChanges(this.#changes);
  }

  pointerUp(): void {
    this.context.canvas.showChanges(new Map());
    this.context.doc.replace(this.#changes, "move");
  }

  cancel(): void {
    this.context.canvas.showChanges(new Map());
  }
}
