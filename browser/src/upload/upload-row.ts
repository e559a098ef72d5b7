// The row of a file in the upload queue.
import { icon, iconButton, make } from "../lib/dom.js";

export class UploadRow {
  readonly element = make("li", { class: "media-item", "data-js": true });
  #message: HTMLElement | null = null;

  /** `onRemove` is called when the person cancels the upload or dismisses an error. */
  constructor(private readonly onRemove: () => void) {}

  /** Shows a message. If `fraction` is given, also shows the progress, from 0 to 1. */
  show(file: File, message: string, fraction?: number): void {
    this.#message ??= this.#build(file);
    this.#message.textContent = message;
    const progress = this.element.querySelector("progress");
    if (progress && fraction !== undefined) progress.value = fraction;
    delete this.element.dataset["state"];
  }

  /** Replaces the progress with an error, and with a button if an action is available. */
  showError(file: File, message: string, action?: { label: string; run: () => void }): void {
    this.show(file, message);
    this.element.dataset["state"] = "failed";
    this.element.querySelector("progress")?.remove();
    const dismiss = this.element.querySelector(".icon-only");
    for (const name of ["aria-label", "title"]) dismiss?.setAttribute(name, `Dismiss ${file.name}`);
    if (!action) return;
    const button = make("button", { type: "button", class: "button" }, action.label);
    button.addEventListener("click", action.run);
    this.element.querySelector(".row-actions")?.prepend(button);
  }

  /** Clears the row, so that the next message rebuilds it. */
  reset(): void {
    this.element.replaceChildren();
    this.#message = null;
  }

  #build(file: File): HTMLElement {
    const cancel = iconButton(`Cancel ${file.name}`, icon("x"), "button quiet icon-only");
    cancel.addEventListener("click", this.onRemove);
    const message = make("p", { class: "meta", "data-say": true });
    this.element.replaceChildren(
      make(
        "span",
        { class: "thumbnail" },
        file.type.startsWith("video/") ? icon("film") : icon("image"),
      ),
      make(
        "div",
        { class: "row-text" },
        make("p", { class: "name" }, make("bdi", {}, file.name)),
        make("progress", { max: "1", value: "0", "aria-label": `Sending ${file.name}` }),
        message,
      ),
      make("div", { class: "row-actions" }, cancel),
    );
    return message;
  }
}
