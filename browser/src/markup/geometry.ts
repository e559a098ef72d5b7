// Where shapes are, what lies under a pointer, and how shapes move and grow. Spots are pixels of the picture unless they are in a shape.
import { font, lineHeight } from "./draw.js";
import { limits, within, type Box, type Point, type Shape, type Spot } from "./shapes.js";

export interface Size {
  width: number;
  height: number;
}

/** The corners and sides of a box, or the ends of a line. */
export type Handle = "nw" | "n" | "ne" | "e" | "se" | "s" | "sw" | "w" | "from" | "to";

const measure = document.createElement("canvas").getContext("2d");

/** The pixels a shape spans, without the thickness of its line. */
export function bounds(shape: Shape, size: Size): Box {
  const side = Math.min(size.width, size.height);
  if (shape.kind === "text") {
    const lines = shape.text.split("\n");
    const height = shape.size * side;
    if (measure) measure.font = `${height}px "${font}"`;
    const width = Math.max(
      height / 2,
      ...lines.map((line) => measure?.measureText(line).width ?? line.length * height * 0.6),
    );
    return [
      shape.at[0] * size.width,
      shape.at[1] * size.height,
      width,
      height * lineHeight * lines.length,
    ];
  }
  if (shape.kind === "step") {
    const r = 5.5 * shape.width * side;
    return [shape.at[0] * size.width - r, shape.at[1] * size.height - r, 2 * r, 2 * r];
  }
  const [x, y, w, h] = extent([shape]);
  return [x * size.width, y * size.height, w * size.width, h * size.height];
}

/** What the stored spots of shapes span, 0–1: they may go as far as the picture does. */
export function extent(shapes: Shape[]): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  const take = (x: number, y: number) => {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  };
  for (const shape of shapes) {
    if ("box" in shape) {
      take(shape.box[0], shape.box[1]);
      take(shape.box[0] + shape.box[2], shape.box[1] + shape.box[3]);
    } else if ("points" in shape) for (const point of shape.points) take(point[0], point[1]);
    else if ("at" in shape) take(...shape.at);
    else {
      take(...shape.from);
      take(...shape.to);
    }
  }
  return [left, top, right - left, bottom - top];
}

/** Whether a shape is under a spot: on its ink, or only inside of its outline. */
export function hit(shape: Shape, [x, y]: Spot, size: Size, slack: number): "on" | "in" | null {
  const reach =
    slack + ("width" in shape ? (shape.width * Math.min(size.width, size.height)) / 2 : 0);
  const px = (point: Spot | Point): Spot => [point[0] * size.width, point[1] * size.height];
  const [left, top, w, h] = bounds(shape, size);
  if (x < left - reach || y < top - reach || x > left + w + reach || y > top + h + reach)
    return null;
  switch (shape.kind) {
    case "arrow":
    case "line":
      return apart([x, y], px(shape.from), px(shape.to)) <= reach ? "on" : null;
    case "freehand":
      return shape.points.some(
        (point, i) =>
          apart([x, y], px(shape.points[Math.max(0, i - 1)] as Point), px(point)) <= reach,
      )
        ? "on"
        : null;
    case "rectangle":
      return x > left + reach && y > top + reach && x < left + w - reach && y < top + h - reach
        ? "in"
        : "on";
    case "ellipse": {
      const far = Math.hypot((x - left - w / 2) / (w / 2), (y - top - h / 2) / (h / 2));
      const off = (Math.abs(far - 1) * Math.min(w, h)) / 2;
      return off <= reach ? "on" : far < 1 ? "in" : null;
    }
    default:
      return "on";
  }
}

/** The topmost shape whose ink is under a spot, else the topmost that encloses it; its place in the list, or -1. */
export function pick(shapes: readonly Shape[], spot: Spot, size: Size, slack: number): number {
  let within = -1;
  for (let i = shapes.length - 1; i >= 0; i -= 1) {
    const found = hit(shapes[i] as Shape, spot, size, slack);
    if (found === "on") return i;
    if (found === "in" && within < 0) within = i;
  }
  return within;
}

/** How far a point is from a segment. */
function apart([x, y]: Spot, [x1, y1]: Spot, [x2, y2]: Spot): number {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = dx * dx + dy * dy;
  const share =
    length === 0 ? 0 : Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / length));
  return Math.hypot(x - x1 - dx * share, y - y1 - dy * share);
}

/** The shapes moved by pixels, together, and not past the picture's border. */
export function moved(shapes: Shape[], dx: number, dy: number, size: Size): Shape[] {
  const [left, top, w, h] = extent(shapes);
  const [x, y] = [
    Math.min(1 - left - w, Math.max(-left, dx / size.width)),
    Math.min(1 - top - h, Math.max(-top, dy / size.height)),
  ];
  return shapes.map((shape) => mapped(shape, ([px, py]) => [px + x, py + y]));
}

function mapped(shape: Shape, to: (spot: Spot) => Spot): Shape {
  if ("box" in shape) {
    const [x, y, w, h] = shape.box;
    const [[left, top], [right, bottom]] = [to([x, y]), to([x + w, y + h])];
    return {
      ...shape,
      box: [
        Math.min(left, right),
        Math.min(top, bottom),
        Math.abs(right - left),
        Math.abs(bottom - top),
      ],
    };
  }
  if ("points" in shape)
    return {
      ...shape,
      points: shape.points.map((point): Point =>
        point.length === 3 ? [...to([point[0], point[1]]), point[2]] : to(point),
      ),
    };
  if ("at" in shape) return { ...shape, at: to(shape.at) };
  return { ...shape, from: to(shape.from), to: to(shape.to) };
}

