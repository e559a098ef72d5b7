// What is drawn over what the stage shows: the author's marks, which come with the page and can be hidden, and the drawings of comments,
// which show when their comment is chosen or their second is reached.
import type { Anchor, AnchoredComment } from "../update/anchors.js";
import { announce, icon, make, readStorage, writeStorage } from "../lib/dom.js";
import type { Shape } from "./shapes.js";
import { positionMs } from "../update/source-swap.js";

/** So long a drawing stands over a video that plays, in milliseconds, where its comment names no end. */
const STANDS = 1000;

export class MarkView {
  /** What this page offers for what is shown. */
  readonly tools: HTMLElement;
  #toggle = worded("Marks", icon("shapes"), "Show or hide the marks (m)");
  #markUp = worded(
    "Mark up",
    icon("pen-line"),
    "Draw on this picture, or make something on it unreadable",
  );
  #markFrame = worded(
    "Mark up this frame",
    icon("image-plus"),
    "A picture of this second, to draw on",
  );
  #figure: HTMLElement | null = null;
  #video: HTMLVideoElement | null = null;
  #drawings: AnchoredComment[] = [];
  #pending: Anchor | null = null;
  /** What lies there now. */
  #drawn: Shape[][] = [];
  #listeners = new AbortController();

  constructor(private readonly stage: HTMLElement) {
    this.#toggle.addEventListener("click", () => this.toggle());
    this.tools = make("div", { class: "tool-row" }, this.#toggle, this.#markUp, this.#markFrame);
    stage.classList.toggle("marks-off", readStorage("sessionStorage", "marks") === "off");
  }

  end(): void {
    this.#listeners.abort();
    this.#canvas()?.remove();
    this.#figure = this.#video = null;
  }

  /** Takes up what the stage shows now. */
  sync(figure: HTMLElement | null): void {
    const video = figure?.querySelector("video") ?? null;
    if (figure !== this.#figure || video !== this.#video) {
      this.end();
      this.#figure = figure;
      this.#video = video;
      this.#listeners = new AbortController();
      const { signal } = this.#listeners;
      for (const event of ["timeupdate", "seeking", "seeked", "pause", "loadedmetadata"])
        video?.addEventListener(event, () => this.look(), { signal });
    }
    this.#drawn = [];
    this.#canvas()?.remove();
    this.#offer();
    this.look();
  }

  /** The comments of what is shown, and the one that is being written. */
  draw(comments: AnchoredComment[], pending: Anchor | null): void {
    this.#drawings = comments.filter(({ drawing }) => drawing !== undefined);
    this.#pending = pending?.drawing ? pending : null;
    this.look();
  }

  /** Shows or hides the author's marks, as long as this tab is open. */
  toggle(): void {
    if (!this.#layer) return;
    const off = this.stage.classList.toggle("marks-off");
    writeStorage("sessionStorage", "marks", off ? "off" : null);
    this.#toggle.setAttribute("aria-pressed", String(!off));
    announce(off ? "Marks hidden." : "Marks shown.");
  }

  get #layer(): Element | null {
    return this.#figure?.querySelector(".layer:not(.drawing)") ?? null;
  }

  #offer(): void {
    const { markable, frames, answered = "0" } = this.#figure?.dataset ?? {};
    this.#toggle.hidden = !this.#layer;
    this.#toggle.setAttribute("aria-pressed", String(!this.stage.classList.contains("marks-off")));
    for (const [button, name, value] of [
      [this.#markUp, "markUp", markable],
      [this.#markFrame, "markFrame", frames],
    ] as const) {
      button.hidden = value === undefined;
      button.dataset[name] = value ?? "";
      button.dataset["answered"] = answered;
    }
  }

  /** Looks again at what is to be seen: another comment is chosen, or another second is reached. */
  look(): void {
    const now = this.#video ? positionMs(this.#video) : null;
    const here = ({ at, until }: AnchoredComment) =>
      now === null ||
      (at !== undefined && now >= at - 50 && now < Math.max(until ?? 0, at + STANDS));
    const chosen = this.#drawings.filter(
      (comment) => comment.element.classList.contains("on") && here(comment),
    );
    const seen = chosen.length > 0 || now === null ? chosen : this.#drawings.filter(here);
    const near =
      this.#pending && (now === null || Math.abs(now - (this.#pending.at ?? 0)) < STANDS);
    // What is being written covers the others.
    const wanted = (this.#pending ? (near ? [this.#pending] : []) : seen).map(
      ({ drawing }) => drawing ?? [],
    );
    if (
      wanted.length === this.#drawn.length &&
      wanted.every((shapes, index) => shapes === this.#drawn[index])
    )
      return;
    this.#drawn = wanted;
    if (wanted.length === 0) this.#canvas()?.remove();
    else void this.#paint(wanted);
  }

  async #paint(wanted: Shape[][]): Promise<void> {
    const { draw } = await import("./draw.js");
    const media = this.#figure?.querySelector<HTMLImageElement | HTMLVideoElement>(
      ".sheet > img, video",
    );
    const place = this.#figure?.querySelector(".drawings");
    if (!media || !place || this.#drawn !== wanted) return;
    const width =
      Number(media.getAttribute("width")) ||
      ("videoWidth" in media ? media.videoWidth : media.naturalWidth);
    const height =
      Number(media.getAttribute("height")) ||
      ("videoHeight" in media ? media.videoHeight : media.naturalHeight);
    if (!width || !height) return;
    const canvas = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [name, value] of Object.entries({
      class: "layer drawing",
      viewBox: `0 0 ${width} ${height}`,
      "aria-hidden": "true",
      focusable: "false",
    }))
      canvas.setAttribute(name, value);
    canvas.append(...draw(wanted.flat(), width, height));
    place.replaceChildren(canvas);
  }

  #canvas(): SVGSVGElement | null {
    return this.#figure?.querySelector<SVGSVGElement>(".layer.drawing") ?? null;
  }
}

function worded(words: string, picture: SVGSVGElement, title: string): HTMLButtonElement {
  return make(
    "button",
    { type: "button", class: "tool worded", title, hidden: true },
    picture,
    make("span", {}, words),
  );
}
