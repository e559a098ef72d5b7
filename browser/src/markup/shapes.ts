// The shapes of a markup as defined by the API (docs/API.md), and the limits that the server enforces.

/**
 * A position relative to the top left corner. In a shape, fractions of the picture's width and
 * height; elsewhere, pixels.
 */
export type Point = [x: number, y: number];
/** A point of a stroke. Pen strokes also have a pressure from 0 to 1. */
export type StrokePoint = [x: number, y: number] | [x: number, y: number, pressure: number];
/** Left, top, width and height. In a shape, fractions of the picture; elsewhere, pixels. */
export type Box = [x: number, y: number, w: number, h: number];

export const colors = [
  "red",
  "orange",
  "yellow",
  "green",
  "blue",
  "purple",
  "black",
  "white",
] as const;
export type Color = (typeof colors)[number];

/** `width`, like the `size` of a text shape, is a fraction of the picture's shorter side. */
interface Stroked {
  color: Color;
  width: number;
}
export interface LineShape extends Stroked {
  kind: "arrow" | "line";
  from: Point;
  to: Point;
}
export interface OutlineShape extends Stroked {
  kind: "rectangle" | "ellipse";
  box: Box;
}
export interface FreehandShape extends Stroked {
  kind: "freehand";
  points: StrokePoint[];
}
export interface HighlightShape {
  kind: "highlight";
  box: Box;
  color: Color;
}
export interface TextShape {
  kind: "text";
  at: Point;
  text: string;
  size: number;
  color: Color;
}
export interface StepShape extends Stroked {
  kind: "step";
  at: Point;
  number: number;
}
export interface RedactionShape {
  kind: "redaction";
  box: Box;
}
export type Shape =
  | LineShape
  | OutlineShape
  | FreehandShape
  | HighlightShape
  | TextShape
  | StepShape
  | RedactionShape;
export type ShapeKind = Shape["kind"];

/**
 * All markup of a picture. Saving destroys the pixels under redactions and outside the crop. The stored markup then
 * contains neither the redactions nor the crop.
 */
export interface Markup {
  shapes: Shape[];
  crop: Box | null;
}

export const limits = {
  shapes: 500,
  points: 2_000,
  allPoints: 100_000,
  text: 500,
  width: [0.0005, 0.1],
  size: [0.005, 0.5],
} as const;
/** The three line widths that the editor offers, and the corresponding text sizes. */
export const strokeWidths = [0.002, 0.004, 0.008] as const;
export const textSizes = [0.022, 0.03, 0.045] as const;

export const defaults = { color: "red", width: 0.004, size: 0.03 } as const;

/**
 * Thrown if a response contains a shape that this page does not support. The page must not edit these shapes, because
 * saving would delete the unsupported one.
 */
export class UnsupportedShapeError extends Error {}

/** Parses the shapes of a response and fills in defaults. */
export function parseShapes(value: unknown): Shape[] {
  if (!Array.isArray(value))
    throw new UnsupportedShapeError("This page cannot read these marks. Reload the page.");
  return value.map(parseShape);
}

/** Parses `{"shapes":[…],"crop":…}` from a response. */
export function parseMarkup(value: unknown): Markup {
  const { shapes, crop } = (value ?? {}) as { shapes?: unknown; crop?: unknown };
  return {
    shapes: parseShapes(shapes ?? []),
    crop: crop == null ? null : (parseNumbers(crop, 4) as Box),
  };
}

