// The comments of an update: the links to the places that comments point to, the edit forms, and the order of threads.
import { readStorage, writeStorage } from "../lib/dom.js";
import { revealComment, scrollConversationTo } from "../update/anchors.js";
import { stage } from "../update/media-stage.js";
import { closeMenu } from "./comment-menus.js";
import { unseenNotices } from "./sent-notices.js";
import { loadComment } from "./thread-loader.js";

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element)) return;
  const placeLink = event.target.closest("[data-go]");
  const comment = event.target.closest<HTMLElement>(".comment");
  if (placeLink && comment && stage()) {
    event.preventDefault();
    history.replaceState(history.state, "", `#${comment.id}`);
    stage()?.goTo(comment);
  } else if (event.target.closest("button[name=edit]") && comment) {
    // If the page has no template, follow the link: the server renders the form.
    if (!document.getElementById("edit-template")) return;
    event.preventDefault();
    closeMenu();
    startEditing(comment);
  } else if (event.target.closest("[data-cancel]") && comment) stopEditing(comment);
});

// In an edit form, Escape cancels.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !(event.target instanceof HTMLTextAreaElement)) return;
  const comment = event.target.closest<HTMLElement>(".comment");
  if (comment && event.target.closest("[data-edit-form]")) stopEditing(comment);
});

/** Shows the page's edit form in place of the comment's text. */
function startEditing(comment: HTMLElement): void {
  let form = comment.querySelector<HTMLFormElement>("form.edit");
  if (!form) {
    const template = document.querySelector<HTMLTemplateElement>("#edit-template");
    const copy = template?.content.firstElementChild?.cloneNode(true);
    if (!(copy instanceof HTMLFormElement)) return;
    form = copy;
    form.dataset["js"] = "";
    form.action = `/comments/${comment.id.replace(/^c-/, "")}`;
    form.querySelector("textarea")!.defaultValue = comment.dataset["body"] ?? "";
    comment.querySelector(":scope > .body")?.before(form);
    showCancelButtons();
  }
  const area = form.querySelector("textarea")!;
  area.focus();
  area.setSelectionRange(area.value.length, area.value.length);
  scrollConversationTo(form);
}

function stopEditing(comment: HTMLElement): void {
  comment.querySelector("form.edit")?.remove();
  comment.focus();
}

// An edit can mention people who cannot see the update, so show the same notices as for a new comment.
document.addEventListener("hearback:form-sent", (event) => {
  const { form, answer } = event.detail;
  if (!form.matches("[data-edit-form]")) return;
  const comment = form.closest<HTMLElement>(".comment");
  comment?.after(...unseenNotices(answer?.update_id ?? "", answer?.unseen ?? []));
  if (comment) stopEditing(comment);
});

function showCancelButtons(): void {
  for (const button of document.querySelectorAll<HTMLElement>("[data-cancel]"))
    button.hidden = false;
}
for (const event of ["turbo:load", "turbo:render", "hearback:refreshed"])
  document.addEventListener(event, showCancelButtons);

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
    arrange(list, sorted);
  }
}

/**
 * Puts the threads of a list into this order. Moves as few threads as possible, and never the one with the focus,
 * because a moved node loses the focus and its scroll position.
 */
function arrange(list: Element, sorted: Element[]): void {
  const focused = sorted.find((thread) => thread.contains(list.ownerDocument.activeElement));
  let at = list.querySelector(":scope > .thread");
  for (const thread of sorted) {
    // The threads before the focused one belong after it.
    while (thread === focused && at && at !== focused) {
      const early: Element = at;
      at = nextThread(early);
      list.append(early);
    }
    if (thread === at) at = nextThread(thread);
    else list.insertBefore(thread, at);
  }
}

function nextThread(thread: Element): Element | null {
  let next = thread.nextElementSibling;
  while (next && !next.matches(".thread")) next = next.nextElementSibling;
  return next;
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

customElements.define("talk-order", ThreadOrder);

declare global {
  interface HTMLElementTagNameMap {
    "talk-order": ThreadOrder;
  }
}

/** Shows the comment named in the URL fragment, if it exists. If it is not on the page yet, loads its thread. */
export async function showCommentFromHash(): Promise<void> {
  const { hash } = location;
  if (!hash.startsWith("#c-")) return;
  const comment = await loadComment(hash.slice(1));
  if (!comment || location.hash !== hash) return;
  stage()?.goTo(comment);
  revealComment(comment);
}
