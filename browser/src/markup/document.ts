// What lies on the picture, what of it is selected, and everything that can be done to it. Knows nothing of pointers, keys or elements.
import { kept } from "./crop-shapes.js";
import { words } from "./draw.js";
import { handles, moved, resized, type Size } from "./geometry.js";
import { History } from "./history.js";
import {
  limits,
  sizes,
  tidy,
  tidyBox,
  widths,
  type Box,
  type Color,
  type Shape,
  type Spot,
  type Step,
  type Work,
} from "./shapes.js";
import type { Style } from "./tools.js";

/** A shape, and what it is known by while it changes. */
export interface Mark {
  readonly id: number;
  readonly shape: Shape;
}

interface State {
  readonly marks: readonly Mark[];
  readonly crop: Box | null;
}

export class Board {
  style: Style = { color: "red", level: 1 };
  #history: History<State>;
  #selected: ReadonlySet<number> = new Set();
  #saved: State;
  #copied: Shape[] = [];
  #pasted = 0;
  #last = 0;

  /** `changed` is called after every change, with the words for those who do not see it; `refused` where they are for all. */
  constructor(
    work: Work,
    readonly size: Size,
    readonly changed: (said: string, refused?: boolean) => void,
  ) {
    this.#saved = {
      marks: underneath(work.shapes.map((shape) => ({ id: ++this.#last, shape }))),
      crop: work.crop,
    };
    this.#history = new History(this.#saved);
  }

  get marks(): readonly Mark[] {
    return this.#history.now.marks;
  }

  get crop(): Box | null {
    return this.#history.now.crop;
  }

  get work(): Work {
    return { shapes: this.marks.map(({ shape }) => shape), crop: this.crop };
  }

  get dirty(): boolean {
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

  /** The style of what is selected, or of what comes next. */
  get shown(): Style {
    const [only, more] = this.selected;
    if (!only || more) return this.style;
    const { shape } = only;
    const level = (values: readonly number[], value: number) =>
      values.reduce(
        (best, one, i) =>
          Math.abs(one - value) < Math.abs((values[best] ?? 0) - value) ? i : best,
        0,
      ) as Style["level"];
    return {
      color: "color" in shape ? shape.color : this.style.color,
      level:
        shape.kind === "text"
          ? level(sizes, shape.size)
          : "width" in shape
            ? level(widths, shape.width)
            : this.style.level,
    };
  }

  isSelected(id: number): boolean {
    return this.#selected.has(id);
  }

  select(ids: Iterable<number>, silent = false): void {
    this.#selected = new Set(ids);
    const { selected } = this;
    const [only] = selected;
    this.changed(
      silent
        ? ""
        : selected.length > 1
          ? `${selected.length} marks selected`
          : only
            ? `${words(only.shape)}. ${this.marks.indexOf(only) + 1} of ${this.marks.length}`
            : "Nothing selected",
    );
  }

  /** Selects the mark after, or before, the selected one; false past the last. */
  selectNext(step: 1 | -1): boolean {
    const at = this.marks.findIndex(({ id }) => this.#selected.has(id));
    const next = this.marks[at < 0 ? (step > 0 ? 0 : this.marks.length - 1) : at + step];
    if (next) this.select([next.id]);
    else if (at >= 0) this.select([], true);
    return next !== undefined;
  }

  /** Adds a shape and answers its id; null where there is no room. */
  add(shape: Shape, selected = true): number | null {
    const ids = this.#append([shape], `new ${name(shape)}`, selected, "added");
    return ids?.[0] ?? null;
  }

  /** Puts other shapes in the place of those with these ids. */
  replace(
    changes: ReadonlyMap<number, Shape>,
    what: string,
    key: string | null = null,
    said = "",
  ): void {
    if (changes.size === 0) return;
    const marks = this.marks.map((mark) => {
      const shape = changes.get(mark.id);
      return shape ? { id: mark.id, shape: tidy(shape) } : mark;
    });
    const [first] = changes.keys();
    const shown = marks.find(({ id }) => id === first);
    this.#commit(
      marks,
      what,
      `${said}${changes.size === 1 && shown ? words(shown.shape) : `${changes.size} marks: ${what}`}`,
      key,
    );
  }

  remove(): void {
    const { selected } = this;
    if (selected.length === 0) return;
    const said =
      selected.length === 1 && selected[0] ? words(selected[0].shape) : `${selected.length} marks`;
    this.#commit(
      this.marks.filter(({ id }) => !this.#selected.has(id)),
      "delete",
      `${said}: deleted`,
    );
  }

  duplicate(): void {
    this.#append(
      this.#beside(
        this.selected.map(({ shape }) => shape),
        1,
      ),
      "duplicate",
      true,
      "duplicated",
    );
  }

  copy(): void {
    const { selected } = this;
    this.#copied = selected.map(({ shape }) => shape);
    this.#pasted = 0;
    this.changed(`${count(selected.length)} copied`);
  }

  paste(): void {
    this.#pasted += 1;
    this.#append(this.#beside(this.#copied, this.#pasted), "paste", true, "pasted");
  }

  /** So that a copy does not lie on what it was made of. */
  #beside(shapes: Shape[], times: number): Shape[] {
    const by = 0.025 * Math.min(this.size.width, this.size.height) * times;
    return shapes.length > 0 ? moved(shapes, by, by, this.size) : [];
  }

  /** Moves what is selected one place, or all the way, to the front (1) or back (-1). */
  order(step: 1 | -1, whole: boolean): void {
    if (this.#selected.size === 0) return;
    const marks = [...this.marks];
    const on = (mark: Mark | undefined) => mark !== undefined && this.#selected.has(mark.id);
    if (whole) marks.sort((a, b) => step * (Number(on(a)) - Number(on(b))));
    else {
      const places = marks.map((_, i) => (step > 0 ? marks.length - 2 - i : i + 1));
      for (const i of places)
        if (on(marks[i]) && marks[i + step] && !on(marks[i + step]))
          [marks[i], marks[i + step]] = [marks[i + step] as Mark, marks[i] as Mark];
    }
    if (underneath(marks).every((mark, i) => mark === this.marks[i]))
      return this.changed(step > 0 ? "Already in front" : "Already at the back");
    this.#commit(
      marks,
      "order",
      `${whole ? "All the way" : "One"} ${step > 0 ? "forward" : "back"}: ${marks.findIndex(on) + 1} of ${marks.length}`,
    );
  }

  color(color: Color): void {
    this.style = { ...this.style, color };
    this.#restyle("colour", color, (shape) =>
      shape.kind === "redaction" ? shape : { ...shape, color },
    );
  }

