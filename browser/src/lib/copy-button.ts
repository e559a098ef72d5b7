// <copy-button> copies the text of the field inside it. It also works over plain HTTP, where browsers have no clipboard
// API.
import { announce } from "./dom.js";

class CopyButton extends HTMLElement {
  connectedCallback(): void {
    const input = this.querySelector<HTMLInputElement | HTMLTextAreaElement>("input, textarea");
    const button = this.querySelector("button");
    if (!input || !button) return;
    button.hidden = false;
    let originalLabel: string | null = null;
    input.addEventListener("focus", () => input.select());
    // `data-now`: copy immediately. A click created this element, and browsers allow copying only for a short time
    // after a click.
    if (this.dataset["now"] !== undefined && navigator.userActivation.isActive)
      setTimeout(() => button.click());
    button.addEventListener("click", () => {
      void copyText(input.value, input).then((copied) => {
        const label = button.querySelector("span:not(.sr)") ?? button;
        originalLabel ??= label.textContent ?? "Copy";
        label.textContent = copied ? "Copied" : "Press Ctrl C";
        announce(copied ? "Copied." : "The text is selected. Press Control C to copy it.");
        setTimeout(() => (label.textContent = originalLabel ?? "Copy"), 2000);
      });
    });
  }
}

customElements.define("copy-button", CopyButton);

declare global {
  interface HTMLElementTagNameMap {
    "copy-button": CopyButton;
  }
}

/**
 * Copies `text` and returns whether that succeeded. `field`, if given, contains the same text. It is selected after a
 * failure, so that the person can copy the text by hand.
 */
export async function copyText(
  text: string,
  field?: HTMLInputElement | HTMLTextAreaElement,
): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without HTTPS, only the deprecated copy command is available, and it copies the selection.
    field?.select();
    return field !== undefined && document.execCommand("copy");
  }
}
