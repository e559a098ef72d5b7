// <hearing-list>: the author reviews readbacks one by one. j and k move the focus, y confirms, n corrects.
import { announce } from "../lib/dom.js";
import { latinKey } from "../lib/latin-key.js";
import { focusedRow, isPageShortcut, moveFocus } from "../lib/row-focus.js";

class ReadbackReview extends HTMLElement {
  #listeners = new AbortController();
  /** The index of the row that last had the focus. */
  #lastIndex = 0;

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    document.addEventListener("hearback:refreshed", () => this.#focusNext(), { signal });
    this.addEventListener(
      "focusin",
      () => {
        const index = this.#rows.findIndex((row) => row.contains(document.activeElement));
        this.#lastIndex = Math.max(0, index);
      },
      { signal },
    );
    // When a correction form opens, focus its text area.
    this.addEventListener(
      "toggle",
      (event) => {
        if (event.target instanceof HTMLDetailsElement && event.target.open)
          event.target.querySelector("textarea")?.focus();
      },
      { signal, capture: true },
    );
    // Focus the first row, so that the keys work at once.
    requestAnimationFrame(() => {
      if (this.isConnected && document.activeElement === document.body && location.hash === "")
        this.#rows[0]?.focus({ preventScroll: true });
    });
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
  }

  get #rows(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>(".to-hear")];
  }

  #key(event: KeyboardEvent): void {
    if (!isPageShortcut(event)) return;
    const row = focusedRow(this.#rows);
    const key = latinKey(event);
    if (key === "j") moveFocus(this.#rows, 1);
    else if (key === "k") moveFocus(this.#rows, -1);
    else if (key === "y" && row) row.querySelector<HTMLButtonElement>("[data-yes]")?.click();
    else if (key === "n" && row) row.querySelector<HTMLElement>("[data-no]")?.click();
    else return;
    event.preventDefault();
  }

  /** If a refresh removed the focused row, focuses the row that is now in its place. */
  #focusNext(): void {
    if (document.activeElement !== document.body) return;
    const rows = this.#rows;
    const next = rows[Math.min(this.#lastIndex, rows.length - 1)];
    if (next) next.focus();
    else announce("All readbacks are heard.");
  }
}

customElements.define("hearing-list", ReadbackReview);

declare global {
  interface HTMLElementTagNameMap {
    "hearing-list": ReadbackReview;
  }
}
