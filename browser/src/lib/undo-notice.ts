// A notice that says what was done. For ten seconds, its button and the key u undo the action.
import { announce, icon, make } from "./dom.js";
import { showError } from "./error-banner.js";
import { latinKey } from "./latin-key.js";
import { refresh } from "./refresh.js";
import { requestJson } from "./request.js";
import { isPageShortcut } from "./row-focus.js";

const UNDO_MS = 10_000;

/**
 * Shows and announces the notice. To undo, sends a DELETE request to `url`, refreshes the page and calls `afterUndo`. A
 * new notice replaces an earlier one.
 */
export function showUndoNotice(text: string, url: string, afterUndo: () => void): void {
  document.querySelector(".undo-notice")?.remove();
  const button = make(
    "button",
    { type: "button", class: "button", "aria-keyshortcuts": "u" },
    icon("undo-2"),
    make("span", {}, "Undo"),
  );
  const notice = make(
    "div",
    {
      class: "said undo-notice",
      role: "group",
      "aria-label": text,
      tabindex: "-1",
      "data-js": true,
      "data-turbo-temporary": true,
    },
    icon("check"),
    make("p", {}, text),
    button,
  );
  const timer = setTimeout(() => {
    const hadFocus = notice.contains(document.activeElement);
    notice.remove();
    if (hadFocus) document.getElementById("main")?.focus({ preventScroll: true });
  }, UNDO_MS);
  button.addEventListener("click", () => {
    clearTimeout(timer);
    notice.remove();
    void undo(url, afterUndo);
  });
  (document.getElementById("main") ?? document.body).append(notice);
  announce(`${text} You can undo it for ten seconds.`);
}

async function undo(url: string, afterUndo: () => void): Promise<void> {
  try {
    await requestJson("DELETE", url);
  } catch (error) {
    return showError(error instanceof Error ? error.message : String(error));
  }
  await refresh();
  afterUndo();
}

/**
 * Focuses the notice, if there is one. Does not focus its button, because a second press of Enter would then undo the
 * action.
 */
export function focusUndoNotice(): void {
  document.querySelector<HTMLElement>(".undo-notice")?.focus({ preventScroll: true });
}

document.addEventListener("keydown", (event) => {
  const button = document.querySelector<HTMLElement>(".undo-notice button");
  if (!button || !isPageShortcut(event) || latinKey(event) !== "u") return;
  event.preventDefault();
  button.click();
});