  level(level: Style["level"]): void {
    this.style = { ...this.style, level };
    this.#restyle("width", ["Thin", "Medium", "Thick"][level] ?? "", (shape) =>
      shape.kind === "text"
        ? { ...shape, size: sizes[level] }
        : "width" in shape
          ? { ...shape, width: widths[level] }
          : shape,
    );
  }

  #restyle(what: string, said: string, change: (shape: Shape) => Shape): void {
    const changes = new Map(this.selected.map(({ id, shape }) => [id, change(shape)]));
    if (changes.size > 0)
      this.replace(
        changes,
        what,
        `${what} ${[...changes.keys()].join()}`,
        what === "width" ? `${said}. ` : "",
      );
    else this.changed(said);
  }

  /** Moves what is selected by pixels; presses in a row are one step of the history. */
  nudge(dx: number, dy: number): void {
    const { selected } = this;
    if (selected.length === 0) return;
    const after = moved(
      selected.map(({ shape }) => shape),
      dx,
      dy,
      this.size,
    );
    this.replace(
      new Map(selected.map(({ id }, i) => [id, after[i] as Shape])),
      "move",
      `nudge ${selected.map(({ id }) => id).join()}`,
      `${way(dx, dy)}. `,
    );
  }

  /** Pulls the lower right corner, or the end of a line, by pixels. */
  grow(dx: number, dy: number): void {
    const changes = this.selected.map(({ id, shape }): [number, Shape] => {
      const [handle, at] = handles(shape, this.size).find(
        ([one]) => one === "se" || one === "to",
      ) ?? ["se", [0, 0] as Spot];
      // A step and a text grow alike, whichever way the arrow points.
      const by = shape.kind === "step" || shape.kind === "text" ? dx || dy : 0;
      return [
        id,
        resized(
          shape,
          handle,
          by === 0 ? [at[0] + dx, at[1] + dy] : [at[0] + by, at[1] + by],
          this.size,
          false,
        ),
      ];
    });
    this.replace(new Map(changes), "size", `grow ${changes.map(([id]) => id).join()}`);
  }

  setCrop(crop: Box | null): void {
    this.#history.commit(
      { marks: renumbered(this.marks, crop, this.size), crop: crop && tidyBox(crop) },
      "crop",
    );
    this.changed(
      crop
        ? `Cropped to ${Math.round(crop[2] * this.size.width)} by ${Math.round(crop[3] * this.size.height)} pixels`
        : "The whole picture",
    );
  }

  undo(): void {
    this.#travelled(this.#history.undo(), "Undone");
  }

  redo(): void {
    this.#travelled(this.#history.redo(), "Done again");
  }

  /** The height of the next text, in pixels of the picture. */
  get textSize(): number {
    return sizes[this.style.level] * Math.min(this.size.width, this.size.height);
  }

  /** The number the next step gets. */
  get next(): number {
    return (
      this.marks.filter(
        ({ shape }) => shape.kind === "step" && stays(shape.at, this.crop, this.size),
      ).length + 1
    );
  }

  #travelled(what: string | null, said: string): void {
    const there = new Set(this.marks.map(({ id }) => id));
    this.#selected = new Set([...this.#selected].filter((id) => there.has(id)));
    this.changed(what === null ? "That was all" : `${said}: ${what}`);
  }

  #append(shapes: Shape[], what: string, selected: boolean, said: string): number[] | null {
    if (shapes.length === 0) return null;
    const points = [...this.marks.map(({ shape }) => shape), ...shapes].reduce(
      (sum, shape) => sum + (shape.kind === "freehand" ? shape.points.length : 0),
      0,
    );
    if (this.marks.length + shapes.length > limits.shapes || points > limits.allPoints) {
      this.changed(`A picture takes ${limits.shapes} marks. Delete some first.`, true);
      return null;
    }
    let next = this.next;
    const fresh = shapes.map((shape): Mark => ({
      id: ++this.#last,
      shape: tidy(shape.kind === "step" ? { ...shape, number: next++ } : shape),
    }));
    if (selected) this.#selected = new Set(fresh.map(({ id }) => id));
    this.#commit(
      [...this.marks, ...fresh],
      what,
      fresh.length === 1 && fresh[0]
        ? `${words(fresh[0].shape)}: ${said}`
        : `${fresh.length} marks ${said}`,
    );
    return fresh.map(({ id }) => id);
  }

  #commit(marks: readonly Mark[], what: string, said: string, key: string | null = null): void {
    this.#history.commit(
      { marks: renumbered(underneath(marks), this.crop, this.size), crop: this.crop },
      what,
      key,
    );
    this.changed(said);
  }
}

