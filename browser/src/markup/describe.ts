// Describes shapes and changes in words, for screen readers.
import { plural } from "../lib/dom.js";
import type { Box, Point, Shape, StrokePoint } from "./shapes.js";

const names: Record<Shape["kind"], string> = {
  arrow: "Arrow",
  line: "Line",
  rectangle: "Rectangle",
  ellipse: "Ellipse",
  freehand: "Freehand line",
  highlight: "Highlight",
  text: "Text",
  step: "Step",
  redaction: "Redaction",
};

/** Describes a shape's kind and position, in percent from the left and the top. */
export function describeShape(shape: Shape): string {
  const name = names[shape.kind];
  switch (shape.kind) {
    case "arrow":
    case "line":
      return `${name}, ${shape.color}, from ${describePoint(shape.from)} to ${describePoint(shape.to)}`;
    case "freehand":
      return `${name}, ${shape.color}, from ${describePoint(shape.points[0] ?? [0, 0])} to ${describePoint(shape.points.at(-1) ?? [0, 0])}`;
    case "text":
      return `Text “${shape.text}”, at ${describePoint(shape.at)}`;
    case "step":
      return `Step ${shape.number}, at ${describePoint(shape.at)}`;
    case "redaction":
      return `${name}, ${describeBox(shape.box)}`;
    default:
      return `${name}, ${shape.color}, ${describeBox(shape.box)}`;
  }
}

/** The name of a shape for use within a sentence. */
export function shapeName({ kind }: Shape): string {
  return kind === "freehand" ? "freehand line" : kind;
}

export function countMarks(count: number): string {
  return plural(count, "mark", "marks");
}

/** Describes a move in pixels, because the percentages of `describeShape` are too coarse for it. */
export function describeMove(dx: number, dy: number): string {
  const [distance, direction] =
    dx !== 0 ? [dx, dx > 0 ? "right" : "left"] : [dy, dy > 0 ? "down" : "up"];
  const pixels = Math.abs(Math.round(distance));
  return `${plural(pixels, "pixel", "pixels")} ${direction}`;
}

function describeBox([x, y, w, h]: Box): string {
  return `at ${describePoint([x, y])}, ${formatPercent(w)} wide, ${formatPercent(h)} high`;
}

function describePoint([x, y]: Point | StrokePoint): string {
  return `${formatPercent(x)}, ${formatPercent(y)}`;
}

function formatPercent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
