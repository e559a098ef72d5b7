// <theme-switch> chooses this browser's theme: light, dark or the system's. theme.ts applies it before the first paint.
import { readStorage, writeStorage } from "./dom.js";

class ThemeSwitch extends HTMLElement {
  connectedCallback(): void {
    this.querySelector("fieldset")?.removeAttribute("disabled");
    const chosen = readStorage("localStorage", "theme") ?? "";
    for (const input of this.querySelectorAll("input")) {
      input.checked = input.value === chosen;
      input.addEventListener("change", () => {
        writeStorage("localStorage", "theme", input.value);
        if (input.value === "") delete document.documentElement.dataset["theme"];
        else document.documentElement.dataset["theme"] = input.value;
      });
    }
  }
}

customElements.define("theme-switch", ThemeSwitch);

declare global {
  interface HTMLElementTagNameMap {
    "theme-switch": ThemeSwitch;
  }
}
