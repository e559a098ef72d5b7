// Opens the markup editor in a dialog over the page.
import { make } from "../lib/dom.js";
import type { MarkupEditor } from "./editor.js";
import "./editor.js";
import type { EditorTask } from "./session.js";

/** Opens the editor over the page. Resolves with true once the markup is saved, or with false if the person leaves. */
export async function edit(task: EditorTask): Promise<boolean> {
  const editor = document.createElement("markup-editor");
  const dialog = make(
    "dialog",
    { class: "markup", "aria-label": `Mark up ${task.name}`, "data-turbo-temporary": true },
    editor,
  );
  const listeners = new AbortController();
  isolateEvents(dialog);
  keepOpen(dialog, editor, listeners.signal);
  document.body.append(dialog);
  dialog.showModal();
  try {
    return await editor.run(task);
  } finally {
    listeners.abort();
    dialog.close();
    dialog.remove();
  }
}

/** Keeps key presses, clipboard events, dropped files and form submissions from reaching the page below the dialog. */
function isolateEvents(dialog: HTMLDialogElement): void {
  const dropEvents = ["dragover", "drop"];
  const events = ["keydown", "keyup", "paste", "copy", "cut", "dragenter", "submit"];
  for (const name of [...events, ...dropEvents])
    dialog.addEventListener(name, (event) => event.stopPropagation());
  for (const name of dropEvents) dialog.addEventListener(name, (event) => event.preventDefault());
}

/** Asks for confirmation before the dialog closes with unsaved work. */
function keepOpen(dialog: HTMLDialogElement, editor: MarkupEditor, signal: AbortSignal): void {
  dialog.addEventListener(
    "cancel",
    (event) => {
      event.preventDefault();
      editor.escape();
    },
    { signal },
  );
  // Some browsers close the dialog even though `cancel` was prevented, for example when "back" is
  // pressed twice on Android. Reopen the dialog, so that `leave` can ask for confirmation.
  dialog.addEventListener(
    "close",
    () => {
      dialog.showModal();
      void editor.leave();
    },
    { signal },
  );
  addEventListener(
    "beforeunload",
    (event) => {
      if (editor.isDirty) event.preventDefault();
    },
    { signal },
  );
}
