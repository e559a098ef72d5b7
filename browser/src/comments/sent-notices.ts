// What stands under what was just sent: the ten seconds in which it can be taken back, and who cannot see it though it names them.
import { icon, iconButton, make } from "../lib/dom.js";

/** A person who is named and cannot see the update. */
export interface UnseenPerson {
  id: string;
  name: string;
}

/** Milliseconds. */
const UNDO = 10_000;
/** People listed one by one. */
const MOST = 10;

/** "Sent. Undo", for ten seconds. `sent` finds it, `undo` takes it back. */
export function sentNotice(sent: () => HTMLElement | null, undo: () => Promise<void>): HTMLElement {
  const button = make(
    "button",
    { type: "button", class: "button small" },
    icon("undo-2"),
    make("span", {}, "Undo"),
  );
  const row = make(
    "div",
    { class: "sent-row", role: "group", "aria-label": "Just sent", "data-js": true },
    icon("check"),
    make("p", {}, "Sent."),
    button,
  );
  const timer = setTimeout(() => {
    // Where the focus would fall to the page, it goes to what was sent.
    const held = row.contains(document.activeElement);
    row.remove();
    if (held) sent()?.focus({ preventScroll: true });
  }, UNDO);
  button.addEventListener("click", () => {
    clearTimeout(timer);
    button.setAttribute("aria-busy", "true");
    void undo().finally(() => row.remove());
  });
  return row;
}

/** Rows for those a comment names and who cannot see it; a group may have thousands of them. */
export function unseenNotices(update: string, unseen: UnseenPerson[]): HTMLElement[] {
  const rows = unseen.slice(0, MOST).map((person) => unseenRow(update, person));
  const more = unseen.length - rows.length;
  if (more > 0)
    rows.push(
      make(
        "p",
        { class: "note unseen", role: "status", "data-js": true },
        `${more} more of those you named cannot see this.`,
      ),
    );
  return rows;
}

/** "Bob cannot see this.", with the way to add them for the author, and whom to ask for others. */
function unseenRow(update: string, { id, name }: UnseenPerson): HTMLElement {
  const talk = document.querySelector<HTMLElement>(".talk");
  const author = talk?.dataset["mine"] !== undefined;
  const close = iconButton("Close", icon("x"), "button quiet icon-only small");
  const row = make(
    "div",
    { class: "note unseen", role: "status", "data-js": true },
    icon("eye-off"),
    make(
      "p",
      {},
      `${name} cannot see this.${author ? "" : ` Ask ${talk?.dataset["author"] ?? "its author"} to add them.`}`,
    ),
  );
  if (author) {
    row.append(
      make(
        "form",
        { method: "post", action: `/updates/${update}/audience/${id}`, "data-quiet": true },
        make("input", { type: "hidden", name: "_method", value: "PUT" }),
        make("button", { class: "button small" }, `Add ${name}`),
      ),
    );
  }
  close.addEventListener("click", () => row.remove());
  row.append(close);
  return row;
}

// Added: there is no more to say.
document.addEventListener("hearback:form-sent", (event) => {
  const { form } = event.detail;
  form.closest(".note.unseen")?.remove();
});
