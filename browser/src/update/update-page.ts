// <update-page> records that the update was opened, follows the URL fragment and handles keyboard shortcuts.
import { mainComposer } from "../comments/comment-composer.js";
import { showCommentFromHash } from "../comments/threads.js";
import { openNextUpdate } from "../inbox/inbox-keys.js";
import { announce, formatTime } from "../lib/dom.js";
import { latinKey } from "../lib/latin-key.js";
import { awaitConnection } from "../lib/offline.js";
import { Problem, requestJson } from "../lib/request.js";
import { isPageShortcut } from "../lib/row-focus.js";
import { scrollConversationTo } from "./anchors.js";
import { connectAnswerCard, focusAnswer } from "./answer-card.js";
import { stage } from "./media-stage.js";
import { mediaKey } from "./media-keys.js";

/** The minimum time between two reports that the update was opened. */
const REOPEN_INTERVAL_MS = 10_000;

class UpdatePage extends HTMLElement {
  #listeners = new AbortController();
  #isOpened = false;
  #openedAt = 0;
  #reopenTimer: ReturnType<typeof setTimeout> | undefined;

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    document.addEventListener("visibilitychange", () => this.#reportOpening(), { signal });
    document.addEventListener("hearback:connected", () => this.#reportOpening(), { signal });
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    addEventListener("hashchange", () => this.#followHash(), { signal });
    // When the page has loaded, the browser scrolls the whole page to the fragment. So follow the
    // fragment again afterwards.
    document.addEventListener("turbo:load", () => this.#followHash(), { signal });
    addEventListener(
      "load",
      () =>
        requestAnimationFrame(() => {
          if (!navigator.userActivation.hasBeenActive) this.#followHash();
        }),
      { signal },
    );
    document.addEventListener("hearback:activity", () => this.#reportOpeningAgain(), { signal });
    connectAnswerCard(signal);
    this.#reportOpening();
    this.#followHash();
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
    clearTimeout(this.#reopenTimer);
    document.body.classList.remove("quiet");
  }

  /**
   * Reports that the person opened the update, once the page is visible. Link previews, prefetches and background tabs
   * do not count.
   */
  #reportOpening(): void {
    if (this.#isOpened || document.hidden || this.dataset["state"] !== "published") return;
    this.#isOpened = true;
    this.#openedAt = Date.now();
    requestJson("PUT", `/updates/${this.dataset["update"] ?? ""}/opening`).catch(
      (error: unknown) => {
        this.#isOpened = false;
        if (error instanceof Problem && error.isRepeatable) awaitConnection();
      },
    );
  }

  /**
   * When new content has arrived, reports again that the person opened the update, because they now
   * see that content.
   */
  #reportOpeningAgain(): void {
    clearTimeout(this.#reopenTimer);
    this.#reopenTimer = setTimeout(
      () => {
        this.#isOpened = false;
        this.#reportOpening();
      },
      Math.max(0, this.#openedAt + REOPEN_INTERVAL_MS - Date.now()),
    );
  }

  #followHash(): void {
    const time = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
    if (time) stage()?.seek(Number(time[1]) * 1000);
    else if (location.hash.startsWith("#m-")) stage()?.show(location.hash.slice(3));
    else if (location.hash === "#answer-form") focusAnswer();
    else void showCommentFromHash();
  }

  #key(event: KeyboardEvent): void {
    if (isPageShortcut(event) && (mediaKey(event) || this.#pageKey(event))) event.preventDefault();
  }

  /** Handles the page's shortcuts. Returns whether the key was one of them. */
  #pageKey(event: KeyboardEvent): boolean {
    const key = latinKey(event);
    switch (key) {
      case "n":
      case "p":
        this.#stepComment(key === "n" ? 1 : -1);
        return true;
      case "c":
      case "q":
        startComment(key === "q");
        return true;
      case "d":
        void mainComposer()?.openDrawing();
        return true;
      case "Escape":
        if (!document.querySelector(".comment.on")) return false;
        stage()?.clearSelection();
        return true;
      case "a":
        focusAnswer();
        return true;
      case "i":
        openNextUpdate();
        return true;
      case "z":
        announce(
          document.body.classList.toggle("quiet")
            ? "Focus mode on. Press z to leave it."
            : "Focus mode off.",
        );
        return true;
      default:
        return false;
    }
  }

  /** Selects the comment that is `offset` positions after the selected one. */
  #stepComment(offset: number): void {
    const comments = [...document.querySelectorAll<HTMLElement>(".threads .comment")].filter(
      (comment) => comment.offsetParent !== null,
    );
    const current = comments.findIndex((comment) => comment.classList.contains("on"));
    const start = offset > 0 ? 0 : comments.length - 1;
    const index = current === -1 ? start : current + offset;
    const next = comments[index];
    if (!next) {
      if (comments.length > 0) announce(offset > 0 ? "Last comment." : "First comment.");
      return;
    }
    announce(`Comment ${index + 1} of ${comments.length}`);
    stage()?.goTo(next);
    next.focus({ preventScroll: true });
    scrollConversationTo(next);
    for (const other of document.querySelectorAll(".comment.on"))
      other.classList.toggle("on", other === next);
    next.classList.add("on");
  }
}

customElements.define("update-page", UpdatePage);

declare global {
  interface HTMLElementTagNameMap {
    "update-page": UpdatePage;
  }
}

/** Starts a comment or a question at the current place. */
function startComment(asQuestion: boolean): void {
  const imageViewer = stage()?.imageViewer;
  const anchor = stage()?.currentAnchor();
  if (imageViewer) imageViewer.pinCenter();
  else if (anchor) mainComposer()?.setAnchor(anchor);
  if (!mainComposer()) return;
  mainComposer()?.startWriting(asQuestion);
  const place = imageViewer
    ? " on the middle of the picture"
    : anchor?.at === undefined
      ? ""
      : ` at ${formatTime(anchor.at)}`;
  announce(`${asQuestion ? "Question" : "Comment"}${place}`);
}
