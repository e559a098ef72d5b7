// Notices that appear after a comment is sent: one offers Undo for ten seconds, and the others name
// the mentioned people who cannot see the update.
import { icon, iconButton, make } from "../lib/dom.js";

/** A mentioned person who cannot see the update. */
export interface UnseenPerson {
  id: string;
  name: string;
}

const UNDO_MS = 10_000;
/** The maximum number of people who are named in notices. A mentioned group may have thousands of members. */
const MAX_NAMED_PEOPLE = 10;

/**
 * The notice "Sent." with an Undo button, shown for ten seconds. If the focus is in the notice when it disappears, the
 * focus moves to the comment that `findComment` returns.
 */
export function sentNotice(
  findComment: () => HTMLElement | null,
  undo: () => Promise<void>,
): HTMLElement {
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
    const hadFocus = row.contains(document.activeElement);
    row.remove();
    if (hadFocus) findComment()?.focus({ preventScroll: true });
  }, UNDO_MS);
  button.addEventListener("click", () => {
    clearTimeout(timer);
    button.setAttribute("aria-busy", "true");
    void undo().finally(() => row.remove());
  });
  return row;
}

export function unseenNotices(update: string, unseen: UnseenPerson[]): HTMLElement[] {
  const notices = unseen.slice(0, MAX_NAMED_PEOPLE).map((person) => unseenNotice(update, person));
  const more = unseen.length - notices.length;
  if (more > 0)
    notices.push(
      make(
        "p",
        { class: "note unseen", role: "status", "data-js": true },
        `${more} more of the people you mentioned can’t see this.`,
      ),
    );
  return notices;
}

/**
 * The notice that a mentioned person cannot see the update. The author gets a button that adds the person. For
 * everybody else, the notice says to ask the author.
 */
function unseenNotice(update: string, { id, name }: UnseenPerson): HTMLElement {
  const conversation = document.querySelector<HTMLElement>(".talk");
  const isAuthor = conversation?.dataset["mine"] !== undefined;
  const author = conversation?.dataset["author"] ?? "its author";
  const close = iconButton("Close", icon("x"), "button quiet icon-only small");
  const notice = make(
    "div",
    { class: "note unseen", role: "status", "data-js": true },
    icon("eye-off"),
    make(
      "p",
      {},
      make("bdi", {}, name),
      " can’t see this.",
      ...(isAuthor ? [] : [" Ask ", make("bdi", {}, author), " to add them."]),
    ),
  );
  if (isAuthor) {
    notice.append(
      make(
        "form",
        { method: "post", action: `/updates/${update}/audience/${id}`, "data-quiet": true },
        make("input", { type: "hidden", name: "_method", value: "PUT" }),
        make("button", { class: "button small" }, make("span", {}, "Add ", make("bdi", {}, name))),
      ),
    );
  }
  close.addEventListener("click", () => notice.remove());
  notice.append(close);
  return notice;
}

// When the author has added a person with the form in a notice, remove the notice.
document.addEventListener("hearback:form-sent", (event) => {
  event.detail.form.closest(".note.unseen")?.remove();
});
