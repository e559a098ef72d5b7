// Tracks one press of the primary pointer until its release.

/** During a click, the pointer may move up to this many pixels. A longer movement is a drag. */
const CLICK_SLACK_PX = 5;

export interface DragListener {
  /** Moves are ignored while this returns `true`. */
  isSuspended: () => boolean;
  /**
   * Called for each movement once the press has become a drag. `dx` and `dy` are the distances from the point where the
   * press began.
   */
  onMove: (event: PointerEvent, dx: number, dy: number) => void;
  onRelease: (event: PointerEvent, hasMoved: boolean) => void;
  onCancel: () => void;
}

export function followDrag(
  element: HTMLElement,
  press: PointerEvent,
  { isSuspended, onMove, onRelease, onCancel }: DragListener,
): void {
  const controller = new AbortController();
  const { signal } = controller;
  let hasMoved = false;
  element.addEventListener(
    "pointermove",
    (event) => {
      if (!event.isPrimary || isSuspended()) return;
      const [dx, dy] = [event.clientX - press.clientX, event.clientY - press.clientY];
      hasMoved ||= Math.hypot(dx, dy) > CLICK_SLACK_PX;
      if (hasMoved) onMove(event, dx, dy);
    },
    { signal },
  );
  element.addEventListener(
    "pointerup",
    (event) => {
      controller.abort();
      onRelease(event, hasMoved);
    },
    { signal },
  );
  element.addEventListener(
    "pointercancel",
    () => {
      controller.abort();
      onCancel();
    },
    { signal },
  );
}
