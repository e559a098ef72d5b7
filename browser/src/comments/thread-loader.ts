// Loads threads without the rest of the page: the thread that changed, earlier and later threads, and all replies of a
// long thread.
import { morphElements } from "@hotwired/turbo";
import { announce, plural } from "../lib/dom.js";
import { onCommentRefresh, onLoadedThreadsRefresh, refreshAll } from "../lib/refresh.js";
import { forgetMark } from "../update/anchors.js";

/** If more threads than this change at once, the whole page is refreshed instead. */
const MAX_SINGLE_THREADS = 3;

/** The ids of the threads that show all their replies because the reader asked for them. */
const wholeThreads = new Set<string>();
/** Whether the links to earlier and later threads differ from those that the server would send. */
let hasLoadedPages = false;

document.addEventListener("turbo:load", () => {
  wholeThreads.clear();
  outdated.clear();
  hasLoadedPages = false;
});

/** The changed comments whose threads have not been fetched yet. */
const changed = new Set<string>();
let running: Promise<void> | null = null;

/**
 * Fetches and morphs only the thread of this comment. If it is not on the page, adds it. A call during a request causes
 * one more request for its comment. All promises resolve once the last request has ended.
 */
function refreshThread(commentId: string): Promise<void> {
  changed.add(commentId);
  running ??= (async () => {
    while (changed.size > 0) {
      const ids = [...changed];
      changed.clear();
      if (ids.length > MAX_SINGLE_THREADS) await refreshAll();
      else await Promise.all(ids.map((id) => fetchThread(id, { isNews: true })));
    }
  })().finally(() => {
    running = null;
  });
  return running;
}

onCommentRefresh(refreshThread);

/** The ids of the loaded threads that must be fetched again. */
const outdated = new Set<string>();
let updating: Promise<void> | null = null;

/**
 * Fetches again, one after another, the threads that a refresh of the whole page does not update. Stops if the server
 * does not respond.
 */
function refreshLoadedThreads(): Promise<void> {
  for (const { id, dataset } of document.querySelectorAll<HTMLElement>("#threads > .thread"))
    if (dataset["loaded"] !== undefined || wholeThreads.has(id)) outdated.add(id);
  updating ??= (async () => {
    for (const id of outdated) {
      outdated.delete(id);
      if (!(await fetchThread(id.replace(/^t-/, ""), { isNews: true }))) outdated.clear();
    }
  })().finally(() => {
    updating = null;
  });
  return updating;
}

onLoadedThreadsRefresh(refreshLoadedThreads);

interface ThreadRequest {
  /** Whether to fetch all replies. */
  isWhole?: boolean;
  /** Whether the comment changed, rather than being loaded because the reader asked for it. */
  isNews?: boolean;
}

/** Fetches a thread and shows it. Returns false if the server did not respond. */
async function fetchThread(
  commentId: string,
  { isWhole = false, isNews = false }: ThreadRequest,
): Promise<boolean> {
  const threadId = threadOf(commentId)?.id;
  const showsAll = isWhole || (threadId !== undefined && wholeThreads.has(threadId));
  const part = await fetchPart({
    part: "thread",
    comment: commentId,
    ...(showsAll ? { replies: "all" } : {}),
  });
  if (!part) return false;
  const thread = part.querySelector<HTMLElement>(".thread");
  // The comment was not on the page, so only the response says which thread it belongs to.
  if (thread && !showsAll && wholeThreads.has(thread.id))
    return fetchThread(commentId, { isWhole: true, isNews });
  if (thread) {
    if (isWhole) wholeThreads.add(thread.id);
    showThread(thread);
  } else removeThread(commentId, part);
  if (!document.getElementById(`c-${commentId}`) && !thread?.querySelector("[data-whole]"))
    forgetMark(commentId);
  const [count, nextCount] = [document, part].map((page) => page.getElementById("talk-count"));
  if (count && nextCount) morphElements(count, nextCount);
  if (!isNews) document.dispatchEvent(new CustomEvent("hearback:threads-loaded"));
  document.dispatchEvent(new CustomEvent("hearback:refreshed"));
  return true;
}

function threadOf(commentId: string): HTMLElement | null {
  return document.getElementById(`c-${commentId}`)?.closest<HTMLElement>(".thread") ?? null;
}

