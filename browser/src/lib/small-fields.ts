// Fields that know something the server cannot: the time zone, the fragment of the address, the theme of this device.
import { readStorage, writeStorage } from "./dom.js";

/** Fills in the browser's IANA time zone. */
customElements.define(
  "time-zone-field",
  class extends HTMLElement {
    connectedCallback(): void {
      const input = this.querySelector("input");
      if (input) input.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
    }
  },
);

/** Keeps `#t=42` over signing in: the part after # never reaches the server by itself. */
customElements.define(
  "keep-fragment",
  class extends HTMLElement {
    connectedCallback(): void {
      const input = this.querySelector("input");
      if (input && location.hash !== "" && !input.value.includes("#"))
        input.value = (input.value || "/") + location.hash;
    }
  },
);

/** Light, dark, or as the system. */
customElements.define(
  "theme-switch",
  class extends HTMLElement {
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
  },
);

/** A due time: typed in this device's zone, sent as a moment. Without scripts the server reads it in the account's zone. */
customElements.define(
  "due-field",
  class extends HTMLElement {
    connectedCallback(): void {
      const input = this.querySelector<HTMLInputElement>("input[type=datetime-local]");
      if (!input || input.name === "") return;
      const moment = document.createElement("input");
      moment.type = "hidden";
      moment.name = input.name;
      input.removeAttribute("name");
      this.append(moment);
      const at = new Date(this.dataset["at"] ?? "");
      if (!Number.isNaN(at.getTime())) {
        // The field wants local time without a zone.
        input.value = new Date(at.getTime() - at.getTimezoneOffset() * 60_000)
          .toISOString()
          .slice(0, 16);
      }
      const carry = () =>
        (moment.value = input.value === "" ? "" : new Date(input.value).toISOString());
      carry();
      input.addEventListener("input", carry);
    }
  },
);

/** Undo, for the ten seconds in which the server takes it; counted by this browser's own clock from when it sent. */
customElements.define(
  "undo-field",
  class extends HTMLElement {
    connectedCallback(): void {
      const [id, since, copied] = (readStorage("sessionStorage", "sent") ?? "").split(" ");
      const left = Number(since) + 10_000 - Date.now();
      if (id !== this.dataset["update"] || !(left > 0)) return;
      this.hidden = false;
      const words = this.querySelector<HTMLElement>("[data-copied]");
      if (words) words.hidden = copied !== "copied";
      setTimeout(() => {
        const form = this.querySelector("form");
        // The message to pass on stays as long as the page.
        if (form && this.querySelector(".pass-on")) form.hidden = true;
        else this.hidden = true;
      }, left);
    }
  },
);

/** Who types by when has chosen it. */
document.addEventListener("input", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || input.type === "radio") return;
  const radio = input
    .closest(".choices label")
    ?.querySelector<HTMLInputElement>("input[type=radio]");
  if (radio && !radio.checked) {
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
  }
});
