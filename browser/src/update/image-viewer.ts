// Shows an image that can be zoomed, moved and commented on.
//
// A click places a pin, and a drag marks a region. Other gestures move the image: the hand tool, the space bar, the
// middle button or two fingers. When zoomed in, the wheel or one finger moves it too.
import { announce, icon, iconButton, make } from "../lib/dom.js";
import { latinKey } from "../lib/latin-key.js";
import { type AnchoredComment, clampFraction, type Region } from "./anchors.js";
import { HandTool } from "./hand-tool.js";
import { ImageMarks } from "./image-marks.js";
import { ImageZoom } from "./image-zoom.js";
import { followDrag } from "./pointer-drag.js";

const ZOOM_STEP = 1.4;
/** How far an arrow key moves a pin, as a fraction of the image. The second value applies with Shift. */
const [PIN_STEP, LARGE_PIN_STEP] = [0.01, 0.05];
const PAN_STEP_PX = 60;
const arrows: Record<string, [dx: number, dy: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export interface ImageViewerOptions {
  canComment: boolean;
  /** Called when the person places a pin or marks a region. */
  onPoint: (region: Region) => void;
  /** Called when the person clicks a comment's mark. */
  onSelect: (comment: AnchoredComment) => void;
}

export class ImageViewer {
  readonly tools: HTMLElement;
  #scaleButton: HTMLButtonElement;
  #hand: HandTool;
  #marks: ImageMarks;
  #zoom: ImageZoom;
  /** The place of the comment being written. */
  #pending: Region | null = null;
  #listeners = new AbortController();
  /** The latest state of a pinch gesture: the distance between the two fingers, and the midpoint between them. */
  #pinch: { distance: number; x: number; y: number } | null = null;

  constructor(
    readonly viewport: HTMLElement,
    readonly options: ImageViewerOptions,
  ) {
    this.#zoom = new ImageZoom(viewport, () => this.#showZoom());
    this.#scaleButton = make("button", {
      type: "button",
      class: "tool scale",
      title: "Fit, or true size",
    });
    this.#scaleButton.addEventListener("click", () => this.#zoom.toggleTrueSize());
    this.#hand = new HandTool(viewport, () => this.#updateCursor(), this.#listeners.signal);
    this.#marks = new ImageMarks(viewport, options.onSelect);
    this.tools = make(
      "div",
      { class: "tool-row", role: "group", "aria-label": "Zoom" },
      tool("Zoom out (−)", icon("zoom-out"), () => this.#zoom.zoomBy(1 / ZOOM_STEP)),
      this.#scaleButton,
      tool("Zoom in (+)", icon("zoom-in"), () => this.#zoom.zoomBy(ZOOM_STEP)),
      tool("Fit (0)", icon("scan"), () => this.#zoom.fit()),
      this.#hand.button,
    );
    this.#listen();
    this.#zoom.observe();
    this.#zoom.open();
  }

  /**
   * Registers the listeners with a signal, so that `destroy` can remove them. They must be removed, because the
   * viewport may later get another viewer.
   */
  #listen(): void {
    const { viewport } = this;
    const { signal } = this.#listeners;
    viewport.addEventListener("pointerdown", (event) => this.#press(event), { signal });
    viewport.addEventListener("wheel", (event) => this.#wheel(event), { passive: false, signal });
    viewport.addEventListener("keydown", (event) => this.#key(event), { signal });
    for (const type of ["touchstart", "touchmove"] as const)
      viewport.addEventListener(type, (event) => this.#touch(event), { passive: false, signal });
    viewport.addEventListener("touchend", () => (this.#pinch = null), { signal });
    viewport.addEventListener("load", () => this.#zoom.open(), { signal, capture: true });
  }

  // Query the image on every access, because a refresh may replace it.
  get #image(): HTMLImageElement {
    return this.viewport.querySelector(".sheet > img") as HTMLImageElement;
  }

  destroy(): void {
    this.#listeners.abort();
    this.#zoom.destroy();
  }

  /** Draws the comments' marks and the pending one. `hasDrawing` means that the pending comment has a drawing. */
  drawMarks(comments: AnchoredComment[], pending: Region | null, hasDrawing = false): void {
    this.#pending = pending;
    this.#marks.draw(comments, pending, hasDrawing);
  }

  /** Highlights a comment's mark and, when zoomed in, moves it into view. */
  showComment(comment: AnchoredComment): void {
    this.#marks.highlight(comment);
    if (comment.region && this.#zoom.zoom !== 1) this.#zoom.center(comment.region);
  }

  /** Places a pin in the center of the viewport for keyboard users, who can then move it with the arrow keys. */
  pinCenter(): void {
    const image = this.#image.getBoundingClientRect();
    const frame = this.viewport.getBoundingClientRect();
    this.options.onPoint(
      this.#pending ?? {
        x: clampFraction((frame.left + frame.width / 2 - image.left) / image.width),
        y: clampFraction((frame.top + frame.height / 2 - image.top) / image.height),
        w: 0,
        h: 0,
      },
    );
  }

  #press(event: PointerEvent): void {
    if (event.target instanceof Element && event.target.closest("[data-mark]")) return;
    if (event.button > 1 || !event.isPrimary) return;
    if (event.button === 1) event.preventDefault();
    if (event.pointerType !== "touch" || this.#zoom.zoom > 1)
      this.viewport.setPointerCapture(event.pointerId);
    if (this.#movesImage(event)) this.#startMoving(event);
    else this.#startPointing(event);
  }

  #movesImage(event: PointerEvent): boolean {
    return (
      event.button === 1 ||
      this.#hand.isOn ||
      !this.options.canComment ||
      (event.pointerType === "touch" && this.#zoom.zoom > 1)
    );
  }

  #startMoving(press: PointerEvent): void {
    const { x, y } = this.#zoom;
    this.viewport.classList.add("moving");
    followDrag(this.viewport, press, {
      isSuspended: () => this.#pinch !== null,
      onMove: (_event, dx, dy) => this.#zoom.moveTo(x + dx, y + dy),
      onRelease: (event, hasMoved) => {
        this.viewport.classList.remove("moving");
        // A tap on a zoomed image places a pin.
        if (event.pointerType === "touch" && !hasMoved) this.#pointAt(event);
      },
      onCancel: () => {
        this.viewport.classList.remove("moving");
        this.#marks.sketch(null);
      },
    });
  }

  #startPointing(press: PointerEvent): void {
    const start = this.#position(press);
    let region: Region | null = null;
    followDrag(this.viewport, press, {
      isSuspended: () => this.#pinch !== null,
      onMove: (event) => {
        if (event.pointerType === "touch") return;
        const end = this.#position(event);
        region = {
          x: Math.min(start.x, end.x),
          y: Math.min(start.y, end.y),
          w: Math.abs(end.x - start.x),
          h: Math.abs(end.y - start.y),
        };
        this.#marks.sketch(region);
      },
      onRelease: (event, hasMoved) => {
        if (!region) {
          if (!hasMoved) this.#pointAt(event);
        } else if (!this.#pinch && event.button !== 1) this.options.onPoint(region);
      },
      onCancel: () => this.#marks.sketch(null),
    });
  }

  /** Places a pin, if the person may comment and the pointer is over the image. */
  #pointAt(event: PointerEvent): void {
    if (!this.options.canComment || this.#pinch || event.button === 1) return;
    const box = this.#image.getBoundingClientRect();
    const isInside =
      event.clientX >= box.left &&
      event.clientX <= box.right &&
      event.clientY >= box.top &&
      event.clientY <= box.bottom;
    if (isInside) this.options.onPoint({ ...this.#position(event), w: 0, h: 0 });
  }

  /** The position of the pointer in the image, from 0 to 1. */
  #position(event: PointerEvent): { x: number; y: number } {
    const box = this.#image.getBoundingClientRect();
    return {
      x: clampFraction((event.clientX - box.left) / box.width),
      y: clampFraction((event.clientY - box.top) / box.height),
    };
  }

  #wheel(event: WheelEvent): void {
    // Browsers report a trackpad pinch as a wheel event with the Control key pressed. Without
    // Control, the wheel scrolls the page, unless the image is zoomed in.
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const sensitivity = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 0.05 : 0.004;
      this.#zoom.zoomTo(
        this.#zoom.zoom * Math.exp(-event.deltaY * sensitivity),
        event.clientX,
        event.clientY,
      );
    } else if (this.#zoom.zoom > 1) {
      const { x, y } = this.#zoom;
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      this.#zoom.moveTo(x - event.deltaX * unit, y - event.deltaY * unit);
      // If the image is at its edge and cannot move further, let the wheel scroll the page.
      if (this.#zoom.x !== x || this.#zoom.y !== y) event.preventDefault();
    }
  }

  #touch(event: TouchEvent): void {
    const [first, second] = [event.touches[0], event.touches[1]];
    if (!first || !second) return;
    event.preventDefault();
    const pinch = {
      distance: Math.hypot(first.clientX - second.clientX, first.clientY - second.clientY),
      x: (first.clientX + second.clientX) / 2,
      y: (first.clientY + second.clientY) / 2,
    };
    if (this.#pinch) {
      const zoom = this.#zoom;
      zoom.zoomTo((zoom.zoom * pinch.distance) / this.#pinch.distance, pinch.x, pinch.y);
      zoom.moveTo(zoom.x + pinch.x - this.#pinch.x, zoom.y + pinch.y - this.#pinch.y);
    }
    this.#pinch = pinch;
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.viewport) return;
    const key = latinKey(event);
    const arrow = arrows[key];
    if (key === "+" || key === "=") this.#zoomBy(ZOOM_STEP);
    else if (key === "-") this.#zoomBy(1 / ZOOM_STEP);
    else if (key === "0") this.#zoomBy(null);
    else if (key === "Enter" && this.options.canComment) this.pinCenter();
    else if (arrow && this.#pending) this.#movePin(this.#pending, arrow, event.shiftKey);
    else if (arrow && this.#zoom.zoom > 1)
      this.#zoom.moveTo(
        this.#zoom.x - arrow[0] * PAN_STEP_PX,
        this.#zoom.y - arrow[1] * PAN_STEP_PX,
      );
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Zooms by a factor or, without one, shows the whole picture. Announces the new size. */
  #zoomBy(factor: number | null): void {
    if (factor === null) this.#zoom.fit();
    else this.#zoom.zoomBy(factor);
    announce(`${this.#zoom.percent} percent`);
  }

  #movePin(pin: Region, [dx, dy]: [dx: number, dy: number], isLarge: boolean): void {
    const step = isLarge ? LARGE_PIN_STEP : PIN_STEP;
    const [x, y] = [clampFraction(pin.x + dx * step), clampFraction(pin.y + dy * step)];
    this.options.onPoint({ ...pin, x, y });
    this.viewport.focus();
    const [left, top] = [x, y].map((part) => `${Math.round(part * 100)} percent`);
    announce(`Pin ${left} from the left, ${top} from the top`);
  }

  #updateCursor(): void {
    this.viewport.classList.toggle("hand", this.#hand.isOn);
    this.viewport.style.touchAction = this.#zoom.zoom > 1 ? "none" : "";
  }

  #showZoom(): void {
    const { percent } = this.#zoom;
    this.#scaleButton.textContent = `${percent}%`;
    this.#scaleButton.setAttribute(
      "aria-label",
      `${percent} percent. Switch between the whole picture and its true size`,
    );
    this.#updateCursor();
  }
}

function tool(label: string, image: SVGSVGElement, action: () => void): HTMLButtonElement {
  const button = iconButton(label, image, "tool");
  button.addEventListener("click", action);
  return button;
}