/** Fetches a part of the page. Returns null if it is not available. */
async function fetchPart(query: Record<string, string>): Promise<Document | null> {
  try {
    // Request the current path, because guests see this page at a path that contains their link's secret.
    const response = await fetch(`${location.pathname}?${new URLSearchParams(query)}`, {
      headers: { Accept: "text/html" },
      credentials: "same-origin",
    });
    if ([403, 404, 410].includes(response.status))
      document.dispatchEvent(new CustomEvent("hearback:access-lost"));
    if (!response.ok || new URL(response.url).pathname !== location.pathname) return null;
    const part = new DOMParser().parseFromString(await response.text(), "text/html");
    removeReplyForms(part);
    return part;
  } catch {
    return null; // The server is unreachable. The event stream reconnects and refreshes again.
  }
}

/** Removes the reply forms of the threads that are already on the page, because those stay as they are. */
function removeReplyForms(page: Document): void {
  for (const form of page.querySelectorAll(".reply-form"))
    if (document.getElementById(form.closest(".thread")?.id ?? "")) form.remove();
}

/** Morphs a thread, or adds it in the order of creation. */
function showThread(thread: HTMLElement): void {
  const current = document.getElementById(thread.id);
  if (current) {
    // The server does not know which threads were loaded.
    if (current.dataset["loaded"] !== undefined) thread.dataset["loaded"] = "";
    return morphElements(current, thread);
  }
  const list = document.getElementById("threads");
  list?.querySelector(":scope > .talk-empty")?.remove();
  const added = document.importNode(thread, true);
  added.dataset["loaded"] = "";
  const next = [...(list?.querySelectorAll(":scope > .thread") ?? [])].find(
    (other) => other.id > added.id,
  );
  if (next) next.before(added);
  else list?.append(added);
}

/** Removes the thread of a comment, unless it contains text that the reader has not sent yet. */
function removeThread(commentId: string, part: Document): void {
  const thread = threadOf(commentId) ?? document.getElementById(`t-${commentId}`);
  const isWriting = [...(thread?.querySelectorAll("textarea") ?? [])].some(
    (area) => area.value !== area.defaultValue,
  );
  if (!thread || isWriting) return;
  const list = thread.parentElement;
  thread.remove();
  const empty = part.querySelector(".talk-empty");
  if (list && empty && !list.querySelector(":scope > .thread"))
    list.append(document.importNode(empty, true));
}

/** Comments that are being loaded. */
const loading = new Map<string, Promise<HTMLElement | null>>();

/** Returns the element with this id, such as `c-1`. If the comment is not on the page, adds its thread first. */
export function loadComment(elementId: string): Promise<HTMLElement | null> {
  const present = document.getElementById(elementId);
  if (present) return Promise.resolve(present);
  const request = loading.get(elementId) ?? loadThread(elementId);
  loading.set(elementId, request);
  return request.finally(() => loading.delete(elementId));
}

async function loadThread(elementId: string): Promise<HTMLElement | null> {
  const commentId = elementId.replace(/^c-/, "");
  let isAnswered = await fetchThread(commentId, {});
  // The comment may be one of the earlier replies of a long thread.
  if (isAnswered && !document.getElementById(elementId))
    isAnswered = await fetchThread(commentId, { isWhole: true });
  const comment = document.getElementById(elementId);
  if (isAnswered && !comment) forgetMark(commentId);
  return comment;
}

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey || event.shiftKey)
    return;
  const pages = event.target.closest<HTMLAnchorElement>(".thread-pages a");
  const whole = event.target.closest<HTMLAnchorElement>("a[data-whole]");
  const link = pages ?? whole;
  if (!link) return;
  event.preventDefault();
  // Otherwise, Turbo would follow the link.
  event.stopPropagation();
  if (link.getAttribute("aria-busy") === "true") return;
  link.setAttribute("aria-busy", "true");
  const load = pages ? loadPage(pages) : loadReplies(link);
  void load.finally(() => link.removeAttribute("aria-busy"));
});

