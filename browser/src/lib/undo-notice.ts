// A notice that says what was done. For ten seconds, its button and the key u undo the action.
import { announce, icon, make } from "./dom.js";
import { latinKey } from "./latin-key.js";
import { isPageShortcut } from "./row-focus.js";

const UNDO_MS = 10_000;

/** Shows and announces the notice. `undo` reports its own errors. A new notice replaces an earlier one. */
export function showUndoNotice(text: string, undo: () => Promise<void>): void {
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
    void undo();
  });
  (document.getElementById("main") ?? document.body).append(notice);
  announce(`${text} You can undo it for ten seconds.`);
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