/** Redactions lie under all else, for they become part of the picture: what is drawn over one is still seen when it is saved. */
function underneath(marks: readonly Mark[]): readonly Mark[] {
  const first = marks.findIndex(({ shape }) => shape.kind !== "redaction");
  if (!marks.some(({ shape }, i) => shape.kind === "redaction" && first >= 0 && i > first))
    return marks;
  return [
    ...marks.filter(({ shape }) => shape.kind === "redaction"),
    ...marks.filter(({ shape }) => shape.kind !== "redaction"),
  ];
}

/** Steps count from 1 without gaps, in the order they stand in; those that a crop takes away come after those that stay. */
function renumbered(marks: readonly Mark[], crop: Box | null, size: Size): readonly Mark[] {
  const gone = ({ shape }: { shape: Step }) => Number(!stays(shape.at, crop, size));
  const steps = marks
    .filter((mark): mark is Mark & { shape: Step } => mark.shape.kind === "step")
    .sort((a, b) => gone(a) - gone(b) || a.shape.number - b.shape.number);
  if (steps.every(({ shape }, i) => shape.number === i + 1)) return marks;
  const numbers = new Map(steps.map(({ id }, i) => [id, i + 1]));
  return marks.map((mark) => {
    const number = numbers.get(mark.id);
    return mark.shape.kind === "step" && number !== undefined && number !== mark.shape.number
      ? { id: mark.id, shape: { ...mark.shape, number } }
      : mark;
  });
}

function stays([x, y]: Spot, crop: Box | null, { width, height }: Size): boolean {
  if (!crop) return true;
  const [left, top, w, h] = kept(crop, width, height);
  return x * width >= left && x * width <= left + w && y * height >= top && y * height <= top + h;
}

function name(shape: Shape): string {
  return shape.kind === "freehand" ? "freehand line" : shape.kind;
}

function count(many: number): string {
  return many === 1 ? "1 mark" : `${many} marks`;
}

/** Where it went, in the pixels that words in percent do not tell. */
function way(dx: number, dy: number): string {
  const [by, where] = dx !== 0 ? [dx, dx > 0 ? "right" : "left"] : [dy, dy > 0 ? "down" : "up"];
  const pixels = Math.abs(Math.round(by));
  return `${pixels} ${pixels === 1 ? "pixel" : "pixels"} ${where}`;
}