/** Where a shape can be taken to change its size. */
export function handles(shape: Shape, size: Size): [Handle, Spot][] {
  if ("from" in shape)
    return [
      ["from", [shape.from[0] * size.width, shape.from[1] * size.height]],
      ["to", [shape.to[0] * size.width, shape.to[1] * size.height]],
    ];
  const box = bounds(shape, size);
  if (shape.kind === "text" || shape.kind === "step")
    return corners(box).filter(([handle]) => handle === "se");
  return corners(box);
}

export function corners([x, y, w, h]: Box): [Handle, Spot][] {
  const [cx, cy, right, bottom] = [x + w / 2, y + h / 2, x + w, y + h];
  return [
    ["nw", [x, y]],
    ["n", [cx, y]],
    ["ne", [right, y]],
    ["e", [right, cy]],
    ["se", [right, bottom]],
    ["s", [cx, bottom]],
    ["sw", [x, bottom]],
    ["w", [x, cy]],
  ];
}

/** A shape with one of its handles pulled to a spot; `even` keeps its proportions, or a line's angle to eighths of a turn. */
export function resized(shape: Shape, handle: Handle, to: Spot, size: Size, even: boolean): Shape {
  const side = Math.min(size.width, size.height);
  const inside: Spot = [
    Math.min(size.width, Math.max(0, to[0])),
    Math.min(size.height, Math.max(0, to[1])),
  ];
  if ("from" in shape) {
    const other: Spot = handle === "from" ? shape.to : shape.from;
    const end = even
      ? angled([other[0] * size.width, other[1] * size.height], inside, size)
      : inside;
    return { ...shape, [handle]: [end[0] / size.width, end[1] / size.height] };
  }
  const before = bounds(shape, size);
  if (shape.kind === "text")
    return {
      ...shape,
      size: within(
        (to[1] - before[1]) / (lineHeight * shape.text.split("\n").length) / side,
        limits.size,
      ),
    };
  if (shape.kind === "step") {
    const [cx, cy] = [before[0] + before[2] / 2, before[1] + before[3] / 2];
    return { ...shape, width: within(Math.max(to[0] - cx, to[1] - cy) / 5.5 / side, limits.width) };
  }
  const after = pulled(before, handle, inside, size, even);
  const share = (value: number, from: number, length: number) =>
    length === 0 ? 0 : (value - from) / length;
  return mapped(shape, ([x, y]) => [
    (after[0] + share(x * size.width, before[0], before[2]) * after[2]) / size.width,
    (after[1] + share(y * size.height, before[1], before[3]) * after[3]) / size.height,
  ]);
}

/** A box with a corner or a side pulled to a spot; past the other side it turns over. Never thinner than a pixel. */
export function pulled(
  [x, y, w, h]: Box,
  handle: Handle,
  to: Spot,
  size: Size,
  even: boolean,
): Box {
  let [left, top, right, bottom] = [x, y, x + w, y + h];
  if (handle.includes("w")) left = to[0];
  if (handle.includes("e")) right = to[0];
  if (handle.includes("n")) top = to[1];
  if (handle.includes("s")) bottom = to[1];
  if (even && handle.length === 2 && w > 0 && h > 0) {
    const grown = Math.max(Math.abs(right - left) / w, Math.abs(bottom - top) / h);
    if (handle.includes("w")) left = right - w * grown * Math.sign(right - left || 1);
    else right = left + w * grown * Math.sign(right - left || 1);
    if (handle.includes("n")) top = bottom - h * grown * Math.sign(bottom - top || 1);
    else bottom = top + h * grown * Math.sign(bottom - top || 1);
  }
  return spanned([left, top], [right, bottom], size);
}

/** The box between two spots, within the picture. */
export function spanned(a: Spot, b: Spot, size: Size): Box {
  const x = Math.min(size.width - 1, Math.max(0, Math.min(a[0], b[0])));
  const y = Math.min(size.height - 1, Math.max(0, Math.min(a[1], b[1])));
  return [
    x,
    y,
    Math.max(1, Math.min(size.width, Math.max(a[0], b[0])) - x),
    Math.max(1, Math.min(size.height, Math.max(a[1], b[1])) - y),
  ];
}

/** The end of a line whose angle is an eighth of a turn, inside the picture. */
export function angled(from: Spot, to: Spot, size: Size): Spot {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const angle = Math.round(Math.atan2(dy, dx) / (Math.PI / 4)) * (Math.PI / 4);
  const [ux, uy] = [
    Math.round(Math.cos(angle) * 1e6) / 1e6,
    Math.round(Math.sin(angle) * 1e6) / 1e6,
  ];
  const room = (start: number, step: number, most: number) =>
    step > 0 ? (most - start) / step : step < 0 ? -start / step : Infinity;
  const length = Math.min(
    Math.abs(dx * ux + dy * uy),
    room(from[0], ux, size.width),
    room(from[1], uy, size.height),
  );
  return [from[0] + ux * length, from[1] + uy * length];
}

/** The other corner of a square. */
export function squared(from: Spot, to: Spot, size: Size): Spot {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const room = Math.min(
    dx < 0 ? from[0] : size.width - from[0],
    dy < 0 ? from[1] : size.height - from[1],
  );
  const length = Math.min(room, Math.max(Math.abs(dx), Math.abs(dy)));
  return [from[0] + length * (dx < 0 ? -1 : 1), from[1] + length * (dy < 0 ? -1 : 1)];
}
