// Readbacks are heard one after the other: j and k go on and back, y confirms, n says what is not quite right.
import { announce } from "../lib/dom.js";
import { focusedRow, isPageShortcut, moveFocus } from "../lib/row-focus.js";

customElements.define(
  "hearing-list",
  class extends HTMLElement {
    #listeners = new AbortController();
    #last = 0;

    connectedCallback(): void {
      this.#listeners = new AbortController();
      const { signal } = this.#listeners;
      document.addEventListener("keydown", (event) => this.#key(event), { signal });
      document.addEventListener("hearback:refreshed", () => this.#fresh(), { signal });
      this.addEventListener(
        "focusin",
        () =>
          (this.#last = Math.max(
            0,
            this.#rows.findIndex((row) => row.contains(document.activeElement)),
          )),
        { signal },
      );
      // Opened by key or by hand, the answer is typed at once.
      this.addEventListener(
        "toggle",
        (event) => {
          if (event.target instanceof HTMLDetailsElement && event.target.open)
            event.target.querySelector("textarea")?.focus();
        },
        { signal, capture: true },
      );
      // One came to hear: the keys are for the first of them at once.
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
      if (event.key === "j") moveFocus(this.#rows, 1);
      else if (event.key === "k") moveFocus(this.#rows, -1);
      else if (event.key === "y" && row)
        row.querySelector<HTMLButtonElement>("[data-yes]")?.click();
      else if (event.key === "n" && row) row.querySelector<HTMLElement>("[data-no]")?.click();
      else return;
      event.preventDefault();
    }

    /** What was heard is gone from the list: the one that took its place has the focus. */
    #fresh(): void {
      if (document.activeElement !== document.body) return;
      const rows = this.#rows;
      const next = rows[Math.min(this.#last, rows.length - 1)];
      if (next) next.focus();
      else announce("All are heard.");
    }
  },
);
