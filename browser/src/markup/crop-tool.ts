// Choosing what of the picture is kept. Until it is saved a crop can be undone like everything else.
import { make } from "../lib/dom.js";
import { pulled, spanned, type Handle } from "./geometry.js";
import type { Board } from "./document.js";
import type { Sheet } from "./canvas.js";
import { within, type Box, type Spot } from "./shapes.js";

export class Crop {
  readonly bar: HTMLElement;
  #box: Box;
  #ended = false;

  constructor(
    readonly board: Board,
    readonly sheet: Sheet,
    readonly say: (words: string) => void,
    readonly left: (crop: Box | null) => void,
  ) {
    const { width, height } = board.size;
    this.#box = board.crop
      ? [
          board.crop[0] * width,
          board.crop[1] * height,
          board.crop[2] * width,
          board.crop[3] * height,
        ]
      : [0, 0, width, height];
    const button = (words: string, className: string, act: () => void) => {
      const made = make("button", { type: "button", class: className }, words);
      made.addEventListener("click", act);
      return made;
    };
    this.bar = make(
      "div",
      { class: "markup-crop", role: "group", "aria-label": "Crop" },
      make("p", {}, "Drag over what is to stay."),
      button("Cancel", "button", () => this.leave()),
      button("Whole picture", "button", () => this.set([0, 0, width, height])),
      button("Crop", "button main", () => this.apply()),
    );
    sheet.cropping(this.#box);
  }

  get box(): Box {
    return this.#box;
  }

  get whole(): boolean {
    return this.#box[2] >= this.board.size.width && this.#box[3] >= this.board.size.height;
  }

  set(box: Box, silent = false): void {
    this.#box = box.map(Math.round) as Box;
    this.sheet.cropping(this.#box);
    if (!silent) this.say(this.words);
  }

  get words(): string {
    return this.whole
      ? "The whole picture"
      : `From ${this.#box[0]}, ${this.#box[1]}: ${this.#box[2]} by ${this.#box[3]} pixels`;
  }

  /** Begins a drag at a spot; the answer is called with where it goes. */
  begin(handle: Handle | null, from: Spot): (to: Spot, even: boolean) => void {
    const before = this.#box;
    const { size } = this.board;
    const [x, y, w, h] = before;
    if (handle) return (to, even) => this.set(pulled(before, handle, to, size, even), true);
    const inside = from[0] >= x && from[1] >= y && from[0] <= x + w && from[1] <= y + h;
    if (inside && !this.whole)
      return (to) =>
        this.set(
          [
            within(x + to[0] - from[0], [0, size.width - w]),
            within(y + to[1] - from[1], [0, size.height - h]),
            w,
            h,
          ],
          true,
        );
    return (to) => this.set(spanned(from, to, size), true);
  }

  /** Arrows move it; with `grow` they move its lower right corner. */
  nudge(dx: number, dy: number, grow: boolean): void {
    const [x, y, w, h] = this.#box;
    const { width, height } = this.board.size;
    if (grow)
      this.set([
        x,
        y,
        Math.min(width - x, Math.max(1, w + dx)),
        Math.min(height - y, Math.max(1, h + dy)),
      ]);
    else this.set([within(x + dx, [0, width - w]), within(y + dy, [0, height - h]), w, h]);
  }

  apply(): void {
    const { width, height } = this.board.size;
    const [x, y, w, h] = this.#box;
    this.#end(this.whole ? null : [x / width, y / height, w / width, h / height]);
  }

  leave(): void {
    this.#end(this.board.crop);
  }

  #end(crop: Box | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.bar.remove();
    this.sheet.cropping(null);
    this.left(crop);
  }
}
