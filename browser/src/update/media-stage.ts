// The stage: one piece of media at a time, with the places that comments point to.
import {
  type Anchor,
  selectComment,
  type AnchoredComment,
  anchoredComments,
  type Region,
  revealComment,
} from "./anchors.js";
import { make } from "../lib/dom.js";
import { MarkOverlay } from "../markup/overlay.js";
import { refresh } from "../lib/refresh.js";
import { ImageViewer } from "./image-viewer.js";
import { seekTo, positionMs } from "./source-swap.js";
import { Timeline } from "./timeline.js";

export class UpdateStage extends HTMLElement {
  #shown = "";
  #pending: Anchor | null = null;
  #picture: ImageViewer | null = null;
  #timeline: Timeline | null = null;
  #marks: MarkOverlay | null = null;
  /** What had the focus before it was hidden: a button of a picture that is being prepared. */
  #back: HTMLElement | null = null;
  #listeners = new AbortController();

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    this.classList.add("ready");
    this.#marks = new MarkOverlay(this);
    this.addEventListener(
      "click",
      (event) => {
        const link =
          event.target instanceof Element ? event.target.closest<HTMLElement>("[data-show]") : null;
        if (!link) return;
        event.preventDefault();
        this.show(link.dataset["show"] ?? "");
      },
      { signal },
    );
    document.addEventListener("hearback:refreshed", () => this.sync(), { signal });
    document.addEventListener("hearback:comment-selected", () => this.#marks?.update(), { signal });
    // An address ends after hours, or with what was behind it: the page says where it is now.
    this.addEventListener(
      "error",
      ({ target }) => {
        if (target instanceof HTMLVideoElement) void refresh();
      },
      { signal, capture: true },
    );
    // Folding a resolved thread takes its mark along.
    document.addEventListener(
      "toggle",
      ({ target }) => {
        if (target instanceof Element && target.matches(".resolved-thread")) this.sync();
      },
      { signal, capture: true },
    );
    this.sync();
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
    this.#marks?.detach();
    this.#drop();
  }

  /** The video that is shown, if one is. */
  get video(): HTMLVideoElement | null {
    return this.#medium?.querySelector("video") ?? null;
  }

  /** The picture that is shown, if one is. */
  get imageViewer(): ImageViewer | null {
    return this.#picture;
  }

  /** The marks over it. */
  get marks(): MarkOverlay | null {
    return this.#marks;
  }

  /** The id of what is shown; empty for nothing. */
  get shownMedia(): string {
    return this.#shown;
  }

  /** What the file that is shown is called. */
  get shownName(): string {
    return this.#medium?.querySelector("img")?.alt ?? this.video?.getAttribute("aria-label") ?? "";
  }

  /** The address of the picture as it is seen: with its marks, unless they are hidden. Null where no picture is shown. */
  get imageUrl(): string | null {
    const source = this.#medium?.querySelector<HTMLImageElement>(".sheet > img")?.src ?? null;
    return this.classList.contains("marks-off")
      ? source
      : (this.#medium?.dataset["marked"] ?? source);
  }

  /** Width and height of that picture, as the server gives them. */
  get imageSize(): string | null {
    const image = this.#medium?.querySelector(".sheet > img[width]");
    return image ? `${image.getAttribute("width")} ${image.getAttribute("height")}` : null;
  }

  get #medium(): HTMLElement | null {
    return this.#figures.find((figure) => figure.dataset["media"] === this.#shown) ?? null;
  }

