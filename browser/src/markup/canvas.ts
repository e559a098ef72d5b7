// What is seen of a board: the shapes on the picture, of which only those are drawn again that changed, and over them, in pixels of the screen, what is selected.
import type { Board } from "./document.js";
import { kept } from "./crop-shapes.js";
import { draw, redacted } from "./draw.js";
import { bounds, corners, handles, type Handle } from "./geometry.js";
import type { Box, Shape, Spot } from "./shapes.js";
import type { View } from "./viewport.js";

const svgNamespace = "http://www.w3.org/2000/svg";

export class Sheet {
  readonly shapes = svg("markup-shapes");
  readonly over = svg("markup-over");
  #drawn = new Map<number, { shape: Shape; element: SVGElement }>();
  #sketch: SVGElement | null = null;
  /** What is being changed by a pointer, and not yet on the board. */
  #changing: ReadonlyMap<number, Shape> = new Map();
  #marquee: Box | null = null;
  #cropping: Box | null = null;
  #hidden: number | null = null;
  /** Whether what is selected can be pulled: a tool that draws only draws, for what is drawn next often begins beside it. */
  pulls = false;
  view!: View;

  constructor(
    readonly board: Board,
    readonly lossy: boolean,
  ) {
    const { width, height } = board.size;
    this.shapes.setAttribute("viewBox", `0 0 ${width} ${height}`);
  }

  /** Draws what changed on the board. */
  update(): void {
    const there = new Set<number>();
    let before: Element | null = null;
    for (const { id, shape } of this.board.marks) {
      there.add(id);
      const element = this.#element(id, this.#changing.get(id) ?? shape);
      const next: Element | null = before
        ? before.nextElementSibling
        : this.shapes.firstElementChild;
      if (next !== element) this.shapes.insertBefore(element, next);
      before = element;
    }
    for (const [id, { element }] of this.#drawn) {
      if (there.has(id)) continue;
      element.remove();
      this.#drawn.delete(id);
    }
    this.frame();
  }

  #element(id: number, shape: Shape): SVGElement {
    const known = this.#drawn.get(id);
    if (known?.shape === shape) return known.element;
    const element = this.#make(shape);
    // A text that is being typed is seen in its field.
    if (id === this.#hidden) element.setAttribute("visibility", "hidden");
    known?.element.replaceWith(element);
    this.#drawn.set(id, { shape, element });
    return element;
  }

