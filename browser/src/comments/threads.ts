// The comments of an update: the links to the places that comments point to, the edit forms, and the order of threads.
import { readStorage, writeStorage } from "../lib/dom.js";
import { revealComment, scrollConversationTo } from "../update/anchors.js";
import { stage } from "../update/media-stage.js";
import { unseenNotices } from "./sent-notices.js";

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element)) return;
  const placeLink = event.target.closest("[data-go]");
  const comment = event.target.closest<HTMLElement>(".comment");
  if (placeLink && comment && stage()) {
    event.preventDefault();
    history.replaceState(history.state, "", `#${comment.id}`);
    stage()?.goTo(comment);
  } else if (event.target.closest("[data-edit]") && comment) {
    event.target.closest("details.menu")?.removeAttribute("open");
    setEditing(comment, true);
  } else if (event.target.closest("[data-cancel]") && comment) setEditing(comment, false);
});

// In an edit form, Ctrl+Enter saves and Escape cancels.
document.addEventListener("keydown", (event) => {
  if (!(event.target instanceof HTMLTextAreaElement)) return;
  const form = event.target.closest<HTMLFormElement>("[data-edit-form]");
  const comment = event.target.closest<HTMLElement>(".comment");
  if (!form || !comment) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  } else if (event.key === "Escape") setEditing(comment, false);
});

// When the person opens a reply, focus its text area. `toggle` does not bubble, so listen in the capture phase.
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

function setEditing(comment: HTMLElement, isEditing: boolean): void {
  const details = comment.querySelector<HTMLDetailsElement>("details.edit");
  const area = details?.querySelector("textarea");
  if (!details || !area) return;
  details.open = isEditing;
  if (isEditing) {
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
    scrollConversationTo(details);
  } else {
    area.value = area.defaultValue;
    comment.focus();
  }
}

// An edit can mention people who cannot see the update, so show the same notices as for a new comment.
document.addEventListener("hearback:form-sent", (event) => {
  const { form, answer } = event.detail;
  if (!form.matches("[data-edit-form]")) return;
  form.closest(".comment")?.after(...unseenNotices(answer?.update_id ?? "", answer?.unseen ?? []));
});

function showEditButtons(): void {
  for (const button of document.querySelectorAll<HTMLElement>("[data-edit], [data-cancel]"))
    button.hidden = false;
}
for (const event of ["turbo:load", "turbo:render", "hearback:refreshed"])
  document.addEventListener(event, showEditButtons);

/**
 * Stands in for the media number of threads about the whole update, which have no media. It is
 * higher than the number of any media, so these threads come last.
 */
const NO_MEDIA = 1000;

/**
 * The sort key of a thread: the place of its media in the update, its time or position within the
 * media, and its creation time.
 */
type PlaceKey = [media: number, position: number, created: string];

/**
 * Sorts the threads newest first or by place. By place, threads about media come before threads about the whole update.
 */
class ThreadOrder extends HTMLElement {
  connectedCallback(): void {
    const select = this.querySelector("select");
    if (!select) return;
    select.value = readStorage("localStorage", "order") ?? "place";
    select.addEventListener("change", () => {
      writeStorage("localStorage", "order", select.value);
      this.#sort();
    });
    document.addEventListener("hearback:before-morph", this.#sortFetched);
    document.addEventListener("hearback:refreshed", this.#sort);
    this.#sort();
  }

  disconnectedCallback(): void {
    document.removeEventListener("hearback:before-morph", this.#sortFetched);
    document.removeEventListener("hearback:refreshed", this.#sort);
  }

  #sortFetched = ({ detail }: CustomEvent<Document>): void => this.#sortIn(detail);

  #sort = (): void => this.#sortIn(document);

  #sortIn(page: Document): void {
    const list = page.getElementById("threads");
    if (!list) return;
    const newestFirst = this.querySelector("select")?.value === "newest";
    const threads = [...list.querySelectorAll(":scope > .thread")];
    this.hidden = threads.length < 2;
    const sorted = threads
      .map((thread) => ({ thread, key: placeKey(thread) }))
      .sort((a, b) =>
        newestFirst ? b.key[2].localeCompare(a.key[2]) : comparePlaces(a.key, b.key),
      )
      .map(({ thread }) => thread);
    // Moving nodes loses the focus and the scroll position, so move them only if the order is wrong.
    if (sorted.some((thread, index) => thread !== threads[index])) list.append(...sorted);
  }
}

function placeKey(thread: Element): PlaceKey {
  const comment = thread.querySelector<HTMLElement>(".comment");
  const { media, at, region, created } = comment?.dataset ?? {};
  const [x = 0, y = 0] = (region ?? "").split(" ").map(Number);
  return [
    media === undefined ? NO_MEDIA : (stage()?.numberOf(media) ?? 0),
    at === undefined ? y * 1000 + x : Number(at),
    created ?? "",
  ];
}

function comparePlaces(a: PlaceKey, b: PlaceKey): number {
  return a[0] - b[0] || a[1] - b[1] || a[2].localeCompare(b[2]);
}

/** Opens the page of threads that contains a comment. Does nothing if there is only one page. */
export function openPageOfComment(id: string): void {
  const query = `?${new URLSearchParams({ comment: id })}`;
  // If this address is already open, the comment no longer exists, so the server has shown the newest page. Opening the
  // address again would not help.
  if (location.search === query || !document.querySelector(".thread-pages")) return;
  location.replace(`${location.pathname}${query}#c-${id}`);
}

customElements.define("talk-order", ThreadOrder);

declare global {
  interface HTMLElementTagNameMap {
    "talk-order": ThreadOrder;
  }
}

/** Shows the comment named in the URL fragment, if it exists. If it is on another page of threads, opens that page. */
export function showCommentFromHash(): void {
  if (!location.hash.startsWith("#c-")) return;
  const comment = document.getElementById(location.hash.slice(1));
  if (!comment) return openPageOfComment(location.hash.slice(3));
  stage()?.goTo(comment);
  revealComment(comment);
}
