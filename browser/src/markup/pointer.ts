// Passes mouse, pen, touch and wheel events to the state that handles them. Two fingers, the wheel, the middle button
// and the space bar pan or zoom the picture.
import type { EditorContext } from "./context.js";
import type { Point } from "./shapes.js";
import { Idle } from "./states/idle.js";
import { Panning } from "./states/panning.js";
import { Pinching } from "./states/pinching.js";
import type { PointerState } from "./states/state.js";

/** Pixels per line, for browsers that report the wheel in lines. */
const lineHeight = 16;

export class PointerInput {
  /** The position of each pressed pointer, in window pixels. */
  #down = new Map<number, Point>();
  #idle: Idle;
  #gesture: { pointerId: number; isPen: boolean; state: PointerState } | null = null;
  #pinching: Pinching | null = null;
  /** The pointer move events since the last animation frame. */
  #moves: PointerEvent[] = [];
  #frame = 0;
  /**
   * Whether a pen has been used. If so, a single finger only pans, unless the crop tool is active.
   */
  #hasPen = false;

  constructor(
    private readonly context: EditorContext,
    private readonly stage: HTMLElement,
    signal: AbortSignal,
  ) {
    this.#idle = new Idle(context, stage);
    stage.addEventListener("pointerdown", (event) => this.#handleDown(event), { signal });
    stage.addEventListener("pointermove", (event) => this.#handleMove(event), { signal });
    for (const name of ["pointerup", "pointercancel"] as const)
      stage.addEventListener(name, (event) => this.#handleUp(event), { signal });
    stage.addEventListener("dblclick", (event) => this.#idle.doubleClick(event), { signal });
    stage.addEventListener("wheel", (event) => this.#handleWheel(event), {
      passive: false,
      signal,
    });
    preventBrowserGestures(stage, signal);
  }

  /** Whether a gesture is in progress. */
  get busy(): boolean {
    return this.#gesture !== null;
  }

  /** Ends the gesture in progress and discards its effect. */
  cancel(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#moves = [];
    const gesture = this.#gesture;
    this.#gesture = null;
    gesture?.state.cancel?.();
  }

  #handleDown(event: PointerEvent): void {
    if (event.button > 1 || isControl(event.target)) return;
    const isFinger = event.pointerType === "touch";
    // Do not call `preventDefault` for touch input. Otherwise, Firefox would report only one of two simultaneous
    // touches.
    if (!isFinger) event.preventDefault();
    // While a pen draws, ignore fingers, because the hand may rest on the screen.
    if (isFinger && this.#gesture?.isPen) return;
    if (event.pointerType === "pen") this.#startPen();
    const wasWriting = this.context.finishText();
    this.stage.focus({ preventScroll: true });
    this.#down.set(event.pointerId, [event.clientX, event.clientY]);
    if (this.#down.size === 2) this.#startPinch();
    if (this.#down.size > 1 || this.#gesture) return;
    if (this.#pans(event)) this.#start(event, new Panning(this.context, this.stage, event));
    else if (!wasWriting) this.#start(event, this.#idle.pointerDown(event));
  }

  #start(event: PointerEvent, state: PointerState | null): void {
    if (!state) return;
    this.stage.setPointerCapture(event.pointerId);
    this.#gesture = { pointerId: event.pointerId, isPen: event.pointerType === "pen", state };
    state.enter?.();
  }

  #pans({ button, pointerType }: PointerEvent): boolean {
    const { cropTool, isPanning, tool } = this.context;
    const isFingerBesidePen = pointerType === "touch" && this.#hasPen && !cropTool;
    return button === 1 || isPanning || tool === "hand" || isFingerBesidePen;
  }

  /** Ends any finger gesture, because the hand may touch the screen before the pen does. */
  #startPen(): void {
    this.cancel();
    this.#down.clear();
    this.#pinching = null;
    if (!this.#hasPen)
      this.context.say("From now on, the pen draws and a finger moves the picture.", true);
    this.#hasPen = true;
  }

  #startPinch(): void {
    this.cancel();
    const fingers = this.#fingers;
    this.#pinching = fingers && new Pinching(this.context, fingers);
  }

  get #fingers(): [Point, Point] | null {
    const [first, second] = [...this.#down.values()];
    return first && second ? [first, second] : null;
  }

  #handleMove(event: PointerEvent): void {
    if (this.#down.has(event.pointerId))
      this.#down.set(event.pointerId, [event.clientX, event.clientY]);
    else if (event.pointerType === "mouse") {
      if (!this.#gesture && !this.context.isPanning) this.#idle.hover(event);
      return;
    }
    if (this.#pinching) {
      const fingers = this.#fingers;
      if (fingers) this.#pinching.move(fingers);
    } else if (this.#gesture?.pointerId === event.pointerId) {
      // Read the coalesced events now, because Firefox later loses their positions. In browsers without coalesced
      // events, use the event itself.
      const coalesced = event.getCoalescedEvents?.() ?? [];
      this.#moves.push(...(coalesced.length > 0 ? coalesced : [event]));
      this.#frame ||= requestAnimationFrame(() => this.#flushMoves());
    }
  }

  /** Passes the collected move events to the current state. */
  #flushMoves(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const events = this.#moves;
    this.#moves = [];
    if (events.length === 0 || !this.#gesture) return;
    const next = this.#gesture.state.pointerMove?.(events);
    if (!next) return;
    this.#gesture.state = next;
    next.enter?.();
    next.pointerMove?.(events);
  }

  #handleUp(event: PointerEvent): void {
    this.#down.delete(event.pointerId);
    if (this.#pinching) {
      // Continue the pinch only with two fingers. A single remaining finger does not draw.
      const fingers = this.#fingers;
      this.#pinching = fingers && new Pinching(this.context, fingers);
      return;
    }
    if (this.#gesture?.pointerId !== event.pointerId) return;
    if (event.type === "pointercancel") return this.cancel();
    this.#flushMoves();
    const { state } = this.#gesture;
    this.#gesture = null;
    state.pointerUp?.();
  }

  #handleWheel(event: WheelEvent): void {
    event.preventDefault();
    const { viewport } = this.context;
    const units = [1, lineHeight, this.stage.clientHeight];
    const unit = units[event.deltaMode] ?? 1;
    // Browsers report a pinch on a trackpad as a wheel event with Control held, so zoom.
    if (event.ctrlKey || event.metaKey) {
      const exponent = Math.max(-0.5, Math.min(0.5, -event.deltaY * unit * 0.004));
      viewport.zoomBy(Math.exp(exponent), event.clientX, event.clientY);
    } else if (event.shiftKey && event.deltaX === 0) viewport.pan(-event.deltaY * unit, 0);
    else viewport.pan(-event.deltaX * unit, -event.deltaY * unit);
  }
}

/** Keeps the browser from scrolling, zooming or opening menus on the stage. */
function preventBrowserGestures(stage: HTMLElement, signal: AbortSignal): void {
  // Keep Chromium from turning a fast stroke into a fling, after which it would ignore the next tap.
  stage.addEventListener(
    "touchstart",
    (event) => {
      if (!isControl(event.target)) event.preventDefault();
    },
    { passive: false, signal },
  );
  // Prevent the context menu that a long press on the picture would open.
  stage.addEventListener(
    "contextmenu",
    (event) => {
      if (!(event.target instanceof HTMLTextAreaElement)) event.preventDefault();
    },
    { signal },
  );
  // Prevent older versions of Safari from zooming the whole page.
  for (const name of ["gesturestart", "gesturechange"])
    stage.addEventListener(name, (event) => event.preventDefault(), { signal });
}

/** Whether the target is a control on the stage rather than the picture. */
function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button, textarea, [role=group]") !== null;
}
