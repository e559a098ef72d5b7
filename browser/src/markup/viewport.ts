// What of the picture is seen: zoom and place, by one transform of one element, so that a picture of any height moves without being drawn again.
import type { Size } from "./geometry.js";
import type { Box, Spot } from "./shapes.js";

const largest = 16;
/** Free space around the picture when it is seen whole, and the most one can move past its border. */
const around = 24;

/** Whether some of the buttons lie on the picture, for want of room in their rows; styles/markup.css has the same. */
export function narrow(): boolean {
  return matchMedia("(max-width: 719.98px)").matches;
}

export class View {
  scale = 1;
  #x = 0;
  #y = 0;
  #frame: DOMRect;
  #rest = 0;
  #observer: ResizeObserver;
  #fitted = true;
  /** The free space below, where the buttons for zoom lie on a phone. */
  readonly #below = narrow() ? 3 * around : around;

  constructor(
    readonly stage: HTMLElement,
    readonly sheet: HTMLElement,
    readonly size: Size,
    readonly moved: () => void,
  ) {
    this.#frame = stage.getBoundingClientRect();
    sheet.style.width = `${size.width}px`;
    sheet.style.height = `${size.height}px`;
    this.#observer = new ResizeObserver(() => {
      this.#frame = stage.getBoundingClientRect();
      if (this.#fitted) this.open();
      else this.#place(this.#x, this.#y);
    });
    this.#observer.observe(stage);
  }

  end(): void {
    this.#observer.disconnect();
  }

  /** The whole picture, or what one reads first of it: the top of a page that is far taller than the screen. */
  open(): void {
    const whole = this.#scaleOf([0, 0, this.size.width, this.size.height]);
    const wide = Math.min(1, (this.#frame.width - 2 * around) / this.size.width);
    if (whole < wide / 2.5) {
      this.scale = wide;
      this.#place(this.#frame.width / 2 - (this.size.width * wide) / 2, around);
    } else this.fit();
    this.#fitted = true;
  }

  /** Everything, or a part of the picture, in sight. */
  fit(box: Box = [0, 0, this.size.width, this.size.height]): void {
    this.scale = this.#scaleOf(box);
    this.#place(
      this.#frame.width / 2 - (box[0] + box[2] / 2) * this.scale,
      (this.#frame.height + around - this.#below) / 2 - (box[1] + box[3] / 2) * this.scale,
    );
    this.#fitted = true;
  }

  /** One pixel of the picture is one of the screen; and back. */
  trueSize(): void {
    const one = 1 / devicePixelRatio;
    if (Math.abs(this.scale - one) < 0.001) this.fit();
    else this.zoomTo(one);
  }

  zoomBy(factor: number, x?: number, y?: number): void {
    this.zoomTo(this.scale * factor, x, y);
  }

  /** Zooms around a point of the window, or around the middle. */
  zoomTo(
    scale: number,
    clientX = this.#frame.left + this.#frame.width / 2,
    clientY = this.#frame.top + this.#frame.height / 2,
  ): void {
    const [x, y] = this.spot(clientX, clientY);
    const smallest = Math.min(1, this.#scaleOf([0, 0, this.size.width, this.size.height]));
    this.scale = Math.min(largest, Math.max(smallest, scale));
    this.#place(
      clientX - this.#frame.left - x * this.scale,
      clientY - this.#frame.top - y * this.scale,
    );
  }

  pan(dx: number, dy: number): void {
    this.#place(this.#x + dx, this.#y + dy);
  }

  /** The picture's pixel under a point of the window. */
  spot(clientX: number, clientY: number): Spot {
    return [
      (clientX - this.#frame.left - this.#x) / this.scale,
      (clientY - this.#frame.top - this.#y) / this.scale,
    ];
  }

  /** Where a pixel of the picture is in the stage. */
  on([x, y]: Spot): Spot {
    return [this.#x + x * this.scale, this.#y + y * this.scale];
  }

  /** The pixels that are seen. */
  get seen(): Box {
    const [left, top] = this.spot(this.#frame.left, this.#frame.top);
    const [right, bottom] = this.spot(this.#frame.right, this.#frame.bottom);
    const [l, t] = [Math.max(0, left), Math.max(0, top)];
    return [
      l,
      t,
      Math.max(1, Math.min(this.size.width, right) - l),
      Math.max(1, Math.min(this.size.height, bottom) - t),
    ];
  }

  get stageSize(): Size {
    return this.#frame;
  }

  /** Moves no further than it takes to have these pixels in sight. */
  reveal([x, y, w, h]: Box): void {
    const [left, top] = this.on([x, y]);
    const need = (from: number, length: number, room: number) =>
      length > room - 2 * around || from < around
        ? around - from
        : Math.min(0, room - around - from - length);
    const [dx, dy] = [
      need(left, w * this.scale, this.#frame.width),
      need(top, h * this.scale, this.#frame.height),
    ];
    // What is larger than the window need only be in it somewhere.
    const sees = (from: number, length: number, room: number) =>
      from < room - around && from + length > around;
    const large =
      w * this.scale > this.#frame.width - 2 * around ||
      h * this.scale > this.#frame.height - 2 * around;
    if (
      large &&
      sees(left, w * this.scale, this.#frame.width) &&
      sees(top, h * this.scale, this.#frame.height)
    )
      return;
    if (dx !== 0 || dy !== 0) this.pan(dx, dy);
  }

  #scaleOf([, , w, h]: Box): number {
    return Math.min(
      1,
      Math.max(
        0.01,
        Math.min(
          (this.#frame.width - 2 * around) / w,
          (this.#frame.height - around - this.#below) / h,
        ),
      ),
    );
  }

  #place(x: number, y: number): void {
    const keep = (value: number, size: number, room: number, end: number, after: number) =>
      size <= room - around - end
        ? (room + around - end - size) / 2
        : Math.min(around, Math.max(room - size - after, value));
    this.#fitted = false;
    this.#x = keep(x, this.size.width * this.scale, this.#frame.width, around, around);
    // The last lines can be moved out from under the buttons that lie there on a phone.
    this.#y = keep(y, this.size.height * this.scale, this.#frame.height, this.#below, 3 * around);
    // While it moves the compositor has what was painted already; at rest it is painted sharply.
    this.sheet.classList.add("moving");
    clearTimeout(this.#rest);
    this.#rest = window.setTimeout(() => this.sheet.classList.remove("moving"), 120);
    this.sheet.classList.toggle("close", this.scale * devicePixelRatio >= 4);
    this.sheet.style.transform = `translate(${this.#x}px, ${this.#y}px) scale(${this.scale})`;
    this.moved();
  }
}
