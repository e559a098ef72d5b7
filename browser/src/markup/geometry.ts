// Bounds, hit testing, moving and resizing of shapes. Points are in picture pixels, except the points stored in shapes,
// which are fractions of the picture.
import { fontName, lineHeight } from "./draw.js";
import {
  clamp,
  limits,
  type Box,
  type LineShape,
  type Point,
  type Shape,
  type StrokePoint,
} from "./shapes.js";

export interface Size {
  width: number;
  height: number;
}

/** A corner or side of a box, by compass direction, or an end of a line. */
export type Handle = "nw" | "n" | "ne" | "e" | "se" | "s" | "sw" | "w" | "from" | "to";

const measuringContext = document.createElement("canvas").getContext("2d");

/** The bounding box of a shape in picture pixels, without its line width. */
export function bounds(shape: Shape, size: Size): Box {
  const side = Math.min(size.width, size.height);
  if (shape.kind === "text") {
    const lines = shape.text.split("\n");
    const height = shape.size * side;
    if (measuringContext) measuringContext.font = `${height}px "${fontName}"`;
    const width = Math.max(
      height / 2,
      ...lines.map(
        (line) => measuringContext?.measureText(line).width ?? line.length * height * 0.6,
      ),
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

/** The box that bounds the points stored in the shapes, in fractions of the picture. */
export function extent(shapes: Shape[]): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  const include = (x: number, y: number) => {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  };
  for (const shape of shapes) {
    if ("box" in shape) {
      include(shape.box[0], shape.box[1]);
      include(shape.box[0] + shape.box[2], shape.box[1] + shape.box[3]);
    } else if ("points" in shape) for (const point of shape.points) include(point[0], point[1]);
    else if ("at" in shape) include(...shape.at);
    else {
      include(...shape.from);
      include(...shape.to);
    }
  }
  return [left, top, right - left, bottom - top];
}

/**
 * Returns "on" if a point is on the drawn part of a shape, "in" if it is only inside the shape's
 * outline, and null otherwise. `slack` is the tolerance in picture pixels.
 */
export function hitTest(
  shape: Shape,
  [x, y]: Point,
  size: Size,
  slack: number,
): "on" | "in" | null {
  const reach =
    slack + ("width" in shape ? (shape.width * Math.min(size.width, size.height)) / 2 : 0);
  const toPixels = ([px, py]: Point | StrokePoint): Point => [px * size.width, py * size.height];
  const [left, top, w, h] = bounds(shape, size);
  if (x < left - reach || y < top - reach || x > left + w + reach || y > top + h + reach)
    return null;
  switch (shape.kind) {
    case "arrow":
    case "line":
      return distanceToSegment([x, y], toPixels(shape.from), toPixels(shape.to)) <= reach
        ? "on"
        : null;
    case "freehand":
      return shape.points.some(
        (point, i) =>
          distanceToSegment(
            [x, y],
            toPixels(shape.points[Math.max(0, i - 1)] as StrokePoint),
            toPixels(point),
          ) <= reach,
      )
        ? "on"
        : null;
    case "rectangle":
      return x > left + reach && y > top + reach && x < left + w - reach && y < top + h - reach
        ? "in"
        : "on";
    case "ellipse": {
      const distance = Math.hypot((x - left - w / 2) / (w / 2), (y - top - h / 2) / (h / 2));
      const off = (Math.abs(distance - 1) * Math.min(w, h)) / 2;
      return off <= reach ? "on" : distance < 1 ? "in" : null;
    }
    default:
      return "on";
  }
}

/**
 * Returns the index of the topmost shape that is drawn at a point or, if there is none, of the topmost shape whose
 * outline encloses the point. Returns -1 if there is neither.
 */
export function topmostAt(
  shapes: readonly Shape[],
  point: Point,
  size: Size,
  slack: number,
): number {
  let enclosing = -1;
  for (let i = shapes.length - 1; i >= 0; i -= 1) {
    const found = hitTest(shapes[i] as Shape, point, size, slack);
    if (found === "on") return i;
    if (found === "in" && enclosing < 0) enclosing = i;
  }
  return enclosing;
}

/** The distance of a point from a line segment. */
function distanceToSegment([x, y]: Point, [x1, y1]: Point, [x2, y2]: Point): number {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = dx * dx + dy * dy;
  const share =
    length === 0 ? 0 : Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / length));
  return Math.hypot(x - x1 - dx * share, y - y1 - dy * share);
}

/** Moves shapes by the same distance, but not out of the picture. */
export function moveShapes(shapes: Shape[], dx: number, dy: number, size: Size): Shape[] {
  const [left, top, w, h] = extent(shapes);
  const [x, y] = [
    Math.min(1 - left - w, Math.max(-left, dx / size.width)),
    Math.min(1 - top - h, Math.max(-top, dy / size.height)),
  ];
  return shapes.map((shape) => mapPoints(shape, ([px, py]) => [px + x, py + y]));
}

function mapPoints(shape: Shape, to: (point: Point) => Point): Shape {
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
      points: shape.points.map((point): StrokePoint =>
        point.length === 3 ? [...to([point[0], point[1]]), point[2]] : to(point),
      ),
    };
  if ("at" in shape) return { ...shape, at: to(shape.at) };
  return { ...shape, from: to(shape.from), to: to(shape.to) };
}

