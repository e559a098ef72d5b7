// Asks for confirmation before a save that destroys pixels or that changes an update to which people have already
// responded.
import { make, plural } from "../lib/dom.js";
import type { EditorTask, RevisionChange } from "./session.js";
import { isDestructive, type Markup } from "./shapes.js";

/**
 * Asks the person to confirm the save if necessary, and returns null if they cancel. The returned `change` says whether
 * people who have responded must respond again. It is undefined if nobody has responded.
 */
export async function confirmSave(
  task: EditorTask,
  markup: Markup,
): Promise<{ change: RevisionChange | undefined } | null> {
  const destroys = isDestructive(markup);
  if (!destroys && !task.answered) return { change: undefined };
  const asksAgain = make("input", { type: "checkbox", name: "change" });
  // A save that destroys pixels makes a different picture, so everyone must respond again: tick and lock the checkbox.
  asksAgain.checked = asksAgain.disabled = destroys;
  const whatChanged = make("input", {
    id: "markup-changed",
    name: "what_changed",
    maxlength: "500",
    autocomplete: "off",
  });
  const form = make("form", { method: "dialog", class: "stack", "data-turbo": "false" });
  if (destroys) form.append(make("p", { class: "words" }, task.lossWarning(markup)));
  if (task.answered) form.append(...askAgainFields(task.answered.people, asksAgain, whatChanged));
  if (
    !(await confirmInDialog(form, destroys ? "Delete permanently" : task.saveLabel, task.saveLabel))
  )
    return null;
  const text = whatChanged.value.trim();
  return {
    change: task.answered && {
      change: asksAgain.checked ? "material" : "cosmetic",
      ...(text === "" ? {} : { what_changed: text }),
    },
  };
}

function askAgainFields(
  people: number,
  asksAgain: HTMLInputElement,
  whatChanged: HTMLInputElement,
): HTMLElement[] {
  const count = plural(people, "person", "people");
  return [
    make("label", { class: "check" }, asksAgain, make("span", {}, `Ask ${count} again`)),
    make(
      "div",
      { class: "field" },
      make(
        "label",
        { for: whatChanged.id },
        "What changed ",
        make("span", { class: "optional" }, "optional"),
      ),
      whatChanged,
    ),
  ];
}

/**
 * Shows the form with two buttons. Resolves with true if the person confirmed, or with false if
 * they cancelled.
 */
async function confirmInDialog(
  form: HTMLFormElement,
  title: string,
  label: string,
): Promise<boolean> {
  const cancel = make("button", { type: "button", class: "button" }, "Cancel");
  const confirm = make("button", { class: "button main", value: "yes" }, label);
  form.append(make("div", { class: "actions" }, cancel, confirm));
  const dialog = make(
    "dialog",
    { class: "markup-ask", "aria-label": title, "data-turbo-temporary": true },
    form,
  );
  cancel.addEventListener("click", () => dialog.close(""));
  document.body.append(dialog);
  dialog.showModal();
  confirm.focus();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  dialog.remove();
  return dialog.returnValue === "yes";
}
