// <markup-editor>: marks up a picture.
import { confirmDialog } from "../lib/dialogs.js";
import { make } from "../lib/dom.js";
import { MarkupCanvas } from "./canvas.js";
import type { EditorCommands } from "./context.js";
import { CropTool } from "./crop-tool.js";
import { MarkupDocument } from "./document.js";
import { fontName, isBlockCoded } from "./draw.js";
import { copyToClipboard, download } from "./copy-and-download.js";
import { flattenPicture } from "./flatten.js";
import { EditorHeader } from "./header.js";
import { showKeyList } from "./key-list.js";
import { handleKey } from "./keys.js";
import { loadPicture, type LoadedPicture } from "./load-picture.js";
import { EditorMessages } from "./messages.js";
import { PointerInput } from "./pointer.js";
import { SaveController } from "./save-controller.js";
import type { EditorTask } from "./session.js";
import type { Box, Point } from "./shapes.js";
import { TextTool } from "./text-tool.js";
import { Toolbar } from "./toolbar.js";
import { tools, type Tool } from "./tools.js";
import { Viewport } from "./viewport.js";

export class MarkupEditor extends HTMLElement implements EditorCommands {
  tool: Tool = "arrow";
  cropTool: CropTool | null = null;
  isPanning = false;
  // Set once the picture is loaded.
  doc!: MarkupDocument;
  canvas!: MarkupCanvas;
  viewport!: Viewport;
  #picture: LoadedPicture | null = null;
  #toolbar!: Toolbar;
  #pointer!: PointerInput;
  #text!: TextTool;
  // Set when `run` is called.
  #task!: EditorTask;
  #header!: EditorHeader;
  #saving!: SaveController;
  #messages = new EditorMessages();
  #stage = make("div", {
    class: "markup-stage",
    tabindex: "0",
    role: "application",
    "aria-describedby": "markup-hint",
  });
  #finish: (saved: boolean) => void = () => undefined;
  #listeners = new AbortController();

  /** Resolves with true once the markup is saved, or with false if the person leaves. */
  async run(task: EditorTask): Promise<boolean> {
    this.#task = task;
    this.#showFrame();
    const ended = new Promise<boolean>((resolve) => (this.#finish = resolve));
    const picture = await loadPicture(task.picture);
    if (picture) this.#open(picture);
    else this.#showOnStage("The picture could not be opened. Close the editor and try again.");
    const saved = await ended;
    this.#listeners.abort();
    this.viewport?.disconnect();
    if (picture?.url.startsWith("blob:")) URL.revokeObjectURL(picture.url);
    return saved;
  }

  /** Shows the editor's controls before the picture is loaded. */
  #showFrame(): void {
    this.#header = this.#makeHeader();
    this.#saving = this.#makeSaveController();
    this.#stage.setAttribute("aria-label", this.#task.name);
    this.append(
      this.#header.element,
      this.#stage,
      this.#saving.errorBox,
      this.#messages.status,
      make(
        "p",
        { id: "markup-hint", hidden: true },
        "Press a letter to choose a tool, Enter to place a mark, Tab to go through the marks, and arrow keys to move them. Press the question mark for all keys.",
      ),
    );
    this.#showOnStage("Opening the picture…");
  }

  #showOnStage(text: string): void {
    this.#stage.replaceChildren(make("p", { class: "markup-wait" }, text));
  }

  #open(picture: LoadedPicture): void {
    const { image } = picture;
    const sheet = make("div", { class: "markup-sheet" }, image);
    const size = { width: image.naturalWidth, height: image.naturalHeight };
    this.#picture = picture;
    this.doc = new MarkupDocument(this.#task.markup, size, (message, isRefusal) =>
      this.#handleChange(message, isRefusal),
    );
    this.canvas = new MarkupCanvas(this.doc, isBlockCoded(picture.blob?.type ?? picture.url));
    sheet.append(this.canvas.shapesLayer);
    this.#stage.replaceChildren(sheet, this.canvas.overlay, this.#messages.note);
    this.#stage.setAttribute(
      "aria-label",
      `${this.#task.name}, ${size.width} by ${size.height} pixels`,
    );
    this.#toolbar = this.#makeToolbar();
    this.append(...this.#toolbar.elements);
    this.viewport = new Viewport(this.#stage, sheet, size, () => this.#handleViewportChange());
    this.canvas.viewport = this.viewport;
    this.#text = new TextTool(this, {
      stage: this.#stage,
      isEditorOpen: () => !this.#listeners.signal.aborted,
    });
    this.viewport.showInitial();
    // Start with wide lines on a phone, where a line of medium width is too thin to see.
    if (matchMedia("(pointer: coarse)").matches && this.viewport.scale < 0.5) this.doc.setLevel(2);
    this.#pointer = new PointerInput(this, this.#stage, this.#listeners.signal);
    this.#listen();
    this.#header.enable();
    this.useTool("arrow");
    this.focusStage();
    // Update the canvas once the font is loaded, because the bounds of texts are measured with it.
    void document.fonts.load(`16px "${fontName}"`).then(() => this.canvas.update());
  }

  #makeHeader(): EditorHeader {
    return new EditorHeader(this.#task, {
      leave: () => void this.leave(),
      undo: () => this.doc?.undo(),
      redo: () => this.doc?.redo(),
      copy: () => this.copyPicture(),
      download: () => void this.downloadPicture(),
      keys: () => this.showKeys(),
      save: () => this.save(),
      zoomBy: (factor) => this.viewport.zoomBy(factor),
      trueSize: () => this.viewport.trueSize(),
      fit: () => this.viewport.fit(),
    });
  }

  #makeSaveController(): SaveController {
    return new SaveController(this.#task, {
      editor: this,
      header: this.#header,
      saved: () => this.#finish(true),
    });
  }

  #makeToolbar(): Toolbar {
    return new Toolbar(
      {
        use: (tool) => this.useTool(tool),
        color: (color) => this.doc.setColor(color),
        level: (level) => this.doc.setLevel(level),
        duplicate: () => this.doc.duplicate(),
        order: (step) => this.doc.reorder(step, false),
        remove: () => this.doc.remove(),
      },
      (tool) => this.hasTool(tool),
    );
  }

  #listen(): void {
    const { signal } = this.#listeners;
    this.addEventListener("keydown", (event) => this.#handleKeyDown(event), { signal });
    this.addEventListener(
      "keyup",
      (event) => {
        if (event.key === " ") this.#setPanning(false);
      },
      { signal },
    );
    addEventListener("blur", () => this.#setPanning(false), { signal });
    this.addEventListener("click", (event) => this.#returnFocus(event), { signal });
  }

  /**
   * Moves the focus from a clicked button to the stage, because the editor's keys act on the stage.
   * A button that was pressed with the keyboard (`detail` is 0) keeps the focus.
   */
  #returnFocus({ target, detail }: MouseEvent): void {
    if (
      detail > 0 &&
      target instanceof Element &&
      target.closest(".markup-tools, .markup-apart, .markup-zoom, .markup-bar") &&
      document.activeElement?.closest("dialog") === this.closest("dialog") &&
      !this.#text.isEditing
    )
      this.focusStage();
  }

  #handleKeyDown(event: KeyboardEvent): void {
    if (event.defaultPrevented) return;
    if (event.key === " " && event.target === this.#stage) {
      this.#setPanning(true);
      event.preventDefault();
    } else if (handleKey(this, event)) event.preventDefault();
  }

  #setPanning(on: boolean): void {
    this.isPanning = on;
    this.#stage.classList.toggle("hand", on || this.tool === "hand");
  }

  #handleChange(message: string, isRefusal = false): void {
    this.canvas.update();
    this.#updateButtons();
    this.say(message, isRefusal);
  }

  #handleViewportChange(): void {
    this.canvas.drawOverlay();
    this.#text.place();
    this.#header.showScale(this.viewport.scale);
  }

  #updateButtons(): void {
    const { doc } = this;
    this.#toolbar.show({ ...doc.shownStyle, tool: this.tool, selected: doc.selected.length });
    this.#header.showHistory(doc.canUndo, doc.canRedo);
  }

  say(message: string, visible = false): void {
    this.#messages.say(message, visible);
  }

  focusStage(): void {
    this.#stage.focus({ preventScroll: true });
  }

  /** Whether there are unsaved changes. */
  get isDirty(): boolean {
    return this.doc?.isDirty ?? false;
  }

  hasTool(tool: Tool): boolean {
    return this.#task.allowsDestruction || (tool !== "redaction" && tool !== "crop");
  }

  useTool(tool: Tool): void {
    this.finishText();
    this.#pointer.cancel();
    if (this.cropTool && tool !== "crop") this.cropTool.cancel();
    this.tool = tool;
    this.canvas.hasHandles = tool === "select";
    this.#stage.dataset["tool"] = tool;
    this.#stage.style.cursor = "";
    this.#setPanning(false);
    // A drawing tool clears the selection, so that a new color or width does not change earlier marks.
    if (tool === "select" || tool === "hand") {
      this.canvas.drawOverlay();
      this.#updateButtons();
    } else this.doc.select([], true);
    if (tool === "crop" && !this.cropTool) this.#startCrop();
    this.#toolbar.reveal(tool);
    this.say(
      tool === "crop"
        ? "Crop. Arrow keys move the crop area; with Alt, they resize it. Enter crops, Escape cancels."
        : (tools.find((one) => one.tool === tool)?.name ?? ""),
    );
  }

  #startCrop(): void {
    this.cropTool = new CropTool(
      this.doc,
      this.canvas,
      (message) => this.say(message),
      (crop) => this.#endCrop(crop),
    );
    this.append(this.cropTool.bar);
    // Show the whole picture, so that every corner of the crop can be dragged.
    if (!this.doc.crop) this.viewport.fit();
  }

  #endCrop(crop: Box | null): void {
    this.cropTool = null;
    if (this.tool === "crop") this.useTool("select");
    if (crop === this.doc.crop) return;
    // Set the crop after changing the tool, so that the crop is announced last.
    this.doc.setCrop(crop);
    const { width, height } = this.doc.size;
    if (crop)
      this.viewport.fit([crop[0] * width, crop[1] * height, crop[2] * width, crop[3] * height]);
    else this.viewport.fit();
  }

  editText(target: Point | number): void {
    this.#text.edit(target);
  }

  finishText(): boolean {
    return this.#text?.finish() ?? false;
  }

  escape(): void {
    if (this.#pointer?.busy) this.#pointer.cancel();
    else if (this.#text?.isEditing) this.finishText();
    else if (this.cropTool) this.cropTool.cancel();
    else if (this.doc && this.doc.selected.length > 0) this.doc.select([]);
    else if (this.doc && this.tool !== "select") this.useTool("select");
    else void this.leave();
  }

  showKeys(): void {
    showKeyList((tool) => this.hasTool(tool));
  }

  async leave(): Promise<void> {
    if (this.#saving.isSaving) return;
    this.finishText();
    const { leaveLabel } = this.#task;
    const question =
      leaveLabel === undefined
        ? "Leave without saving? Your marks will be lost."
        : "Leave without adding the picture? It will not be sent, and your marks will be lost.";
    if (this.isDirty && !(await confirmDialog(question, leaveLabel ?? "Leave", true))) return;
    this.#finish(false);
  }

  save(): void {
    if (this.#saving.isSaving || !this.#header.isEnabled) return;
    this.finishText();
    this.cropTool?.apply();
    void this.#saving.save();
  }

  copyPicture(): void {
    if (!this.doc) return;
    this.finishText();
    this.say("Copying", true);
    void copyToClipboard(() => this.#flatten()).then((message) => this.say(message, true));
  }

  async downloadPicture(): Promise<void> {
    if (!this.doc) return;
    this.finishText();
    this.say(await download(() => this.#flatten(), this.#task.name), true);
  }

  async #flatten(): Promise<Blob> {
    const blob = this.#picture?.blob;
    if (!blob) throw new Error("You can view this picture here, but you cannot mark it up.");
    return flattenPicture(blob, this.doc.markup);
  }
}

customElements.define("markup-editor", MarkupEditor);

declare global {
  interface HTMLElementTagNameMap {
    "markup-editor": MarkupEditor;
  }
}
