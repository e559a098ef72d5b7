// Renders shapes. Each shape becomes a list of SVG elements, which are shown on the page or painted on a canvas. The
// server renders the same elements (src/markup/svg.rs), so both must use exactly the same numbers.
import type {
  Box,
  Color,
  FreehandShape,
  LineShape,
  OutlineShape,
  Point,
  Shape,
  StepShape,
  StrokePoint,
  TextShape,
} from "./shapes.js";

export const colorValues: Record<Color, string> = {
  red: "#e5322d",
  orange: "#f08c00",
  yellow: "#fcc419",
  green: "#2f9e44",
  blue: "#1c7ed6",
  purple: "#9c36b5",
  black: "#1a1a1a",
  white: "#ffffff",
};
export const fontName = "DejaVu Sans";
/** The distance between two lines of text, as a multiple of the font size. */
export const lineHeight = 1.2;
/** The distance from the top of a text to its first baseline, as a multiple of the font size. */
export const baseline = 0.93;

type Attributes = Record<string, number | string>;

/** One SVG element. */
interface SvgPart {
  name: "line" | "rect" | "ellipse" | "circle" | "polygon" | "path" | "text";
  attributes: Attributes;
  text?: string;
}

/** Converts from fractions of the picture to pixels. */
type ToPixels = (point: Point | StrokePoint) => Point;

/**
 * Returns white or dark gray, whichever contrasts better with `color`. Used for letters on a
 * background of that color, and for outlines around letters of that color.
 */
export function contrastColor(color: Color): string {
  return color === "yellow" || color === "orange" || color === "white" ? "#1a1a1a" : "#ffffff";
}

/**
 * Returns one `<g>` per shape, from back to front, for a viewBox in picture pixels. `lossy` means that the picture is
 * compressed in blocks; redactions then cover whole blocks.
 */
export function drawShapes(
  shapes: Shape[],
  width: number,
  height: number,
  lossy = false,
): SVGElement[] {
  return shapes.map((shape) => {
    const group = document.createElementNS("http://www.w3.org/2000/svg", "g");
    for (const part of partsOf(shape, width, height, lossy)) group.append(partElement(part));
    return group;
  });
}

function partElement({ name, attributes, text }: SvgPart): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text !== undefined) {
    element.setAttributeNS("http://www.w3.org/XML/1998/namespace", "xml:space", "preserve");
    element.textContent = text;
  }
  return element;
}

/**
 * Paints the shapes on a canvas. `width` and `height` are the picture's size. The font must be
 * loaded.
 */
export function paintShapes(
  context: CanvasRenderingContext2D,
  shapes: Shape[],
  width: number,
  height: number,
): void {
  for (const shape of shapes) {
    for (const part of partsOf(shape, width, height, false)) {
      context.save();
      paintPart(context, part);
      context.restore();
    }
  }
}

function paintPart(context: CanvasRenderingContext2D, part: SvgPart): void {
  const { attributes, text } = part;
  context.lineCap = "round";
  context.lineJoin = "round";
  context.globalAlpha = Number(attributes["fill-opacity"] ?? 1);
  context.fillStyle = String(attributes["fill"]);
  context.strokeStyle = String(attributes["stroke"] ?? "none");
  context.lineWidth = Number(attributes["stroke-width"] ?? 0);
  if (text !== undefined) {
    context.font = `${attributes["font-size"]}px "${fontName}"`;
    context.textAlign = attributes["text-anchor"] === "middle" ? "center" : "left";
    const [x, y] = [Number(attributes["x"]), Number(attributes["y"])];
    if (attributes["stroke"] !== undefined) context.strokeText(text, x, y);
    context.fillText(text, x, y);
  } else {
    const path = pathOf(part);
    if (attributes["fill"] !== "none") context.fill(path);
    if (attributes["stroke"] !== undefined) context.stroke(path);
  }
}

function pathOf({ name, attributes }: SvgPart): Path2D {
  const path = new Path2D();
  const n = (key: string): number => Number(attributes[key]);
  if (name === "line") {
    path.moveTo(n("x1"), n("y1"));
    // SVG draws a line of zero length as a dot, but a canvas draws nothing. Lengthen the line slightly to get the dot.
    const isDot = n("x1") === n("x2") && n("y1") === n("y2");
    path.lineTo(n("x2") + (isDot ? 0.001 : 0), n("y2"));
  } else if (name === "rect") path.rect(n("x"), n("y"), n("width"), n("height"));
  else if (name === "circle") path.ellipse(n("cx"), n("cy"), n("r"), n("r"), 0, 0, Math.PI * 2);
  else if (name === "ellipse") path.ellipse(n("cx"), n("cy"), n("rx"), n("ry"), 0, 0, Math.PI * 2);
  else if (name === "polygon") path.addPath(new Path2D(`M${String(attributes["points"])}Z`));
  else path.addPath(new Path2D(String(attributes["d"])));
  return path;
}

