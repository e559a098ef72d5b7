// The data that a page passes to the editor, and the data that the editor passes back.
import type { Markup } from "./shapes.js";

export interface EditorTask {
  /** A blob, or a same-origin URL. */
  picture: Blob | string;
  /** The name of the picture, for labels and for the downloaded file's name. */
  name: string;
  /** The markup when the editor opens. */
  markup: Markup;
  /** Whether the editor offers redaction and crop, which destroy pixels. */
  allowsDestruction: boolean;
  /**
   * Describes the pixels that saving destroys permanently. Shown before a save that destroys
   * pixels.
   */
  lossWarning(markup: Markup): string;
  /** The label of the main button. */
  saveLabel: string;
  /** The label of the button that leaves the editor. Set if leaving also discards the picture. */
  leaveLabel?: string;
  /**
   * Set if the update is published and people have responded; `people` is their number. The editor then offers to
   * request new responses.
   */
  answered?: { people: number };
  /**
   * Saves the markup. If this rejects, the editor stays open and shows the error's message. Ask the person questions
   * only inside `pauseSaving`, which hides the progress indicator until they answer.
   */
  save(markup: Markup, change: RevisionChange | undefined, pauseSaving: PauseSaving): Promise<void>;
}

export type PauseSaving = <T>(question: () => Promise<T>) => Promise<T>;

/**
 * Whether people who have responded must respond again, and a note on what has changed. The field names are those of
 * the API.
 */
export interface RevisionChange {
  change: "material" | "cosmetic";
  what_changed?: string;
}
