// <hearing-list>: the author reviews readbacks one by one. `j` and `k` move the focus, `y` confirms
// a readback, and `n` opens the form that corrects it. For ten seconds, the author can undo a
// confirmation. Later, they can change the verdict in the person's row.
import { announce } from "../lib/dom.js";
import { latinKey } from "../lib/latin-key.js";
import { focusedRow, isPageShortcut, moveFocus } from "../lib/row-focus.js";
import { focusUndoNotice, showUndoNotice } from "../lib/undo-notice.js";

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
    // Focus the first row, so that the `y` and `n` shortcuts work immediately.
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
    rows[Math.min(this.#lastIndex, rows.length - 1)]?.focus();
  }
}

customElements.define("hearing-list", ReadbackReview);

declare global {
  interface HTMLElementTagNameMap {
    "hearing-list": ReadbackReview;
  }
}

// Announces the verdict that was sent. The refresh then removes the row.
document.addEventListener("hearback:form-sent", ({ detail: { form } }) => {
  const row = form.closest<HTMLElement>(".to-hear");
  if (!row) return;
  const person = row.dataset["person"] ?? "";
  const verdict = new FormData(form).get("verdict");
  const others = document.querySelectorAll(".to-hear").length - 1;
  const rest = others === 0 ? " That was the last readback." : "";
  if (verdict === "corrected") announce(`You asked ${person} again.${rest}`);
  else {
    showUndoNotice(`You confirmed what ${person} said back.${rest}`, form.action, () => {
      // Focus the row in which the author can give another verdict.
      document.getElementById(row.id)?.focus();
      announce(`Undone. What ${person} said back is waiting for your review again.`);
    });
  }
  // After the last verdict, the refresh removes <hearing-list>, which then cannot move the focus.
  // Focus the Undo notice instead.
  document.addEventListener(
    "hearback:refreshed",
    () => {
      if (document.activeElement === document.body && !document.querySelector(".to-hear"))
        focusUndoNotice();
    },
    { once: true },
  );
});
