// The editor's keyboard shortcuts. Every pointer action has a keyboard equivalent.
import { isTextEntry } from "../lib/dom.js";
import { latinKey } from "../lib/latin-key.js";
import { shortcutsEnabled } from "../lib/shortcuts.js";
import type { EditorCommands } from "./context.js";
import { bounds } from "./geometry.js";
import { colors } from "./shapes.js";
import { shapeAtPoint, tools, type DrawStyle } from "./tools.js";

const directions: Record<string, [x: number, y: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The distance that an arrow key pans, in screen pixels. */
const panStep = 60;
/** A panning distance that exceeds the height of any picture. */
const allTheWay = 1e6;
const zoomStep = 1.4;

/** Runs the action of a key. Returns false if the key has no action in the current state. */
export function handleKey(editor: EditorCommands, event: KeyboardEvent): boolean {
  if (isTextEntry(event.target) || event.isComposing) return false;
  if (event.key === "Escape") return handled(editor.escape());
  if (event.ctrlKey || event.metaKey) return handleShortcut(editor, event);
  const isOnStage = event.target === editor.viewport.stage;
  if (isOnStage && handleStageKey(editor, event)) return true;
  return (
    handleNamedKey(editor, event) ||
    (!event.altKey && shortcutsEnabled() && handleCharacter(editor, event))
  );
}

/** Handles keys that act on the stage but have a different meaning while a button has the focus. */
function handleStageKey(editor: EditorCommands, event: KeyboardEvent): boolean {
  const direction = directions[event.key];
  if (direction) return handled(handleArrow(editor, direction, event));
  if (event.key === "Enter") return handled(handleEnter(editor));
  // Tab selects the next mark. After the last mark, Tab moves the focus out of the stage.
  if (event.key !== "Tab" || editor.cropTool) return false;
  if (!editor.doc.selectNext(event.shiftKey ? -1 : 1)) return false;
  return handled(revealSelection(editor));
}

function handleNamedKey(editor: EditorCommands, event: KeyboardEvent): boolean {
  const { doc, cropTool, viewport } = editor;
  const page = viewport.stageSize.height * 0.9;
  const reorders = doc.selected.length > 0 && !cropTool;
  switch (event.key) {
    case "Delete":
    case "Backspace":
      return handled(
        cropTool ? cropTool.set([0, 0, doc.size.width, doc.size.height]) : doc.remove(),
      );
    case "PageUp":
      return handled(reorders ? doc.reorder(1, false) : viewport.pan(0, page));
    case "PageDown":
      return handled(reorders ? doc.reorder(-1, false) : viewport.pan(0, -page));
    case "Home":
      return handled(reorders ? doc.reorder(1, true) : viewport.pan(0, allTheWay));
    case "End":
      return handled(reorders ? doc.reorder(-1, true) : viewport.pan(0, -allTheWay));
    case "F2":
      return handled(editSelectedText(editor));
    case "?":
      return handled(editor.showKeys());
    default:
      return false;
  }
}

/** Handles keys pressed with Control or Command. */
function handleShortcut(editor: EditorCommands, event: KeyboardEvent): boolean {
  const { doc } = editor;
  const hasSelection = doc.selected.length > 0;
  switch (latinKey(event).toLowerCase()) {
    case "z":
      return handled(event.shiftKey ? doc.redo() : doc.undo());
    case "y":
      return handled(doc.redo());
    case "a":
      return handled(doc.select(doc.marks.map(({ id }) => id)));
    case "c":
      return handled(hasSelection ? doc.copy() : editor.copyPicture());
    case "x":
      if (!hasSelection) return false;
      doc.copy();
      return handled(doc.remove());
    case "v":
      return doc.canPaste && handled(doc.paste());
    case "d":
      return handled(doc.duplicate());
    case "]":
    case "}":
      return handled(doc.reorder(1, event.shiftKey));
    case "[":
    case "{":
      return handled(doc.reorder(-1, event.shiftKey));
    case "enter":
      return handled(editor.save());
    default:
      return false;
  }
}

/**
 * Handles letters, digits and punctuation. People can switch these shortcuts off, because speech input may trigger
 * them.
 */
function handleCharacter(editor: EditorCommands, event: KeyboardEvent): boolean {
  const { doc, viewport } = editor;
  const typed = latinKey(event).toLowerCase();
  const color = /^[1-8]$/.test(typed) ? colors[Number(typed) - 1] : undefined;
  if (color) return handled(doc.setColor(color));
  switch (typed) {
    case "+":
    case "=":
      return handled(viewport.zoomBy(zoomStep));
    case "-":
      return handled(viewport.zoomBy(1 / zoomStep));
    case "0":
      return handled(viewport.fit());
    case "[":
      return handled(changeLevel(editor, -1));
    case "]":
      return handled(changeLevel(editor, 1));
    case "z":
      return handled(viewport.trueSize());
  }
  const chosen = tools.find(({ key }) => key === typed);
  return (
    chosen !== undefined && editor.hasTool(chosen.tool) && handled(editor.useTool(chosen.tool))
  );
}

function changeLevel({ doc }: EditorCommands, step: 1 | -1): void {
  doc.setLevel(Math.min(2, Math.max(0, doc.shownStyle.level + step)) as DrawStyle["level"]);
}

/** Moves or resizes the crop or the selection. Pans if there is neither. */
function handleArrow(editor: EditorCommands, [x, y]: [number, number], event: KeyboardEvent): void {
  const { doc, cropTool, viewport } = editor;
  const step = event.shiftKey ? 10 : 1;
  if (cropTool) return cropTool.nudge(x * step, y * step, event.altKey);
  if (doc.selected.length === 0) return viewport.pan(-x * panStep, -y * panStep);
  if (event.altKey) doc.resizeBy(x * step, y * step);
  else doc.nudge(x * step, y * step);
  revealSelection(editor);
}

/** Applies the crop, edits the selected text, or places a shape in the middle of the visible part. */
function handleEnter(editor: EditorCommands): void {
  const { doc, cropTool, tool, viewport } = editor;
  if (cropTool) return cropTool.apply();
  const [only, more] = doc.selected;
  if (only?.shape.kind === "text" && !more && (tool === "select" || tool === "text"))
    return editSelectedText(editor);
  const [x, y, width, height] = viewport.visibleBox;
  if (tool === "text") return editor.editText([x + width * 0.4, y + height * 0.45]);
  const shape = shapeAtPoint(
    tool,
    [x + width / 2, y + height / 2],
    { width, height },
    doc.size,
    doc.style,
    doc.nextStepNumber,
  );
  if (shape) doc.add(shape);
}

function editSelectedText(editor: EditorCommands): void {
  const [only, more] = editor.doc.selected;
  if (only?.shape.kind === "text" && !more) editor.editText(only.id);
}

function revealSelection({ doc, viewport }: EditorCommands): void {
  const [first] = doc.selected;
  if (first) viewport.reveal(bounds(first.shape, doc.size));
}

/** Returns true. `handled(action())` runs an action and reports that the key was handled. */
function handled(_: void): true {
  return true;
}
