// Clips shapes to a crop. The server implements the same rules (src/markup/crop_shapes.rs).
import {
  limits,
  normalizeShape,
  clamp,
  type Box,
  type StrokePoint,
  type Shape,
  type Point,
} from "./shapes.js";

/**
 * The whole pixels that a crop keeps. Each edge is rounded to the nearest pixel boundary, and at
 * least one pixel remains in each direction.
 */
export function cropPixels([x, y, w, h]: Box, width: number, height: number): Box {
  const left = Math.min(width - 1, Math.round(x * width));
  const top = Math.min(height - 1, Math.round(y * height));
  return [
    left,
    top,
    Math.max(1, Math.round((x + w) * width) - left),
    Math.max(1, Math.round((y + h) * height) - top),
  ];
}

/**
 * Returns the parts of the shapes inside the crop, in fractions of the cropped picture. Line widths
 * and text sizes are scaled, so that the shapes look the same.
 */
export function clipShapes(shapes: Shape[], crop: Box, width: number, height: number): Shape[] {
  const [left, top, w, h] = cropPixels(crop, width, height);
  const to = ([x, y]: Point | StrokePoint): Point => [
    (x * width - left) / w,
    (y * height - top) / h,
  ];
  const scale = Math.min(width, height) / Math.min(w, h);
  const scaledWidth = (value: number) => clamp(value * scale, limits.width);
  const clipped = shapes.flatMap((shape): Shape[] => {
    switch (shape.kind) {
      case "arrow":
      case "line": {
        const part = clipSegment(to(shape.from), to(shape.to));
        return part
          ? [{ ...shape, from: part[0], to: part[1], width: scaledWidth(shape.width) }]
          : [];
      }
      case "freehand":
        return clipStroke(
          shape.points.map((point): StrokePoint =>
            point.length === 3 ? [...to(point), point[2]] : to(point),
          ),
        ).map((points) => ({ ...shape, points, width: scaledWidth(shape.width) }));
      case "text":
        return isInside(to(shape.at))
          ? [{ ...shape, at: to(shape.at), size: clamp(shape.size * scale, limits.size) }]
          : [];
      case "step":
        return isInside(to(shape.at))
          ? [{ ...shape, at: to(shape.at), width: scaledWidth(shape.width) }]
          : [];
      case "highlight":
      case "redaction": {
        const box = clipBox(shape.box, to);
        return box ? [{ ...shape, box }] : [];
      }
      default: {
        const box = clipBox(shape.box, to);
        return box ? [{ ...shape, box, width: scaledWidth(shape.width) }] : [];
      }
    }
  });
  return clipped.slice(0, limits.shapes).map(normalizeShape);
}

function clipBox([x, y, w, h]: Box, to: (spot: Point) => Point): Box | null {
  const [[left, top], [right, bottom]] = [to([x, y]), to([x + w, y + h])];
  const [l, t, r, b] = [
    Math.max(0, left),
    Math.max(0, top),
    Math.min(1, right),
    Math.min(1, bottom),
  ];
  return r > l && b > t ? [l, t, r - l, b - t] : null;
}

/**
 * Clips a line segment to the unit square (Liang–Barsky). Also returns where the remaining part starts and ends, as
 * fractions of the segment.
 */
function clipSegment([x1, y1]: Point, [x2, y2]: Point): [Point, Point, number, number] | null {
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
  const at = (share: number): Point => [x1 + (x2 - x1) * share, y1 + (y2 - y1) * share];
  return from <= to ? [at(from), at(to), from, to] : null;
}

/** Splits a stroke where it crosses the border of the unit square, and returns the parts inside. */
function clipStroke(points: StrokePoint[]): StrokePoint[][] {
  const [only] = points;
  if (points.length === 1) return only && isInside([only[0], only[1]]) ? [points] : [];
  const runs: StrokePoint[][] = [];
  let open = false;
  for (let i = 1; i < points.length; i += 1) {
    const [a, b] = [points[i - 1] as StrokePoint, points[i] as StrokePoint];
    const part = clipSegment([a[0], a[1]], [b[0], b[1]]);
    if (!part) {
      open = false;
      continue;
    }
    const [from, to, start, end] = part;
    if (!open || start > 0) runs.push([interpolate(from, a, b, start)]);
    runs.at(-1)?.push(interpolate(to, a, b, end));
    open = end === 1;
  }
  return runs;
}

/** Interpolates a point, with its pressure, between two points of a stroke. */
function interpolate([x, y]: Point, a: StrokePoint, b: StrokePoint, share: number): StrokePoint {
  if (a.length !== 3 && b.length !== 3) return [x, y];
  const [from, to] = [a[2] ?? 0.5, b[2] ?? 0.5];
  return [x, y, from + (to - from) * share];
}

function isInside([x, y]: Point): boolean {
  return x >= 0 && x <= 1 && y >= 0 && y <= 1;
}