/** The handles of a shape and their positions. */
export function handlesOf(shape: Shape, size: Size): [Handle, Point][] {
  if ("from" in shape)
    return [
      ["from", [shape.from[0] * size.width, shape.from[1] * size.height]],
      ["to", [shape.to[0] * size.width, shape.to[1] * size.height]],
    ];
  const box = bounds(shape, size);
  if (shape.kind === "text" || shape.kind === "step")
    return boxHandles(box).filter(([handle]) => handle === "se");
  return boxHandles(box);
}

export function boxHandles([x, y, w, h]: Box): [Handle, Point][] {
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

/**
 * Moves one handle of a shape to a point. `constrained` keeps the proportions of a box, and snaps a line to multiples
 * of 45°.
 */
export function resizeShape(
  shape: Shape,
  handle: Handle,
  to: Point,
  size: Size,
  constrained: boolean,
): Shape {
  const shorterSide = Math.min(size.width, size.height);
  const inside: Point = [
    Math.min(size.width, Math.max(0, to[0])),
    Math.min(size.height, Math.max(0, to[1])),
  ];
  if ("from" in shape) return moveLineEnd(shape, handle, inside, size, constrained);
  const before = bounds(shape, size);
  if (shape.kind === "text") {
    const lines = shape.text.split("\n").length;
    const fontSize = (to[1] - before[1]) / (lineHeight * lines);
    return { ...shape, size: clamp(fontSize / shorterSide, limits.size) };
  }
  if (shape.kind === "step") {
    const [cx, cy] = [before[0] + before[2] / 2, before[1] + before[3] / 2];
    const radius = Math.max(to[0] - cx, to[1] - cy);
    return { ...shape, width: clamp(radius / 5.5 / shorterSide, limits.width) };
  }
  return stretch(shape, before, resizeBox(before, handle, inside, size, constrained), size);
}

function moveLineEnd(
  shape: LineShape,
  handle: Handle,
  to: Point,
  size: Size,
  constrained: boolean,
): Shape {
  const [x, y] = handle === "from" ? shape.to : shape.from;
  const end = constrained ? snapToAngle([x * size.width, y * size.height], to, size) : to;
  return { ...shape, [handle]: [end[0] / size.width, end[1] / size.height] };
}

/** Maps every point of a shape from one box, in picture pixels, to another. */
function stretch(shape: Shape, before: Box, after: Box, size: Size): Shape {
  const share = (value: number, from: number, length: number): number =>
    length === 0 ? 0 : (value - from) / length;
  return mapPoints(shape, ([x, y]) => [
    (after[0] + share(x * size.width, before[0], before[2]) * after[2]) / size.width,
    (after[1] + share(y * size.height, before[1], before[3]) * after[3]) / size.height,
  ]);
}

/**
 * Moves a corner or a side of a box to a point. Past the opposite side, the box flips. It stays at least one pixel wide
 * and high.
 */
export function resizeBox(
  [x, y, w, h]: Box,
  handle: Handle,
  to: Point,
  size: Size,
  constrained: boolean,
): Box {
  let [left, top, right, bottom] = [x, y, x + w, y + h];
  if (handle.includes("w")) left = to[0];
  if (handle.includes("e")) right = to[0];
  if (handle.includes("n")) top = to[1];
  if (handle.includes("s")) bottom = to[1];
  if (constrained && handle.length === 2 && w > 0 && h > 0) {
    const factor = Math.max(Math.abs(right - left) / w, Math.abs(bottom - top) / h);
    if (handle.includes("w")) left = right - w * factor * Math.sign(right - left || 1);
    else right = left + w * factor * Math.sign(right - left || 1);
    if (handle.includes("n")) top = bottom - h * factor * Math.sign(bottom - top || 1);
    else bottom = top + h * factor * Math.sign(bottom - top || 1);
  }
  return boxBetween([left, top], [right, bottom], size);
}

/** The box between two corners, inside the picture and at least one pixel wide and high. */
export function boxBetween(a: Point, b: Point, size: Size): Box {
  const x = Math.min(size.width - 1, Math.max(0, Math.min(a[0], b[0])));
  const y = Math.min(size.height - 1, Math.max(0, Math.min(a[1], b[1])));
  return [
    x,
    y,
    Math.max(1, Math.min(size.width, Math.max(a[0], b[0])) - x),
    Math.max(1, Math.min(size.height, Math.max(a[1], b[1])) - y),
  ];
}

/** Moves the end of a line so that the line's angle is a multiple of 45°. The result lies inside the picture. */
export function snapToAngle(from: Point, to: Point, size: Size): Point {
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

/** Moves `to` so that `from` and `to` are opposite corners of a square. The result lies inside the picture. */
export function snapToSquare(from: Point, to: Point, size: Size): Point {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const room = Math.min(
    dx < 0 ? from[0] : size.width - from[0],
    dy < 0 ? from[1] : size.height - from[1],
  );
  const length = Math.min(room, Math.max(Math.abs(dx), Math.abs(dy)));
  return [from[0] + length * (dx < 0 ? -1 : 1), from[1] + length * (dy < 0 ? -1 : 1)];
}
