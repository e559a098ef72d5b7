// The editor's messages, for screen readers and on the page.
import { make } from "../lib/dom.js";

/** How long a visible message is shown, in milliseconds. */
const visibleFor = 5000;

export class EditorMessages {
  /** The live region for screen readers. */
  readonly status = make("p", { class: "sr", role: "status" });
  readonly note = make("p", { class: "markup-note", hidden: true });
  #timer = 0;

  /** Announces a message to screen readers. `visible` also shows the message for a few seconds. */
  say(message: string, visible = false): void {
    if (message === "") return;
    // Screen readers read a message again only if the text changes, so append a no-break space to a
    // repeated message.
    this.status.textContent = this.status.textContent === message ? `${message}\u00a0` : message;
    if (!visible) return;
    this.note.textContent = message;
    this.note.hidden = false;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => (this.note.hidden = true), visibleFor);
  }
}
