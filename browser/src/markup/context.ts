// The part of the editor that the pointer states, the keyboard shortcuts and the tools use.
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
  /** Whether the space bar is held. Every drag then pans. */
  readonly isPanning: boolean;
  /** Opens the text field: for a new text at a point (in picture pixels), or for the text shape with this id. */
  editText(target: Point | number): void;
  /** Closes the text field and keeps its text. Returns whether the field was open. */
  finishText(): boolean;
  /** Announces a message to screen readers. `visible` also shows the message on the page for a few seconds. */
  say(message: string, visible?: boolean): void;
}

export interface EditorCommands extends EditorContext {
  useTool(tool: Tool): void;
  hasTool(tool: Tool): boolean;
  /**
   * Leaves one thing per call: the current gesture, the text field, the crop, the selection, the tool, and finally the
   * editor.
   */
  escape(): void;
  save(): void;
  copyPicture(): void;
  showKeys(): void;
}