  get #figures(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>(".medium")];
  }

  /** Shows one piece of media. */
  show(media: string): void {
    if (media === this.#shown || !this.#figures.some((figure) => figure.dataset["media"] === media))
      return;
    this.video?.pause();
    this.#shown = media;
    this.sync();
  }

  /** The next one or the one before, if there is one. */
  step(by: number): void {
    const figures = this.#figures;
    const next =
      figures[figures.findIndex((figure) => figure.dataset["media"] === this.#shown) + by];
    if (next) this.show(next.dataset["media"] ?? "");
  }

  /** The moment that is played, as a place for a comment; nothing before it was ever started. */
  currentAnchor(): Anchor | null {
    const video = this.video;
    return video && video.currentTime > 0
      ? { media: this.#shown, at: Math.floor(positionMs(video)) }
      : null;
  }

  /** Which number a piece of media has, from 1. */
  numberOf(media: string): number {
    return this.#figures.findIndex((figure) => figure.dataset["media"] === media) + 1;
  }

  /** How many there are. */
  get count(): number {
    return this.#figures.length;
  }

  /** Draws the place of a comment that is being written. */
  setPendingAnchor(anchor: Anchor | null): void {
    this.#pending = anchor;
    this.#draw();
  }

  /** Goes where a comment points. */
  goTo(comment: HTMLElement): void {
    const place = anchoredComments().find(({ element }) => element === comment);
    selectComment(comment);
    if (!place) return;
    this.show(place.media);
    if (place.at !== undefined) this.seek(place.at);
    this.#picture?.showComment(place);
    this.#timeline?.highlight(place);
  }

  /** No comment is chosen any more: its drawing goes. */
  clearSelection(): void {
    selectComment(null);
    this.#draw();
  }

  /** Goes to a moment of the video that is shown, or of the first one. */
  seek(ms: number): void {
    if (!this.video) {
      const first = this.#figures.find((figure) => figure.querySelector("video"));
      if (first) this.show(first.dataset["media"] ?? "");
    }
    if (this.video) seekTo(this.video, ms);
  }

  /** Gives the focus to a button; while that is hidden, to what is shown. */
  restoreFocus(button: HTMLElement): void {
    const { activeElement } = document;
    this.#back = null;
    if (activeElement !== null && activeElement !== document.body && activeElement !== this) return;
    if (button.checkVisibility()) return button.focus({ preventScroll: true });
    const shown = this.#medium?.querySelector<HTMLElement>(".viewport, video");
    this.tabIndex = -1;
    (shown ?? this).focus({ preventScroll: true });
    if (!shown) this.#back = button;
  }

  /** Takes up what changed on the page. */
  sync(): void {
    const { activeElement } = document;
    if (
      activeElement instanceof HTMLElement &&
      this.querySelector(".stage-tools")?.contains(activeElement)
    )
      this.#back = activeElement;
    const figures = this.#figures;
    if (!this.#medium) this.#shown = figures[0]?.dataset["media"] ?? "";
    for (const figure of figures)
      figure.classList.toggle("shown", figure.dataset["media"] === this.#shown);
    for (const link of this.querySelectorAll<HTMLElement>(".strip a")) {
      if (link.dataset["show"] === this.#shown) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    const viewport = this.#medium?.querySelector<HTMLElement>(".viewport") ?? null;
    // Only where another is shown: a refresh neither zooms out nor takes the focus from a button.
    if (
      (this.#picture?.viewport ?? null) !== viewport ||
      (this.#timeline?.video ?? null) !== this.video
    ) {
      this.#drop();
      const tools = this.querySelector<HTMLElement>(".stage-tools");
      const comments = this.dataset["comments"] !== undefined;
      if (viewport) {
        this.#picture = new ImageViewer(viewport, {
          canComment: comments,
          onPoint: (region) => this.#point(region),
          onSelect: (comment) => this.#choose(comment),
        });
        tools?.replaceChildren(this.#picture.tools);
        if (this.#marks) tools?.append(this.#marks.tools);
        if (comments)
          tools?.append(
            make("p", { class: "tool-hint" }, "Click a spot or drag over a part to comment on it."),
          );
      } else if (this.video) {
        this.#timeline = new Timeline(this.video, (comment) => this.#choose(comment));
        tools?.replaceChildren(this.#timeline.element);
        if (this.#marks) tools?.append(this.#marks.tools);
      } else tools?.replaceChildren();
    }
    this.#marks?.sync(this.#medium);
    for (const { element, number } of anchoredComments()) {
      const chip = element.querySelector<HTMLElement>(".chip.place");
      if (chip) chip.dataset["n"] = String(number);
    }
    this.#draw();
    if (this.#back) this.restoreFocus(this.#back);
    document.dispatchEvent(new CustomEvent("hearback:media-shown"));
  }

  #drop(): void {
    this.#picture?.destroy();
    this.#timeline?.destroy();
    this.#picture = this.#timeline = null;
  }

  #draw(): void {
    const comments = anchoredComments().filter(({ media }) => media === this.#shown);
    const pending = this.#pending?.media === this.#shown ? this.#pending : null;
    this.#picture?.drawMarks(comments, pending?.region ?? null, pending?.drawing !== undefined);
    this.#timeline?.draw(comments, pending?.at ?? null);
    this.#marks?.setDrawings(comments, pending);
  }

  #point(region: Region): void {
    document.dispatchEvent(
      new CustomEvent<Anchor>("hearback:point", { detail: { media: this.#shown, region } }),
    );
  }

  #choose(comment: AnchoredComment): void {
    this.goTo(comment.element);
    revealComment(comment.element);
  }
}

customElements.define("update-stage", UpdateStage);

declare global {
  interface HTMLElementTagNameMap {
    "update-stage": UpdateStage;
  }
}

/** The stage of this page, if it has one. */
export function stage(): UpdateStage | null {
  return document.querySelector<UpdateStage>("update-stage");
}
