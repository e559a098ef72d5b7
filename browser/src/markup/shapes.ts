// The shapes of a markup: what the server sends and takes (docs/API.md), typed, with the limits both sides keep.

/** 0–1 of the picture's width and height, from the top left. */
export type Spot = [x: number, y: number];
/** A spot of a stroke; the third is a pen's pressure, 0–1. */
export type Point = [x: number, y: number] | [x: number, y: number, pressure: number];
/** Left, top, width and height, 0–1. */
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

/** `width` and `size` are shares of the picture's shorter side. */
interface Inked {
  color: Color;
  width: number;
}
export interface Arrow extends Inked {
  kind: "arrow" | "line";
  from: Spot;
  to: Spot;
}
export interface Framed extends Inked {
  kind: "rectangle" | "ellipse";
  box: Box;
}
export interface Freehand extends Inked {
  kind: "freehand";
  points: Point[];
}
export interface Highlight {
  kind: "highlight";
  box: Box;
  color: Color;
}
export interface Text {
  kind: "text";
  at: Spot;
  text: string;
  size: number;
  color: Color;
}
export interface Step extends Inked {
  kind: "step";
  at: Spot;
  number: number;
}
export interface Redaction {
  kind: "redaction";
  box: Box;
}
export type Shape = Arrow | Framed | Freehand | Highlight | Text | Step | Redaction;
export type Kind = Shape["kind"];

/** What one works on. A crop and redactions are there until they are saved; then the pixels are gone. */
export interface Work {
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
/** The editor's three widths, and the sizes of text that go with them. */
export const widths = [0.002, 0.004, 0.008] as const;
export const sizes = [0.022, 0.03, 0.045] as const;

export const standard = { color: "red", width: 0.004, size: 0.03 } as const;

/** Thrown for shapes this page does not know: saving without them would lose them. */
export class Unknown extends Error {}

/** The shapes of an answer of the server, with what it leaves out filled in. */
export function parse(value: unknown): Shape[] {
  if (!Array.isArray(value))
    throw new Unknown("These marks cannot be read here. Load the page again.");
  return value.map(shape);
}

/** `{"shapes":[…],"crop":…}` of an answer of the server. */
export function parseWork(value: unknown): Work {
  const { shapes, crop } = (value ?? {}) as { shapes?: unknown; crop?: unknown };
  return { shapes: parse(shapes ?? []), crop: crop == null ? null : (numbers(crop, 4) as Box) };
}

function shape(value: unknown): Shape {
  const given = (value ?? {}) as Record<string, unknown>;
  const color = (given["color"] ?? standard.color) as Color;
  if (!colors.includes(color))
    throw new Unknown("These marks have a colour that this page does not know. Load it again.");
  const width = Number(given["width"] ?? standard.width);
  switch (given["kind"]) {
    case "arrow":
    case "line":
      return {
        kind: given["kind"],
        from: numbers(given["from"], 2) as Spot,
        to: numbers(given["to"], 2) as Spot,
        color,
        width,
      };
    case "rectangle":
    case "ellipse":
      return { kind: given["kind"], box: numbers(given["box"], 4) as Box, color, width };
    case "freehand":
      return {
        kind: "freehand",
        points: (given["points"] as unknown[]).map(
          (point) => numbers(point, (point as unknown[]).length === 3 ? 3 : 2) as Point,
        ),
        color,
        width,
      };
    case "highlight":
      return { kind: "highlight", box: numbers(given["box"], 4) as Box, color };
    case "text":
      return {
        kind: "text",
        at: numbers(given["at"], 2) as Spot,
        text: String(given["text"]),
        size: Number(given["size"] ?? standard.size),
        color,
      };
    case "step":
      return {
        kind: "step",
        at: numbers(given["at"], 2) as Spot,
        number: Number(given["number"]),
        color,
        width,
      };
    case "redaction":
      return { kind: "redaction", box: numbers(given["box"], 4) as Box };
    default:
      throw new Unknown("These marks are of a kind that this page does not know. Load it again.");
  }
}

function numbers(value: unknown, count: number): number[] {
  if (
    !Array.isArray(value) ||
    value.length !== count ||
    !value.every((one) => Number.isFinite(one))
  )
    throw new Unknown("These marks cannot be read here. Load the page again.");
  return value as number[];
}

/** As it is stored: within the picture, five decimals. */
export function tidy(shape: Shape): Shape {
  switch (shape.kind) {
    case "arrow":
    case "line":
      return { ...shape, from: spot(shape.from), to: spot(shape.to), width: round(shape.width) };
    case "freehand":
      return {
        ...shape,
        points: shape.points.map((point) =>
          point.length === 3
            ? [...spot([point[0], point[1]]), Math.round(unit(point[2]) * 100) / 100]
            : spot(point),
        ),
        width: round(shape.width),
      };
    case "text":
      return { ...shape, at: spot(shape.at), size: round(shape.size) };
    case "step":
      return { ...shape, at: spot(shape.at), width: round(shape.width) };
    case "rectangle":
    case "ellipse":
      return { ...shape, box: tidyBox(shape.box), width: round(shape.width) };
    case "highlight":
    case "redaction":
      return { ...shape, box: tidyBox(shape.box) };
  }
}

/** The nearest number between two limits. */
export function within(value: number, [least, most]: readonly [number, number]): number {
  return Math.min(most, Math.max(least, value));
}

export function tidyBox([x, y, w, h]: Box): Box {
  const [left, top] = spot([x, y]);
  return [
    left,
    top,
    round(Math.min(1 - left, Math.max(0.00001, w))),
    round(Math.min(1 - top, Math.max(0.00001, h))),
  ];
}

function spot([x, y]: Spot | Point): Spot {
  return [round(unit(x)), round(unit(y))];
}

function unit(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function round(value: number): number {
  return Math.round(value * 100_000) / 100_000;
}

/** What a work destroys once it is saved, in words that begin a sentence; and what of it stays. */
export function lost({ shapes, crop }: Work, becomes: string): string {
  const black = shapes.some(({ kind }) => kind === "redaction");
  const what =
    black && crop
      ? "What is black, and what is outside the crop,"
      : black
        ? "What is black"
        : "What is outside the crop";
  return `${what} ${becomes}.${black && shapes.some(({ kind }) => kind !== "redaction") ? " Marks over what is black stay." : ""}`;
}

/** Whether something of a work cannot be taken back once it is saved. */
export function destroys(work: Work): boolean {
  return work.crop !== null || work.shapes.some(({ kind }) => kind === "redaction");
}
