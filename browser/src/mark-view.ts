// What is drawn over what the stage shows: the author's marks, which come with the page and can be hidden, and the drawings of comments,
// which show when their comment is chosen or their second is reached.
import type { Anchor, Placed } from "./anchors.js";
import { announce, icon, make, remember } from "./dom.js";
import type { Shape } from "./markup-shapes.js";
import { moment } from "./seamless.js";

/** So long a drawing stands over a video that plays, in milliseconds, where its comment names no end. */
const STANDS = 1000;

export class MarkView {
  /** What this page offers for what is shown. */
  readonly tools = make("div", { class: "tool-row mark-tools" });
  #figure: HTMLElement | null = null;
  #video: HTMLVideoElement | null = null;
  #drawings: Placed[] = [];
  #pending: Anchor | null = null;
  #drawn = "";
  #listeners = new AbortController();

  constructor(private readonly stage: HTMLElement) {
    stage.classList.toggle("marks-off", remember("sessionStorage", "marks") === "off");
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
      for (const event of ["timeupdate", "seeking", "seeked", "pause", "loadedmetadata"]) video?.addEventListener(event, () => this.look(), { signal });
    }
    this.#drawn = "";
    this.#offer();
    this.look();
  }

  /** The comments of what is shown, and the one that is being written. */
  draw(comments: Placed[], pending: Anchor | null): void {
    this.#drawings = comments.filter(({ drawing }) => drawing !== undefined);
    this.#pending = pending?.drawing ? pending : null;
    this.#drawn = "";
    this.look();
  }

  /** Shows or hides the author's marks, as long as this tab is open. */
  toggle(): void {
    if (!this.#layer) return;
    const off = this.stage.classList.toggle("marks-off");
    remember("sessionStorage", "marks", off ? "off" : null);
    this.tools.querySelector("[aria-pressed]")?.setAttribute("aria-pressed", String(!off));
    announce(off ? "Marks hidden." : "Marks shown.");
  }

  get #layer(): Element | null {
    return this.#figure?.querySelector(".layer:not(.drawing)") ?? null;
  }

  /** The buttons, made anew only where they are others: one of them may have the focus. */
  #offer(): void {
    const { markable, frames, answered = "0" } = this.#figure?.dataset ?? {};
    const wanted = [this.#layer ? "toggle" : "", markable ?? "", frames ?? "", answered].join(" ");
    if (this.tools.dataset["for"] === wanted) return;
    this.tools.dataset["for"] = wanted;
    const buttons: HTMLElement[] = [];
    if (this.#layer) {
      const toggle = make("button", { type: "button", class: "tool worded", "aria-pressed": String(!this.stage.classList.contains("marks-off")), title: "Show or hide the marks (m)" }, icon("shapes"), make("span", {}, "Marks"));
      toggle.addEventListener("click", () => this.toggle());
      buttons.push(toggle);
    }
    if (markable !== undefined) buttons.push(make("button", { type: "button", class: "tool worded", "data-mark-up": markable, "data-answered": answered }, icon("pen-line"), make("span", {}, "Mark up")));
    if (frames !== undefined) buttons.push(make("button", { type: "button", class: "tool worded", "data-mark-frame": frames, "data-answered": answered, title: "A picture of this second, to draw on" }, icon("image-plus"), make("span", {}, "Mark up this frame")));
    this.tools.replaceChildren(...buttons);
  }

  /** Looks again at what is to be seen: another comment is chosen, or another second is reached. */
  look(): void {
    const now = this.#video ? moment(this.#video) : null;
    const here = ({ at, until }: Placed) => now === null || (at !== undefined && now >= at - 50 && now < Math.max(until ?? 0, at + STANDS));
    const chosen = this.#drawings.filter((comment) => comment.element.classList.contains("on") && here(comment));
    const seen = this.#pending ? [] : chosen.length > 0 || now === null ? chosen : this.#drawings.filter(here);
    const pending = this.#pending && (now === null || Math.abs(now - (this.#pending.at ?? 0)) < STANDS) ? this.#pending.drawing : undefined;
    const wanted = [...seen.map(({ element }) => element.id), pending ? JSON.stringify(pending) : ""].join(" ");
    if (wanted === this.#drawn && this.#canvas() !== null) return;
    this.#drawn = wanted;
    const shapes = pending ?? seen.flatMap(({ drawing }) => drawing ?? []);
    if (shapes.length === 0) return this.#canvas()?.remove();
    void this.#paint(shapes, wanted);
  }

  async #paint(shapes: Shape[], wanted: string): Promise<void> {
    const { draw } = await import("./markup-draw.js");
    const media = this.#figure?.querySelector<HTMLImageElement | HTMLVideoElement>(".sheet > img, video");
    const place = this.#figure?.querySelector(".drawings");
    if (!media || !place || this.#drawn !== wanted) return;
    const width = Number(media.getAttribute("width")) || ("videoWidth" in media ? media.videoWidth : media.naturalWidth);
    const height = Number(media.getAttribute("height")) || ("videoHeight" in media ? media.videoHeight : media.naturalHeight);
    if (!width || !height) return;
    const canvas = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [name, value] of Object.entries({ class: "layer drawing", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", focusable: "false" })) canvas.setAttribute(name, value);
    canvas.append(...draw(shapes, width, height));
    place.replaceChildren(canvas);
  }

  #canvas(): SVGSVGElement | null {
    return this.#figure?.querySelector<SVGSVGElement>(".layer.drawing") ?? null;
  }
}
