// The tools: their keys, and the shapes that they create.
import { getStrokePoints } from "perfect-freehand";
import { icon, make } from "../lib/dom.js";
import { snapToAngle, boxBetween, snapToSquare, type Size } from "./geometry.js";
import {
  limits,
  textSizes,
  strokeWidths,
  type Box,
  type Color,
  type ShapeKind,
  type StrokePoint,
  type Shape,
  type Point,
} from "./shapes.js";

export type Tool = "select" | "hand" | "crop" | ShapeKind;

/** The style of the next shape: a color, and one of three widths. */
export interface DrawStyle {
  color: Color;
  level: 0 | 1 | 2;
}

/** All tools, in the order of the toolbar. */
export const tools: { tool: Tool; key: string; name: string; picture: () => Element }[] = [
  { tool: "select", key: "v", name: "Select", picture: () => icon("mouse-pointer-2") },
  { tool: "arrow", key: "a", name: "Arrow", picture: () => icon("move-up-right") },
  { tool: "line", key: "l", name: "Line", picture: () => icon("slash") },
  { tool: "rectangle", key: "r", name: "Rectangle", picture: () => icon("square") },
  { tool: "ellipse", key: "e", name: "Ellipse", picture: () => icon("circle") },
  { tool: "freehand", key: "f", name: "Freehand", picture: () => icon("pencil") },
  { tool: "highlight", key: "h", name: "Highlight", picture: () => icon("highlighter") },
  { tool: "text", key: "t", name: "Text", picture: () => icon("type") },
  { tool: "step", key: "n", name: "Numbered step", picture: () => icon("list-ordered") },
  {
    tool: "redaction",
    key: "x",
    name: "Redact",
    picture: () => make("span", { class: "icon blackout" }),
  },
  { tool: "crop", key: "c", name: "Crop", picture: () => icon("crop") },
  { tool: "hand", key: "g", name: "Move the picture", picture: () => icon("hand") },
];

/**
 * The shape that a drag creates between two points in picture pixels, or null if the tool does not
 * create a shape from two points. `constrained` makes squares, circles and lines at fixed angles.
 */
export function shapeFromDrag(
  tool: Tool,
  from: Point,
  to: Point,
  size: Size,
  { color, level }: DrawStyle,
  constrained: boolean,
): Shape | null {
  const width = strokeWidths[level];
  const unit = ([x, y]: Point): Point => [
    Math.min(1, Math.max(0, x / size.width)),
    Math.min(1, Math.max(0, y / size.height)),
  ];
  if (tool === "arrow" || tool === "line")
    return {
      kind: tool,
      from: unit(from),
      to: unit(constrained ? snapToAngle(from, to, size) : to),
      color,
      width,
    };
  const [x, y, w, h] = boxBetween(from, constrained ? snapToSquare(from, to, size) : to, size);
  const box: Box = [x / size.width, y / size.height, w / size.width, h / size.height];
  if (tool === "rectangle" || tool === "ellipse") return { kind: tool, box, color, width };
  if (tool === "highlight") return { kind: "highlight", box, color };
  if (tool === "redaction") return { kind: "redaction", box };
  return null;
}

/**
 * The shape that a tool creates at a point in picture pixels without a drag, with a size that suits
 * the visible part (`seen`). Null if the tool creates none.
 */
export function shapeAtPoint(
  tool: Tool,
  [x, y]: Point,
  seen: Size,
  size: Size,
  style: DrawStyle,
  number: number,
): Shape | null {
  const [w, h] = [
    Math.min(seen.width, size.width) * 0.15,
    Math.min(seen.height, size.height) * 0.12,
  ];
  const at: Point = [x / size.width, y / size.height];
  if (tool === "step")
    return { kind: "step", at, number, color: style.color, width: strokeWidths[style.level] };
  if (tool === "text")
    return { kind: "text", at, text: "", size: textSizes[style.level], color: style.color };
  if (tool === "freehand")
    return strokeShape(
      [
        [x - w, y],
        [x + w, y],
      ],
      size,
      style,
      1,
    );
  return shapeFromDrag(
    tool,
    [Math.max(0, x - w), Math.max(0, y - h)],
    [Math.min(size.width, x + w), Math.min(size.height, y + h)],
    size,
    style,
    false,
  );
}

/**
 * Creates a smoothed freehand line. Omits points that are too close together to be told apart.
 * Keeps points on straight parts, because the curve passes through the midpoints between
 * neighboring points and would otherwise cut corners. `fine` is the size of a screen pixel in
 * picture pixels.
 */
export function strokeShape(
  raw: StrokePoint[],
  size: Size,
  { color, level }: DrawStyle,
  fine: number,
): Shape | null {
  const width = strokeWidths[level];
  const widthInPixels = width * Math.min(size.width, size.height);
  const smooth = getStrokePoints(
    raw.map(([x, y, pressure]) => [x, y, pressure ?? 0.5]),
    { size: Math.min(widthInPixels, 2 * fine), streamline: 0.45, last: true },
  );
  const isPen = raw.some((point) => point.length === 3);
  const toStored = ({ point: [x, y], pressure }: SmoothPoint): StrokePoint =>
    isPen ? [x / size.width, y / size.height, pressure] : [x / size.width, y / size.height];
  let spacing = Math.max(1.5 * fine, widthInPixels * 0.3);
  let points: StrokePoint[];
  do {
    points = spacedOut(smooth, spacing).map(toStored);
    spacing *= 1.5;
  } while (points.length > limits.points);
  // `getStrokePoints` would turn a tap into a short line. Keep only one point, which is drawn as a dot.
  const [first] = raw;
  if (first && raw.every(([x, y]) => Math.hypot(x - first[0], y - first[1]) < fine))
    points = points.slice(0, 1);
  return points.length === 0 ? null : { kind: "freehand", points, color, width };
}

type SmoothPoint = ReturnType<typeof getStrokePoints>[number];

/** Omits points that are closer than `spacing` to the previous one. Keeps the last point. */
function spacedOut(points: SmoothPoint[], spacing: number): SmoothPoint[] {
  const kept: SmoothPoint[] = [];
  for (const [i, one] of points.entries()) {
    const last = kept.at(-1)?.point;
    const isClose = last && Math.hypot(one.point[0] - last[0], one.point[1] - last[1]) < spacing;
    if (!isClose || i === points.length - 1) kept.push(one);
  }
  return kept;
}
