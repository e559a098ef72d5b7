// <markup-editor>: marks on a picture, in a window of its own. Here its parts come together; each is a file named markup-….
import { icon, make } from "../lib/dom.js";
import { confirmDialog } from "../lib/dialogs.js";
import { agreed } from "./confirm-save.js";
import { Bar } from "./header.js";
import { Board } from "./document.js";
import { flatten } from "./flatten.js";
import { Crop } from "./crop-tool.js";
import { font, inBlocks } from "./draw.js";
import { press, showKeys, type Commands } from "./keys.js";
import { copyPicture, downloadPicture } from "./export.js";
import { Pointers } from "./pointer.js";
import type { Spot, Text } from "./shapes.js";
import { Sheet } from "./canvas.js";
import type { Again, Task } from "./session.js";
import { TextField } from "./text-tool.js";
import { Toolbar } from "./toolbar.js";
import { placed, tools, type Tool } from "./tools.js";
import { View } from "./viewport.js";

export { burn } from "./flatten.js";
export { draw, words } from "./draw.js";
export type { Again, Task } from "./session.js";
export { parse, parseWork, type Box, type Shape, type Work } from "./shapes.js";

/** Opens the editor over the page; true once it was saved, false when it was left. */
export async function edit(task: Task): Promise<boolean> {
  const editor = document.createElement("markup-editor");
  const dialog = make(
    "dialog",
    { class: "markup", "aria-label": `Mark up ${task.name}`, "data-turbo-temporary": true },
    editor,
  );
  // What happens here is not for the page under it: its keys, and pictures that are pasted or dropped on it.
  for (const name of [
    "keydown",
    "keyup",
    "paste",
    "copy",
    "cut",
    "dragenter",
    "dragover",
    "drop",
    "submit",
  ])
    dialog.addEventListener(name, (event) => event.stopPropagation());
  for (const name of ["dragover", "drop"])
    dialog.addEventListener(name, (event) => event.preventDefault());
  document.body.append(dialog);
  dialog.showModal();
  try {
    return await editor.run(task, dialog);
  } finally {
    dialog.close();
    dialog.remove();
  }
}

