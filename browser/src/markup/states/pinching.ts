// Two fingers zoom and pan. This is not a PointerState, because it follows two pointers.
import type { EditorContext } from "../context.js";
import type { Point } from "../shapes.js";

/** The midpoint of two fingers and the distance between them, in window pixels. */
interface Pinch {
  x: number;
  y: number;
  distance: number;
}

export class Pinching {
  #last: Pinch;

  constructor(
    private readonly context: EditorContext,
    fingers: [Point, Point],
  ) {
    this.#last = pinchOf(fingers);
  }

  move(fingers: [Point, Point]): void {
    const { viewport } = this.context;
    const { x, y, distance } = this.#last;
    const now = pinchOf(fingers);
    viewport.zoomBy(now.distance / Math.max(1, distance), x, y);
    viewport.pan(now.x - x, now.y - y);
    this.#last = now;
  }
}

function pinchOf([a, b]: [Point, Point]): Pinch {
  return {
    x: (a[0] + b[0]) / 2,
    y: (a[1] + b[1]) / 2,
    distance: Math.hypot(a[0] - b[0], a[1] - b[1]),
  };
}
