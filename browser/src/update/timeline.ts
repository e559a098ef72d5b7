// The line under a video: how far it is, and a dot for each comment, a diamond for each question.
import type { AnchoredComment } from "./anchors.js";
import { formatTime, make } from "../lib/dom.js";
import { seekTo, durationMs, positionMs } from "./source-swap.js";

export class Timeline {
  readonly element = make("div", {
    class: "timeline",
    role: "group",
    "aria-label": "Comments in time",
  });
  #now = make("span", { class: "now" });
  #tip = make("span", { role: "tooltip", hidden: true });
  #listeners = new AbortController();
  #drawn: [AnchoredComment[], number | null] = [[], null];
  #width = 0;
  /** Another width groups otherwise. */
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
    this.element.append(this.#now, this.#tip);
    video.addEventListener("timeupdate", () => this.#tick(), { signal });
    video.addEventListener("seeking", () => this.#tick(), { signal });
    // Of a raw file the length shows as it is read.
    video.addEventListener(
      "progress",
      () => {
        if (video.dataset["duration"] === undefined) this.draw(...this.#drawn);
      },
      { signal },
    );
    // Anywhere else on the line goes to that moment; keys have ← and → of the page.
    this.element.addEventListener("click", (event) => {
      if (event.target instanceof Element && event.target.closest("button")) return;
      const box = this.element.getBoundingClientRect();
      const length = durationMs(video);
      if (length > 0)
        seekTo(video, Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * length);
    });
    this.#observer.observe(this.element);
    this.#tick();
  }

  destroy(): void {
    this.#observer.disconnect();
    this.#listeners.abort();
  }

  draw(comments: AnchoredComment[], pending: number | null): void {
    this.#drawn = [comments, pending];
    const length = durationMs(this.video);
    const focused =
      document.activeElement instanceof HTMLElement
        ? document.activeElement.dataset["mark"]
        : undefined;
    const dots = this.#groups(comments, length).map((group) => {
      const [first] = group;
      const words = `${formatTime(first.at ?? 0)}, ${group.length > 1 ? `${group.length} comments, ` : ""}${first.label}`;
      const dot = make("button", {
        type: "button",
        "aria-label": words,
        "data-mark": group.map(({ element }) => element.id).join(" "),
      });
      dot.classList.toggle("many", group.length > 1);
      dot.classList.toggle(
        "asks",
        group.some(({ isQuestion: asks }) => asks),
      );
      at(dot, first.at ?? 0, length);
      // Pressed again, a dot of several goes on to the next of them.
      dot.addEventListener("click", () =>
        this.onSelect(
          group[
            (group.findIndex(({ element }) => element.classList.contains("on")) + 1) % group.length
          ] ?? first,
        ),
      );
      for (const event of ["pointerenter", "focus"])
        dot.addEventListener(event, () => this.#say(words, dot));
      for (const event of ["pointerleave", "blur"])
        dot.addEventListener(event, () => (this.#tip.hidden = true));
      return dot;
    });
    this.element.replaceChildren(this.#now, ...dots, this.#tip);
    if (pending !== null) {
      const dot = make("button", {
        type: "button",
        class: "pending",
        "aria-label": `Your comment at ${formatTime(pending)}`,
        tabindex: "-1",
      });
      at(dot, pending, length);
      this.element.append(dot);
    }
    if (focused !== undefined)
      this.element.querySelector<HTMLElement>(`[data-mark="${CSS.escape(focused)}"]`)?.focus();
  }

  highlight(comment: AnchoredComment): void {
    for (const dot of this.element.querySelectorAll<HTMLElement>("[data-mark]"))
      dot.classList.toggle(
        "on",
        (dot.dataset["mark"] ?? "").split(" ").includes(comment.element.id),
      );
  }

  /** Comments in time, those that would lie on each other together: a finger needs 24 pixels for each dot. */
  #groups(comments: AnchoredComment[], length: number): [AnchoredComment, ...AnchoredComment[]][] {
    const apart = (24 / Math.max(240, this.element.clientWidth)) * length;
    const groups: [AnchoredComment, ...AnchoredComment[]][] = [];
    for (const comment of comments
      .filter(({ at: ms }) => ms !== undefined)
      .sort((a, b) => (a.at ?? 0) - (b.at ?? 0))) {
      const last = groups.at(-1);
      if (last && (comment.at ?? 0) - (last[0].at ?? 0) < apart) last.push(comment);
      else groups.push([comment]);
    }
    return groups;
  }

  #say(words: string, dot: HTMLElement): void {
    this.#tip.textContent = words;
    this.#tip.hidden = false;
    const room = this.element.clientWidth - this.#tip.offsetWidth;
    this.#tip.style.left = `${Math.max(0, Math.min(room, dot.offsetLeft - this.#tip.offsetWidth / 2))}px`;
  }

  #tick(): void {
    const length = durationMs(this.video);
    this.#now.style.width =
      length > 0 ? `${Math.min(100, (positionMs(this.video) * 100) / length)}%` : "0";
  }
}

function at(dot: HTMLElement, ms: number, length: number): void {
  dot.style.left = `${length > 0 ? Math.min(100, (ms / length) * 100) : 0}%`;
}
