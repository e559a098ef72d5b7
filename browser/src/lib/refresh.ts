// Refreshing a page without disturbing who reads, types or watches: what is fetched is morphed into what is there.
import { morphElements } from "@hotwired/turbo";

type VideoHandler = (video: HTMLVideoElement, next: Element | undefined) => void;

let handleVideo: VideoHandler = () => undefined;

/**
 * Sets what happens to a video when the page is refreshed. `next` is its element on the fetched page; without one, the video is removed
 * afterwards. A refresh never morphs a video itself.
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

/** Whether an element stays exactly as it is. */
function keepsElement(element: Element, next: Element | undefined): boolean {
  // Made by a script, and known to that script only.
  if (element.hasAttribute("data-js")) return true;
  // What plays is not touched, but what there is nothing of any more goes: it was removed, or is being trimmed.
  if (element instanceof HTMLVideoElement) {
    handleVideo(element, next);
    return next !== undefined;
  }
  // Typed into, and not sent.
  if (element instanceof HTMLTextAreaElement) return element.value !== element.defaultValue;
  if (element instanceof HTMLInputElement)
    return (
      element.type !== "hidden" &&
      (element.type === "checkbox" || element.type === "radio"
        ? element.checked !== element.defaultChecked
        : element.value !== element.defaultValue)
    );
  // Somebody else removed what somebody is writing in: their text goes first.
  if (next === undefined)
    return [...element.querySelectorAll("textarea")].some(
      (area) => area.value !== area.defaultValue,
    );
  return false;
}

/** Whether an attribute says what this reader did, not what the server knows. */
function keepsAttribute(element: Element, name: string): boolean {
  if (name === "open" || name === "style" || name === "data-n") return true;
  if (name === "class") return element.matches(".medium, .viewport, .comment.on");
  if (name === "aria-current") return element.matches(".strip a");
  if (name === "hidden")
    return element.matches("[data-scripted], [data-edit], [data-cancel], copy-button button");
  return false;
}

let running: Promise<void> | null = null;
let again = false;

/** Fetches this page and morphs its live regions. Calls while one runs become one more afterwards. */
export function refresh(): Promise<void> {
  if (running) {
    again = true;
    return running;
  }
  running = (async () => {
    do {
      again = false;
      await once();
    } while (again);
  })().finally(() => {
    running = null;
  });
  return running;
}

async function once(): Promise<void> {
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
    return; // Away for a moment; the stream opens again and asks again.
  }
  if (address !== location.pathname + location.search) return;
  const next = new DOMParser().parseFromString(text, "text/html");
  // For those who arrange what they show: what comes is arranged alike first, so that nothing has to move afterwards.
  document.dispatchEvent(new CustomEvent("hearback:before-morph", { detail: next }));
  for (const region of document.querySelectorAll("[data-live]")) {
    const other = region.id === "" ? null : next.getElementById(region.id);
    if (other) morphElements(region, other);
  }
  document.title = next.title;
  fresh();
}

/** Tells the elements that the page may have changed under them. */
function fresh(): void {
  document.dispatchEvent(new CustomEvent("hearback:refreshed"));
}
