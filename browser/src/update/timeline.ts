// The timeline under a video. It shows the position, a dot for each comment and a diamond for each question.
import type { AnchoredComment } from "./anchors.js";
import { formatTime, make } from "../lib/dom.js";
import { durationMs, positionMs, seekTo } from "./source-swap.js";

/**
 * The minimum distance between dots, so that each dot can be tapped with a finger. Comments that are closer together
 * share one dot.
 */
const MIN_DOT_DISTANCE_PX = 24;

export class Timeline {
  readonly element = make("div", {
    class: "timeline",
    role: "group",
    "aria-label": "Comments in time",
  });
  #position = make("span", { class: "now" });
  #tooltip = make("span", { role: "tooltip", hidden: true });
  #listeners = new AbortController();
  #drawn: [AnchoredComment[], number | null] = [[], null];
  #width = 0;
  /** Redraws when the width changes, because the width determines which comments share a dot. */
  #observer = new ResizeObserver(() => {
    if (this.element.clientWidth === this.#width) return;
    this.#width = this.element.clientWidth;
    this.draw(...this.#drawn);
  });

  constructor(
    readonly video: HTMLVideoElement,
    readonly onSelect: (comment: AnchoredComment) => void,
  ) {
    const { signal } = this.#listeners;
    this.element.append(this.#position, this.#tooltip);
    video.addEventListener("timeupdate", () => this.#showPosition(), { signal });
    video.addEventListener("seeking", () => this.#showPosition(), { signal });
    // Redraw when more data arrives, because the duration of a raw file grows while the browser reads it.
    video.addEventListener(
      "progress",
      () => {
        if (video.dataset["duration"] === undefined) this.draw(...this.#drawn);
      },
      { signal },
    );
    // A click beside the dots seeks in the video. The page handles the keys ← and →, which also seek.
    this.element.addEventListener("click", (event) => {
      if (event.target instanceof Element && event.target.closest("button")) return;
      const box = this.element.getBoundingClientRect();
      const duration = durationMs(video);
      if (duration > 0)
        seekTo(video, Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * duration);
    });
    this.#observer.observe(this.element);
    this.#showPosition();
  }

  destroy(): void {
    this.#observer.disconnect();
    this.#listeners.abort();
  }

  /** Draws the comments' dots and, at `pending` milliseconds, the dot of the comment being written. */
  draw(comments: AnchoredComment[], pending: number | null): void {
    this.#drawn = [comments, pending];
    const duration = durationMs(this.video);
    const focused =
      document.activeElement instanceof HTMLElement
        ? document.activeElement.dataset["mark"]
        : undefined;
    const dots = this.#groups(comments, duration).map((group) => this.#dot(group, duration));
    this.element.replaceChildren(this.#position, ...dots, this.#tooltip);
    if (pending !== null) {
      const dot = make("button", {
        type: "button",
        class: "pending",
        "aria-label": `Your comment at ${formatTime(pending)}`,
        tabindex: "-1",
      });
      placeDot(dot, pending, duration);
      this.element.append(dot);
    }
    if (focused !== undefined)
      this.element.querySelector<HTMLElement>(`[data-mark="${CSS.escape(focused)}"]`)?.focus();
  }

  #dot(group: [AnchoredComment, ...AnchoredComment[]], duration: number): HTMLElement {
    const [first] = group;
    const count = group.length > 1 ? `${group.length} comments, ` : "";
    const label = `${formatTime(first.at ?? 0)}, ${count}${first.label}`;
    const dot = make("button", {
      type: "button",
      "aria-label": label,
      "data-mark": group.map(({ id }) => id).join(" "),
    });
    dot.classList.toggle("many", group.length > 1);
    dot.classList.toggle(
      "asks",
      group.some(({ isQuestion }) => isQuestion),
    );
    placeDot(dot, first.at ?? 0, duration);
    // Each press selects the next comment of the group.
    dot.addEventListener("click", () => {
      const selected = group.findIndex(({ element }) => element?.classList.contains("on"));
      this.onSelect(group[(selected + 1) % group.length] ?? first);
    });
    for (const event of ["pointerenter", "focus"])
      dot.addEventListener(event, () => this.#showTooltip(label, dot));
    for (const event of ["pointerleave", "blur"])
      dot.addEventListener(event, () => (this.#tooltip.hidden = true));
    return dot;
  }

  /** Highlights a comment's dot. */
  highlight(comment: AnchoredComment): void {
    for (const dot of this.element.querySelectorAll<HTMLElement>("[data-mark]"))
      dot.classList.toggle("on", (dot.dataset["mark"] ?? "").split(" ").includes(comment.id));
  }

  /** Sorts comments by time and groups those whose dots would overlap. */
  #groups(
    comments: AnchoredComment[],
    duration: number,
  ): [AnchoredComment, ...AnchoredComment[]][] {
    const distance = (MIN_DOT_DISTANCE_PX / Math.max(240, this.element.clientWidth)) * duration;
    const groups: [AnchoredComment, ...AnchoredComment[]][] = [];
    for (const comment of comments
      .filter(({ at }) => at !== undefined)
      .sort((a, b) => (a.at ?? 0) - (b.at ?? 0))) {
      const last = groups.at(-1);
      if (last && (comment.at ?? 0) - (last[0].at ?? 0) < distance) last.push(comment);
      else groups.push([comment]);
    }
    return groups;
  }

  #showTooltip(text: string, dot: HTMLElement): void {
    this.#tooltip.textContent = text;
    this.#tooltip.hidden = false;
    const room = this.element.clientWidth - this.#tooltip.offsetWidth;
    this.#tooltip.style.left = `${Math.max(0, Math.min(room, dot.offsetLeft - this.#tooltip.offsetWidth / 2))}px`;
  }

  #showPosition(): void {
    const duration = durationMs(this.video);
    this.#position.style.width =
      duration > 0 ? `${Math.min(100, (positionMs(this.video) * 100) / duration)}%` : "0";
  }
}

function placeDot(dot: HTMLElement, ms: number, duration: number): void {
  dot.style.left = `${duration > 0 ? Math.min(100, (ms / duration) * 100) : 0}%`;
}
