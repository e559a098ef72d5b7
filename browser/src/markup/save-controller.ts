// Saves the editor's markup: asks the person to confirm if necessary, shows progress, and shows
// errors.
import { icon, make } from "../lib/dom.js";
import { sendWhenConnected } from "../lib/offline.js";
import { confirmSave } from "./confirm-save.js";
import type { MarkupDocument } from "./document.js";
import type { EditorHeader } from "./header.js";
import type { EditorTask, RevisionChange } from "./session.js";
import type { Markup } from "./shapes.js";

/** The part of the editor that the save controller uses. */
export interface SaveHost {
  readonly editor: HTMLElement & {
    readonly doc: MarkupDocument;
    say(message: string): void;
    save(): void;
    copyPicture(): void;
    downloadPicture(): Promise<void>;
    focusStage(): void;
  };
  readonly header: EditorHeader;
  /** Called once the markup is saved. */
  saved(): void;
}

export class SaveController {
  readonly errorBox = make("div", {
    class: "markup-wrong problem",
    role: "alert",
    hidden: true,
  });
  #isSaving = false;
  /**
   * The change that the person last confirmed. If they save the same markup again after an error, they are not asked
   * again.
   */
  #confirmed: {
    change: RevisionChange | undefined;
    marks: MarkupDocument["marks"];
    crop: MarkupDocument["crop"];
  } | null = null;

  constructor(
    private readonly task: EditorTask,
    private readonly host: SaveHost,
  ) {}

  get isSaving(): boolean {
    return this.#isSaving;
  }

  async save(): Promise<void> {
    if (this.#isSaving) return;
    this.errorBox.hidden = true;
    const { markup } = this.host.editor.doc;
    const confirmed = await this.#confirm();
    if (!confirmed) return;
    this.#isSaving = true;
    this.#showSaving(true);
    try {
      await this.task.save(markup, confirmed.change, (question) => this.#pauseSaving(question));
      this.host.saved();
    } catch (error) {
      this.host.editor.say("Not saved");
      this.#showError(
        error instanceof Error && error.message !== ""
          ? error.message
          : "Saving failed. Try again in a moment.",
      );
      sendWhenConnected(this.errorBox, error, () => this.#saveUnchanged(markup));
    } finally {
      this.#isSaving = false;
      this.#showSaving(false);
    }
  }

  /** Saves again when the server responds, unless the person has closed the error or changed the markup. */
  #saveUnchanged(markup: Markup): void {
    if (this.errorBox.hidden) return;
    this.errorBox.hidden = true;
    if (JSON.stringify(this.host.editor.doc.markup) === JSON.stringify(markup))
      this.host.editor.save();
  }

  async #confirm(): Promise<{ change: RevisionChange | undefined } | null> {
    const { marks, crop, markup } = this.host.editor.doc;
    if (this.#confirmed?.marks === marks && this.#confirmed.crop === crop) return this.#confirmed;
    const answer = await confirmSave(this.task, markup);
    if (answer) this.#confirmed = { ...answer, marks, crop };
    return answer;
  }

  #showSaving(on: boolean): void {
    this.host.header.showSaving(on);
    this.host.editor.toggleAttribute("data-saving", on);
    if (on) this.host.editor.say("Saving");
  }

  async #pauseSaving<T>(question: () => Promise<T>): Promise<T> {
    this.#showSaving(false);
    this.host.editor.say("Not saved yet");
    try {
      return await question();
    } finally {
      this.#showSaving(true);
    }
  }

  #showError(message: string): void {
    const retry = button("Try again", () => this.host.editor.save());
    this.errorBox.replaceChildren(
      icon("circle-alert"),
      make("p", {}, `${message} Your marks are still here.`),
      retry,
      button("Copy picture", () => this.host.editor.copyPicture()),
      button("Download", () => void this.host.editor.downloadPicture()),
      button("Close", () => {
        this.errorBox.hidden = true;
        this.host.editor.focusStage();
      }),
    );
    this.errorBox.hidden = false;
    retry.focus();
  }
}

function button(label: string, act: () => void): HTMLButtonElement {
  const element = make("button", { type: "button", class: "button" }, label);
  element.addEventListener("click", act);
  return element;
}
