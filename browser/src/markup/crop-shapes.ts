// What a crop leaves of shapes, and where it moves them; the server (markup/crop.rs) has the same.
import { limits, tidy, within, type Box, type Point, type Shape, type Spot } from "./shapes.js";

/** The whole pixels a crop keeps: each side at the nearest one, and never nothing. */
export function kept([x, y, w, h]: Box, width: number, height: number): Box {
  const left = Math.min(width - 1, Math.round(x * width));
  const top = Math.min(height - 1, Math.round(y * height));
  return [
    left,
    top,
    Math.max(1, Math.round((x + w) * width) - left),
    Math.max(1, Math.round((y + h) * height) - top),
  ];
}

/** The shapes on the picture that the crop leaves, looking as they did. */
export function clip(shapes: Shape[], crop: Box, width: number, height: number): Shape[] {
  const [left, top, w, h] = kept(crop, width, height);
  const to = ([x, y]: Spot | Point): Spot => [(x * width - left) / w, (y * height - top) / h];
  const grown = Math.min(width, height) / Math.min(w, h);
  const thick = (value: number) => within(value * grown, limits.width);
  const clipped = shapes.flatMap((shape): Shape[] => {
    switch (shape.kind) {
      case "arrow":
      case "line": {
        const part = segment(to(shape.from), to(shape.to));
        return part ? [{ ...shape, from: part[0], to: part[1], width: thick(shape.width) }] : [];
      }
      case "freehand":
        return split(
          shape.points.map((point): Point =>
            point.length === 3 ? [...to(point), point[2]] : to(point),
          ),
        ).map((points) => ({ ...shape, points, width: thick(shape.width) }));
      case "text":
        return inside(to(shape.at))
          ? [{ ...shape, at: to(shape.at), size: within(shape.size * grown, limits.size) }]
          : [];
      case "step":
        return inside(to(shape.at))
          ? [{ ...shape, at: to(shape.at), width: thick(shape.width) }]
          : [];
      case "highlight":
      case "redaction": {
        const box = meet(shape.box, to);
        return box ? [{ ...shape, box }] : [];
      }
      default: {
        const box = meet(shape.box, to);
        return box ? [{ ...shape, box, width: thick(shape.width) }] : [];
      }
    }
  });
  return clipped.slice(0, limits.shapes).map(tidy);
}

function meet([x, y, w, h]: Box, to: (spot: Spot) => Spot): Box | null {
  const [[left, top], [right, bottom]] = [to([x, y]), to([x + w, y + h])];
  const [l, t, r, b] = [
    Math.max(0, left),
    Math.max(0, top),
    Math.min(1, right),
    Math.min(1, bottom),
  ];
  return r > l && b > t ? [l, t, r - l, b - t] : null;
}

/** The part of a segment within 0–1 (Liang and Barsky), with the shares of it where that begins and ends. */
function segment([x1, y1]: Spot, [x2, y2]: Spot): [Spot, Spot, number, number] | null {
  let [from, to] = [0, 1];
  for (const [step, room] of [
    [x1 - x2, x1],
    [x2 - x1, 1 - x1],
    [y1 - y2, y1],
    [y2 - y1, 1 - y1],
  ] as const) {
    if (step === 0 && room < 0) return null;
    if (step < 0) from = Math.max(from, room / step);
    else if (step > 0) to = Math.min(to, room / step);
  }
  const at = (share: number): Spot => [x1 + (x2 - x1) * share, y1 + (y2 - y1) * share];
  return from <= to ? [at(from), at(to), from, to] : null;
}

/** The stretches of a stroke within the picture, cut where it crosses the border. */
function split(points: Point[]): Point[][] {
  const [only] = points;
  if (points.length === 1) return only && inside([only[0], only[1]]) ? [points] : [];
  const runs: Point[][] = [];
  let open = false;
  for (let i = 1; i < points.length; i += 1) {
    const [a, b] = [points[i - 1] as Point, points[i] as Point];
    const part = segment([a[0], a[1]], [b[0], b[1]]);
    if (!part) {
      open = false;
      continue;
    }
    const [from, to, start, end] = part;
    if (!open || start > 0) runs.push([pressed(from, a, b, start)]);
    runs.at(-1)?.push(pressed(to, a, b, end));
    open = end === 1;
  }
  return runs;
}

function pressed([x, y]: Spot, a: Point, b: Point, share: number): Point {
  if (a.length !== 3 && b.length !== 3) return [x, y];
  const [from, to] = [a[2] ?? 0.5, b[2] ?? 0.5];
  return [x, y, from + (to - from) * share];
}

function inside([x, y]: Spot): boolean {
  return x >= 0 && x <= 1 && y >= 0 && y <= 1;
}
