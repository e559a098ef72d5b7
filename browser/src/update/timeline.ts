// The line under a video: how far it is, and a dot for each comment, a diamond for each question.
import type { Placed } from "./anchors.js";
import { clock, make } from "../lib/dom.js";
import { goTo, lengthOf, moment } from "./source-swap.js";

export class Timeline {
  readonly line = make("div", {
    class: "timeline",
    role: "group",
    "aria-label": "Comments in time",
  });
  #now = make("span", { class: "now" });
  #tip = make("span", { role: "tooltip", hidden: true });
  #listeners = new AbortController();
  #drawn: [Placed[], number | null] = [[], null];
  #width = 0;
  /** Another width groups otherwise. */
  #observer = new ResizeObserver(() => {
    if (this.line.clientWidth === this.#width) return;
    this.#width = this.line.clientWidth;
    this.draw(...this.#drawn);
  });

  constructor(
    readonly video: HTMLVideoElement,
    readonly choose: (comment: Placed) => void,
  ) {
    const { signal } = this.#listeners;
    this.line.append(this.#now, this.#tip);
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
    this.line.addEventListener("click", (event) => {
      if (event.target instanceof Element && event.target.closest("button")) return;
      const box = this.line.getBoundingClientRect();
      const length = lengthOf(video);
      if (length > 0)
        goTo(video, Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * length);
    });
    this.#observer.observe(this.line);
    this.#tick();
  }

  end(): void {
    this.#observer.disconnect();
    this.#listeners.abort();
  }

  draw(comments: Placed[], pending: number | null): void {
    this.#drawn = [comments, pending];
    const length = lengthOf(this.video);
    const focused =
      document.activeElement instanceof HTMLElement
        ? document.activeElement.dataset["mark"]
        : undefined;
    const dots = this.#groups(comments, length).map((group) => {
      const [first] = group;
      const words = `${clock(first.at ?? 0)}, ${group.length > 1 ? `${group.length} comments, ` : ""}${first.words}`;
      const dot = make("button", {
        type: "button",
        "aria-label": words,
        "data-mark": group.map(({ element }) => element.id).join(" "),
      });
      dot.classList.toggle("many", group.length > 1);
      dot.classList.toggle(
        "asks",
        group.some(({ asks }) => asks),
      );
      at(dot, first.at ?? 0, length);
      // Pressed again, a dot of several goes on to the next of them.
      dot.addEventListener("click", () =>
        this.choose(
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
    this.line.replaceChildren(this.#now, ...dots, this.#tip);
    if (pending !== null) {
      const dot = make("button", {
        type: "button",
        class: "pending",
        "aria-label": `Your comment at ${clock(pending)}`,
        tabindex: "-1",
      });
      at(dot, pending, length);
      this.line.append(dot);
    }
    if (focused !== undefined)
      this.line.querySelector<HTMLElement>(`[data-mark="${CSS.escape(focused)}"]`)?.focus();
  }

  show(comment: Placed): void {
    for (const dot of this.line.querySelectorAll<HTMLElement>("[data-mark]"))
      dot.classList.toggle(
        "on",
        (dot.dataset["mark"] ?? "").split(" ").includes(comment.element.id),
      );
  }

  /** Comments in time, those that would lie on each other together: a finger needs 24 pixels for each dot. */
  #groups(comments: Placed[], length: number): [Placed, ...Placed[]][] {
    const apart = (24 / Math.max(240, this.line.clientWidth)) * length;
    const groups: [Placed, ...Placed[]][] = [];
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
    const room = this.line.clientWidth - this.#tip.offsetWidth;
    this.#tip.style.left = `${Math.max(0, Math.min(room, dot.offsetLeft - this.#tip.offsetWidth / 2))}px`;
  }

  #tick(): void {
    const length = lengthOf(this.video);
    this.#now.style.width =
      length > 0 ? `${Math.min(100, (moment(this.video) * 100) / length)}%` : "0";
  }
}

function at(dot: HTMLElement, ms: number, length: number): void {
  dot.style.left = `${length > 0 ? Math.min(100, (ms / length) * 100) : 0}%`;
}