  #make(shape: Shape): SVGElement {
    return draw(
      [shape],
      this.board.size.width,
      this.board.size.height,
      this.lossy,
    )[0] as SVGElement;
  }

  /** The shape that is being drawn. */
  sketch(shape: Shape | null): void {
    const element = shape ? this.#make(shape) : null;
    if (this.#sketch && element) this.#sketch.replaceWith(element);
    else {
      this.#sketch?.remove();
      // Where it will lie: a redaction under all else.
      if (element && shape?.kind === "redaction") this.shapes.prepend(element);
      else if (element) this.shapes.append(element);
    }
    this.#sketch = element;
  }

  /** Shapes while they are moved or pulled: these elements change, and no other. */
  change(shapes: ReadonlyMap<number, Shape>): void {
    for (const id of this.#changing.keys()) {
      const mark = shapes.has(id) ? undefined : this.board.marks.find((one) => one.id === id);
      if (mark) this.#element(id, mark.shape);
    }
    this.#changing = shapes;
    for (const [id, shape] of shapes) this.#element(id, shape);
    this.frame();
  }

  hide(id: number | null): void {
    if (this.#hidden !== null) this.#drawn.get(this.#hidden)?.element.removeAttribute("visibility");
    this.#hidden = id;
    if (id !== null) this.#drawn.get(id)?.element.setAttribute("visibility", "hidden");
    this.frame();
  }

  marquee(box: Box | null): void {
    this.#marquee = box;
    this.frame();
  }

  /** The crop that is being chosen, in pixels of the picture. */
  cropping(box: Box | null): void {
    this.#cropping = box;
    this.frame();
  }

  /** The handle under a point of the window. */
  handleAt(clientX: number, clientY: number, reach: number): Handle | null {
    const spot = this.view.spot(clientX, clientY);
    const [x, y] = this.view.on(spot);
    const [only] = this.board.selected;
    if (only && !this.#cropping) reach = Math.min(reach, this.#room(only.shape, spot));
    const near = this.#handles()
      .map(([handle, at]) => ({ handle, far: Math.hypot(at[0] - x, at[1] - y) }))
      .sort((a, b) => a.far - b.far)[0];
    return near && near.far <= reach ? near.handle : null;
  }

  /** How far a handle may reach where a shape is small on the screen, in pixels of that: inside of it, and of a line all along it, there is room to take hold of the shape itself. */
  #room(shape: Shape, [x, y]: Spot): number {
    const [left, top, w, h] = bounds(shape, this.board.size);
    if ("from" in shape) return (Math.hypot(w, h) * this.view.scale) / 3;
    const inside = x > left && x < left + w && y > top && y < top + h;
    return inside ? (Math.min(w, h) * this.view.scale) / 3 : Infinity;
  }

  /** In pixels of the stage. */
  #handles(): [Handle, Spot][] {
    const on = (all: [Handle, Spot][]) =>
      all.map(([handle, at]): [Handle, Spot] => [handle, this.view.on(at)]);
    if (this.#cropping) return on(corners(this.#cropping));
    const [only, more] = this.board.selected;
    if (!this.pulls || !only || more || only.id === this.#hidden) return [];
    const shape = this.#changing.get(only.id) ?? only.shape;
    const all = on(handles(shape, this.board.size));
    // Of what is small on the screen the sides would lie on the corners.
    const [, , w, h] = bounds(shape, this.board.size);
    return all.length < 8
      ? all
      : all.filter(
          ([handle]) =>
            handle.length === 2 || (/[ns]/.test(handle) ? w : h) * this.view.scale >= 48,
        );
  }

  /** Draws what lies over the shapes. */
  frame(): void {
    const made: SVGElement[] = [];
    const crop =
      this.#cropping ??
      (this.board.crop
        ? kept(this.board.crop, this.board.size.width, this.board.size.height)
        : null);
    const box = (of: Box): Box => {
      const [x, y] = this.view.on([of[0], of[1]]);
      return [x, y, of[2] * this.view.scale, of[3] * this.view.scale];
    };
    if (crop) {
      const [x, y, w, h] = box(crop);
      const { width, height } = this.view.stageSize;
      made.push(
        element("path", this.#cropping ? "crop-shade" : "crop-gone", {
          d: `M0 0H${width}V${height}H0ZM${x} ${y}V${y + h}H${x + w}V${y}Z`,
          "fill-rule": "evenodd",
        }),
      );
      if (this.#cropping) made.push(...framed("crop-frame", [x, y, w, h]));
    }
    if (!this.#cropping) {
      const { selected } = this.board;
      for (const { id, shape: settled } of selected) {
        if (id === this.#hidden) continue;
        const shape = this.#changing.get(id) ?? settled;
        const { width, height } = this.board.size;
        if ("from" in shape) {
          const [[x1, y1], [x2, y2]] = [
            this.view.on([shape.from[0] * width, shape.from[1] * height]),
            this.view.on([shape.to[0] * width, shape.to[1] * height]),
          ];
          // A line alone shows its ends, and not a frame that hides it.
          if (selected.length > 1) made.push(element("line", "upper strung", { x1, y1, x2, y2 }));
        } else {
          const [x, y, w, h] = box(
            shape.kind === "redaction"
              ? redacted(shape.box, width, height, this.lossy)
              : bounds(shape, this.board.size),
          );
          made.push(...framed("chosen", [x - 3, y - 3, w + 6, h + 6]));
        }
      }
    }
    if (this.#marquee) made.push(...framed("marquee", box(this.#marquee)));
    for (const [handle, [x, y]] of this.#handles())
      made.push(
        element(
          handle === "from" || handle === "to" ? "circle" : "rect",
          "handle",
          handle === "from" || handle === "to"
            ? { cx: x, cy: y, r: 6 }
            : { x: x - 5, y: y - 5, width: 10, height: 10, rx: 2 },
        ),
      );
    this.over.replaceChildren(...made);
  }
}

/** A dark line and a light one on it: seen on every picture. */
function framed(name: string, [x, y, width, height]: Box): SVGElement[] {
  return ["under", "upper"].map((one) =>
    element("rect", `${one} ${name}`, { x, y, width, height }),
  );
}

function element(
  name: string,
  className: string,
  has: Record<string, number | string>,
): SVGElement {
  const made = document.createElementNS(svgNamespace, name);
  made.setAttribute("class", className);
  for (const [key, value] of Object.entries(has)) made.setAttribute(key, String(value));
  return made;
}

function svg(className: string): SVGSVGElement {
  const made = document.createElementNS(svgNamespace, "svg");
  made.setAttribute("class", className);
  made.setAttribute("aria-hidden", "true");
  made.setAttribute("focusable", "false");
  return made;
}