/** Adds the threads that a link leads to, and updates the link so that it leads to the next ones. */
async function loadPage(link: HTMLAnchorElement): Promise<void> {
  const query = Object.fromEntries(new URL(link.href).searchParams);
  const part = await fetchPart({ ...query, part: "threads" });
  // If the threads could not be loaded, follow the link. The page that it opens reports the error.
  if (!part) return location.assign(link.href);
  const isLoaded = (thread: Element): boolean => document.getElementById(thread.id) !== null;
  const added = [...part.querySelectorAll<HTMLElement>(".thread")].filter(
    (thread) => !isLoaded(thread),
  );
  for (const thread of added) showThread(thread);
  hasLoadedPages = true;
  const hadFocus = link === document.activeElement;
  const further = part.querySelector<HTMLAnchorElement>(`.thread-pages a[rel=${link.rel}]`);
  if (further) link.setAttribute("href", further.getAttribute("href") ?? "");
  else removePageLink(link);
  document.dispatchEvent(new CustomEvent("hearback:threads-loaded"));
  document.dispatchEvent(new CustomEvent("hearback:refreshed"));
  announceLoaded(added.length, link.rel === "prev" ? "earlier" : "later", "thread");
  if (hadFocus && !further) focusFirst(added[0]?.id);
}

function removePageLink(link: HTMLAnchorElement): void {
  const row = link.closest(".thread-pages");
  link.remove();
  if (!row?.querySelector("a")) row?.remove();
}

async function loadReplies(link: HTMLAnchorElement): Promise<void> {
  const hadFocus = link === document.activeElement;
  const thread = link.closest<HTMLElement>(".thread");
  const before = commentsIn(thread);
  const threadId = thread?.id.replace(/^t-/, "") ?? "";
  // If the replies could not be loaded, follow the link. The page that it opens reports the error.
  if (!(await fetchThread(threadId, { isWhole: true }))) return location.assign(link.href);
  const added = commentsIn(thread).filter((comment) => !before.includes(comment));
  announceLoaded(added.length, "earlier", "reply");
  if (hadFocus) added[0]?.focus({ preventScroll: true });
}

function commentsIn(thread: HTMLElement | null): HTMLElement[] {
  return [...(thread?.querySelectorAll<HTMLElement>(".comment") ?? [])];
}

function focusFirst(threadId = ""): void {
  const thread = document.getElementById(threadId);
  thread?.querySelector<HTMLElement>(".comment")?.focus({ preventScroll: true });
}

function announceLoaded(count: number, which: "earlier" | "later", what: "thread" | "reply"): void {
  const many = what === "reply" ? "replies" : "threads";
  announce(`${plural(count, `${which} ${what}`, `${which} ${many}`)} added.`);
}

// A refresh of the whole page fetches only one page of threads. Keep the other threads that were
// loaded.
document.addEventListener("hearback:before-morph", ({ detail: next }) => {
  removeReplyForms(next);
  const [list, nextList] = [document, next].map((page) => page.getElementById("threads"));
  if (!list || !nextList) return;
  const isKept = keepRule(nextList);
  for (const thread of list.querySelectorAll<HTMLElement>(":scope > .thread")) {
    const other = next.getElementById(thread.id);
    const copy = next.importNode(thread, true);
    if (other && wholeThreads.has(thread.id)) other.replaceWith(copy);
    else if (!other && isKept(thread)) {
      copy.dataset["loaded"] = "";
      nextList.append(copy);
    }
  }
  if (!hasLoadedPages) return;
  nextList.querySelector(".thread-pages")?.remove();
  const pages = list.querySelector(":scope > .thread-pages");
  if (pages) nextList.prepend(next.importNode(pages, true));
});

/**
 * Returns a function that says whether to keep a thread that the fetched page lacks. Threads older than those of the
 * fetched page are kept: new comments may have moved them to the next page, but they still exist.
 */
function keepRule(nextList: HTMLElement): (thread: HTMLElement) => boolean {
  const hasEarlier = nextList.querySelector(".thread-pages a[rel=prev]") !== null;
  const [earliest] = [...nextList.querySelectorAll(":scope > .thread")].map(({ id }) => id).sort();
  return ({ id, dataset }) =>
    dataset["loaded"] !== undefined || (hasEarlier && earliest !== undefined && id < earliest);
}
