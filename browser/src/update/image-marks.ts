// The marks over an image: one for each comment that points to it, and one for the comment being written.
import { make } from "../lib/dom.js";
import type { AnchoredComment, Region } from "./anchors.js";

export class ImageMarks {
  constructor(
    private readonly viewport: HTMLElement,
    /** Called when the person clicks a comment's mark. */
    private readonly onSelect: (comment: AnchoredComment) => void,
  ) {}

  // Query the container on every access, because a refresh may replace it.
  get #container(): HTMLElement {
    return this.viewport.querySelector(".marks") as HTMLElement;
  }

  /** Draws the comments' marks and the pending one. `hasDrawing` means that the pending comment has a drawing. */
  draw(comments: AnchoredComment[], pending: Region | null, hasDrawing: boolean): void {
    const focused =
      document.activeElement instanceof HTMLElement
        ? document.activeElement.dataset["mark"]
        : undefined;
    const marks: HTMLElement[] = comments.flatMap((comment) => this.#mark(comment) ?? []);
    if (pending) {
      const mark = make("div", { class: "mark pending" }, make("span", { class: "dot" }, "+"));
      placeMark(mark, pending);
      mark.classList.toggle("drawn", hasDrawing);
      marks.push(mark);
    }
    this.#container.replaceChildren(...marks);
    if (focused !== undefined)
      this.#container.querySelector<HTMLElement>(`[data-mark="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Highlights a comment's mark. */
  highlight(comment: AnchoredComment): void {
    for (const mark of this.#container.querySelectorAll<HTMLElement>("[data-mark]"))
      mark.classList.toggle("on", mark.dataset["mark"] === comment.id);
  }

  /** Shows the region that the person is marking; null removes it. */
  sketch(region: Region | null): void {
    this.#container.querySelector(".pending")?.remove();
    if (!region) return;
    const mark = make("div", { class: "mark pending" });
    placeMark(mark, region);
    this.#container.append(mark);
  }

  #mark(comment: AnchoredComment): HTMLElement | null {
    if (!comment.region) return null;
    const mark = make(
      "button",
      {
        type: "button",
        class: "mark",
        "data-mark": comment.id,
        "aria-label": `${comment.number}. ${comment.label}`,
        title: comment.label,
      },
      make("span", { class: "dot" }, String(comment.number)),
    );
    placeMark(mark, comment.region);
    mark.classList.toggle("drawn", comment.isDrawn);
    mark.addEventListener("click", () => this.onSelect(comment));
    return mark;
  }
}

function placeMark(mark: HTMLElement, region: Region): void {
  mark.style.left = `${region.x * 100}%`;
  mark.style.top = `${region.y * 100}%`;
  mark.style.width = `${region.w * 100}%`;
  mark.style.height = `${region.h * 100}%`;
  mark.classList.toggle("region", region.w > 0 || region.h > 0);
}