function parseShape(value: unknown): Shape {
  const given = (value ?? {}) as Record<string, unknown>;
  const color = (given["color"] ?? defaults.color) as Color;
  if (!colors.includes(color))
    throw new UnsupportedShapeError(
      "These marks have a color that this page does not support. Reload the page.",
    );
  const stroke = { color, width: Number(given["width"] ?? defaults.width) };
  switch (given["kind"]) {
    case "arrow":
    case "line":
      return {
        kind: given["kind"],
        from: parsePoint(given["from"]),
        to: parsePoint(given["to"]),
        ...stroke,
      };
    case "rectangle":
    case "ellipse":
      return { kind: given["kind"], box: parseBox(given["box"]), ...stroke };
    case "freehand":
      return { kind: "freehand", points: parseStrokePoints(given["points"]), ...stroke };
    case "highlight":
      return { kind: "highlight", box: parseBox(given["box"]), color };
    case "text": {
      const size = Number(given["size"] ?? defaults.size);
      return {
        kind: "text",
        at: parsePoint(given["at"]),
        text: String(given["text"]),
        size,
        color,
      };
    }
    case "step": {
      const number = Number(given["number"]);
      return { kind: "step", at: parsePoint(given["at"]), number, ...stroke };
    }
    case "redaction":
      return { kind: "redaction", box: parseBox(given["box"]) };
    default:
      throw new UnsupportedShapeError(
        "These marks are of a kind that this page does not support. Reload the page.",
      );
  }
}

function parsePoint(value: unknown): Point {
  return parseNumbers(value, 2) as Point;
}

function parseBox(value: unknown): Box {
  return parseNumbers(value, 4) as Box;
}

function parseStrokePoints(value: unknown): StrokePoint[] {
  return (value as unknown[]).map(
    (point) => parseNumbers(point, (point as unknown[]).length === 3 ? 3 : 2) as StrokePoint,
  );
}

function parseNumbers(value: unknown, count: number): number[] {
  if (
    !Array.isArray(value) ||
    value.length !== count ||
    !value.every((one) => Number.isFinite(one))
  )
    throw new UnsupportedShapeError("This page cannot read these marks. Reload the page.");
  return value as number[];
}

/** Returns a shape in its stored form: inside the picture, with five decimals. */
export function normalizeShape(shape: Shape): Shape {
  switch (shape.kind) {
    case "arrow":
    case "line":
      return {
        ...shape,
        from: normalizePoint(shape.from),
        to: normalizePoint(shape.to),
        width: round(shape.width),
      };
    case "freehand":
      return {
        ...shape,
        points: shape.points.map((point) =>
          point.length === 3
            ? [
                ...normalizePoint([point[0], point[1]]),
                Math.round(clampToUnit(point[2]) * 100) / 100,
              ]
            : normalizePoint(point),
        ),
        width: round(shape.width),
      };
    case "text":
      return { ...shape, at: normalizePoint(shape.at), size: round(shape.size) };
    case "step":
      return { ...shape, at: normalizePoint(shape.at), width: round(shape.width) };
    case "rectangle":
    case "ellipse":
      return { ...shape, box: normalizeBox(shape.box), width: round(shape.width) };
    case "highlight":
    case "redaction":
      return { ...shape, box: normalizeBox(shape.box) };
  }
}

/** Limits a number to a range. */
export function clamp(value: number, [least, most]: readonly [number, number]): number {
  return Math.min(most, Math.max(least, value));
}

export function normalizeBox([x, y, w, h]: Box): Box {
  const [left, top] = normalizePoint([x, y]);
  return [
    left,
    top,
    round(Math.min(1 - left, Math.max(0.00001, w))),
    round(Math.min(1 - top, Math.max(0.00001, h))),
  ];
}

function normalizePoint([x, y]: Point | StrokePoint): Point {
  return [round(clampToUnit(x)), round(clampToUnit(y))];
}

function clampToUnit(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function round(value: number): number {
  return Math.round(value * 100_000) / 100_000;
}

/**
 * Describes what saving destroys and which marks remain. `fate` ends the first sentence, for example "is deleted
 * permanently".
 */
export function describeLoss({ shapes, crop }: Markup, fate: string): string {
  const hasRedaction = shapes.some(({ kind }) => kind === "redaction");
  const hasOther = shapes.some(({ kind }) => kind !== "redaction");
  const lost = !hasRedaction
    ? "Everything outside the crop"
    : crop
      ? "Everything blacked out or outside the crop"
      : "Everything blacked out";
  return `${lost} ${fate}.${hasRedaction && hasOther ? " Marks over blacked-out areas stay." : ""}`;
}

/** Whether saving destroys pixels. */
export function isDestructive(markup: Markup): boolean {
  return markup.crop !== null || markup.shapes.some(({ kind }) => kind === "redaction");
}