class MarkupEditor extends HTMLElement implements Commands {
  tool: Tool = "arrow";
  crop: Crop | null = null;
  panning = false;
  board!: Board;
  view!: View;
  sheet!: Sheet;
  #task!: Task;
  #picture: Blob | null = null;
  #bar!: Bar;
  #toolbar!: Toolbar;
  #pointers!: Pointers;
  #text: TextField | null = null;
  #noted = 0;
  #busy = false;
  #agreed: { again: Again | undefined; marks: Board["marks"]; crop: Board["crop"] } | null = null;
  #finish: (saved: boolean) => void = () => {};
  #listeners = new AbortController();
  #stage = make("div", {
    class: "markup-stage",
    tabindex: "0",
    role: "application",
    "aria-describedby": "markup-hint",
  });
  #status = make("p", { class: "sr", role: "status" });
  #note = make("p", { class: "markup-note", hidden: true });
  #wrong = make("div", { class: "markup-wrong problem", role: "alert", hidden: true });

  /** Ends when it was saved (true) or left (false). */
  async run(task: Task, dialog: HTMLDialogElement): Promise<boolean> {
    this.#task = task;
    this.#frame();
    const { signal } = this.#listeners;
    const ended = new Promise<boolean>((resolve) => (this.#finish = resolve));
    dialog.addEventListener(
      "cancel",
      (event) => {
        event.preventDefault();
        this.escape();
      },
      { signal },
    );
    // A browser that closes it all the same, as Android's "back" does the second time, does not lose the work.
    dialog.addEventListener(
      "close",
      () => {
        dialog.showModal();
        void this.leave();
      },
      { signal },
    );
    const address = await this.#load(task.picture);
    if (address !== null) this.#begin(address);
    const saved = await ended;
    this.#listeners.abort();
    this.view?.end();
    if (address?.startsWith("blob:")) URL.revokeObjectURL(address);
    return saved;
  }

  /** What is there before the picture is. */
  #frame(): void {
    this.#bar = new Bar(this.#task, {
      leave: () => void this.leave(),
      undo: () => this.board?.undo(),
      redo: () => this.board?.redo(),
      copy: () => this.copy(),
      download: () => void this.#download(),
      keys: () => this.keys(),
      save: () => this.save(),
      zoomBy: (factor) => this.view.zoomBy(factor),
      trueSize: () => this.view.trueSize(),
      fit: () => this.view.fit(),
    });
    this.#stage.setAttribute("aria-label", this.#task.name);
    this.append(
      this.#bar.element,
      this.#stage,
      this.#wrong,
      this.#status,
      make(
        "p",
        { id: "markup-hint", hidden: true },
        "A letter takes a tool, Enter places a mark, Tab goes through the marks, arrows move them. Question mark lists all keys.",
      ),
    );
    this.#stage.append(make("p", { class: "markup-wait" }, "Opening the picture…"));
  }

  /** The address the picture is shown from, or null with the reason on the stage. */
  async #load(picture: Blob | string): Promise<string | null> {
    if (typeof picture !== "string") this.#picture = picture;
    else {
      try {
        const answer = await fetch(picture, { credentials: "same-origin" });
        if (!answer.ok) throw new Error(String(answer.status));
        this.#picture = await answer.blob();
      } catch {
        // Kept elsewhere, where this page may show it and not read it.
        this.#picture = null;
      }
    }
    const address = this.#picture ? URL.createObjectURL(this.#picture) : (picture as string);
    const image = make("img", { alt: "", draggable: "false" });
    image.src = address;
    try {
      await image.decode();
    } catch {
      this.#stage.replaceChildren(
        make(
          "p",
          { class: "markup-wait" },
          "The picture could not be opened. Leave, and try again in a moment.",
        ),
      );
      return null;
    }
    this.#stage.replaceChildren(make("div", { class: "markup-sheet" }, image));
    return address;
  }

  #begin(address: string): void {
    const { signal } = this.#listeners;
    const sheet = this.#stage.firstElementChild as HTMLElement;
    const image = sheet.firstElementChild as HTMLImageElement;
    const size = { width: image.naturalWidth, height: image.naturalHeight };
    this.board = new Board(this.#task.work, size, (said, refused) => this.#changed(said, refused));
    this.sheet = new Sheet(this.board, inBlocks(this.#picture?.type ?? address));
    sheet.append(this.sheet.shapes);
    this.#stage.append(this.sheet.over, this.#note);
    this.#stage.setAttribute(
      "aria-label",
      `${this.#task.name}, ${size.width} by ${size.height} pixels`,
    );
    this.#toolbar = new Toolbar(
      {
        use: (tool) => this.use(tool),
        color: (color) => this.board.color(color),
        level: (level) => this.board.level(level),
        duplicate: () => this.board.duplicate(),
        order: (step) => this.board.order(step, false),
        remove: () => this.board.remove(),
      },
      (tool) => this.has(tool),
    );
    this.append(this.#toolbar.element, ...(this.#toolbar.apart ? [this.#toolbar.apart] : []));
    this.view = this.sheet.view = new View(this.#stage, sheet, size, () => this.#moved());
    this.view.open();
    // On a telephone a usual line would be a hair.
    if (matchMedia("(pointer: coarse)").matches && this.view.scale < 0.5) this.board.level(2);
    this.#pointers = new Pointers(this, this.#stage, signal);
    this.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.addEventListener(
      "keyup",
      (event) => {
        if (event.key === " ") this.#pan(false);
      },
      { signal },
    );
    addEventListener("blur", () => this.#pan(false), { signal });
    // A tool that was pressed by mouse or finger gives the keys back to the picture.
    this.addEventListener(
      "click",
      ({ target, detail }) => {
        if (
          detail > 0 &&
          target instanceof Element &&
          target.closest(".markup-tools, .markup-apart, .markup-zoom, .markup-bar") &&
          document.activeElement?.closest("dialog") === this.closest("dialog") &&
          !this.#text
        )
          this.#stage.focus({ preventScroll: true });
      },
      { signal },
    );
    addEventListener(
      "beforeunload",
      (event) => {
        if (this.board.dirty) event.preventDefault();
      },
      { signal },
    );
    this.#bar.open();
    this.use("arrow");
    this.#stage.focus({ preventScroll: true });
    // The frames of texts are measured with it.
    void document.fonts.load(`16px "${font}"`).then(() => this.sheet.update());
  }

  #key(event: KeyboardEvent): void {
    if (event.defaultPrevented) return;
    if (event.key === " " && event.target === this.#stage) {
      this.#pan(true);
      event.preventDefault();
    } else if (press(this, event)) event.preventDefault();
  }

  #pan(on: boolean): void {
    this.panning = on;
    this.#stage.classList.toggle("hand", on || this.tool === "hand");
  }

  #changed(said: string, refused = false): void {
    this.sheet.update();
    this.#show();
    this.say(said, refused);
  }

  #show(): void {
    const { board } = this;
    this.#toolbar.show({ ...board.shown, tool: this.tool, selected: board.selected.length });
    this.#bar.show(board.canUndo, board.canRedo);
  }

  #moved(): void {
    this.sheet.frame();
    this.#text?.place();
    this.#bar.zoomed(this.view.scale);
  }

  /** For readers of the screen; what was refused, and what came of a copy, for all. */
  say(words: string, all = false): void {
    if (words === "") return;
    // The same words again are read again only when they differ.
    this.#status.textContent = this.#status.textContent === words ? `${words}\u00a0` : words;
    if (!all) return;
    this.#note.textContent = words;
    this.#note.hidden = false;
    clearTimeout(this.#noted);
    this.#noted = window.setTimeout(() => (this.#note.hidden = true), 5000);
  }

  has(tool: Tool): boolean {
    return this.#task.destroys || (tool !== "redaction" && tool !== "crop");
  }

  use(tool: Tool): void {
    this.written();
    this.#pointers.abandon();
    if (this.crop && tool !== "crop") this.crop.leave();
    this.tool = tool;
    this.sheet.pulls = tool === "select";
    this.#stage.dataset["tool"] = tool;
    this.#stage.style.cursor = "";
    this.#pan(false);
    // Whoever takes another tool is done with what they drew: colours and widths are for what comes.
    if (tool === "select" || tool === "hand") {
      this.sheet.frame();
      this.#show();
    } else this.board.select([], true);
    if (tool === "crop" && !this.crop) this.#crop();
    this.#toolbar.reveal(tool);
    this.say(
      tool === "crop"
        ? "Crop. With Alt, arrows change its size; alone they move it. Enter crops, Escape leaves."
        : (tools.find((one) => one.tool === tool)?.name ?? ""),
    );
  }

  #crop(): void {
    this.crop = new Crop(
      this.board,
      this.sheet,
      (words) => this.say(words),
      (crop) => {
        this.crop = null;
        if (this.tool === "crop") this.use("select");
        // Said last: what came of it, not the tool.
        if (crop !== this.board.crop) {
          this.board.setCrop(crop);
          const { width, height } = this.board.size;
          this.view.fit(
            crop
              ? [crop[0] * width, crop[1] * height, crop[2] * width, crop[3] * height]
              : undefined,
          );
        }
      },
    );
    this.append(this.crop.bar);
    // All of its corners are there to be taken.
    if (!this.board.crop) this.view.fit();
  }

  write(where: Spot | number): void {
    this.written();
    const { board } = this;
    const mark = typeof where === "number" ? board.marks.find(({ id }) => id === where) : undefined;
    const { width, height } = board.size;
    const made =
      typeof where === "number"
        ? mark?.shape
        : placed(
            "text",
            [Math.min(width, Math.max(0, where[0])), Math.min(height, Math.max(0, where[1]))],
            board.size,
            board.size,
            board.style,
            0,
          );
    if (made?.kind !== "text") return;
    board.select(mark ? [mark.id] : [], true);
    this.sheet.hide(mark?.id ?? null);
    this.#text = new TextField(
      made,
      this.view,
      board.size,
      (text) => this.#wrote(text, made, mark?.id ?? null),
      (words) => this.say(words, true),
      () => this.save(),
    );
  }

  #wrote(text: string, shape: Text, id: number | null): void {
    this.#text = null;
    this.sheet.hide(null);
    // Writing may have moved the stage to have the field in sight.
    this.#stage.scrollTo(0, 0);
    if (this.#listeners.signal.aborted) return;
    if (id === null) {
      if (text !== "") this.board.add({ ...shape, text });
    } else if (text === "") this.board.remove();
    else if (text !== shape.text) this.board.replace(new Map([[id, { ...shape, text }]]), "text");
    if (
      document.activeElement === document.body ||
      document.activeElement === null ||
      !this.contains(document.activeElement)
    )
      this.#stage.focus({ preventScroll: true });
  }

  written(): boolean {
    const writing = this.#text !== null;
    this.#text?.finish();
    return writing;
  }

  escape(): void {
    if (this.#pointers?.busy) this.#pointers.abandon();
    else if (this.#text) this.written();
    else if (this.crop) this.crop.leave();
    else if (this.board && this.board.selected.length > 0) this.board.select([]);
    else if (this.board && this.tool !== "select") this.use("select");
    else void this.leave();
  }

  keys(): void {
    showKeys((tool) => this.has(tool));
  }

  async leave(): Promise<void> {
    if (this.#busy) return;
    this.written();
    const { leave } = this.#task;
    const asks =
      leave === undefined
        ? "Leave without saving? What you marked is not kept."
        : "Leave without adding it? The picture is not sent, and what you marked is not kept.";
    if (this.board?.dirty && !(await confirmDialog(asks, leave ?? "Leave", true))) return;
    this.#finish(false);
  }

  save(): void {
    void this.#saving();
  }

  async #saving(): Promise<void> {
    if (this.#busy || !this.#bar.ready) return;
    this.written();
    if (this.crop) this.crop.apply();
    this.#wrong.hidden = true;
    const { marks, crop, work } = this.board;
    // Tried again with nothing changed: asked and answered.
    const same = this.#agreed?.marks === marks && this.#agreed.crop === crop;
    const answer = same ? this.#agreed : await agreed(this.#task, work);
    if (!answer) return;
    this.#agreed = { again: answer.again, marks, crop };
    this.#busy = true;
    this.#saves(true);
    try {
      await this.#task.save(work, answer.again, (question) => this.#asking(question));
      this.#finish(true);
    } catch (error) {
      this.say("Not saved");
      this.#complain(
        error instanceof Error && error.message !== ""
          ? error.message
          : "It was not saved. Try again in a moment.",
      );
    } finally {
      this.#busy = false;
      this.#saves(false);
    }
  }

  #saves(on: boolean): void {
    this.#bar.saving(on);
    this.toggleAttribute("data-saving", on);
    if (on) this.say("Saving");
  }

  async #asking<T>(question: () => Promise<T>): Promise<T> {
    this.#saves(false);
    this.say("Not saved yet");
    try {
      return await question();
    } finally {
      this.#saves(true);
    }
  }

  /** What went wrong, and what can be done with the work, which is all still there. */
  #complain(words: string): void {
    const act = (name: string, run: () => void) => {
      const button = make("button", { type: "button", class: "button" }, name);
      button.addEventListener("click", run);
      return button;
    };
    const again = act("Try again", () => this.save());
    this.#wrong.replaceChildren(
      icon("circle-alert"),
      make("p", {}, `${words} Your marks are still here.`),
      again,
      act("Copy picture", () => this.copy()),
      act("Download", () => void this.#download()),
      act("Close", () => {
        this.#wrong.hidden = true;
        this.#stage.focus();
      }),
    );
    this.#wrong.hidden = false;
    again.focus();
  }

  copy(): void {
    if (!this.board) return;
    this.written();
    this.say("Copying", true);
    void copyPicture(() => this.#flat()).then((words) => this.say(words, true));
  }

  async #download(): Promise<void> {
    if (!this.board) return;
    this.written();
    this.say(await downloadPicture(() => this.#flat(), this.#task.name), true);
  }

  async #flat(): Promise<Blob> {
    if (!this.#picture) throw new Error("It is kept where this page can show it, but not read it.");
    return flatten(this.#picture, this.board.work);
  }
}

customElements.define("markup-editor", MarkupEditor);

declare global {
  interface HTMLElementTagNameMap {
    "markup-editor": MarkupEditor;
  }
}
