// The zoom and the position of an image in its viewport. At zoom 1, the whole image fits.
import type { Region } from "./anchors.js";

/**
 * The maximum zoom is this many times the fitted size or this many times the true size, whichever is larger. The true
 * size matters for a tall page, which is tiny when fitted.
 */
const [MAX_OF_FIT, MAX_OF_TRUE_SIZE] = [12, 4];
/**
 * If fitting would make an image at least this many times narrower than the viewport, the image
 * opens at full width instead.
 */
const TALL_IMAGE_ZOOM = 2.5;

export class ImageZoom {
  #zoom = 1;
  #x = 0;
  #y = 0;
  /**
   * Whether the image still has its initial zoom and position. If so, it is fitted again when the viewport is resized.
   */
  #isAsOpened = false;
  #observer: ResizeObserver;

  /** `onChange` is called after every change. */
  constructor(
    private readonly viewport: HTMLElement,
    private readonly onChange: () => void,
  ) {
    this.#observer = new ResizeObserver(() =>
      this.#isAsOpened ? this.open() : this.moveTo(this.#x, this.#y),
    );
  }

  /** Follows the size of the viewport until `destroy` is called. */
  observe(): void {
    this.#observer.observe(this.viewport);
  }

  destroy(): void {
    this.#observer.disconnect();
  }

  get zoom(): number {
    return this.#zoom;
  }

  get x(): number {
    return this.#x;
  }

  get y(): number {
    return this.#y;
  }

  /** The displayed size of the image, as a percentage of its true size. */
  get percent(): number {
    const natural = this.#naturalWidth;
    return natural > 0 ? Math.round((this.#sheet.offsetWidth * this.#zoom * 100) / natural) : 100;
  }

  // Query the elements on every access, because a refresh may replace them.
  get #sheet(): HTMLElement {
    return this.viewport.querySelector(".sheet") as HTMLElement;
  }

  get #naturalWidth(): number {
    const image = this.viewport.querySelector(".sheet > img") as HTMLImageElement;
    return Number(image.getAttribute("width")) || image.naturalWidth;
  }

  /** The zoom that shows one image pixel per CSS pixel. */
  get #trueSizeZoom(): number {
    return this.#naturalWidth / Math.max(1, this.#sheet.offsetWidth);
  }

  /**
   * Shows the whole image, or the top of a very tall one at full width, but no larger than its true
   * size.
   */
  open(): void {
    this.fit();
    const fullWidthZoom = Math.min(
      this.viewport.clientWidth / Math.max(1, this.#sheet.offsetWidth),
      this.#trueSizeZoom,
    );
    if (fullWidthZoom >= TALL_IMAGE_ZOOM) {
      this.zoomTo(fullWidthZoom);
      this.moveTo(this.#x, 0);
    }
    this.#isAsOpened = true;
  }

  fit(): void {
    this.zoomTo(1);
  }

  toggleTrueSize(): void {
    this.zoomTo(this.#zoom === 1 ? this.#trueSizeZoom : 1);
  }

  zoomBy(factor: number): void {
    this.zoomTo(this.#zoom * factor);
  }

  /** Zooms in or out around a point in the window, by default the center of the viewport. */
  zoomTo(zoom: number, clientX?: number, clientY?: number): void {
    const largest = Math.max(MAX_OF_FIT, MAX_OF_TRUE_SIZE * this.#trueSizeZoom);
    const next = Math.min(largest, Math.max(1, zoom));
    const frame = this.viewport.getBoundingClientRect();
    // The fixed point of the zoom, in viewport coordinates and in sheet coordinates.
    const [pointX, pointY] = [
      (clientX ?? frame.left + frame.width / 2) - frame.left,
      (clientY ?? frame.top + frame.height / 2) - frame.top,
    ];
    const [sheetX, sheetY] = [
      (pointX - this.#sheet.offsetLeft - this.#x) / this.#zoom,
      (pointY - this.#sheet.offsetTop - this.#y) / this.#zoom,
    ];
    this.#zoom = Math.abs(next - 1) < 0.02 ? 1 : next;
    this.moveTo(
      pointX - this.#sheet.offsetLeft - sheetX * this.#zoom,
      pointY - this.#sheet.offsetTop - sheetY * this.#zoom,
    );
  }

  /** Moves the center of a region to the center of the viewport. */
  center(region: Region): void {
    const [width, height] = this.#scaledSize;
    this.moveTo(
      this.viewport.clientWidth / 2 - this.#sheet.offsetLeft - (region.x + region.w / 2) * width,
      this.viewport.clientHeight / 2 - this.#sheet.offsetTop - (region.y + region.h / 2) * height,
    );
  }

  /** Moves the image, without leaving empty space that the image could fill. */
  moveTo(x: number, y: number): void {
    this.#isAsOpened = false;
    const clamp = (value: number, offset: number, size: number, frame: number) =>
      size <= frame
        ? (frame - size) / 2 - offset
        : Math.min(-offset, Math.max(frame - size - offset, value));
    const [width, height] = this.#scaledSize;
    this.#x = clamp(x, this.#sheet.offsetLeft, width, this.viewport.clientWidth);
    this.#y = clamp(y, this.#sheet.offsetTop, height, this.viewport.clientHeight);
    this.#sheet.style.transform =
      this.#zoom === 1 ? "" : `translate(${this.#x}px, ${this.#y}px) scale(${this.#zoom})`;
    this.#sheet.style.setProperty("--zoom", String(this.#zoom));
    this.onChange();
  }

  get #scaledSize(): [width: number, height: number] {
    return [this.#sheet.offsetWidth * this.#zoom, this.#sheet.offsetHeight * this.#zoom];
  }
}
