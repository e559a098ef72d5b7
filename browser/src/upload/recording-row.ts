// The list row of one unfinished recording, with its message, its progress and its buttons.
import { announce, icon, make, setMessage } from "../lib/dom.js";

export class RecordingRow {
  readonly element: HTMLLIElement;
  #message = make("p", { class: "meta" });
  #progress = make("progress", {
    max: "1",
    value: "0",
    hidden: true,
    "aria-label": "Sending the recording",
  });
  #buttons = make("div", { class: "actions" });

  /**
   * `media` is the id of the recording's media. It is stored as `data-of`, so that the row in the upload queue can
   * refer to this row.
   */
  constructor(title: string, media = "") {
    this.element = make(
      "li",
      { class: "note unfinished-recording", "data-of": media },
      icon("film"),
      make(
        "div",
        {},
        make("p", { class: "name" }, make("bdi", {}, title)),
        this.#message,
        this.#progress,
        this.#buttons,
      ),
    );
  }

  showMessage(message: string): void {
    this.element.classList.remove("problem");
    setMessage(this.#message, message);
  }

  showError(message: string): void {
    this.showMessage(message);
    this.element.classList.add("problem");
    this.#progress.hidden = true;
    announce(message);
  }

  /** `fraction` is between 0 and 1. */
  showProgress(fraction: number): void {
    this.#progress.hidden = false;
    this.#progress.value = fraction;
  }

  /** Replaces the buttons. */
  setActions(...buttons: HTMLElement[]): void {
    this.#buttons.replaceChildren(...buttons);
  }

  /** Shows a final message without buttons, and moves the focus to the row. */
  close(message: string): void {
    this.showMessage(message);
    this.#progress.hidden = true;
    this.setActions();
    this.element.tabIndex = -1;
    this.element.focus();
    announce(message);
  }

  /** Removes the row and moves the focus to its neighbor. */
  remove(): void {
    const neighbor = this.element.nextElementSibling ?? this.element.previousElementSibling;
    const list = this.element.parentElement;
    this.element.remove();
    if (neighbor) neighbor.querySelector<HTMLElement>("button, a")?.focus();
    else {
      list?.remove();
      document.getElementById("main")?.focus();
    }
  }
}

/** A button that ignores clicks while its action is running. */
export function actionButton(
  label: string,
  action: () => void | Promise<void>,
  className = "",
): HTMLButtonElement {
  const button = make("button", { type: "button", class: `button ${className}`.trim() }, label);
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    void Promise.resolve(action()).finally(() => button.removeAttribute("aria-busy"));
  });
  return button;
}
