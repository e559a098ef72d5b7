// What pointer states, keys and tools need from the editor.
import type { MarkupCanvas } from "./canvas.js";
import type { CropTool } from "./crop-tool.js";
import type { MarkupDocument } from "./document.js";
import type { Point } from "./shapes.js";
import type { Tool } from "./tools.js";
import type { Viewport } from "./viewport.js";

export interface EditorContext {
  readonly doc: MarkupDocument;
  readonly viewport: Viewport;
  readonly canvas: MarkupCanvas;
  readonly tool: Tool;
  /** Set while the crop tool is active. */
  readonly cropTool: CropTool | null;
  /** Whether the space bar is held, so that every drag pans. */
  readonly isPanning: boolean;
  /** Opens the text field: at a point (in pixels of the picture) for a new text, or on the text with this id. */
  editText(target: Point | number): void;
  /** Closes the text field and keeps its text. Returns whether it was open. */
  finishText(): boolean;
  /** Announces a message to screen readers. `visible` also shows it on the page for a few seconds. */
  say(message: string, visible?: boolean): void;
}

export interface EditorCommands extends EditorContext {
  useTool(tool: Tool): void;
  hasTool(tool: Tool): boolean;
  /** Goes one step back: ends the current gesture or the text, then clears the selection, leaves the tool, leaves the editor. */
  escape(): void;
  save(): void;
  copyPicture(): void;
  showKeys(): void;
}
