// Refreshes a page without disturbing its reader: fetches it again and morphs the result into the live regions
// (`data-live`).
import { morphElements } from "@hotwired/turbo";

type VideoHandler = (video: HTMLVideoElement, next: Element | undefined) => void;

let handleVideo: VideoHandler = () => undefined;

/**
 * Sets the handler that a refresh calls for each video instead of morphing it. `next` is the video's element on the
 * fetched page. If that page lacks the video, `next` is undefined, and the video is removed after the call.
 */
export function onVideoRefresh(handler: VideoHandler): void {
  handleVideo = handler;
}

document.addEventListener("turbo:before-morph-element", (event) => {
  const { target, detail } = event;
  if (!(target instanceof Element)) return;
  if (keepsElement(target, detail.newElement)) event.preventDefault();
});

document.addEventListener("turbo:before-morph-attribute", (event) => {
  const { target, detail } = event;
  if (target instanceof Element && keepsAttribute(target, detail.attributeName))
    event.preventDefault();
});

/** Whether morphing must leave an element exactly as it is. `next` is undefined if the new page lacks the element. */
function keepsElement(element: Element, next: Element | undefined): boolean {
  // Keep elements that a script created, because the server's page never contains them.
  if (element.hasAttribute("data-js")) return true;
  // Keep a video if the new page has it too. If the video was removed or is being trimmed, the new page lacks it.
  if (element instanceof HTMLVideoElement) {
    handleVideo(element, next);
    return next !== undefined;
  }
  // Keep a field that the reader has changed and not sent yet.
  if (element instanceof HTMLTextAreaElement) return element.value !== element.defaultValue;
  if (element instanceof HTMLInputElement)
    return (
      element.type !== "hidden" &&
      (element.type === "checkbox" || element.type === "radio"
        ? element.checked !== element.defaultChecked
        : element.value !== element.defaultValue)
    );
  // If the new page lacks the element, keep the element only if it contains text that the reader has not sent yet.
  if (next === undefined)
    return [...element.querySelectorAll("textarea")].some(
      (area) => area.value !== area.defaultValue,
    );
  return false;
}

/** Whether an attribute holds state of this browser that the server does not know. */
function keepsAttribute(element: Element, name: string): boolean {
  if (name === "open" || name === "style" || name === "data-n") return true;
  if (name === "class") return element.matches(".medium, .viewport, .comment.on");
  if (name === "aria-current") return element.matches(".strip a");
  // Scripts make the player one tab stop.
  if (name === "tabindex" || name === "role" || name.startsWith("aria-"))
    if (element.matches(".film")) return true;
  // Scripts open and close the menus and forms of comments.
  if (name === "aria-expanded") return element.matches("button[form=ask]");
  if (name === "hidden")
    return element.matches("[data-scripted], [data-cancel], copy-button button");
  return false;
}

let running: Promise<void> | null = null;
let requestedAgain = false;

/**
 * Refreshes the page. Calls made during a refresh cause one more refresh in total. All promises resolve once the last
 * refresh has ended.
 */
export function refresh(): Promise<void> {
  if (running) {
    requestedAgain = true;
    return running;
  }
  running = (async () => {
    do {
      requestedAgain = false;
      await fetchAndMorph();
    } while (requestedAgain);
  })().finally(() => {
    running = null;
  });
  return running;
}

let refreshThread: (commentId: string) => Promise<void> = refresh;

/** Sets the function that refreshes only the thread of one comment. */
export function onCommentRefresh(handler: (commentId: string) => Promise<void>): void {
  refreshThread = handler;
}

/** Refreshes what the page shows of a comment that was written, changed or removed. */
export function refreshComment(commentId: string): Promise<void> {
  return refreshThread(commentId);
}

let refreshLoadedThreads = (): Promise<void> => Promise.resolve();

/** Sets the function that refreshes the threads that were loaded in addition to those of the page. */
export function onLoadedThreadsRefresh(handler: () => Promise<void>): void {
  refreshLoadedThreads = handler;
}

/** Refreshes the page and the threads that were loaded in addition. Use it when unknown or many comments changed. */
export async function refreshAll(): Promise<void> {
  await refresh();
  await refreshLoadedThreads();
}

async function fetchAndMorph(): Promise<void> {
  const address = location.pathname + location.search;
  let text: string;
  try {
    const response = await fetch(address, {
      headers: { Accept: "text/html" },
      credentials: "same-origin",
    });
    if ([403, 404, 410].includes(response.status))
      document.dispatchEvent(new CustomEvent("hearback:access-lost"));
    if (!response.ok || new URL(response.url).pathname !== location.pathname) return;
    text = await response.text();
  } catch {
    return; // The server is unreachable. The event stream reconnects and refreshes again.
  }
  if (address !== location.pathname + location.search) return;
  const next = new DOMParser().parseFromString(text, "text/html");
  // Elements that reorder this page, such as <talk-order>, must now reorder the fetched page in the same way.
  // Otherwise, morphing would move the reordered parts back.
  document.dispatchEvent(new CustomEvent("hearback:before-morph", { detail: next }));
  for (const region of document.querySelectorAll("[data-live]")) {
    const other = region.id === "" ? null : next.getElementById(region.id);
    if (other) morphElements(region, other);
  }
  document.title = next.title;
  document.dispatchEvent(new CustomEvent("hearback:refreshed"));
}
