// The conversation: going where a comment points, its order, and editing one's own in place.
import { unseenNotices } from "./sent-notices.js";
import { scrollConversationTo, revealComment } from "../update/anchors.js";
import { readStorage, writeStorage } from "../lib/dom.js";
import { stage } from "../update/media-stage.js";

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element)) return;
  const chip = event.target.closest("[data-go]");
  const comment = event.target.closest<HTMLElement>(".comment");
  if (chip && comment && stage()) {
    event.preventDefault();
    history.replaceState(history.state, "", `#${comment.id}`);
    stage()?.goTo(comment);
  } else if (event.target.closest("[data-edit]") && comment) {
    event.target.closest("details.menu")?.removeAttribute("open");
    edit(comment, true);
  } else if (event.target.closest("[data-cancel]") && comment) edit(comment, false);
});

// Ctrl Enter saves and Escape leaves an edit.
document.addEventListener("keydown", (event) => {
  if (!(event.target instanceof HTMLTextAreaElement)) return;
  const form = event.target.closest<HTMLFormElement>("[data-edit-form]");
  const comment = event.target.closest<HTMLElement>(".comment");
  if (!form || !comment) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  } else if (event.key === "Escape") edit(comment, false);
});

// A reply is written at once when it is opened.
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (
      target instanceof HTMLDetailsElement &&
      target.open &&
      target.matches(".reply") &&
      target.contains(document.activeElement)
    )
      target.querySelector("textarea")?.focus();
  },
  true,
);

function edit(comment: HTMLElement, open: boolean): void {
  const details = comment.querySelector<HTMLDetailsElement>("details.edit");
  const area = details?.querySelector("textarea");
  if (!details || !area) return;
  details.open = open;
  if (open) {
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
    scrollConversationTo(details);
  } else {
    area.value = area.defaultValue;
    comment.focus();
  }
}

// Of an edit, too, it is said whom it names though they cannot see it.
document.addEventListener("hearback:form-sent", (event) => {
  const { form, answer } = event.detail;
  if (!form.matches("[data-edit-form]")) return;
  form.closest(".comment")?.after(...unseenNotices(answer?.update_id ?? "", answer?.unseen ?? []));
});

function prepare(): void {
  for (const button of document.querySelectorAll<HTMLElement>("[data-edit], [data-cancel]"))
    button.hidden = false;
}
for (const moment of ["turbo:load", "turbo:render", "hearback:refreshed"])
  document.addEventListener(moment, prepare);

/** By place (first the media and its moments, then what was said on the whole) or the newest first. */
customElements.define(
  "talk-order",
  class extends HTMLElement {
    connectedCallback(): void {
      const select = this.querySelector("select");
      if (!select) return;
      select.value = readStorage("localStorage", "order") ?? "place";
      select.addEventListener("change", () => {
        writeStorage("localStorage", "order", select.value);
        this.#sort();
      });
      document.addEventListener("hearback:before-morph", this.#arrange);
      document.addEventListener("hearback:refreshed", this.#sort);
      this.#sort();
    }

    disconnectedCallback(): void {
      document.removeEventListener("hearback:before-morph", this.#arrange);
      document.removeEventListener("hearback:refreshed", this.#sort);
    }

    #arrange = ({ detail }: CustomEvent<Document>): void => this.#sortIn(detail);

    #sort = (): void => this.#sortIn(document);

    #sortIn(page: Document): void {
      const list = page.getElementById("threads");
      if (!list) return;
      const newest = this.querySelector("select")?.value === "newest";
      const threads = [...list.querySelectorAll(":scope > .thread")];
      this.hidden = threads.length < 2;
      const key = (thread: Element): [number, number, string] => {
        const comment = thread.querySelector<HTMLElement>(".comment");
        const { media, at, region, created } = comment?.dataset ?? {};
        const [x = 0, y = 0] = (region ?? "").split(" ").map(Number);
        return [
          media === undefined ? 1000 : (stage()?.numberOf(media) ?? 0),
          at === undefined ? y * 1000 + x : Number(at),
          created ?? "",
        ];
      };
      const keys = new Map(threads.map((thread) => [thread, key(thread)]));
      const sorted = [...threads].sort((a, b) => {
        const [one, two] = [keys.get(a), keys.get(b)];
        if (!one || !two) return 0;
        return newest
          ? two[2].localeCompare(one[2])
          : one[0] - two[0] || one[1] - two[1] || one[2].localeCompare(two[2]);
      });
      // Moving nodes loses the focus and the place one reads at: only when something is in the wrong place.
      if (sorted.some((thread, index) => thread !== threads[index])) list.append(...sorted);
    }
  },
);

/** Shows the comment that the address names. */
export function showCommentFromHash(): void {
  const comment = location.hash.startsWith("#c-")
    ? document.getElementById(location.hash.slice(1))
    : null;
  if (!comment) return;
  stage()?.goTo(comment);
  revealComment(comment);
}
