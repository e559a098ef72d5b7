// <update-stage> shows one media item of an update at a time, with the places that comments point to.
import { loadComment } from "../comments/thread-loader.js";
import { make } from "../lib/dom.js";
import { MarkOverlay } from "../markup/overlay.js";
import {
  type Anchor,
  type AnchoredComment,
  anchoredComments,
  type Region,
  revealComment,
  selectComment,
} from "./anchors.js";
import { ImageViewer } from "./image-viewer.js";
import { connectPlayerKeys } from "./player-keys.js";
import { positionMs, seekTo } from "./source-swap.js";
import { Timeline } from "./timeline.js";

export class UpdateStage extends HTMLElement {
  /** The id of the media on the stage, or an empty string. */
  #shownMedia = "";
  #pending: Anchor | null = null;
  #imageViewer: ImageViewer | null = null;
  #timeline: Timeline | null = null;
  #marks: MarkOverlay | null = null;
  #playerKeys = new AbortController();
  /**
   * A button that lost the focus because it was hidden or because the toolbar was rebuilt. It gets
   * the focus back once it is visible again.
   */
  #focusTarget: HTMLElement | null = null;
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
    // Redraw when a resolved thread is collapsed or expanded, because that hides or shows its marks.
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
    this.#destroyViews();
  }

  get video(): HTMLVideoElement | null {
    return this.#figure?.querySelector("video") ?? null;
  }

  get imageViewer(): ImageViewer | null {
    return this.#imageViewer;
  }

  /** The overlay that shows the shapes drawn on the media. */
  get marks(): MarkOverlay | null {
    return this.#marks;
  }

  /** The id of the media on the stage, or an empty string. */
  get shownMedia(): string {
    return this.#shownMedia;
  }

  /** The file name of the media on the stage. */
  get shownName(): string {
    return this.#figure?.querySelector("img")?.alt ?? this.video?.getAttribute("aria-label") ?? "";
  }

  /**
   * The URL of the image as the reader sees it: with its markup, unless the markup is hidden. Null if the stage shows
   * no image.
   */
  get imageUrl(): string | null {
    const source = this.#figure?.querySelector<HTMLImageElement>(".sheet > img")?.src ?? null;
    return this.classList.contains("marks-off")
      ? source
      : (this.#figure?.dataset["marked"] ?? source);
  }

  /** The width and height of the image on the stage as measured by the server, separated by a space. */
  get imageSize(): string | null {
    const image = this.#figure?.querySelector(".sheet > img[width]");
    return image ? `${image.getAttribute("width")} ${image.getAttribute("height")}` : null;
  }

  get #figure(): HTMLElement | null {
    return this.#figures.find((figure) => figure.dataset["media"] === this.#shownMedia) ?? null;
  }

  get #figures(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>(".medium")];
  }

  /** Shows the media with this id. Does nothing if the page does not contain it. */
  show(media: string): void {
    if (
      media === this.#shownMedia ||
      !this.#figures.some((figure) => figure.dataset["media"] === media)
    )
      return;
    this.video?.pause();
    this.#shownMedia = media;
    this.sync();
  }

  /** Shows the media item that is `offset` positions after the current one. Returns whether there is one. */
  step(offset: number): boolean {
    const figures = this.#figures;
    const current = figures.findIndex((figure) => figure.dataset["media"] === this.#shownMedia);
    const next = figures[current + offset];
    if (next) this.show(next.dataset["media"] ?? "");
    return next !== undefined;
  }

  /** The video's position as an anchor. Null if the video is at its very start or the stage shows no video. */
  currentAnchor(): Anchor | null {
    const video = this.video;
    return video && video.currentTime > 0
      ? { media: this.#shownMedia, at: Math.floor(positionMs(video)) }
      : null;
  }

  /**
   * The position of a media item among those on the page, starting at 1; 0 if it is not on the
   * page.
   */
  numberOf(media: string): number {
    return this.#figures.findIndex((figure) => figure.dataset["media"] === media) + 1;
  }

  /** The number of media items on the page. */
  get count(): number {
    return this.#figures.length;
  }

  /** Shows the place of the comment being written. */
  setPendingAnchor(anchor: Anchor | null): void {
    this.#pending = anchor;
    this.#draw();
  }

  /** Selects a comment and shows the place that it points to, if any. */
  goTo(comment: HTMLElement): void {
    const anchored = anchoredComments().find(({ element }) => element === comment);
    selectComment(comment);
    if (anchored) this.#showPlace(anchored);
  }

  #showPlace(anchored: AnchoredComment): void {
    this.show(anchored.media);
    if (anchored.at !== undefined) this.seek(anchored.at);
    this.#imageViewer?.showComment(anchored);
    this.#timeline?.highlight(anchored);
  }

  /** Deselects the selected comment and hides its drawing. */
  clearSelection(): void {
    selectComment(null);
    this.#draw();
  }

  /** Seeks the video to a position in milliseconds. If the stage shows no video, shows the first one. */
  seek(ms: number): void {
    if (!this.video) {
      const first = this.#figures.find((figure) => figure.querySelector("video"));
      if (first) this.show(first.dataset["media"] ?? "");
    }
    if (this.video) seekTo(this.video, ms);
  }

  /** Focuses a button unless something else has the focus. If the button is hidden, focuses the media. */
  restoreFocus(button: HTMLElement): void {
    const { activeElement } = document;
    this.#focusTarget = null;
    if (activeElement !== null && activeElement !== document.body && activeElement !== this) return;
    if (button.checkVisibility()) return button.focus({ preventScroll: true });
    const media = this.#figure?.querySelector<HTMLElement>(".viewport, .film");
    this.tabIndex = -1;
    (media ?? this).focus({ preventScroll: true });
    if (!media) this.#focusTarget = button;
  }

  /** Updates the stage after the page has changed. */
  sync(): void {
    this.#rememberFocus();
    this.#showFigure();
    this.#updateViews();
    this.#marks?.sync(this.#figure);
    for (const { element, number } of anchoredComments()) {
      const chip = element?.querySelector<HTMLElement>(".chip.place");
      if (chip) chip.dataset["n"] = String(number);
    }
    this.#draw();
    if (this.#focusTarget) this.restoreFocus(this.#focusTarget);
    document.dispatchEvent(new CustomEvent("hearback:media-shown"));
  }

  /** Remembers the focused toolbar button, because the button loses the focus when the tools are replaced. */
  #rememberFocus(): void {
    const { activeElement } = document;
    if (
      activeElement instanceof HTMLElement &&
      this.querySelector(".stage-tools")?.contains(activeElement)
    )
      this.#focusTarget = activeElement;
  }

  #showFigure(): void {
    if (!this.#figure) this.#shownMedia = this.#figures[0]?.dataset["media"] ?? "";
    for (const figure of this.#figures)
      figure.classList.toggle("shown", figure.dataset["media"] === this.#shownMedia);
    for (const link of this.querySelectorAll<HTMLElement>(".strip a")) {
      if (link.dataset["show"] === this.#shownMedia) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  /**
   * Creates the image viewer or the timeline for the media on the stage. If the media is the same as before, keeps the
   * existing one, so that a refresh neither zooms out nor loses the focus.
   */
  #updateViews(): void {
    const viewport = this.#figure?.querySelector<HTMLElement>(".viewport") ?? null;
    if (
      (this.#imageViewer?.viewport ?? null) === viewport &&
      (this.#timeline?.video ?? null) === this.video
    )
      return;
    this.#destroyViews();
    const tools = this.querySelector<HTMLElement>(".stage-tools");
    const canComment = this.dataset["comments"] !== undefined;
    if (viewport) {
      this.#imageViewer = new ImageViewer(viewport, {
        canComment,
        onPoint: (region) => this.#point(region),
        onSelect: (comment) => void this.#select(comment),
      });
      tools?.replaceChildren(this.#imageViewer.tools);
      if (this.#marks) tools?.append(this.#marks.tools);
      if (canComment)
        tools?.append(
          make("p", { class: "tool-hint" }, "Click a spot or drag over an area to comment on it."),
        );
    } else if (this.video) {
      this.#playerKeys = new AbortController();
      connectPlayerKeys(this.video, this.#playerKeys.signal);
      this.#timeline = new Timeline(this.video, (comment) => void this.#select(comment));
      tools?.replaceChildren(this.#timeline.element);
      if (this.#marks) tools?.append(this.#marks.tools);
    } else tools?.replaceChildren();
  }

  #destroyViews(): void {
    this.#imageViewer?.destroy();
    this.#timeline?.destroy();
    this.#playerKeys.abort();
    this.#imageViewer = this.#timeline = null;
  }

  #draw(): void {
    const comments = anchoredComments().filter(({ media }) => media === this.#shownMedia);
    const pending = this.#pending?.media === this.#shownMedia ? this.#pending : null;
    this.#imageViewer?.drawMarks(comments, pending?.region ?? null, pending?.drawing !== undefined);
    this.#timeline?.draw(comments, pending?.at ?? null);
    this.#marks?.setDrawings(comments, pending);
  }

  #point(region: Region): void {
    document.dispatchEvent(
      new CustomEvent<Anchor>("hearback:point", { detail: { media: this.#shownMedia, region } }),
    );
  }

  async #select(comment: AnchoredComment): Promise<void> {
    if (!comment.element) this.#showPlace(comment);
    const element = comment.element ?? (await loadComment(comment.id));
    if (!element) return;
    this.goTo(element);
    revealComment(element);
  }
}

customElements.define("update-stage", UpdateStage);

declare global {
  interface HTMLElementTagNameMap {
    "update-stage": UpdateStage;
  }
}

/** The stage of this page, or null. */
export function stage(): UpdateStage | null {
  return document.querySelector<UpdateStage>("update-stage");
}