function partsOf(shape: Shape, width: number, height: number, lossy: boolean): SvgPart[] {
  const shorterSide = Math.min(width, height);
  const toPixels: ToPixels = ([x, y]) => [x * width, y * height];
  switch (shape.kind) {
    case "line":
    case "arrow":
      return lineParts(shape, toPixels, shape.width * shorterSide);
    case "rectangle":
    case "ellipse":
      return outlineParts(shape, toPixels, shape.width * shorterSide);
    case "freehand":
      return freehandParts(shape, toPixels, shape.width * shorterSide);
    case "highlight": {
      const box = rectAttributes(shape.box, toPixels);
      const fill = { fill: colorValues[shape.color], "fill-opacity": 0.4 };
      return [{ name: "rect", attributes: { ...box, ...fill } }];
    }
    case "text":
      return textParts(shape, toPixels(shape.at), shape.size * shorterSide);
    case "step":
      return stepParts(shape, toPixels(shape.at), 5.5 * shape.width * shorterSide);
    case "redaction": {
      const [x, y, w, h] = redactedPixels(shape.box, width, height, lossy);
      return [{ name: "rect", attributes: { x, y, width: w, height: h, fill: "#000" } }];
    }
  }
}

function strokeAttributes(color: Color, width: number): Attributes {
  return {
    fill: "none",
    stroke: colorValues[color],
    "stroke-width": round(width),
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  };
}

function rectAttributes([x, y, w, h]: Box, toPixels: ToPixels): Attributes {
  const [left, top] = toPixels([x, y]);
  const [width, height] = toPixels([w, h]);
  return { x: round(left), y: round(top), width: round(width), height: round(height) };
}

function outlineParts(shape: OutlineShape, toPixels: ToPixels, width: number): SvgPart[] {
  const stroke = strokeAttributes(shape.color, width);
  if (shape.kind === "rectangle") {
    const box = rectAttributes(shape.box, toPixels);
    return [{ name: "rect", attributes: { ...box, ...stroke } }];
  }
  const [x, y, w, h] = shape.box;
  const [cx, cy] = toPixels([x + w / 2, y + h / 2]);
  const [rx, ry] = toPixels([w / 2, h / 2]);
  const ellipse = { cx: round(cx), cy: round(cy), rx: round(rx), ry: round(ry) };
  return [{ name: "ellipse", attributes: { ...ellipse, ...stroke } }];
}

function lineParts(shape: LineShape, toPixels: ToPixels, width: number): SvgPart[] {
  const [from, to] = [toPixels(shape.from), toPixels(shape.to)];
  return shape.kind === "arrow"
    ? arrowParts(from, to, shape.color, width)
    : [linePart(from, to, strokeAttributes(shape.color, width))];
}

function linePart([x1, y1]: Point, [x2, y2]: Point, attributes: Attributes): SvgPart {
  const ends = { x1: round(x1), y1: round(y1), x2: round(x2), y2: round(y2) };
  return { name: "line", attributes: { ...ends, ...attributes } };
}

/**
 * Returns the shaft and the head of an arrow. The shaft ends inside the head, so that its round end does not show at
 * the tip.
 */
