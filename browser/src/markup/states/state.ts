// Types and helpers shared by all pointer states.
import type { EditorContext } from "../context.js";
import type { Mark } from "../marks.js";
import { topmostAt } from "../geometry.js";
import type { Point } from "../shapes.js";

/** The behavior of one pointer from the moment it is pressed until it is released. */
export interface PointerState {
  /** Runs when this state becomes current. */
  enter?(): void;
  /**
   * Runs at most once per frame, with every event since the last call. If it returns a state, that state takes over and
   * receives the same events.
   */
  pointerMove?(events: PointerEvent[]): PointerState | void;
  pointerUp?(): void;
  /**
   * Runs when another finger, another tool or Escape ends the gesture. Must restore the document to its state before
   * the gesture.
   */
  cancel?(): void;
}

/** The distance in screen pixels after which a press becomes a drag. */
export const dragThreshold = 4;

/** The position of the last event, in picture pixels. */
export function lastPoint({ viewport }: EditorContext, events: PointerEvent[]): Point {
  const last = events.at(-1) as PointerEvent;
  return viewport.toImage(last.clientX, last.clientY);
}

/** Whether Shift is held, which constrains shapes to squares and circles, and lines to fixed angles. */
export function isConstrained(events: PointerEvent[]): boolean {
  return events.at(-1)?.shiftKey ?? false;
}

/** Whether a pointer has moved far enough for a drag. The points are in picture pixels. */
export function isDrag({ viewport }: EditorContext, from: Point, to: Point): boolean {
  return Math.hypot(to[0] - from[0], to[1] - from[1]) * viewport.scale >= dragThreshold;
}

/** The mark at the pointer. `reach` is the tolerance in screen pixels. */
export function markAt(
  { doc, viewport }: EditorContext,
  { clientX, clientY }: MouseEvent,
  reach: number,
): Mark | undefined {
  const shapes = doc.marks.map(({ shape }) => shape);
  const point = viewport.toImage(clientX, clientY);
  return doc.marks[topmostAt(shapes, point, doc.size, reach / viewport.scale)];
}

/** The nearest point inside the picture. */
export function insidePicture({ doc }: EditorContext, [x, y]: Point): Point {
  return [Math.min(doc.size.width, Math.max(0, x)), Math.min(doc.size.height, Math.max(0, y))];
}
