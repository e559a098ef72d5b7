// The hand tool of an image viewer: while its button is switched on or the space bar is held, dragging moves the image.
import { icon, iconButton, isTextEntry } from "../lib/dom.js";

export class HandTool {
  readonly button = iconButton("Move the picture (hold space)", icon("hand"), "tool");
  #isSpaceHeld = false;

  constructor(
    private readonly viewport: HTMLElement,
    private readonly onChange: () => void,
    signal: AbortSignal,
  ) {
    this.button.setAttribute("aria-pressed", "false");
    this.button.addEventListener("click", () => this.#toggle());
    // Listen in the capture phase, so that the space bar neither scrolls the page nor activates a button over the
    // image.
    document.addEventListener("keydown", (event) => this.#holdSpace(event), {
      signal,
      capture: true,
    });
    document.addEventListener(
      "keyup",
      (event) => {
        if (event.key !== " " || !this.#isSpaceHeld) return;
        event.preventDefault();
        this.#setSpaceHeld(false);
      },
      { signal, capture: true },
    );
    addEventListener("blur", () => this.#setSpaceHeld(false), { signal });
  }

  get isOn(): boolean {
    return this.#isSpaceHeld || this.#isPressed;
  }

  get #isPressed(): boolean {
    return this.button.getAttribute("aria-pressed") === "true";
  }

  #toggle(): void {
    this.button.setAttribute("aria-pressed", String(!this.#isPressed));
    this.onChange();
  }

  #holdSpace(event: KeyboardEvent): void {
    if (event.key !== " " || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTextEntry(event.target)) return;
    if (!this.#isSpaceHeld && !this.viewport.matches(":hover, :focus")) return;
    event.preventDefault();
    event.stopPropagation();
    this.#setSpaceHeld(true);
  }

  #setSpaceHeld(isHeld: boolean): void {
    this.#isSpaceHeld = isHeld;
    this.onChange();
  }
}
