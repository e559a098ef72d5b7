// A picture that one can look into: zoomed and moved by wheel, buttons, keys, drag and pinch, and pointed at by click or drag.
//
// A click sets a pin and a drag a region. Moving never fights with that: it is the hand tool, the space bar, the middle
// button, two fingers, the wheel once zoomed in, or one finger once zoomed in.
import { type AnchoredComment, type Region, clampFraction } from "./anchors.js";
import { icon, iconButton, make, isTextEntry } from "../lib/dom.js";

/** Beside the whole picture in the window, and beside its true size: of a page as tall as thirty windows the first is not much. */
const [largest, largestOfTrue] = [12, 4];
const slack = 5;

export interface ImageViewerOptions {
  /** Whether one may point. */
  canComment: boolean;
  /** The person pointed. */
  onPoint(region: Region): void;
  /** A mark was chosen. */
  onSelect(comment: AnchoredComment): void;
}

export class ImageViewer {
  readonly tools: HTMLElement;
  #scale: HTMLButtonElement;
  #hand: HTMLButtonElement;
  #zoom = 1;
  #x = 0;
  #y = 0;
  /** Nobody has zoomed or moved it yet. */
  #asOpened = false;
  #space = false;
  #pending: Region | null = null;
  #observer: ResizeObserver;
  #listeners = new AbortController();
  #pinch: { distance: number; x: number; y: number } | null = null;

