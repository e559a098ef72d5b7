// The place in the media that an unsent comment is about, and the comment's drawing. Chips above the text show both.
import { announce, formatTime, readStorage, writeStorage } from "../lib/dom.js";
import { showError } from "../lib/error-banner.js";
import { drawAnchor } from "../markup/mark-comment.js";
import type { Anchor } from "../update/anchors.js";
import { stage } from "../update/media-stage.js";
import { durationMs, seekTo } from "../update/source-swap.js";
import { anchorChips } from "./anchor-chips.js";

/** The part of <comment-composer> that `ComposerAnchor` uses. */
interface Composer extends HTMLElement {
  /** Whether this is the page's main composer, rather than the composer of a reply. */
  readonly isMain: boolean;
  startWriting(): void;
}

export class ComposerAnchor {
  #anchor: Anchor | null = null;
  /** Whether the person removed the anchor. If so, typing does not add a new one. */
  #isDeclined = false;

  constructor(private readonly composer: Composer) {}

  get current(): Anchor | null {
    return this.#anchor;
  }

  /** The form fields that send the anchor with the comment. */
  get fields(): [name: string, value: string][] {
    if (!this.#anchor) return [];
    const { media, at, region, drawing } = this.#anchor;
    const fields: [string, string][] = [["media_id", media]];
    if (at !== undefined) fields.push(["at_ms", String(at)]);
    if (region) fields.push(["region", JSON.stringify(region)]);
    if (drawing) fields.push(["drawing", JSON.stringify(drawing)]);
    return fields;
  }

  /**
   * Restores an unsent drawing, and sets the anchor when the person points at a place on the stage. Used only by the
   * main composer, because a reply shares its thread's anchor.
   */
  connectToStage(signal: AbortSignal): void {
    document.addEventListener("hearback:media-shown", () => this.#updateDrawButton(), { signal });
    this.#updateDrawButton();
    const drawn = readStorage("sessionStorage", this.#drawingKey);
    if (drawn !== null) this.set(JSON.parse(drawn) as Anchor);
    document.addEventListener("hearback:point", (event) => this.#point(event.detail), { signal });
  }

  set(anchor: Anchor | null): void {
    this.#anchor = anchor;
    if (this.composer.isMain)
      writeStorage(
        "sessionStorage",
        this.#drawingKey,
        anchor?.drawing ? JSON.stringify(anchor) : null,
      );
    this.#show();
    stage()?.setPendingAnchor(anchor);
  }

  /** Removes the anchor after the comment has been sent. */
  reset(): void {
    this.#isDeclined = false;
    if (this.composer.isMain) this.set(null);
  }

  /** Sets the anchor when the person begins to type, because a playing video has moved on by the time they finish. */
  followTyping(text: string): void {
    if (text === "") this.#isDeclined = false;
    else if (this.composer.isMain && !this.#anchor && !this.#isDeclined && text.length < 3) {
      const anchor = stage()?.currentAnchor();
      if (anchor) this.set(anchor);
    }
  }

  /** Opens the markup editor with the comment's drawing. If there is none, opens it with the media on the stage. */
  async draw(): Promise<void> {
    const button = this.#drawButton;
    if (!button || button.hidden || button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      const anchor = await drawAnchor(this.#anchor);
      if (!anchor) return;
      this.set(anchor);
      this.composer.startWriting();
      if (anchor.drawing) announce("Your drawing will be sent with the comment.");
    } catch (error) {
      showError(error instanceof Error ? error.message : String(error));
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  /**
   * Anchors the comment at the place that the person pointed at. A drawing stays attached to the comment. If the
   * drawing is on different media, does not change the anchor, and asks the person to send or remove the drawing first.
   */
  #point(anchor: Anchor): void {
    const { drawing, size, media } = this.#anchor ?? {};
    if (drawing && media !== anchor.media)
      return announce("Your drawing is on another picture. Send it or remove it first.");
    this.set(drawing ? { ...anchor, drawing, ...(size === undefined ? {} : { size }) } : anchor);
    this.composer.startWriting();
    this.#box?.scrollIntoView({ block: "nearest" });
  }

  get #drawButton(): HTMLElement | null {
    return this.composer.querySelector("[data-draw]");
  }

  /** Shows the Draw button only while the stage shows an image or a video. */
  #updateDrawButton(): void {
    const button = this.#drawButton;
    if (button) button.hidden = !stage()?.imageViewer && !stage()?.video;
  }

  get #drawingKey(): string {
    return `drawing ${this.composer.dataset["update"] ?? ""}`;
  }

  get #box(): HTMLElement | null {
    return this.composer.querySelector(".composer-anchor");
  }

  #show(): void {
    const box = this.#box;
    if (!box) return;
    const anchor = this.#anchor;
    box.hidden = anchor === null;
    if (!anchor) return box.replaceChildren();
    const { media, at } = anchor;
    const chips = anchorChips(anchor, {
      onRemoveAnchor: () => {
        this.#isDeclined = true;
        this.set(null);
        this.composer.startWriting();
      },
      onNudge: (offset) => this.#nudge(offset),
      onOpenDrawing: () => void this.draw(),
      onRemoveDrawing: () => {
        this.set(at === undefined ? null : { media, at });
        this.composer.startWriting();
      },
    });
    box.replaceChildren(...chips);
  }

  /** Shifts the anchor's time by `offset` milliseconds. A paused video seeks to the new time. */
  #nudge(offset: number): void {
    if (this.#anchor?.at === undefined) return;
    const video = stage()?.video;
    const end =
      video && (video.dataset["duration"] !== undefined || Number.isFinite(video.duration))
        ? Math.floor(durationMs(video))
        : Infinity;
    const at = Math.min(end, Math.max(0, this.#anchor.at + offset));
    const focused = document.activeElement?.getAttribute("aria-label");
    this.set({ ...this.#anchor, at });
    if (focused)
      this.#box?.querySelector<HTMLElement>(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
    if (video?.paused) seekTo(video, at);
    announce(`at ${formatTime(at)}`);
  }
}
