// Determines which part of the picture is visible. Zooming and panning only transform one element, so that even a very
// tall picture moves without being redrawn.
import type { Size } from "./geometry.js";
import type { Box, Point } from "./shapes.js";

const maxScale = 16;
/** The margin around the picture, in window pixels. */
const margin = 24;
/** How long the picture must be still before it is drawn sharply, in milliseconds. */
const restDelay = 120;

/**
 * Whether the window is so narrow that some buttons lie on the picture. styles/markup-editor.css uses the same
 * breakpoint.
 */
export function isNarrow(): boolean {
  return matchMedia("(max-width: 719.98px)").matches;
}

export class Viewport {
  /** Window pixels per picture pixel. */
  scale = 1;
  /** The position of the picture's top left corner in the stage. */
  #x = 0;
  #y = 0;
  #frame: DOMRect;
  #restTimer = 0;
  #observer: ResizeObserver;
  /** Whether the picture has been fitted to the stage, and not zoomed or panned since. */
  #isFitted = true;
  /** The margin below the picture. On a phone, it contains the zoom buttons. */
  readonly #marginBelow = isNarrow() ? 3 * margin : margin;

  /** `sheet` is the element to transform. `onMove` is called after each move. */
  constructor(
    readonly stage: HTMLElement,
    private readonly sheet: HTMLElement,
    private readonly size: Size,
    private readonly onMove: () => void,
  ) {
    this.#frame = stage.getBoundingClientRect();
    sheet.style.width = `${size.width}px`;
    sheet.style.height = `${size.height}px`;
    this.#observer = new ResizeObserver(() => {
      this.#frame = stage.getBoundingClientRect();
      if (this.#isFitted) this.showInitial();
      else this.#moveTo(this.#x, this.#y);
    });
    this.#observer.observe(stage);
  }

  disconnect(): void {
    this.#observer.disconnect();
  }

  /** Shows the whole picture. If the picture is much taller than the screen, shows its top at full width. */
  showInitial(): void {
    const wholeScale = this.#scaleFor(this.#wholeBox);
    const widthScale = Math.min(1, (this.#frame.width - 2 * margin) / this.size.width);
    if (wholeScale < widthScale / 2.5) {
      this.scale = widthScale;
      this.#moveTo(this.#frame.width / 2 - (this.size.width * widthScale) / 2, margin);
    } else this.fit();
    this.#isFitted = true;
  }

  /** Fits a part of the picture, given in picture pixels, into the window. */
  fit([x, y, w, h]: Box = this.#wholeBox): void {
    this.scale = this.#scaleFor([x, y, w, h]);
    const { width, height } = this.#frame;
    this.#moveTo(
      width / 2 - (x + w / 2) * this.scale,
      (height + margin - this.#marginBelow) / 2 - (y + h / 2) * this.scale,
    );
    this.#isFitted = true;
  }

  /**
   * Shows the picture at its true size, one picture pixel per screen pixel. If it already has that
   * size, shows the whole picture.
   */
  trueSize(): void {
    const scale = 1 / devicePixelRatio;
    if (Math.abs(this.scale - scale) < 0.001) this.fit();
    else this.#zoomTo(scale);
  }

  /** Zooms around a point in the window or, by default, around the center of the stage. */
  zoomBy(factor: number, clientX?: number, clientY?: number): void {
    this.#zoomTo(this.scale * factor, clientX, clientY);
  }

  #zoomTo(
    scale: number,
    clientX = this.#frame.left + this.#frame.width / 2,
    clientY = this.#frame.top + this.#frame.height / 2,
  ): void {
    const [x, y] = this.toImage(clientX, clientY);
    const minScale = Math.min(1, this.#scaleFor(this.#wholeBox));
    this.scale = Math.min(maxScale, Math.max(minScale, scale));
    this.#moveTo(
      clientX - this.#frame.left - x * this.scale,
      clientY - this.#frame.top - y * this.scale,
    );
  }

  /** Moves the picture by a distance in window pixels. */
  pan(dx: number, dy: number): void {
    this.#moveTo(this.#x + dx, this.#y + dy);
  }

  /** Converts from window pixels to picture pixels. */
  toImage(clientX: number, clientY: number): Point {
    return [
      (clientX - this.#frame.left - this.#x) / this.scale,
      (clientY - this.#frame.top - this.#y) / this.scale,
    ];
  }

  /** Converts from picture pixels to stage pixels. */
  toStage([x, y]: Point): Point {
    return [this.#x + x * this.scale, this.#y + y * this.scale];
  }

  /** The visible part, in picture pixels. */
  get visibleBox(): Box {
    const [left, top] = this.toImage(this.#frame.left, this.#frame.top);
    const [right, bottom] = this.toImage(this.#frame.right, this.#frame.bottom);
    const [x, y] = [Math.max(0, left), Math.max(0, top)];
    return [
      x,
      y,
      Math.max(1, Math.min(this.size.width, right) - x),
      Math.max(1, Math.min(this.size.height, bottom) - y),
    ];
  }

  get stageSize(): Size {
    return this.#frame;
  }

  /**
   * Pans as little as possible to show a part of the picture. Does not pan if the part is larger than the window and
   * some of it is already visible.
   */
  reveal([x, y, w, h]: Box): void {
    const [left, top] = this.toStage([x, y]);
    const horizontal = { from: left, length: w * this.scale, room: this.#frame.width };
    const vertical = { from: top, length: h * this.scale, room: this.#frame.height };
    const isLarge = [horizontal, vertical].some(({ length, room }) => length > room - 2 * margin);
    const isPartlyVisible = [horizontal, vertical].every(
      ({ from, length, room }) => from < room - margin && from + length > margin,
    );
    if (isLarge && isPartlyVisible) return;
    const [dx, dy] = [distanceToShow(horizontal), distanceToShow(vertical)];
    if (dx !== 0 || dy !== 0) this.pan(dx, dy);
  }

  get #wholeBox(): Box {
    return [0, 0, this.size.width, this.size.height];
  }

  /** The largest scale, up to 1, at which a part of the picture fits into the window. */
  #scaleFor([, , w, h]: Box): number {
    const scale = Math.min(
      (this.#frame.width - 2 * margin) / w,
      (this.#frame.height - margin - this.#marginBelow) / h,
    );
    return Math.min(1, Math.max(0.01, scale));
  }

  #moveTo(x: number, y: number): void {
    const { width, height } = this.#frame;
    this.#isFitted = false;
    this.#x = limitPosition(x, this.size.width * this.scale, width, margin, margin);
    // On a phone, buttons cover the bottom of the stage. Leave enough space to move the picture's last lines above
    // them.
    const [fitted, moved] = [this.#marginBelow, 3 * margin];
    this.#y = limitPosition(y, this.size.height * this.scale, height, fitted, moved);
    // While the picture moves, the browser reuses the painted pixels. At rest, the browser paints the picture sharply.
    this.sheet.classList.add("moving");
    clearTimeout(this.#restTimer);
    this.#restTimer = window.setTimeout(() => this.sheet.classList.remove("moving"), restDelay);
    this.sheet.classList.toggle("close", this.scale * devicePixelRatio >= 4);
    this.sheet.style.transform = `translate(${this.#x}px, ${this.#y}px) scale(${this.scale})`;
    this.onMove();
  }
}

/**
 * Limits one coordinate of the picture's position. `size` is the length of the picture along this axis, and `room` is
 * the length of the stage. If the picture fits, it is centered between the margins, and `endIfFitted` is the margin at
 * its end. If the picture is larger, it can be moved until there are `end` pixels of space after it.
 */
function limitPosition(
  value: number,
  size: number,
  room: number,
  endIfFitted: number,
  end: number,
): number {
  return size <= room - margin - endIfFitted
    ? (room + margin - endIfFitted - size) / 2
    : Math.min(margin, Math.max(room - size - end, value));
}

/** How far to pan along one axis so that a part of the picture becomes visible. */
function distanceToShow({ from, length, room }: { from: number; length: number; room: number }) {
  return length > room - 2 * margin || from < margin
    ? margin - from
    : Math.min(0, room - margin - from - length);
}
