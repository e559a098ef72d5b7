// <undo-field> offers to undo a publication. This browser's clock measures the time limit, which starts when the update
// is sent.
import { readStorage } from "../lib/dom.js";

/** How long after publication the server accepts an undo. */
const UNDO_MS = 10_000;

class UndoField extends HTMLElement {
  connectedCallback(): void {
    const [id, sentAt, copied] = (readStorage("sessionStorage", "sent") ?? "").split(" ");
    const remaining = Number(sentAt) + UNDO_MS - Date.now();
    if (id !== this.dataset["update"] || !(remaining > 0)) return;
    this.hidden = false;
    const copiedHint = this.querySelector<HTMLElement>("[data-copied]");
    if (copiedHint) copiedHint.hidden = copied !== "copied";
    setTimeout(() => {
      const form = this.querySelector("form");
      // If the element also contains a message for the recipients, hide only the Undo form and keep the message.
      if (form && this.querySelector(".pass-on")) form.hidden = true;
      else this.hidden = true;
    }, remaining);
  }
}

customElements.define("undo-field", UndoField);

declare global {
  interface HTMLElementTagNameMap {
    "undo-field": UndoField;
  }
}
