// The tools: their keys, and the shapes they make of a drag or of a key.
import { getStrokePoints } from "perfect-freehand";
import { icon, make } from "../lib/dom.js";
import { angled, spanned, squared, type Size } from "./geometry.js";
import {
  limits,
  sizes,
  widths,
  type Box,
  type Color,
  type Kind,
  type Point,
  type Shape,
  type Spot,
} from "./shapes.js";

export type Tool = "select" | "hand" | "crop" | Kind;

/** What the next shape looks like: a colour, and which of the three widths. */
export interface Style {
  color: Color;
  level: 0 | 1 | 2;
}

/** The row of tools, in its order. */
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

/** The shape of a drag from one pixel to another; null while it is too small to be meant. */
export function dragged(
  tool: Tool,
  from: Spot,
  to: Spot,
  size: Size,
  { color, level }: Style,
  even: boolean,
): Shape | null {
  const width = widths[level];
  const unit = ([x, y]: Spot): Spot => [
    Math.min(1, Math.max(0, x / size.width)),
    Math.min(1, Math.max(0, y / size.height)),
  ];
  if (tool === "arrow" || tool === "line")
    return {
      kind: tool,
      from: unit(from),
      to: unit(even ? angled(from, to, size) : to),
      color,
      width,
    };
  const [x, y, w, h] = spanned(from, even ? squared(from, to, size) : to, size);
  const box: Box = [x / size.width, y / size.height, w / size.width, h / size.height];
  if (tool === "rectangle" || tool === "ellipse") return { kind: tool, box, color, width };
  if (tool === "highlight") return { kind: "highlight", box, color };
  if (tool === "redaction") return { kind: "redaction", box };
  return null;
}

/** The shape a tool makes without a drag: at a spot, and of a size that suits what is seen. */
export function placed(
  tool: Tool,
  [x, y]: Spot,
  seen: Size,
  size: Size,
  style: Style,
  number: number,
): Shape | null {
  const [w, h] = [
    Math.min(seen.width, size.width) * 0.15,
    Math.min(seen.height, size.height) * 0.12,
  ];
  const at: Spot = [x / size.width, y / size.height];
  if (tool === "step")
    return { kind: "step", at, number, color: style.color, width: widths[style.level] };
  if (tool === "text")
    return { kind: "text", at, text: "", size: sizes[style.level], color: style.color };
  if (tool === "freehand")
    return stroke(
      [
        [x - w, y],
        [x + w, y],
      ],
      size,
      style,
      1,
    );
  return dragged(
    tool,
    [Math.max(0, x - w), Math.max(0, y - h)],
    [Math.min(size.width, x + w), Math.min(size.height, y + h)],
    size,
    style,
    false,
  );
}

/**
 * The stroke a hand drew, smoothed. Points nearer to each other than the eye tells apart (`fine`: a pixel of the screen, in the picture's)
 * are left out; never by straightness, for the curve is led through the middles between the points and would cut the corners.
 */
export function stroke(
  raw: Point[],
  size: Size,
  { color, level }: Style,
  fine: number,
): Shape | null {
  const width = widths[level];
  const across = width * Math.min(size.width, size.height);
  const pen = raw.some((point) => point.length === 3);
  const smooth = getStrokePoints(
    raw.map(([x, y, pressure]) => [x, y, pressure ?? 0.5]),
    { size: Math.min(across, 2 * fine), streamline: 0.45, last: true },
  );
  let apart = Math.max(1.5 * fine, across * 0.3);
  let points: Point[];
  do {
    points = [];
    let last: readonly [number, number] | null = null;
    for (const [i, { point, pressure }] of smooth.entries()) {
      if (
        last &&
        i < smooth.length - 1 &&
        Math.hypot(point[0] - last[0], point[1] - last[1]) < apart
      )
        continue;
      last = point;
      const at: Spot = [point[0] / size.width, point[1] / size.height];
      points.push(pen ? [...at, pressure] : at);
    }
    apart *= 1.5;
  } while (points.length > limits.points);
  // A tap is a dot: the library makes a short line of it.
  const [first] = raw;
  if (first && raw.every(([x, y]) => Math.hypot(x - first[0], y - first[1]) < fine))
    points = points.slice(0, 1);
  return points.length === 0 ? null : { kind: "freehand", points, color, width };
}
