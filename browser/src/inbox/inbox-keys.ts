// Keyboard shortcuts of the inbox. On an update's page, a shortcut opens the next update in the inbox.
import { visit } from "@hotwired/turbo";
import { announce, readStorage, writeStorage } from "../lib/dom.js";
import { latinKey } from "../lib/latin-key.js";
import { focusedRow, isPageShortcut, moveFocus } from "../lib/row-focus.js";

/** The session storage key for the updates read since the inbox was last open. */
const READ_KEY = "read";
/** The maximum number of read updates to remember. Their ids are sent in a URL, which must not become too long. */
const MAX_READ = 200;

class InboxKeys extends HTMLElement {
  #listeners = new AbortController();

  connectedCallback(): void {
    this.#listeners = new AbortController();
    writeStorage("sessionStorage", READ_KEY, null);
    document.addEventListener("keydown", (event) => this.#key(event), {
      signal: this.#listeners.signal,
    });
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
  }

  #key(event: KeyboardEvent): void {
    if (!isPageShortcut(event)) return;
    const rows = [...this.querySelectorAll<HTMLElement>(".entry")];
    const row = focusedRow(rows);
    const key = latinKey(event);
    switch (key) {
      case "j":
        moveFocus(rows, 1);
        break;
      case "k":
        moveFocus(rows, -1);
        break;
      case "o":
      case "Enter":
        // Do not handle Enter on a link or button inside the row, because Enter activates that link or button.
        if (!row || (key === "Enter" && document.activeElement !== row)) return;
        row.querySelector<HTMLElement>(".title a")?.click();
        break;
      case "a":
        (
          row?.querySelector<HTMLElement>("[data-answer], .row-actions > .button") ??
          row?.querySelector<HTMLElement>(".title a")
        )?.click();
        break;
      case "s":
        row?.querySelector<HTMLElement>("[data-later]")?.click();
        row?.querySelector<HTMLElement>(".menu-items button")?.focus();
        if (row) announce("Snooze until when?");
        break;
      case "i":
        visit("/inbox/next");
        break;
      default:
        return;
    }
    event.preventDefault();
  }
}

customElements.define("inbox-keys", InboxKeys);

declare global {
  interface HTMLElementTagNameMap {
    "inbox-keys": InboxKeys;
  }
}

/** Opens the next update in the inbox, if the page links to it. */
export function openNextUpdate(): void {
  const link = document.querySelector<HTMLAnchorElement>("[data-next]");
  if (link) visit(link.href);
}

for (const event of ["turbo:load", "hearback:refreshed"])
  document.addEventListener(event, recordRead);
recordRead();

/**
 * Records that the update on this page was read, and makes the links to the next update skip all updates read so far.
 */
function recordRead(): void {
  const current = document.querySelector<HTMLElement>("update-page")?.dataset["update"];
  if (!current) return;
  const others = (readStorage("sessionStorage", READ_KEY) ?? "")
    .split(",")
    .filter((id) => id !== "" && id !== current);
  writeStorage("sessionStorage", READ_KEY, [...others, current].slice(-MAX_READ).join(","));
  for (const link of document.querySelectorAll<HTMLAnchorElement>("[data-next]"))
    link.href = `/inbox/next?after=${current}&skip=${others.join(",")}`;
}
