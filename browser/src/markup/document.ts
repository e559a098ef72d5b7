// The marks on a picture, the selection, and all operations on them. Independent of pointers, keys and DOM elements.
import { countMarks, describeMove, describeShape, shapeName } from "./describe.js";
import { handlesOf, moveShapes, resizeShape, type Size } from "./geometry.js";
import { History } from "./history.js";
import { isInsideCrop, redactionsFirst, renumberSteps, reorderMarks, type Mark } from "./marks.js";
import {
  limits,
  normalizeBox,
  normalizeShape,
  strokeWidths,
  textSizes,
  type Box,
  type Color,
  type Markup,
  type Point,
  type Shape,
} from "./shapes.js";
import type { DrawStyle } from "./tools.js";

interface State {
  readonly marks: readonly Mark[];
  readonly crop: Box | null;
}

/**
 * The horizontal and vertical distance between a copy and its original, as a fraction of the
 * picture's shorter side.
 */
const copyOffset = 0.025;

export class MarkupDocument {
  style: DrawStyle = { color: "red", level: 1 };
  #history: History<State>;
  #selected: ReadonlySet<number> = new Set();
  #saved: State;
  #copied: Shape[] = [];
  #pasteCount = 0;
  #lastId = 0;

  /**
   * `onChange` is called after every change with a message for screen readers. `isRefusal` means that the change was
   * refused, so the message must be visible.
   */
  constructor(
    markup: Markup,
    readonly size: Size,
    readonly onChange: (message: string, isRefusal?: boolean) => void,
  ) {
    this.#saved = {
      marks: redactionsFirst(markup.shapes.map((shape) => ({ id: ++this.#lastId, shape }))),
      crop: markup.crop,
    };
    this.#history = new History(this.#saved);
  }

  /** The marks, from back to front. */
  get marks(): readonly Mark[] {
    return this.#history.now.marks;
  }

  get crop(): Box | null {
    return this.#history.now.crop;
  }

  get markup(): Markup {
    return { shapes: this.marks.map(({ shape }) => shape), crop: this.crop };
  }

  get isDirty(): boolean {
    return this.#history.now !== this.#saved;
  }

  get canUndo(): boolean {
    return this.#history.canUndo;
  }

  get canRedo(): boolean {
    return this.#history.canRedo;
  }

  get canPaste(): boolean {
    return this.#copied.length > 0;
  }

  get selected(): readonly Mark[] {
    return this.marks.filter(({ id }) => this.#selected.has(id));
  }

  /** The style of the selected mark. If none or several are selected, the style of the next mark. */
  get shownStyle(): DrawStyle {
    const [only, more] = this.selected;
    return only && !more ? styleOf(only.shape, this.style) : this.style;
  }

  /** The font size of the next text, in picture pixels. */
  get textSize(): number {
    return textSizes[this.style.level] * Math.min(this.size.width, this.size.height);
  }

  get nextStepNumber(): number {
    const steps = this.marks.filter(
      ({ shape }) => shape.kind === "step" && isInsideCrop(shape.at, this.crop, this.size),
    );
    return steps.length + 1;
  }

  isSelected(id: number): boolean {
    return this.#selected.has(id);
  }

  /** Selects these marks and no others. `silent` suppresses the announcement. */
  select(ids: Iterable<number>, silent = false): void {
    this.#selected = new Set(ids);
    this.onChange(silent ? "" : this.#describeSelection());
  }

  #describeSelection(): string {
    const { marks, selected } = this;
    const [only, more] = selected;
    if (!only) return "Nothing selected";
    if (more) return `${selected.length} marks selected`;
    return `${describeShape(only.shape)}. ${marks.indexOf(only) + 1} of ${marks.length}`;
  }

  /**
   * Selects the mark after (1) or before (-1) the selected one. After the last or before the first mark, clears the
   * selection and returns false.
   */
  selectNext(step: 1 | -1): boolean {
    const at = this.marks.findIndex(({ id }) => this.#selected.has(id));
    const start = step > 0 ? 0 : this.marks.length - 1;
    const next = this.marks[at < 0 ? start : at + step];
    if (next) this.select([next.id]);
    else if (at >= 0) this.select([], true);
    return next !== undefined;
  }

  /** Adds a shape and returns its id, or null if the picture has too many marks. */
  add(shape: Shape, selected = true): number | null {
    const ids = this.#append([shape], `new ${shapeName(shape)}`, selected, "added");
    return ids?.[0] ?? null;
  }

  /**
   * Replaces the shapes of the marks with these ids. `what` names the change in undo messages. Consecutive changes with
   * the same `key` are undone in one step. The announcement begins with `prefix`.
   */
  replace(
    changes: ReadonlyMap<number, Shape>,
    what: string,
    key: string | null = null,
    prefix = "",
  ): void {
    if (changes.size === 0) return;
    const marks = this.marks.map((mark) => {
      const shape = changes.get(mark.id);
      return shape ? { id: mark.id, shape: normalizeShape(shape) } : mark;
    });
    const changed = marks.find(({ id }) => changes.has(id));
    const result =
      changes.size === 1 && changed
        ? describeShape(changed.shape)
        : `${changes.size} marks: ${what}`;
    this.#commit(marks, what, prefix + result, key);
  }

  /** Removes the selected marks. */
  remove(): void {
    const { selected } = this;
    const [only, more] = selected;
    if (!only) return;
    const removed = more ? `${selected.length} marks` : describeShape(only.shape);
    const kept = this.marks.filter(({ id }) => !this.#selected.has(id));
    this.#commit(kept, "delete", `${removed}: deleted`);
  }

  duplicate(): void {
    const shapes = this.#offset(this.#selectedShapes, 1);
    this.#append(shapes, "duplicate", true, "duplicated");
  }

  /** Copies the selected marks to the editor's clipboard. */
  copy(): void {
    this.#copied = this.#selectedShapes;
    this.#pasteCount = 0;
    this.onChange(`${countMarks(this.#copied.length)} copied`);
  }

  paste(): void {
    this.#pasteCount += 1;
    this.#append(this.#offset(this.#copied, this.#pasteCount), "paste", true, "pasted");
  }

  get #selectedShapes(): Shape[] {
    return this.selected.map(({ shape }) => shape);
  }

  /** Moves copies by `times` × `copyOffset`, so that they do not cover their originals. */
  #offset(shapes: Shape[], times: number): Shape[] {
    const distance = copyOffset * Math.min(this.size.width, this.size.height) * times;
    return shapes.length > 0 ? moveShapes(shapes, distance, distance, this.size) : [];
  }

  /**
   * Moves the selected marks toward the front (1) or the back (-1): by one place, or all the way.
   */
  reorder(step: 1 | -1, allTheWay: boolean): void {
    if (this.#selected.size === 0) return;
    const marks = reorderMarks(this.marks, this.#selected, step, allTheWay);
    if (marks.every((mark, i) => mark === this.marks[i]))
      return this.onChange(step > 0 ? "Already in front" : "Already at the back");
    const distance = `${allTheWay ? "All the way" : "One"} ${step > 0 ? "forward" : "back"}`;
    const place = marks.findIndex(({ id }) => this.#selected.has(id)) + 1;
    this.#commit(marks, "order", `${distance}: ${place} of ${marks.length}`);
  }

  /** Sets the color of the selected marks and of new ones. */
  setColor(color: Color): void {
    this.style = { ...this.style, color };
    this.#restyle("color", color, "", (shape) =>
      shape.kind === "redaction" ? shape : { ...shape, color },
    );
  }

  /** Sets the line width or text size of the selected marks and of new ones. */
  setLevel(level: DrawStyle["level"]): void {
    this.style = { ...this.style, level };
    const name = ["Thin", "Medium", "Thick"][level] ?? "";
    this.#restyle("width", name, `${name}. `, (shape) => {
      if (shape.kind === "text") return { ...shape, size: textSizes[level] };
      return "width" in shape ? { ...shape, width: strokeWidths[level] } : shape;
    });
  }

  /** Changes the style of the selected marks. Without a selection, only announces the value. */
  #restyle(what: string, value: string, prefix: string, change: (shape: Shape) => Shape): void {
    const changes = new Map(this.selected.map(({ id, shape }) => [id, change(shape)]));
    if (changes.size > 0)
      this.replace(changes, what, `${what} ${[...changes.keys()].join()}`, prefix);
    else this.onChange(value);
  }

  /** Moves the selected marks by a distance in picture pixels. Consecutive calls are undone in one step. */
  nudge(dx: number, dy: number): void {
    const { selected } = this;
    if (selected.length === 0) return;
    const moved = moveShapes(this.#selectedShapes, dx, dy, this.size);
    const changes = new Map(selected.map(({ id }, i) => [id, moved[i] as Shape]));
    const key = `nudge ${selected.map(({ id }) => id).join()}`;
    this.replace(changes, "move", key, `${describeMove(dx, dy)}. `);
  }

  /**
   * Moves the lower right corner of the selected marks, or the end of a line, by a distance in picture pixels.
   * Consecutive calls are undone in one step.
   */
  resizeBy(dx: number, dy: number): void {
    const changes = new Map(
      this.selected.map(({ id, shape }) => [id, this.#resizedBy(shape, dx, dy)]),
    );
    this.replace(changes, "size", `grow ${[...changes.keys()].join()}`);
  }

  #resizedBy(shape: Shape, dx: number, dy: number): Shape {
    const [handle, [x, y]] = handlesOf(shape, this.size).find(
      ([name]) => name === "se" || name === "to",
    ) ?? ["se", [0, 0] as Point];
    // Steps and texts keep their proportions, so change the width and the height by the same amount.
    const both = shape.kind === "step" || shape.kind === "text" ? dx || dy : 0;
    const to: Point = both === 0 ? [x + dx, y + dy] : [x + both, y + both];
    return resizeShape(shape, handle, to, this.size, false);
  }

  /** Sets the crop in fractions of the picture; null removes it. */
  setCrop(crop: Box | null): void {
    this.#history.commit(
      { marks: renumberSteps(this.marks, crop, this.size), crop: crop && normalizeBox(crop) },
      "crop",
    );
    this.onChange(
      crop
        ? `Cropped to ${Math.round(crop[2] * this.size.width)} by ${Math.round(crop[3] * this.size.height)} pixels`
        : "The whole picture",
    );
  }

  undo(): void {
    this.#afterTravel(this.#history.undo(), "Undone");
  }

  redo(): void {
    this.#afterTravel(this.#history.redo(), "Redone");
  }

  /**
   * Called after undo and redo. Deselects marks that no longer exist, and announces the undone or redone change
   * (`what`). `what` is null if there was nothing to undo or redo.
   */
  #afterTravel(what: string | null, verb: string): void {
    const existing = new Set(this.marks.map(({ id }) => id));
    this.#selected = new Set([...this.#selected].filter((id) => existing.has(id)));
    this.onChange(what === null ? "Nothing left to undo or redo" : `${verb}: ${what}`);
  }

  /**
   * Adds shapes in front of all others. If the picture would have too many marks or too many
   * points, announces that and returns null.
   */
  #append(shapes: Shape[], what: string, selected: boolean, verb: string): number[] | null {
    if (shapes.length === 0) return null;
    const after = [...this.marks.map(({ shape }) => shape), ...shapes];
    const refusal = limitExceeded(after);
    if (refusal) {
      this.onChange(refusal, true);
      return null;
    }
    let number = this.nextStepNumber;
    const added = shapes.map((shape): Mark => {
      const numbered = shape.kind === "step" ? { ...shape, number: number++ } : shape;
      return { id: ++this.#lastId, shape: normalizeShape(numbered) };
    });
    const ids = added.map(({ id }) => id);
    if (selected) this.#selected = new Set(ids);
    const [only, more] = added;
    this.#commit(
      [...this.marks, ...added],
      what,
      only && !more ? `${describeShape(only.shape)}: ${verb}` : `${added.length} marks ${verb}`,
    );
    return ids;
  }

  #commit(marks: readonly Mark[], what: string, message: string, key: string | null = null): void {
    this.#history.commit(
      { marks: renumberSteps(redactionsFirst(marks), this.crop, this.size), crop: this.crop },
      what,
      key,
    );
    this.onChange(message);
  }
}

/** The style of a shape. Properties that this kind of shape lacks come from `fallback`. */
function styleOf(shape: Shape, fallback: DrawStyle): DrawStyle {
  const color = "color" in shape ? shape.color : fallback.color;
  if (shape.kind === "text") return { color, level: nearestLevel(textSizes, shape.size) };
  if ("width" in shape) return { color, level: nearestLevel(strokeWidths, shape.width) };
  return { color, level: fallback.level };
}

function nearestLevel(values: readonly number[], value: number): DrawStyle["level"] {
  const distances = values.map((one) => Math.abs(one - value));
  return distances.indexOf(Math.min(...distances)) as DrawStyle["level"];
}

/** Says which limit on marks the shapes exceed. Returns null if they exceed none. */
function limitExceeded(shapes: Shape[]): string | null {
  if (shapes.length > limits.shapes)
    return `A picture can have at most ${limits.shapes} marks. Delete some first.`;
  if (countPoints(shapes) > limits.allPoints)
    return "The freehand strokes on this picture are too long. Delete some first.";
  return null;
}

function countPoints(shapes: Shape[]): number {
  return shapes.reduce(
    (sum, shape) => sum + (shape.kind === "freehand" ? shape.points.length : 0),
    0,
  );
}
