// What a page passes to the editor, and what it gets back.
import type { Markup } from "./shapes.js";

export interface EditorTask {
  /** A blob, or an address of this site. */
  picture: Blob | string;
  /** The name of the picture, for labels and for the name of a downloaded file. */
  name: string;
  /** What is on the picture at the start. */
  markup: Markup;
  /** Whether the editor offers redaction and crop, which destroy pixels. */
  allowsDestruction: boolean;
  /** What saving destroys for good, shown before the first save that does. */
  lossWarning(markup: Markup): string;
  /** The label of the main button. */
  saveLabel: string;
  /** The label of the button that leaves. Set if leaving also drops the picture. */
  leaveLabel?: string;
  /** Set if the update is published and this many people answered it: saving can ask them again. */
  answered?: { people: number };
  /**
   * Saves the markup. An error keeps the editor open and shows the error's message. Questions to the person must run inside `pauseSaving`: the
   * editor shows then that nothing is being saved.
   */
  save(markup: Markup, change: RevisionChange | undefined, pauseSaving: PauseSaving): Promise<void>;
}

export type PauseSaving = <T>(question: () => Promise<T>) => Promise<T>;

/** Whether people who answered are asked again, and what to tell them. The names are those of the API. */
export interface RevisionChange {
  change: "material" | "cosmetic";
  what_changed?: string;
}
