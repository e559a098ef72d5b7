// The pictures attached to a comment before it is sent.
import { icon, iconButton, make } from "../lib/dom.js";

export class Attachments {
  #files: File[] = [];

  /** `box` returns the element that shows the pictures. */
  constructor(private readonly box: () => HTMLElement | null) {}

  get files(): readonly File[] {
    return this.#files;
  }

  add(files: Iterable<File>): void {
    this.#files.push(...files);
    this.#draw();
  }

  clear(): void {
    this.#files = [];
    this.#draw();
  }

  #draw(): void {
    const box = this.box();
    if (!box) return;
    for (const image of box.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    box.hidden = this.#files.length === 0;
    box.replaceChildren(
      ...this.#files.map((file, index) => {
        const remove = iconButton(`Remove ${file.name}`, icon("x"), "");
        remove.addEventListener("click", () => {
          this.#files.splice(index, 1);
          this.#draw();
        });
        return make(
          "figure",
          {},
          make("img", { src: URL.createObjectURL(file), alt: file.name }),
          remove,
        );
      }),
    );
  }
}