  constructor(
    readonly viewport: HTMLElement,
    readonly options: ImageViewerOptions,
  ) {
    const tool = (words: string, picture: SVGSVGElement, act: () => void) => {
      const button = iconButton(words, picture, "tool");
      button.addEventListener("click", act);
      return button;
    };
    this.#scale = make("button", {
      type: "button",
      class: "tool scale",
      title: "Fit, or true size",
    });
    this.#scale.addEventListener("click", () => this.#toggleTrueSize());
    this.#hand = tool("Move the picture (hold space)", icon("hand"), () =>
      this.#setHand(this.#hand.getAttribute("aria-pressed") !== "true"),
    );
    this.#hand.setAttribute("aria-pressed", "false");
    this.tools = make(
      "div",
      { class: "tool-row", role: "group", "aria-label": "Zoom" },
      tool("Zoom out (−)", icon("zoom-out"), () => this.#zoomBy(1 / 1.4)),
      this.#scale,
      tool("Zoom in (+)", icon("zoom-in"), () => this.#zoomBy(1.4)),
      tool("Fit (0)", icon("scan"), () => this.fit()),
      this.#hand,
    );
    // The same window is taken up again when its picture is shown again: an earlier view must not listen on.
    const { signal } = this.#listeners;
    viewport.addEventListener("pointerdown", (event) => this.#down(event), { signal });
    viewport.addEventListener("wheel", (event) => this.#wheel(event), { passive: false, signal });
    viewport.addEventListener("keydown", (event) => this.#key(event), { signal });
    // Before anything else on the page: held over the picture, the space bar neither scrolls nor presses.
    document.addEventListener(
      "keydown",
      (event) => {
        if (
          event.key !== " " ||
          event.ctrlKey ||
          event.metaKey ||
          event.altKey ||
          isTextEntry(event.target)
        )
          return;
        if (!this.#space && !viewport.matches(":hover, :focus")) return;
        event.preventDefault();
        event.stopPropagation();
        this.#setSpace(true);
      },
      { signal, capture: true },
    );
    document.addEventListener(
      "keyup",
      (event) => {
        if (event.key !== " " || !this.#space) return;
        event.preventDefault();
        this.#setSpace(false);
      },
      { signal, capture: true },
    );
    addEventListener("blur", () => this.#setSpace(false), { signal });
    viewport.addEventListener("touchstart", (event) => this.#touch(event), {
      passive: false,
      signal,
    });
    viewport.addEventListener("touchmove", (event) => this.#touch(event), {
      passive: false,
      signal,
    });
    viewport.addEventListener("touchend", () => (this.#pinch = null), { signal });
    viewport.addEventListener("load", () => this.#open(), { signal, capture: true });
    this.#observer = new ResizeObserver(() =>
      this.#asOpened ? this.#open() : this.#move(this.#x, this.#y),
    );
    this.#observer.observe(viewport);
    this.#open();
  }

  // Looked up each time: a refresh may put others in their place.
  get #sheet(): HTMLElement {
    return this.viewport.querySelector(".sheet") as HTMLElement;
  }

  get #image(): HTMLImageElement {
    return this.viewport.querySelector(".sheet > img") as HTMLImageElement;
  }

  get #marks(): HTMLElement {
    return this.viewport.querySelector(".marks") as HTMLElement;
  }

  /** Stops looking after sizes. */
  destroy(): void {
    this.#listeners.abort();
    this.#observer.disconnect();
  }

  /** The whole picture, or what one reads first of it: the top of a page that is far taller than the window. */
  #open(): void {
    this.fit();
    const wide = Math.min(
      this.viewport.clientWidth / Math.max(1, this.#sheet.offsetWidth),
      this.#true,
    );
    if (wide >= 2.5) {
      this.#zoomTo(wide);
      this.#move(this.#x, 0);
    }
    this.#asOpened = true;
  }

  /** The zoom at which one of its pixels is one of the page's. */
  get #true(): number {
    return this.#natural / Math.max(1, this.#sheet.offsetWidth);
  }

  get #natural(): number {
    return Number(this.#image.getAttribute("width")) || this.#image.naturalWidth;
  }

  /** The whole picture. */
  fit(): void {
    this.#zoomTo(1);
  }

  /** Draws the comments' marks, and the one that is just being made. */
  drawMarks(comments: AnchoredComment[], pending: Region | null, drawn = false): void {
    this.#pending = pending;
    const focused =
      document.activeElement instanceof HTMLElement
        ? document.activeElement.dataset["mark"]
        : undefined;
    const marks = comments
      .filter((comment) => comment.region !== undefined)
      .map((comment) => {
        const mark = make(
          "button",
          {
            type: "button",
            class: "mark",
            "data-mark": comment.element.id,
            "aria-label": `${comment.number}. ${comment.label}`,
            title: comment.label,
          },
          make("span", { class: "dot" }, String(comment.number)),
        );
        place(mark, comment.region as Region);
        mark.classList.toggle("drawn", comment.drawing !== undefined);
        mark.addEventListener("click", () => this.options.onSelect(comment));
        return mark;
      });
    if (pending) {
      const mark = make("div", { class: "mark pending" }, make("span", { class: "dot" }, "+"));
      place(mark, pending);
      mark.classList.toggle("drawn", drawn);
      this.#marks.replaceChildren(...marks, mark);
    } else this.#marks.replaceChildren(...marks);
    if (focused !== undefined)
      this.#marks.querySelector<HTMLElement>(`[data-mark="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Lights up the mark of a comment and moves it into sight. */
  showComment(comment: AnchoredComment): void {
    for (const mark of this.#marks.querySelectorAll<HTMLElement>("[data-mark]"))
      mark.classList.toggle("on", mark.dataset["mark"] === comment.element.id);
    if (!comment.region || this.#zoom === 1) return;
    const [width, height] = [
      this.#sheet.offsetWidth * this.#zoom,
      this.#sheet.offsetHeight * this.#zoom,
    ];
    this.#move(
      this.viewport.clientWidth / 2 -
        this.#sheet.offsetLeft -
        (comment.region.x + comment.region.w / 2) * width,
      this.viewport.clientHeight / 2 -
        this.#sheet.offsetTop -
        (comment.region.y + comment.region.h / 2) * height,
    );
  }

  /** A pin in the middle of what is seen, for those who work by keyboard: arrows move it. */
  pinCenter(): void {
    const [image, frame] = [
      this.#image.getBoundingClientRect(),
      this.viewport.getBoundingClientRect(),
    ];
    this.options.onPoint(
      this.#pending ?? {
        x: clampFraction((frame.left + frame.width / 2 - image.left) / image.width),
        y: clampFraction((frame.top + frame.height / 2 - image.top) / image.height),
        w: 0,
        h: 0,
      },
    );
  }

  #down(event: PointerEvent): void {
    if (event.target instanceof Element && event.target.closest("[data-mark]")) return;
    const hand =
      event.button === 1 ||
      this.#space ||
      this.#hand.getAttribute("aria-pressed") === "true" ||
      !this.options.canComment ||
      (event.pointerType === "touch" && this.#zoom > 1);
    if (event.button > 1 || !event.isPrimary) return;
    if (event.button === 1) event.preventDefault();
    const [startX, startY, fromX, fromY] = [event.clientX, event.clientY, this.#x, this.#y];
    const start = this.#spot(event);
    let region: Region | null = null;
    let moved = false;
    const controller = new AbortController();
    const { signal } = controller;
    if (event.pointerType !== "touch" || this.#zoom > 1)
      this.viewport.setPointerCapture(event.pointerId);
    if (hand) this.viewport.classList.add("moving");
    this.viewport.addEventListener(
      "pointermove",
      (move) => {
        if (!move.isPrimary || this.#pinch) return;
        moved ||= Math.hypot(move.clientX - startX, move.clientY - startY) > slack;
        if (!moved) return;
        if (hand) this.#move(fromX + move.clientX - startX, fromY + move.clientY - startY);
        else if (move.pointerType !== "touch") {
          const end = this.#spot(move);
          region = {
            x: Math.min(start.x, end.x),
            y: Math.min(start.y, end.y),
            w: Math.abs(end.x - start.x),
            h: Math.abs(end.y - start.y),
          };
          this.#sketch(region);
        }
      },
      { signal },
    );
    const done = (): void => {
      controller.abort();
      this.viewport.classList.remove("moving");
    };
    this.viewport.addEventListener(
      "pointercancel",
      () => {
        done();
        this.#sketch(null);
      },
      { signal },
    );
    this.viewport.addEventListener(
      "pointerup",
      (up) => {
        done();
        if (
          !this.options.canComment ||
          this.#pinch ||
          (hand && (up.pointerType !== "touch" || moved)) ||
          up.button === 1
        )
          return;
        if (region) this.options.onPoint(region);
        else if (!moved && this.#inside(up))
          this.options.onPoint({ ...this.#spot(up), w: 0, h: 0 });
      },
      { signal },
    );
  }

  /** The region while it is being dragged. */
  #sketch(region: Region | null): void {
    this.#marks.querySelector(".pending")?.remove();
    if (!region) return;
    const mark = make("div", { class: "mark pending" });
    place(mark, region);
    this.#marks.append(mark);
  }

  #spot(event: PointerEvent): { x: number; y: number } {
    const box = this.#image.getBoundingClientRect();
    return {
      x: clampFraction((event.clientX - box.left) / box.width),
      y: clampFraction((event.clientY - box.top) / box.height),
    };
  }

  #inside(event: PointerEvent): boolean {
    const box = this.#image.getBoundingClientRect();
    return (
      event.clientX >= box.left &&
      event.clientX <= box.right &&
      event.clientY >= box.top &&
      event.clientY <= box.bottom
    );
  }

  #wheel(event: WheelEvent): void {
    // A pinch on a trackpad arrives as a wheel with Control held. The plain wheel belongs to the page until one is zoomed in.
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.#zoomTo(
        this.#zoom * Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.004)),
        event.clientX,
        event.clientY,
      );
    } else if (this.#zoom > 1) {
      const [x, y] = [this.#x, this.#y];
      const unit = event.deltaMode === 1 ? 16 : 1;
      this.#move(x - event.deltaX * unit, y - event.deltaY * unit);
      // At its edge the page scrolls on.
      if (this.#x !== x || this.#y !== y) event.preventDefault();
    }
  }

  #touch(event: TouchEvent): void {
    const [one, two] = [event.touches[0], event.touches[1]];
    if (!one || !two) return;
    event.preventDefault();
    const now = {
      distance: Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY),
      x: (one.clientX + two.clientX) / 2,
      y: (one.clientY + two.clientY) / 2,
    };
    if (this.#pinch) {
      this.#zoomTo((this.#zoom * now.distance) / this.#pinch.distance, now.x, now.y);
      this.#move(this.#x + now.x - this.#pinch.x, this.#y + now.y - this.#pinch.y);
    }
    this.#pinch = now;
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.viewport) return;
    const arrows: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const arrow = arrows[event.key];
    if (event.key === "+" || event.key === "=") this.#zoomBy(1.4);
    else if (event.key === "-") this.#zoomBy(1 / 1.4);
    else if (event.key === "0") this.fit();
    else if (event.key === "Enter" && this.options.canComment) this.pinCenter();
    else if (arrow && this.#pending) {
      const step = event.shiftKey ? 0.05 : 0.01;
      this.options.onPoint({
        ...this.#pending,
        x: clampFraction(this.#pending.x + arrow[0] * step),
        y: clampFraction(this.#pending.y + arrow[1] * step),
      });
      this.viewport.focus();
    } else if (arrow && this.#zoom > 1)
      this.#move(this.#x - arrow[0] * 60, this.#y - arrow[1] * 60);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #setSpace(on: boolean): void {
    this.#space = on;
    this.#cursor();
  }

  #setHand(on: boolean): void {
    this.#hand.setAttribute("aria-pressed", String(on));
    this.#cursor();
  }

  #cursor(): void {
    this.viewport.classList.toggle(
      "hand",
      this.#space || this.#hand.getAttribute("aria-pressed") === "true",
    );
    this.viewport.style.touchAction = this.#zoom > 1 ? "none" : "";
  }

  #toggleTrueSize(): void {
    this.#zoomTo(this.#zoom === 1 ? this.#true : 1);
  }

  #zoomBy(factor: number): void {
    this.#zoomTo(this.#zoom * factor);
  }

  /** Zooms around a point of the window; around the middle where none is given. */
  #zoomTo(zoom: number, clientX?: number, clientY?: number): void {
    const next = Math.min(Math.max(largest, largestOfTrue * this.#true), Math.max(1, zoom));
    const frame = this.viewport.getBoundingClientRect();
    const [px, py] = [
      (clientX ?? frame.left + frame.width / 2) - frame.left,
      (clientY ?? frame.top + frame.height / 2) - frame.top,
    ];
    const [u, v] = [
      (px - this.#sheet.offsetLeft - this.#x) / this.#zoom,
      (py - this.#sheet.offsetTop - this.#y) / this.#zoom,
    ];
    this.#zoom = Math.abs(next - 1) < 0.02 ? 1 : next;
    this.#move(
      px - this.#sheet.offsetLeft - u * this.#zoom,
      py - this.#sheet.offsetTop - v * this.#zoom,
    );
  }

  /** Moves the sheet, but never so that there is nothing to see. */
  #move(x: number, y: number): void {
    this.#asOpened = false;
    const keep = (value: number, offset: number, size: number, frame: number) =>
      size <= frame
        ? (frame - size) / 2 - offset
        : Math.min(-offset, Math.max(frame - size - offset, value));
    const [width, height] = [
      this.#sheet.offsetWidth * this.#zoom,
      this.#sheet.offsetHeight * this.#zoom,
    ];
    this.#x = keep(x, this.#sheet.offsetLeft, width, this.viewport.clientWidth);
    this.#y = keep(y, this.#sheet.offsetTop, height, this.viewport.clientHeight);
    this.#sheet.style.transform =
      this.#zoom === 1 ? "" : `translate(${this.#x}px, ${this.#y}px) scale(${this.#zoom})`;
    this.#sheet.style.setProperty("--zoom", String(this.#zoom));
    const percent = this.#natural > 0 ? Math.round((width / this.#natural) * 100) : 100;
    this.#scale.textContent = `${percent} %`;
    this.#scale.setAttribute(
      "aria-label",
      `${percent} percent. Switch between the whole picture and its true size`,
    );
    this.#cursor();
  }
}

function place(mark: HTMLElement, region: Region): void {
  mark.style.left = `${region.x * 100}%`;
  mark.style.top = `${region.y * 100}%`;
  mark.style.width = `${region.w * 100}%`;
  mark.style.height = `${region.h * 100}%`;
  mark.classList.toggle("region", region.w > 0 || region.h > 0);
}
