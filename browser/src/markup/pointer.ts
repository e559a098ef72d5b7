// Drawing, selecting, moving and pulling by mouse, pen and finger; two fingers, the wheel, the middle button and the space bar move the picture.
import type { Board } from "./document.js";
import type { Crop } from "./crop-tool.js";
import { bounds, moved, pick, resized, spanned, type Handle } from "./geometry.js";
import type { Sheet } from "./canvas.js";
import type { Point, Shape, Spot } from "./shapes.js";
import { dragged, placed, stroke, type Tool } from "./tools.js";
import type { View } from "./viewport.js";

/** What pointers and keys work on. */
export interface Desk {
  readonly board: Board;
  readonly view: View;
  readonly sheet: Sheet;
  readonly tool: Tool;
  readonly crop: Crop | null;
  /** The space bar is held. */
  readonly panning: boolean;
  /** Writes a new text at a spot, or again the one with this id. */
  write(where: Spot | number): void;
  /** Ends writing; true where something was being written. */
  written(): boolean;
  /** For readers of the screen, or for all. */
  say(words: string, all: boolean): void;
}

/** What one pointer does from down to up. */
interface Gesture {
  /** All it did since the last frame, in every step that the device told of. */
  move(events: PointerEvent[]): void;
  end?(): void;
  /** Ended by another finger or by Escape: as if it had not begun. */
  abandon?(): void;
}

/** So far a pointer goes before it means a drag. */
const slack = 4;

export class Pointers {
  #down = new Map<number, Spot>();
  #gesture: { id: number; pen: boolean; is: Gesture } | null = null;
  #pinch: { x: number; y: number; apart: number } | null = null;
  #waiting: PointerEvent[] = [];
  #frame = 0;
  #pen = false;