function arrowParts(from: Point, to: Point, color: Color, width: number): SvgPart[] {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const stroke = strokeAttributes(color, width);
  if (length === 0) return [linePart(from, to, stroke)];
  const head = Math.min(5 * width, length);
  const [ux, uy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
  const [baseX, baseY] = [to[0] - ux * head, to[1] - uy * head];
  const half = head * 0.5;
  const corners: Point[] = [
    to,
    [baseX - uy * half, baseY + ux * half],
    [baseX + uy * half, baseY - ux * half],
  ];
  const points = corners.map(([x, y]) => `${round(x)} ${round(y)}`).join(" ");
  return [
    linePart(from, [to[0] - ux * head * 0.7, to[1] - uy * head * 0.7], stroke),
    { name: "polygon", attributes: { points, fill: colorValues[color] } },
  ];
}

/** Draws one path for each run of points that have the same pressure level. There are nine pressure levels. */
function freehandParts(
  { points, color }: FreehandShape,
  toPixels: ToPixels,
  width: number,
): SvgPart[] {
  const [first] = points;
  if (!first) return [];
  if (points.length === 1)
    return [linePart(toPixels(first), toPixels(first), strokeAttributes(color, width))];
  const pressureOf = (i: number): number => points[i]?.[2] ?? 0.5;
  const levelAt = (i: number): number => Math.round(8 * ((pressureOf(i - 1) + pressureOf(i)) / 2));
  const parts: SvgPart[] = [];
  for (let start = 0; start < points.length - 1;) {
    const level = levelAt(start + 1);
    let end = start + 1;
    while (end < points.length - 1 && levelAt(end + 1) === level) end += 1;
    const d = smoothPath(points, start, end, toPixels);
    const stroke = strokeAttributes(color, width * (0.4 + (1.2 * level) / 8));
    parts.push({ name: "path", attributes: { d, ...stroke } });
    start = end;
  }
  return parts;
}

/**
 * Returns the `d` attribute of a smooth path along the points from `start` to `end`. The inner points are the control
 * points of quadratic curves, which meet at the midpoints between the points.
 */
function smoothPath(points: StrokePoint[], start: number, end: number, toPixels: ToPixels): string {
  let d = "";
  for (let i = start; i <= end; i += 1) {
    const [x, y] = toPixels(points[i] as StrokePoint);
    if (i === start) d = `M${round(x)} ${round(y)}`;
    else if (i === end) d += `L${round(x)} ${round(y)}`;
    else {
      const [nextX, nextY] = toPixels(points[i + 1] as StrokePoint);
      d += `Q${round(x)} ${round(y)} ${round((x + nextX) / 2)} ${round((y + nextY) / 2)}`;
    }
  }
  return d;
}

function textParts({ text, color }: TextShape, [x, y]: Point, size: number): SvgPart[] {
  return text.split("\n").map((line, i) => ({
    name: "text",
    text: line,
    attributes: {
      x: round(x),
      y: round(y + size * (baseline + lineHeight * i)),
      "font-family": fontName,
      "font-size": round(size),
      fill: colorValues[color],
      stroke: contrastColor(color),
      "stroke-width": round(0.16 * size),
      "stroke-linejoin": "round",
      "paint-order": "stroke",
    },
  }));
}

function stepParts({ number, color }: StepShape, [x, y]: Point, radius: number): SvgPart[] {
  const size = (number < 100 ? 1.15 : 0.85) * radius;
  const circle: SvgPart = {
    name: "circle",
    attributes: {
      cx: round(x),
      cy: round(y),
      r: round(radius),
      fill: colorValues[color],
      stroke: contrastColor(color),
      "stroke-width": round(0.12 * radius),
    },
  };
  const label: SvgPart = {
    name: "text",
    text: String(number),
    attributes: {
      x: round(x),
      y: round(y + 0.36 * size),
      "font-family": fontName,
      "font-size": round(size),
      "text-anchor": "middle",
      fill: contrastColor(color),
    },
  };
  return [circle, label];
}

/**
 * Whether a picture is compressed in blocks, judged by its MIME type or file extension. WebP always counts, because its
 * type does not show whether it is lossless.
 */
export function isBlockCoded(kind: string): boolean {
  return /(jpe?g|webp)(\?|$)/i.test(kind);
}

/**
 * The pixels that a redaction destroys: its box plus 3 pixels on each side. In a lossy picture, the redaction destroys
 * whole blocks of 16 × 16 pixels, because each block is encoded as a unit.
 */
export function redactedPixels(
  [x, y, w, h]: Box,
  width: number,
  height: number,
  lossy: boolean,
): Box {
  const margin = 3;
  const grid = lossy ? 16 : 1;
  const down = (value: number): number =>
    Math.max(0, Math.floor((Math.floor(value) - margin) / grid) * grid);
  const up = (value: number, most: number): number =>
    Math.min(most, Math.ceil((Math.ceil(value) + margin) / grid) * grid);
  const [left, top] = [down(x * width), down(y * height)];
  return [left, top, up((x + w) * width, width) - left, up((y + h) * height, height) - top];
}

/** Rounds to two decimals. */
function round(value: number): number {
  return Math.round(value * 100) / 100 || 0;
}
