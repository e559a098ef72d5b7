// Adds new texts to the picture and edits existing ones, one at a time.
import type { MarkupCanvas } from "./canvas.js";
import type { MarkupDocument } from "./document.js";
import type { Point, TextShape } from "./shapes.js";
import { TextField } from "./text-field.js";
import { shapeAtPoint } from "./tools.js";
import type { Viewport } from "./viewport.js";

/** The part of the editor that the text tool uses. */
interface TextContext {
  readonly doc: MarkupDocument;
  readonly canvas: MarkupCanvas;
  readonly viewport: Viewport;
  say(message: string, visible: boolean): void;
  save(): void;
}

export class TextTool {
  #field: TextField | null = null;

  constructor(
    private readonly context: TextContext,
    private readonly host: { stage: HTMLElement; isEditorOpen(): boolean },
  ) {}

  get isEditing(): boolean {
    return this.#field !== null;
  }

  /** Opens the field: for a new text at a point (in picture pixels), or for the text shape with this id. */
  edit(target: Point | number): void {
    this.finish();
    const { doc, canvas, viewport } = this.context;
    const mark = typeof target === "number" ? doc.marks.find(({ id }) => id === target) : undefined;
    const shape = typeof target === "number" ? mark?.shape : this.#newText(target);
    if (shape?.kind !== "text") return;
    doc.select(mark ? [mark.id] : [], true);
    canvas.hideMark(mark?.id ?? null);
    this.#field = new TextField(shape, viewport, doc.size, {
      finished: (text) => this.#store(text, shape, mark?.id ?? null),
      refused: (message) => this.context.say(message, true),
      save: () => this.context.save(),
    });
  }

  /** Closes the field and keeps its text. Returns whether the field was open. */
  finish(): boolean {
    const wasEditing = this.isEditing;
    this.#field?.finish();
    return wasEditing;
  }

  /** Moves the field along with the picture. */
  place(): void {
    this.#field?.place();
  }

  #newText([x, y]: Point): TextShape | null {
    const { size, style } = this.context.doc;
    const at: Point = [Math.min(size.width, Math.max(0, x)), Math.min(size.height, Math.max(0, y))];
    return shapeAtPoint("text", at, size, size, style, 0) as TextShape | null;
  }

  #store(text: string, shape: TextShape, id: number | null): void {
    const { canvas, doc } = this.context;
    const { stage } = this.host;
    this.#field = null;
    canvas.hideMark(null);
    // The browser may have scrolled the stage to show the field, so scroll back.
    stage.scrollTo(0, 0);
    if (!this.host.isEditorOpen()) return;
    if (id === null) {
      if (text !== "") doc.add({ ...shape, text });
    } else if (text === "") doc.remove();
    else if (text !== shape.text) doc.replace(new Map([[id, { ...shape, text }]]), "text");
    const focused = document.activeElement;
    if (focused === null || focused === document.body || !focused.closest("markup-editor"))
      stage.focus({ preventScroll: true });
  }
}
