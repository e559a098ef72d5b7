// Copies the line beside it, also where browsers keep the clipboard for https.
import { announce } from "./dom.js";

customElements.define(
  "copy-button",
  class extends HTMLElement {
    connectedCallback(): void {
      const [input, button] = [
        this.querySelector<HTMLInputElement | HTMLTextAreaElement>("input, textarea"),
        this.querySelector("button"),
      ];
      if (!input || !button) return;
      button.hidden = false;
      let label: string | null = null;
      input.addEventListener("focus", () => input.select());
      // What was just asked for is copied by the same press, where the browser still counts it.
      if (this.dataset["now"] !== undefined && navigator.userActivation.isActive)
        setTimeout(() => button.click());
      button.addEventListener("click", () => {
        void copyText(input.value, input).then((done) => {
          const words = button.querySelector("span:not(.sr)") ?? button;
          label ??= words.textContent ?? "Copy";
          words.textContent = done ? "Copied" : "Press Ctrl C";
          announce(done ? "Copied." : "It is selected. Press Control C to copy it.");
          setTimeout(() => (words.textContent = label ?? "Copy"), 2000);
        });
      });
    }
  },
);

/** Copies a text; false where the person has to do it. The field, if given, is left selected then. */
export async function copyText(
  text: string,
  field?: HTMLInputElement | HTMLTextAreaElement,
): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Plain http has no clipboard, only the old command on a selection.
    field?.select();
    return field !== undefined && document.execCommand("copy");
  }
}
