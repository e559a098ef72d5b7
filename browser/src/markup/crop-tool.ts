// Lets the person choose which part of the picture to keep. A crop can be undone until the markup is saved.
import { make } from "../lib/dom.js";
import type { MarkupCanvas } from "./canvas.js";
import type { MarkupDocument } from "./document.js";
import { boxBetween, resizeBox, type Handle } from "./geometry.js";
import { clamp, type Box, type Point } from "./shapes.js";

export class CropTool {
  /** The bar with the buttons that cancel, reset or apply the crop. */
  readonly bar: HTMLElement;
  /** The crop, in picture pixels. */
  #box: Box;
  #isEnded = false;

  /** `onEnd` receives the crop in fractions of the picture, or null if the whole picture is kept. */
  constructor(
    private readonly doc: MarkupDocument,
    private readonly canvas: MarkupCanvas,
    private readonly say: (message: string) => void,
    private readonly onEnd: (crop: Box | null) => void,
  ) {
    const { width, height } = doc.size;
    const [x, y, w, h] = doc.crop ?? [0, 0, 1, 1];
    this.#box = [x * width, y * height, w * width, h * height];
    this.bar = make(
      "div",
      { class: "markup-crop", role: "group", "aria-label": "Crop" },
      make("p", {}, "Drag over the part to keep."),
      button("Cancel", "button", () => this.cancel()),
      button("Whole picture", "button", () => this.set([0, 0, width, height])),
      button("Crop", "button main", () => this.apply()),
    );
    canvas.showCrop(this.#box);
  }

  get box(): Box {
    return this.#box;
  }

  /** Whether the box covers the whole picture. */
  get isWhole(): boolean {
    return this.#box[2] >= this.doc.size.width && this.#box[3] >= this.doc.size.height;
  }

  set(box: Box, silent = false): void {
    this.#box = box.map(Math.round) as Box;
    this.canvas.showCrop(this.#box);
    if (!silent) this.say(this.#description);
  }

  get #description(): string {
    return this.isWhole
      ? "The whole picture"
      : `From ${this.#box[0]}, ${this.#box[1]}: ${this.#box[2]} by ${this.#box[3]} pixels`;
  }

  /**
   * Starts to drag a handle or the box, or to draw a new box. The returned function receives the pointer's position and
   * whether to keep the proportions.
   */
  startDrag(handle: Handle | null, from: Point): (to: Point, constrained: boolean) => void {
    const before = this.#box;
    const { size } = this.doc;
    const [x, y, w, h] = before;
    if (handle)
      return (to, constrained) => this.set(resizeBox(before, handle, to, size, constrained), true);
    const isInside = from[0] >= x && from[1] >= y && from[0] <= x + w && from[1] <= y + h;
    if (isInside && !this.isWhole)
      return (to) => this.set(this.#movedTo(before, to[0] - from[0], to[1] - from[1]), true);
    return (to) => this.set(boxBetween(from, to, size), true);
  }

  /** Moves the box or, with `resizes`, only its lower right corner, by a distance in picture pixels. */
  nudge(dx: number, dy: number, resizes: boolean): void {
    const [x, y, w, h] = this.#box;
    const { width, height } = this.doc.size;
    this.set(
      resizes
        ? [x, y, clamp(w + dx, [1, width - x]), clamp(h + dy, [1, height - y])]
        : this.#movedTo(this.#box, dx, dy),
    );
  }

  apply(): void {
    const { width, height } = this.doc.size;
    const [x, y, w, h] = this.#box;
    this.#end(this.isWhole ? null : [x / width, y / height, w / width, h / height]);
  }

  cancel(): void {
    this.#end(this.doc.crop);
  }

  /** Moves a box and keeps it inside the picture. */
  #movedTo([x, y, w, h]: Box, dx: number, dy: number): Box {
    const { width, height } = this.doc.size;
    return [clamp(x + dx, [0, width - w]), clamp(y + dy, [0, height - h]), w, h];
  }

  #end(crop: Box | null): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.bar.remove();
    this.canvas.showCrop(null);
    this.onEnd(crop);
  }
}

function button(label: string, className: string, act: () => void): HTMLButtonElement {
  const element = make("button", { type: "button", class: className }, label);
  element.addEventListener("click", act);
  return element;
}
