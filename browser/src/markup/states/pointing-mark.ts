// A mark is pressed and selected but has not moved yet. A drag moves the selection.
import type { EditorContext } from "../context.js";
import type { Mark } from "../marks.js";
import type { Point } from "../shapes.js";
import { isDrag, lastPoint, type PointerState } from "./state.js";
import { Translating } from "./translating.js";

export class PointingMark implements PointerState {
  #wasSelected = false;

  constructor(
    private readonly context: EditorContext,
    private readonly from: Point,
    private readonly mark: Mark,
    private readonly pointerType: string,
  ) {}

  enter(): void {
    const { doc, tool } = this.context;
    const isSelected = doc.isSelected(this.mark.id);
    this.#wasSelected = isSelected && tool === "select";
    if (!isSelected) doc.select([this.mark.id]);
  }

  pointerMove(events: PointerEvent[]): PointerState | void {
    if (isDrag(this.context, this.from, lastPoint(this.context, events)))
      return new Translating(this.context, this.from, this.context.doc.selected);
  }

  pointerUp(): void {
    const { doc } = this.context;
    if (doc.selected.length > 1) doc.select([this.mark.id]);
    // A finger or pen cannot double-click, so a tap on a text that is already selected edits it.
    // `editText` ignores other shapes.
    else if (this.#wasSelected && this.pointerType !== "mouse") this.context.editText(this.mark.id);
  }
}
