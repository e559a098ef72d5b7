// The inbox by keys, and reading one after the other without going back to it.
import { visit } from "@hotwired/turbo";
import { readStorage, writeStorage } from "../lib/dom.js";
import { focusedRow, isPageShortcut, moveFocus } from "../lib/row-focus.js";

/** What was looked at since the inbox was last seen: the next one is another. */
const trail = "read";

customElements.define(
  "inbox-keys",
  class extends HTMLElement {
    #listeners = new AbortController();

    connectedCallback(): void {
      this.#listeners = new AbortController();
      writeStorage("sessionStorage", trail, null);
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
      switch (event.key) {
        case "j":
          moveFocus(rows, 1);
          break;
        case "k":
          moveFocus(rows, -1);
          break;
        case "o":
        case "Enter":
          if (!row || (event.key === "Enter" && document.activeElement !== row)) return;
          row.querySelector<HTMLElement>(".title a")?.click();
          break;
        case "a":
          row?.querySelector<HTMLElement>("[data-answer], .row-actions > .button")?.click();
          break;
        case "s":
          row?.querySelector<HTMLElement>("[data-later]")?.click();
          row?.querySelector<HTMLElement>(".menu-items button")?.focus();
          break;
        case "i":
          visit("/inbox/next");
          break;
        default:
          return;
      }
      event.preventDefault();
    }
  },
);

/** The key that goes on from the page of an update, and its link. */
export function openNextUpdate(): void {
  const link = document.querySelector<HTMLAnchorElement>("[data-next]");
  if (link) visit(link.href);
}

// The link passes over what was looked at since the inbox.
for (const moment of ["turbo:load", "hearback:refreshed"]) document.addEventListener(moment, note);
note();

function note(): void {
  const id = document.querySelector<HTMLElement>("update-page")?.dataset["update"];
  if (!id) return;
  const read = (readStorage("sessionStorage", trail) ?? "")
    .split(",")
    .filter((one) => one !== "" && one !== id);
  writeStorage("sessionStorage", trail, [...read, id].slice(-200).join(","));
  const link = document.querySelector<HTMLAnchorElement>("[data-next]");
  if (link) link.href = `/inbox/next?after=${id}&skip=${read.join(",")}`;
}