  constructor(
    readonly desk: Desk,
    readonly stage: HTMLElement,
    signal: AbortSignal,
  ) {
    stage.addEventListener("pointerdown", (event) => this.#press(event), { signal });
    stage.addEventListener("pointermove", (event) => this.#move(event), { signal });
    for (const name of ["pointerup", "pointercancel"] as const)
      stage.addEventListener(name, (event) => this.#lift(event), { signal });
    stage.addEventListener("dblclick", (event) => this.#twice(event), { signal });
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false, signal });
    // Chromium makes a fling of a fast stroke, and swallows the tap that follows it, even where nothing may be panned.
    stage.addEventListener(
      "touchstart",
      (event) => {
        if (!own(event.target)) event.preventDefault();
      },
      { passive: false, signal },
    );
    // A finger that rests would ask what to do with the picture.
    stage.addEventListener(
      "contextmenu",
      (event) => {
        if (!(event.target instanceof HTMLTextAreaElement)) event.preventDefault();
      },
      { signal },
    );
    // Old Safari zooms the page itself.
    for (const name of ["gesturestart", "gesturechange"])
      stage.addEventListener(name, (event) => event.preventDefault(), { signal });
  }

  get busy(): boolean {
    return this.#gesture !== null;
  }

  abandon(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#waiting = [];
    const gesture = this.#gesture;
    this.#gesture = null;
    gesture?.is.abandon?.();
    this.stage.classList.remove("grabbed");
  }

  #press(event: PointerEvent): void {
    if (event.button > 1 || own(event.target)) return;
    const finger = event.pointerType === "touch";
    // Of two fingers that come together Firefox then tells of one only.
    if (!finger) event.preventDefault();
    // Whoever draws with a pen rests a hand on the screen, before or after.
    if (finger && this.#gesture?.pen) return;
    if (event.pointerType === "pen") {
      this.abandon();
      this.#down.clear();
      this.#pinch = null;
      if (!this.#pen)
        this.desk.say("The pen draws from here on. A finger moves the picture.", true);
      this.#pen = true;
    }
    const wrote = this.desk.written();
    this.stage.focus({ preventScroll: true });
    this.#down.set(event.pointerId, [event.clientX, event.clientY]);
    if (this.#down.size === 2) {
      this.abandon();
      this.#pinch = this.#fingers();
    }
    if (this.#down.size > 1 || this.#gesture) return;
    const moves =
      event.button === 1 ||
      this.desk.panning ||
      this.desk.tool === "hand" ||
      (finger && this.#pen && !this.desk.crop);
    const gesture = moves ? this.#pan(event) : wrote ? null : this.#begin(event);
    if (!gesture) return;
    this.stage.setPointerCapture(event.pointerId);
    this.#gesture = { id: event.pointerId, pen: event.pointerType === "pen", is: gesture };
  }

  #begin(event: PointerEvent): Gesture | null {
    const { board, crop, sheet, tool, view } = this.desk;
    const from = view.spot(event.clientX, event.clientY);
    const fine = 1 / view.scale;
    const coarse = event.pointerType === "touch";
    const handle = sheet.handleAt(event.clientX, event.clientY, coarse ? 22 : 9);
    if (crop) {
      const drag = crop.begin(handle, from);
      return {
        move: (events) => drag(this.#last(events), this.#even(events)),
        end: () => crop.set(crop.box),
        abandon: () => drag(from, false),
      };
    }
    const [only] = board.selected;
    if (handle && only) return this.#pull(only.id, only.shape, handle);
    // Steps stand close to each other.
    const around = tool === "step" ? 0 : coarse ? 14 : 6;
    const under =
      board.marks[
        pick(
          board.marks.map(({ shape }) => shape),
          from,
          board.size,
          around * fine,
        )
      ];
    if (tool === "select" || event.ctrlKey || event.metaKey) return this.#take(event, from, under);
    if (tool === "text") {
      this.desk.write(
        under?.shape.kind === "text" ? under.id : [from[0], from[1] - 0.6 * board.textSize],
      );
      return null;
    }
    if (tool === "step")
      return under?.shape.kind === "step" ? this.#take(event, from, under) : this.#step(from);
    if (tool === "freehand") return this.#draw(event, from);
    return this.#drag(from, tool, under?.id);
  }

  /** Selects what is under the pointer and moves it; without anything under it, all within a frame. */
  #take(event: PointerEvent, from: Spot, under: { id: number } | undefined): Gesture {
    const { board, sheet } = this.desk;
    const more = event.shiftKey;
    if (!under) {
      const before = more ? board.selected.map(({ id }) => id) : [];
      if (!more) board.select([], true);
      let to: Spot | null = null;
      return {
        move: (events) => {
          to = this.#last(events);
          sheet.marquee(spanned(from, to, board.size));
        },
        end: () => {
          sheet.marquee(null);
          if (!to) return;
          const [x, y, w, h] = spanned(from, to, board.size);
          const within = board.marks.filter(({ shape }) => {
            const [left, top, width, height] = bounds(shape, board.size);
            return left >= x && top >= y && left + width <= x + w && top + height <= y + h;
          });
          board.select([...before, ...within.map(({ id }) => id)]);
        },
        abandon: () => sheet.marquee(null),
      };
    }
    if (more) {
      const now = new Set(board.selected.map(({ id }) => id));
      if (!now.delete(under.id)) now.add(under.id);
      board.select(now);
      return { move: () => {} };
    }
    const again = board.isSelected(under.id) && this.desk.tool === "select";
    if (!board.isSelected(under.id)) board.select([under.id]);
    const marks = board.selected;
    let after: Shape[] | null = null;
    return {
      move: (events) => {
        const to = this.#last(events);
        let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
        if (!after && Math.hypot(dx, dy) * this.desk.view.scale < slack) return;
        // Held to the straight.
        if (this.#even(events)) [dx, dy] = Math.abs(dx) > Math.abs(dy) ? [dx, 0] : [0, dy];
        after = moved(
          marks.map(({ shape }) => shape),
          dx,
          dy,
          board.size,
        );
        sheet.change(new Map(marks.map(({ id }, i) => [id, after?.[i] as Shape])));
      },
      end: () => {
        sheet.change(new Map());
        if (after)
          board.replace(new Map(marks.map(({ id }, i) => [id, after?.[i] as Shape])), "move");
        // Pressed and not moved: of several, this one; a text that was chosen already is written on, for a finger does not press twice.
        else if (marks.length > 1) board.select([under.id]);
        else if (again && event.pointerType !== "mouse") this.desk.write(under.id);
      },
      abandon: () => sheet.change(new Map()),
    };
  }

  #pull(id: number, shape: Shape, handle: Handle): Gesture {
    const { board, sheet } = this.desk;
    let after: Shape | null = null;
    return {
      move: (events) => {
        after = resized(shape, handle, this.#last(events), board.size, this.#even(events));
        sheet.change(new Map([[id, after]]));
      },
      end: () => {
        sheet.change(new Map());
        if (after) board.replace(new Map([[id, after]]), "size");
      },
      abandon: () => sheet.change(new Map()),
    };
  }

  #drag(from: Spot, tool: Tool, under: number | undefined): Gesture {
    const { board, sheet, view } = this.desk;
    let shape: Shape | null = null;
    return {
      move: (events) => {
        const to = this.#last(events);
        if (!shape && Math.hypot(to[0] - from[0], to[1] - from[1]) * view.scale < slack) return;
        shape = dragged(tool, from, to, board.size, board.style, this.#even(events));
        sheet.sketch(shape);
      },
      end: () => {
        sheet.sketch(null);
        if (shape) board.add(shape);
        // A press without a drag takes what is there.
        else board.select(under === undefined ? [] : [under], under === undefined);
      },
      abandon: () => sheet.sketch(null),
    };
  }

  #step(from: Spot): Gesture {
    const { board, sheet } = this.desk;
    const at = (spot: Spot) =>
      placed(
        "step",
        [
          Math.min(board.size.width, Math.max(0, spot[0])),
          Math.min(board.size.height, Math.max(0, spot[1])),
        ],
        board.size,
        board.size,
        board.style,
        board.next,
      );
    let shape = at(from);
    sheet.sketch(shape);
    return {
      move: (events) => sheet.sketch((shape = at(this.#last(events)))),
      end: () => {
        sheet.sketch(null);
        if (shape) board.add(shape);
      },
      abandon: () => sheet.sketch(null),
    };
  }

  #draw(event: PointerEvent, from: Spot): Gesture {
    const { board, sheet, view } = this.desk;
    const fine = 1 / view.scale;
    const point = (one: PointerEvent, spot = view.spot(one.clientX, one.clientY)): Point => {
      const [x, y] = [
        Math.min(board.size.width, Math.max(0, spot[0])),
        Math.min(board.size.height, Math.max(0, spot[1])),
      ];
      // Only a pen says how hard it presses; a mouse says 0.5 and a finger what the browser likes.
      return one.pointerType === "pen" ? [x, y, one.pressure] : [x, y];
    };
    const raw = [point(event, from)];
    let shape = stroke(raw, board.size, board.style, fine);
    board.select([], true);
    sheet.sketch(shape);
    return {
      move: (events) => {
        for (const one of events) raw.push(point(one));
        shape = stroke(raw, board.size, board.style, fine);
        sheet.sketch(shape);
      },
      end: () => {
        sheet.sketch(null);
        // Not selected: whoever writes by hand writes on.
        if (shape) board.add(shape, false);
      },
      abandon: () => sheet.sketch(null),
    };
  }

  #pan(event: PointerEvent): Gesture {
    let [x, y] = [event.clientX, event.clientY];
    this.stage.classList.add("grabbed");
    return {
      move: (events) => {
        const last = events.at(-1) as PointerEvent;
        this.desk.view.pan(last.clientX - x, last.clientY - y);
        [x, y] = [last.clientX, last.clientY];
      },
    };
  }

  #move(event: PointerEvent): void {
    if (this.#down.has(event.pointerId))
      this.#down.set(event.pointerId, [event.clientX, event.clientY]);
    else if (event.pointerType === "mouse") return this.#hover(event);
    if (this.#pinch) {
      const now = this.#fingers();
      if (!now) return;
      this.desk.view.zoomBy(
        now.apart / Math.max(1, this.#pinch.apart),
        this.#pinch.x,
        this.#pinch.y,
      );
      this.desk.view.pan(now.x - this.#pinch.x, now.y - this.#pinch.y);
      this.#pinch = now;
    } else if (this.#gesture?.id === event.pointerId) {
      // Asked at once: afterwards Firefox knows their places no more. Where a browser joins nothing together, the event is all there is.
      const steps = event.getCoalescedEvents?.() ?? [];
      this.#waiting.push(...(steps.length > 0 ? steps : [event]));
      this.#frame ||= requestAnimationFrame(() => this.#flush());
    }
  }

  /** Once a frame, however many events came. */
  #flush(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const events = this.#waiting;
    this.#waiting = [];
    if (events.length > 0) this.#gesture?.is.move(events);
  }

  #lift(event: PointerEvent): void {
    this.#down.delete(event.pointerId);
    if (this.#pinch) {
      // The finger that stays draws nothing: it was there to zoom.
      this.#pinch = this.#down.size >= 2 ? this.#fingers() : null;
      return;
    }
    if (this.#gesture?.id !== event.pointerId) return;
    if (event.type === "pointercancel") return this.abandon();
    this.#flush();
    const gesture = this.#gesture;
    this.#gesture = null;
    gesture.is.end?.();
    this.stage.classList.remove("grabbed");
  }

  #twice(event: MouseEvent): void {
    const { board, tool, view } = this.desk;
    const under =
      board.marks[
        pick(
          board.marks.map(({ shape }) => shape),
          view.spot(event.clientX, event.clientY),
          board.size,
          6 / view.scale,
        )
      ];
    if (tool === "select" && under?.shape.kind === "text") this.desk.write(under.id);
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? this.stage.clientHeight : 1;
    // A pinch on a trackpad arrives as a wheel with Control held.
    if (event.ctrlKey || event.metaKey)
      this.desk.view.zoomBy(
        Math.exp(Math.max(-0.5, Math.min(0.5, -event.deltaY * unit * 0.004))),
        event.clientX,
        event.clientY,
      );
    else if (event.shiftKey && event.deltaX === 0) this.desk.view.pan(-event.deltaY * unit, 0);
    else this.desk.view.pan(-event.deltaX * unit, -event.deltaY * unit);
  }

  /** The cursor says what a press would do. */
  #hover(event: MouseEvent): void {
    const { board, crop, sheet, tool, view } = this.desk;
    if (this.#gesture || this.desk.panning) return;
    const handle = sheet.handleAt(event.clientX, event.clientY, 9);
    const over =
      !crop &&
      tool === "select" &&
      pick(
        board.marks.map(({ shape }) => shape),
        view.spot(event.clientX, event.clientY),
        board.size,
        6 / view.scale,
      ) >= 0;
    this.stage.style.cursor = handle ? cursors[handle] : over ? "move" : "";
  }

  #last(events: PointerEvent[]): Spot {
    const last = events.at(-1) as PointerEvent;
    return this.desk.view.spot(last.clientX, last.clientY);
  }

  #even(events: PointerEvent[]): boolean {
    return events.at(-1)?.shiftKey ?? false;
  }

  #fingers(): { x: number; y: number; apart: number } | null {
    const [a, b] = [...this.#down.values()];
    return a && b
      ? { x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2, apart: Math.hypot(a[0] - b[0], a[1] - b[1]) }
      : null;
  }
}

/** What lies on the stage and is not the picture. */
function own(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button, textarea, [role=group]") !== null;
}

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
