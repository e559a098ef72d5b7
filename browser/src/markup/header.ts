// The bar over the picture: leaving, zoom, undo and redo, taking the picture along, and saving.
import { icon, iconButton, make } from "../lib/dom.js";

/** What its buttons do. */
export interface Steps {
  leave(): void;
  undo(): void;
  redo(): void;
  copy(): void;
  download(): void;
  keys(): void;
  save(): void;
  zoomBy(factor: number): void;
  trueSize(): void;
  fit(): void;
}

export class Bar {
  readonly element: HTMLElement;
  #undo: HTMLButtonElement;
  #redo: HTMLButtonElement;
  #save: HTMLButtonElement;
  #zooms: HTMLElement;
  #scale = make("button", {
    type: "button",
    class: "tool scale",
    title: "The whole picture, or its true size (Z)",
  });

  constructor(
    readonly words: { name: string; done: string; leave?: string },
    steps: Steps,
  ) {
    const button = (
      name: string,
      keys: string,
      picture: SVGSVGElement,
      act: () => void,
      className = "button quiet icon-only",
    ) => {
      const made = iconButton(name, picture, className);
      made.title = keys === "" ? name : `${name} (${keys})`;
      made.addEventListener("click", act);
      return made;
    };
    this.#undo = button("Undo", "Ctrl+Z", icon("undo-2"), () => steps.undo());
    this.#redo = button("Redo", "Ctrl+Shift+Z", icon("redo-2"), () => steps.redo());
    this.#scale.addEventListener("click", () => steps.trueSize());
    this.#zooms = make(
      "div",
      { class: "markup-zoom", role: "group", "aria-label": "Zoom", hidden: true },
      button("Zoom out", "−", icon("zoom-out"), () => steps.zoomBy(1 / 1.4), "tool"),
      this.#scale,
      button("Zoom in", "+", icon("zoom-in"), () => steps.zoomBy(1.4), "tool"),
      button("Whole picture", "0", icon("scan"), () => steps.fit(), "tool"),
    );
    this.#save = make(
      "button",
      { type: "button", class: "button main", title: `${words.done} (Ctrl+Enter)`, disabled: true },
      words.done,
    );
    this.#save.addEventListener("click", () => steps.save());
    const leave = button(
      words.leave ?? "Leave",
      "Esc",
      icon("x"),
      () => steps.leave(),
      words.leave === undefined ? "button quiet icon-only" : "button quiet",
    );
    if (words.leave !== undefined) leave.append(make("span", {}, words.leave));
    this.element = make(
      "div",
      { class: "markup-bar" },
      leave,
      make("h1", {}, words.name),
      make("span", { class: "spring" }),
      this.#zooms,
      this.#undo,
      this.#redo,
      button("Copy picture", "Ctrl+C", icon("copy"), () => steps.copy()),
      button("Download", "", icon("download"), () => steps.download()),
      button("Keys", "?", icon("keyboard"), () => steps.keys()),
      this.#save,
    );
    this.show(false, false);
  }

  /** Whether there is a picture, and it could be saved. */
  get ready(): boolean {
    return !this.#save.disabled;
  }

  /** The picture is there. */
  open(): void {
    this.#zooms.hidden = false;
    this.#save.disabled = false;
  }

  show(canUndo: boolean, canRedo: boolean): void {
    this.#undo.setAttribute("aria-disabled", String(!canUndo));
    this.#redo.setAttribute("aria-disabled", String(!canRedo));
  }

  zoomed(scale: number): void {
    const percent = Math.round(scale * devicePixelRatio * 100);
    this.#scale.textContent = `${percent} %`;
    this.#scale.setAttribute(
      "aria-label",
      `${percent} %. Switch between the whole picture and its true size`,
    );
  }

  saving(on: boolean): void {
    this.#save.setAttribute("aria-busy", String(on));
    this.#save.textContent = on ? "Saving…" : this.words.done;
  }
}
