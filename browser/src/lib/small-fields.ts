// Form fields for information that only the browser has: the time zone, the URL fragment, the theme.
import { readStorage, writeStorage } from "./dom.js";

/** Fills in the browser's IANA time zone. */
class TimeZoneField extends HTMLElement {
  connectedCallback(): void {
    const input = this.querySelector("input");
    if (input) input.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
}

/** Keeps the URL fragment, such as `#t=42`, through sign-in. Browsers do not send it to the server. */
class KeepFragment extends HTMLElement {
  connectedCallback(): void {
    const input = this.querySelector("input");
    if (input && location.hash !== "" && !input.value.includes("#"))
      input.value = (input.value || "/") + location.hash;
  }
}

/** Chooses this browser's theme: light, dark or the system's. */
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

/**
 * The input for a due time. The person types it in the browser's time zone, and a hidden field sends it in UTC. Without
 * scripts, the server interprets it in the account's time zone.
 */
class DueField extends HTMLElement {
  connectedCallback(): void {
    const input = this.querySelector<HTMLInputElement>("input[type=datetime-local]");
    if (!input || input.name === "") return;
    const sent = document.createElement("input");
    sent.type = "hidden";
    sent.name = input.name;
    input.removeAttribute("name");
    this.append(sent);
    const due = new Date(this.dataset["at"] ?? "");
    if (!Number.isNaN(due.getTime())) {
      // `datetime-local` takes a local time without a zone, so convert the time from UTC.
      input.value = new Date(due.getTime() - due.getTimezoneOffset() * 60_000)
        .toISOString()
        .slice(0, 16);
    }
    const update = () =>
      (sent.value = input.value === "" ? "" : new Date(input.value).toISOString());
    update();
    input.addEventListener("input", update);
  }
}

/** The unit after a number input: singular for 1, plural for everything else. */
class UnitLabel extends HTMLElement {
  #listeners = new AbortController();

  connectedCallback(): void {
    const input = document.getElementById(this.dataset["for"] ?? "");
    if (!(input instanceof HTMLInputElement)) return;
    this.#listeners = new AbortController();
    const update = (): void => {
      const { one = "", more = "" } = this.dataset;
      this.textContent = input.valueAsNumber === 1 ? one : more;
    };
    update();
    input.addEventListener("input", update, { signal: this.#listeners.signal });
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
  }
}

/** The server accepts undo for this long after publication. */
const UNDO_MS = 10_000;

/**
 * Offers to undo a publication. The time limit is measured by this browser's clock, from the moment when the update was
 * sent.
 */
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

customElements.define("time-zone-field", TimeZoneField);
customElements.define("keep-fragment", KeepFragment);
customElements.define("theme-switch", ThemeSwitch);
customElements.define("due-field", DueField);
customElements.define("undo-field", UndoField);
customElements.define("unit-label", UnitLabel);

declare global {
  interface HTMLElementTagNameMap {
    "time-zone-field": TimeZoneField;
    "keep-fragment": KeepFragment;
    "theme-switch": ThemeSwitch;
    "due-field": DueField;
    "undo-field": UndoField;
    "unit-label": UnitLabel;
  }
}

// When the person types a due time, also select the radio button beside it.
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
