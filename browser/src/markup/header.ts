// The bar above the picture: leave, zoom, undo, redo, copy, download, keyboard shortcuts, save.
import { icon, iconButton, make } from "../lib/dom.js";
import type { EditorTask } from "./session.js";

export interface HeaderActions {
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

const zoomStep = 1.4;

export class EditorHeader {
  readonly element: HTMLElement;
  #undo: HTMLButtonElement;
  #redo: HTMLButtonElement;
  #save: HTMLButtonElement;
  #zoom: HTMLElement;
  #scale = make("button", {
    type: "button",
    class: "tool scale",
    title: "The whole picture, or its true size (Z)",
  });

  constructor(
    private readonly task: EditorTask,
    actions: HeaderActions,
  ) {
    this.#undo = toolButton("Undo", "Ctrl+Z", icon("undo-2"), () => actions.undo());
    this.#redo = toolButton("Redo", "Ctrl+Shift+Z", icon("redo-2"), () => actions.redo());
    this.#zoom = this.#makeZoom(actions);
    this.#save = make(
      "button",
      {
        type: "button",
        class: "button main",
        title: `${task.saveLabel} (Ctrl+Enter)`,
        disabled: true,
      },
      task.saveLabel,
    );
    this.#save.addEventListener("click", () => actions.save());
    this.element = make(
      "div",
      { class: "markup-bar" },
      leaveButton(task.leaveLabel, () => actions.leave()),
      make("h1", { dir: "auto" }, task.name),
      make("span", { class: "spring" }),
      this.#zoom,
      this.#undo,
      this.#redo,
      toolButton("Copy picture", "Ctrl+C", icon("copy"), () => actions.copy()),
      toolButton("Download", "", icon("download"), () => actions.download()),
      toolButton("Keys", "?", icon("keyboard"), () => actions.keys()),
      this.#save,
    );
    this.showHistory(false, false);
  }

  /** Whether saving and zooming are enabled. */
  get isEnabled(): boolean {
    return !this.#save.disabled;
  }

  /** Enables saving and zooming once the picture is loaded. */
  enable(): void {
    this.#zoom.hidden = false;
    this.#save.disabled = false;
  }

  showHistory(canUndo: boolean, canRedo: boolean): void {
    this.#undo.setAttribute("aria-disabled", String(!canUndo));
    this.#redo.setAttribute("aria-disabled", String(!canRedo));
  }

  /**
   * `scale` is in CSS pixels per picture pixel. The button shows it in device pixels per picture
   * pixel, as a percentage.
   */
  showScale(scale: number): void {
    const percent = Math.round(scale * devicePixelRatio * 100);
    this.#scale.textContent = `${percent}%`;
    this.#scale.setAttribute(
      "aria-label",
      `${percent}%. Switch between the whole picture and its true size`,
    );
  }

  showSaving(on: boolean): void {
    this.#save.setAttribute("aria-busy", String(on));
    this.#save.textContent = on ? "Saving…" : this.task.saveLabel;
  }

  #makeZoom(actions: HeaderActions): HTMLElement {
    this.#scale.addEventListener("click", () => actions.trueSize());
    const zoomOut = (): void => actions.zoomBy(1 / zoomStep);
    const zoomIn = (): void => actions.zoomBy(zoomStep);
    return make(
      "div",
      { class: "markup-zoom", role: "group", "aria-label": "Zoom", hidden: true },
      toolButton("Zoom out", "−", icon("zoom-out"), zoomOut, "tool"),
      this.#scale,
      toolButton("Zoom in", "+", icon("zoom-in"), zoomIn, "tool"),
      toolButton("Whole picture", "0", icon("scan"), () => actions.fit(), "tool"),
    );
  }
}

function toolButton(
  name: string,
  keys: string,
  picture: SVGSVGElement,
  act: () => void,
  className = "button quiet icon-only",
): HTMLButtonElement {
  const button = iconButton(name, picture, className);
  button.title = keys === "" ? name : `${name} (${keys})`;
  button.addEventListener("click", act);
  return button;
}

function leaveButton(label: string | undefined, leave: () => void): HTMLButtonElement {
  if (label === undefined) return toolButton("Leave", "Esc", icon("x"), leave);
  const button = toolButton(label, "Esc", icon("x"), leave, "button quiet");
  button.append(make("span", {}, label));
  return button;
}
