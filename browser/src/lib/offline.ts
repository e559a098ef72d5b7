// What waits for the network: notices that are true only while the browser is offline, and requests that could not be
// sent.
import { Problem } from "./request.js";

const waiting = new Map<Element, () => void>();

/** The message for a request that `sendWhenOnline` repeats. */
export const WAITING_MESSAGE =
  "You are offline. This will be sent when you are online again, unless you change it first.";

/** Call with a new notice of an error. If the browser is offline, the notice is removed when the network is back. */
export function markOfflineNotice(notice: HTMLElement): void {
  notice.toggleAttribute("data-offline", !navigator.onLine);
}

/**
 * Calls `send` once the network is back, if `problem` allows it. Returns whether it does. `element` contains what is to
 * be sent: nothing is sent if it leaves the page or if the person types in it, because they may not have finished.
 */
export function sendWhenOnline(element: Element, problem: unknown, send: () => void): boolean {
  if (!(problem instanceof Problem) || !problem.isUnsent) return false;
  waiting.set(element, send);
  return true;
}

addEventListener("online", () => {
  for (const notice of document.querySelectorAll("[data-offline]")) notice.remove();
  const unsent = [...waiting];
  waiting.clear();
  for (const [element, send] of unsent) if (element.isConnected) send();
});

document.addEventListener("input", ({ target }) => {
  for (const element of waiting.keys())
    if (target instanceof Node && element.contains(target)) waiting.delete(element);
});
