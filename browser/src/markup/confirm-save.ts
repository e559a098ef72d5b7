// What is asked once before a save that cannot be taken back, or that others are told of.
import { make } from "../lib/dom.js";
import { destroys, type Work } from "./shapes.js";
import type { Again, Task } from "./session.js";

/** Null for "not yet"; else what is sent along, or undefined where nothing is asked. */
export async function agreed(task: Task, work: Work): Promise<{ again: Again | undefined } | null> {
  const final = destroys(work);
  if (!final && !task.again) return { again: undefined };
  const box = make("input", { type: "checkbox", name: "change" });
  // Where pixels are gone it is another picture: that always asks again.
  box.checked = box.disabled = final;
  const changed = make("input", {
    id: "markup-changed",
    name: "what_changed",
    maxlength: "500",
    autocomplete: "off",
  });
  const cancel = make("button", { type: "button", class: "button" }, "Cancel");
  const yes = make("button", { class: "button main", value: "yes" }, task.done);
  const form = make("form", { method: "dialog", class: "stack", "data-turbo": "false" });
  if (final) form.append(make("p", { class: "words" }, task.final(work)));
  if (task.again) {
    const { people } = task.again;
    form.append(
      make(
        "label",
        { class: "check" },
        box,
        make("span", {}, `Ask ${people === 1 ? "1 person" : `${people} people`} again`),
      ),
      make(
        "div",
        { class: "field" },
        make(
          "label",
          { for: "markup-changed" },
          "What changed ",
          make("span", { class: "optional" }, "if you like"),
        ),
        changed,
      ),
    );
  }
  form.append(make("div", { class: "actions" }, cancel, yes));
  const dialog = make(
    "dialog",
    {
      class: "markup-ask",
      "aria-label": final ? "For good" : task.done,
      "data-turbo-temporary": true,
    },
    form,
  );
  cancel.addEventListener("click", () => dialog.close(""));
  document.body.append(dialog);
  dialog.showModal();
  yes.focus();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  dialog.remove();
  if (dialog.returnValue !== "yes") return null;
  const words = changed.value.trim();
  return {
    again: task.again && {
      change: box.checked ? "material" : "cosmetic",
      ...(words === "" ? {} : { what_changed: words }),
    },
  };
}
