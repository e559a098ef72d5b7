// Modal dialogs: confirm an action, choose between actions, or ask a guest for their name.
import { config } from "@hotwired/turbo";
import { make } from "./dom.js";

config.forms.confirm = (message, form) => confirmDialog(message, form.dataset["verb"] ?? "Yes");

/**
 * Asks the person to confirm an action. `verb` labels the button that confirms. With `careful`, the focus starts on
 * Cancel instead of that button.
 */
export async function confirmDialog(
  message: string,
  verb: string,
  careful = false,
): Promise<boolean> {
  return (await chooseAction(message, [verb], careful)) !== null;
}

/**
 * Offers several actions. Returns the verb of the chosen action, or null for Cancel. The focus starts on the last verb.
 * With `careful`, which is for actions that lose work, the focus starts on Cancel.
 */
export function chooseAction<Verb extends string>(
  message: string,
  verbs: readonly Verb[],
  careful = false,
): Promise<Verb | null> {
  return new Promise((resolve) => {
    const buttons = verbs.map((verb, index) =>
      make(
        "button",
        { class: index === verbs.length - 1 ? "button main" : "button", value: verb },
        verb,
      ),
    );
    const cancel = make("button", { class: "button", value: "" }, "Cancel");
    const dialog = make(
      "dialog",
      { "aria-labelledby": "question", "data-turbo-temporary": true },
      make(
        "form",
        { method: "dialog", "data-turbo": "false" },
        make("p", { id: "question", class: "words" }, message),
        make("div", { class: "actions" }, cancel, ...buttons),
      ),
    );
    dialog.addEventListener("close", () => {
      resolve(verbs.find((verb) => verb === dialog.returnValue) ?? null);
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
    (careful ? cancel : buttons.at(-1))?.focus();
  });
}

/** Asks a guest for their name. Resolves with null if they cancel. */
export function askGuestName(): Promise<string | null> {
  return new Promise((resolve) => {
    const input = make("input", {
      id: "asked-name",
      dir: "auto",
      required: true,
      maxlength: "80",
      autocomplete: "name",
      "aria-describedby": "asked-name-hint",
    });
    const cancel = make("button", { type: "button", class: "button" }, "Cancel");
    const form = make(
      "form",
      { method: "dialog", class: "stack", "data-turbo": "false" },
      make(
        "div",
        { class: "field" },
        make("label", { for: "asked-name" }, "Your name"),
        input,
        make(
          "p",
          { class: "hint", id: "asked-name-hint" },
          "Everyone who can see this update sees your name.",
        ),
      ),
      make(
        "div",
        { class: "actions" },
        cancel,
        make("button", { class: "button main", value: "yes" }, "Continue"),
      ),
    );
    const dialog = make(
      "dialog",
      { "aria-label": "Your name", "data-turbo-temporary": true },
      form,
    );
    cancel.addEventListener("click", () => dialog.close(""));
    dialog.addEventListener("close", () => {
      const name = input.value.trim();
      resolve(dialog.returnValue === "yes" && name !== "" ? name : null);
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
