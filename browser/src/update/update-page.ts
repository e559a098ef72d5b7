// What concerns the page of an update as a whole: that it was opened, where its address points, its keys.
import { scrollConversationTo } from "./anchors.js";
import { focusAnswer, trackAnswerBar } from "./answer-bar.js";
import { isTextEntry } from "../lib/dom.js";
import { mainComposer } from "../comments/comment-composer.js";
import { openNextUpdate } from "../inbox/inbox-keys.js";
import { shortcutsEnabled } from "../lib/shortcuts.js";
import { requestJson } from "../lib/request.js";
import { showCommentFromHash } from "../comments/threads.js";
import { stage } from "./media-stage.js";

customElements.define(
  "update-page",
  class extends HTMLElement {
    #listeners = new AbortController();
    #opened = false;
    #openedAt = 0;
    #timer: ReturnType<typeof setTimeout> | undefined;

    connectedCallback(): void {
      this.#listeners = new AbortController();
      const { signal } = this.#listeners;
      document.addEventListener("visibilitychange", () => this.#open(), { signal });
      document.addEventListener("keydown", (event) => this.#key(event), { signal });
      addEventListener("hashchange", () => this.#follow(), { signal });
      // Meanwhile the browser went to the comment by itself, and moved the whole page for it.
      document.addEventListener("turbo:load", () => this.#follow(), { signal });
      addEventListener(
        "load",
        () =>
          requestAnimationFrame(() => {
            if (!navigator.userActivation.hasBeenActive) this.#follow();
          }),
        { signal },
      );
      document.addEventListener("hearback:activity", () => this.#again(), { signal });
      trackAnswerBar(signal);
      this.#open();
      this.#follow();
    }

    disconnectedCallback(): void {
      this.#listeners.abort();
      clearTimeout(this.#timer);
      document.body.classList.remove("quiet");
    }

    /** Only a page that is seen was opened: link previews, prefetches and background tabs never count. */
    #open(): void {
      if (this.#opened || document.hidden || this.dataset["state"] !== "published") return;
      this.#opened = true;
      this.#openedAt = Date.now();
      requestJson("PUT", `/updates/${this.dataset["update"] ?? ""}/opening`).catch(
        () => (this.#opened = false),
      );
    }

    /** What arrives before one's eyes is not new any more; said at most every ten seconds. */
    #again(): void {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(
        () => {
          this.#opened = false;
          this.#open();
        },
        Math.max(0, this.#openedAt + 10_000 - Date.now()),
      );
    }

    #follow(): void {
      const second = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
      if (second) stage()?.seek(Number(second[1]) * 1000);
      else if (location.hash.startsWith("#m-")) stage()?.show(location.hash.slice(3));
      else if (location.hash === "#answer-form") focusAnswer();
      else showCommentFromHash();
    }

    #key(event: KeyboardEvent): void {
      if (
        event.defaultPrevented ||
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        isTextEntry(event.target) ||
        !shortcutsEnabled()
      )
        return;
      if (document.querySelector("dialog[open], [popover]:popover-open")) return;
      const video = stage()?.video;
      const pressed =
        event.target instanceof Element &&
        event.target.closest("button, summary, a, video, select");
      switch (event.key) {
        case " ":
        case "k":
          // Space on a button presses that button.
          if (!video || (event.key === " " && pressed)) return;
          if (video.paused) void video.play();
          else video.pause();
          break;
        case "j":
        case "l":
          if (!video) return;
          video.currentTime += event.key === "j" ? -10 : 10;
          break;
        case "ArrowLeft":
        case "ArrowRight":
          if (event.target instanceof Element && event.target.closest("video, select, input"))
            return;
          if (video)
            video.currentTime += (event.key === "ArrowLeft" ? -1 : 1) * (event.shiftKey ? 1 : 5);
          else stage()?.step(event.key === "ArrowLeft" ? -1 : 1);
          break;
        case "n":
        case "p":
          this.#step(event.key === "n" ? 1 : -1);
          break;
        case "c":
        case "q": {
          const here = stage()?.currentAnchor();
          if (stage()?.imageViewer) stage()?.imageViewer?.pinCenter();
          else if (here) mainComposer()?.setAnchor(here);
          mainComposer()?.startWriting(event.key === "q");
          break;
        }
        case "d":
          void mainComposer()?.openDrawing();
          break;
        case "m":
          stage()?.marks?.toggleMarks();
          break;
        case "Escape":
          // A drawing of a comment is put away.
          if (!document.querySelector(".comment.on")) return;
          stage()?.clearSelection();
          break;
        case "a":
          focusAnswer();
          break;
        case "i":
          openNextUpdate();
          break;
        case "z":
          document.body.classList.toggle("quiet");
          break;
        default:
          return;
      }
      event.preventDefault();
    }

    /** The next comment of the list, and where it points. */
    #step(by: number): void {
      const comments = [...document.querySelectorAll<HTMLElement>(".threads .comment")].filter(
        (comment) => comment.offsetParent !== null,
      );
      const now = comments.findIndex((comment) => comment.classList.contains("on"));
      const next = comments[now === -1 ? (by > 0 ? 0 : comments.length - 1) : now + by];
      if (!next) return;
      stage()?.goTo(next);
      next.focus({ preventScroll: true });
      scrollConversationTo(next);
      document
        .querySelectorAll(".comment.on")
        .forEach((other) => other.classList.toggle("on", other === next));
      next.classList.add("on");
    }
  },
);
