// <markup-editor>: marks on a picture, in a window of its own.
import { make } from "./dom.js";
import { draw } from "./markup-draw.js";
import type { Work } from "./markup-shapes.js";

export { burn } from "./markup-burn.js";
export { draw, words } from "./markup-draw.js";
export { parse, parseWork, type Box, type Shape, type Work } from "./markup-shapes.js";

/** What is to be marked, and what becomes of it. */
export interface Task {
  /** A blob, or an address of this site. */
  picture: Blob | string;
  /** Of the picture: for labels, and the file that is downloaded. */
  name: string;
  work: Work;
  /** Whether redaction and crop are offered. */
  destroys: boolean;
  /** What is said once before something is destroyed for good. */
  final: string;
  /** The words of the main button. */
  done: string;
  /** Published and answered: offers to ask so many people again. */
  again?: { people: number };
  /** Throws a Problem, whose words are shown; the work stays. */
  save(work: Work, again?: Again): Promise<void>;
}

export interface Again {
  change: "material" | "cosmetic";
  what_changed?: string;
}

/** Opens the editor over the page; true once it was saved, false when it was left. */
export function edit(task: Task): Promise<boolean> {
  return new Promise((resolve) => {
    const image = make("img", { alt: task.name });
    image.src = typeof task.picture === "string" ? task.picture : URL.createObjectURL(task.picture);
    const save = make("button", { type: "button", class: "button main" }, task.done);
    const leave = make("button", { type: "button", class: "button" }, "Leave");
    const dialog = make("dialog", { class: "markup", "aria-label": `Mark up ${task.name}`, "data-turbo-temporary": true }, leave, save, image);
    image.addEventListener("load", () => {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("viewBox", `0 0 ${image.naturalWidth} ${image.naturalHeight}`);
      svg.append(...draw(task.work.shapes, image.naturalWidth, image.naturalHeight));
      image.after(svg);
    });
    let saved = false;
    save.addEventListener("click", () => void task.save(task.work).then(() => {
      saved = true;
      dialog.close();
    }));
    leave.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(saved);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
