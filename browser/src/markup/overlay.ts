// Shows drawings over the media on the stage. The author's marks are part of the page and can be hidden. A comment's
// drawing appears when the comment is selected or playback reaches its time.
import { loadComment } from "../comments/thread-loader.js";
import { announce, icon, make, readStorage, writeStorage } from "../lib/dom.js";
import type { Anchor, AnchoredComment } from "../update/anchors.js";
import { positionMs } from "../update/source-swap.js";
import type { Shape } from "./shapes.js";

/**
 * The minimum time for which playback shows a drawing, in milliseconds. A later end time of the
 * comment extends it.
 */
const defaultDuration = 1000;
/**
 * A drawing appears this many milliseconds before its time, because a video that pauses there may stop slightly too
 * early.
 */
const lead = 50;

export class MarkOverlay {
  /** The buttons for the media on the stage. */
  readonly tools: HTMLElement;
  #toggle = textButton("Marks", icon("shapes"), "Show or hide the marks (m)");
  #markUp = textButton(
    "Mark up",
    icon("pen-line"),
    "Draw on this picture, or make something on it unreadable",
  );
  #markFrame = textButton(
    "Mark up this frame",
    icon("image-plus"),
    "A picture of this second, to draw on",
  );
  #figure: HTMLElement | null = null;
  #video: HTMLVideoElement | null = null;
  /** The comments with a drawing. */
  #comments: AnchoredComment[] = [];
  /** The anchor of the comment that is being written, if it has a drawing. */
  #pending: Anchor | null = null;
  #shown: Shape[][] = [];
  #listeners = new AbortController();

  constructor(private readonly stage: HTMLElement) {
    this.#toggle.addEventListener("click", () => this.toggleMarks());
    this.tools = make("div", { class: "tool-row" }, this.#toggle, this.#markUp, this.#markFrame);
    stage.classList.toggle("marks-off", readStorage("sessionStorage", "marks") === "off");
  }

  detach(): void {
    this.#listeners.abort();
    this.#drawing?.remove();
    this.#figure = this.#video = null;
  }

  /** Attaches the overlay to the figure currently on the stage. */
  sync(figure: HTMLElement | null): void {
    const video = figure?.querySelector("video") ?? null;
    if (figure !== this.#figure || video !== this.#video) {
      this.detach();
      this.#figure = figure;
      this.#video = video;
      this.#listeners = new AbortController();
      const { signal } = this.#listeners;
      for (const event of ["timeupdate", "seeking", "seeked", "pause", "loadedmetadata"])
        video?.addEventListener(event, () => this.update(), { signal });
    }
    this.#shown = [];
    this.#drawing?.remove();
    this.#updateButtons();
    this.update();
  }

  /** Sets the comments about the media on the stage, and the anchor of the unsent comment. */
  setDrawings(comments: AnchoredComment[], pending: Anchor | null): void {
    this.#comments = comments.filter(({ isDrawn }) => isDrawn);
    this.#pending = pending?.drawing ? pending : null;
    this.update();
  }

  /** Shows or hides the author's marks. The choice lasts until the tab is closed. */
  toggleMarks(): void {
    if (!this.#authorMarks) return;
    const off = this.stage.classList.toggle("marks-off");
    writeStorage("sessionStorage", "marks", off ? "off" : null);
    this.#toggle.setAttribute("aria-pressed", String(!off));
    announce(off ? "Marks hidden." : "Marks shown.");
  }

  get #authorMarks(): Element | null {
    return this.#figure?.querySelector(".layer:not(.drawing)") ?? null;
  }

  /** The element that shows the comments' drawings. */
  get #drawing(): Element | null {
    return this.#figure?.querySelector(".layer.drawing") ?? null;
  }

  #updateButtons(): void {
    const { markable, frames, answered = "0" } = this.#figure?.dataset ?? {};
    this.#toggle.hidden = !this.#authorMarks;
    this.#toggle.setAttribute("aria-pressed", String(!this.stage.classList.contains("marks-off")));
    for (const [button, name, value] of [
      [this.#markUp, "markUp", markable],
      [this.#markFrame, "markFrame", frames],
    ] as const) {
      button.hidden = value === undefined;
      button.dataset[name] = value ?? "";
      button.dataset["answered"] = answered;
    }
    // Under a video, a phone has no room for labels beside the timeline.
    for (const label of this.tools.querySelectorAll("span"))
      label.classList.toggle("sr-phone", this.#video !== null);
  }

  /**
   * Redraws if the set of drawings changed, for example because another comment is selected or the video has moved on.
   */
  update(): void {
    const now = this.#video ? positionMs(this.#video) : null;
    const drawings = this.#drawingsAt(now);
    const isSame =
      drawings.length === this.#shown.length &&
      drawings.every((shapes, index) => shapes === this.#shown[index]);
    if (isSame) return;
    this.#shown = drawings;
    if (drawings.length === 0) this.#drawing?.remove();
    else void this.#paint(drawings);
  }

  /** The drawings to show at `now`: the video's position in milliseconds, or null for a picture. */
  #drawingsAt(now: number | null): Shape[][] {
    const pending = this.#pending;
    if (pending) {
      // The drawing of the comment being written hides all others.
      const isNear = now === null || Math.abs(now - (pending.at ?? 0)) < defaultDuration;
      return isNear ? [pending.drawing ?? []] : [];
    }
    const isDue = ({ at, until }: AnchoredComment): boolean =>
      now === null ||
      (at !== undefined && now >= at - lead && now < Math.max(until ?? 0, at + defaultDuration));
    const due = this.#comments.filter(isDue);
    // A drawing is loaded with its comment, so load the comment now. The refresh that follows draws it.
    for (const { id, element } of now === null ? [] : due) if (!element) void loadComment(id);
    const selected = due.filter(({ element }) => element?.classList.contains("on"));
    // Over a picture, show only the drawing of the selected comment.
    const shown = selected.length > 0 || now === null ? selected : due;
    return shown.map(({ drawing }) => drawing ?? []);
  }

  async #paint(drawings: Shape[][]): Promise<void> {
    const { drawShapes } = await import("./draw.js");
    const media = this.#figure?.querySelector<HTMLImageElement | HTMLVideoElement>(
      ".sheet > img, video",
    );
    const container = this.#figure?.querySelector(".drawings");
    if (!media || !container || this.#shown !== drawings) return;
    const [width, height] = sizeOf(media);
    if (!width || !height) return;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [name, value] of Object.entries({
      class: "layer drawing",
      viewBox: `0 0 ${width} ${height}`,
      "aria-hidden": "true",
      focusable: "false",
    }))
      svg.setAttribute(name, value);
    svg.append(...drawShapes(drawings.flat(), width, height));
    container.replaceChildren(svg);
  }
}

/**
 * Returns the media's size from the element's attributes. Without these attributes, returns the size of the loaded
 * file.
 */
function sizeOf(media: HTMLImageElement | HTMLVideoElement): [width: number, height: number] {
  const [width, height] =
    media instanceof HTMLVideoElement
      ? [media.videoWidth, media.videoHeight]
      : [media.naturalWidth, media.naturalHeight];
  return [
    Number(media.getAttribute("width")) || width,
    Number(media.getAttribute("height")) || height,
  ];
}

function textButton(label: string, picture: SVGSVGElement, title: string): HTMLButtonElement {
  return make(
    "button",
    { type: "button", class: "tool worded", title, hidden: true },
    picture,
    make("span", {}, label),
  );
}
