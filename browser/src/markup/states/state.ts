// What all states of the pointer share.
import type { EditorContext } from "../context.js";
import type { Mark } from "../marks.js";
import { topmostAt } from "../geometry.js";
import type { Point } from "../shapes.js";

/** What one pointer does from the moment it is pressed until it is lifted. */
export interface PointerState {
  /** Runs when the state becomes current. */
  enter?(): void;
  /**
   * Runs at most once per frame, with every event since the last call. A state that it returns takes over, and gets the same events.
   */
  pointerMove?(events: PointerEvent[]): PointerState | void;
  pointerUp?(): void;
  /** Another finger, another tool or Escape ended the gesture. Restores what was there when the state was entered. */
  cancel?(): void;
}

/** How far a pointer moves, in pixels of the screen, before a press becomes a drag. */
export const dragThreshold = 4;

/** The place of the last event, in pixels of the picture. */
export function lastPoint({ viewport }: EditorContext, events: PointerEvent[]): Point {
  const last = events.at(-1) as PointerEvent;
  return viewport.toImage(last.clientX, last.clientY);
}

/** Whether Shift is held, which draws squares, circles and lines at fixed angles. */
export function isConstrained(events: PointerEvent[]): boolean {
  return events.at(-1)?.shiftKey ?? false;
}

/** Whether a pointer moved far enough for a drag. The points are in pixels of the picture. */
export function isDrag({ viewport }: EditorContext, from: Point, to: Point): boolean {
  return Math.hypot(to[0] - from[0], to[1] - from[1]) * viewport.scale >= dragThreshold;
}

/** The mark under the pointer, or within `reach` pixels of the screen. */
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
