// Marks are shapes with an id. This module handles their order and the step numbers that depend on it.
import { cropPixels } from "./crop-shapes.js";
import type { Size } from "./geometry.js";
import type { Box, Point, Shape, StepShape } from "./shapes.js";

/** A shape with an id that stays the same while the shape changes. */
export interface Mark {
  readonly id: number;
  readonly shape: Shape;
}

/**
 * Puts redactions below all other marks. Saving paints the redactions into the picture, so they will be below the other
 * marks anyway.
 */
export function redactionsFirst(marks: readonly Mark[]): readonly Mark[] {
  const firstOther = marks.findIndex(({ shape }) => shape.kind !== "redaction");
  const isSorted = !marks.some(
    ({ shape }, i) => shape.kind === "redaction" && firstOther >= 0 && i > firstOther,
  );
  if (isSorted) return marks;
  return [
    ...marks.filter(({ shape }) => shape.kind === "redaction"),
    ...marks.filter(({ shape }) => shape.kind !== "redaction"),
  ];
}

/** Numbers the steps from 1 without gaps, in their current order. Steps outside the crop come last. */
export function renumberSteps(
  marks: readonly Mark[],
  crop: Box | null,
  size: Size,
): readonly Mark[] {
  const isOutside = ({ shape }: { shape: StepShape }): number =>
    Number(!isInsideCrop(shape.at, crop, size));
  const steps = marks
    .filter((mark): mark is Mark & { shape: StepShape } => mark.shape.kind === "step")
    .sort((a, b) => isOutside(a) - isOutside(b) || a.shape.number - b.shape.number);
  if (steps.every(({ shape }, i) => shape.number === i + 1)) return marks;
  const numbers = new Map(steps.map(({ id }, i) => [id, i + 1]));
  return marks.map((mark) => {
    const number = numbers.get(mark.id);
    return mark.shape.kind === "step" && number !== undefined && number !== mark.shape.number
      ? { id: mark.id, shape: { ...mark.shape, number } }
      : mark;
  });
}

/**
 * Moves the marks with these ids toward the front (`step` 1) or the back (-1): by one place, or all
 * the way.
 */
export function reorderMarks(
  all: readonly Mark[],
  ids: ReadonlySet<number>,
  step: 1 | -1,
  allTheWay: boolean,
): readonly Mark[] {
  const marks = [...all];
  const isMoved = (mark: Mark | undefined): boolean => mark !== undefined && ids.has(mark.id);
  if (allTheWay)
    return redactionsFirst(marks.sort((a, b) => step * (Number(isMoved(a)) - Number(isMoved(b)))));
  // Start at the end toward which the marks move. A selected mark that is already at that end stays
  // there, and so do the selected marks directly behind it.
  const places = marks.map((_, i) => (step > 0 ? marks.length - 2 - i : i + 1));
  for (const i of places)
    if (isMoved(marks[i]) && marks[i + step] && !isMoved(marks[i + step]))
      [marks[i], marks[i + step]] = [marks[i + step] as Mark, marks[i] as Mark];
  return redactionsFirst(marks);
}

/** Whether the crop contains a point. */
export function isInsideCrop([x, y]: Point, crop: Box | null, { width, height }: Size): boolean {
  if (!crop) return true;
  const [left, top, w, h] = cropPixels(crop, width, height);
  return x * width >= left && x * width <= left + w && y * height >= top && y * height <= top + h;
}
