// What waits for the server: notices that are true only while it cannot be reached, and requests that could not be
// sent.
import { Problem } from "./request.js";

/** The time between two checks whether the server responds again, and how long one check may take. */
const [CHECK_DELAY_MS, CHECK_TIMEOUT_MS] = [5000, 10_000];

const waiting = new Map<Element, () => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** The message for a request that `sendWhenConnected` repeats. */
export function waitingMessage(): string {
  return navigator.onLine
    ? "The server is not responding. This will be sent when it responds again, unless you change it first."
    : "You are offline. This will be sent when you are online again, unless you change it first.";
}

/**
 * Call with a new notice of an error. If the browser is offline or the request waits for the server, the notice is
 * removed once the server responds.
 */
export function markOfflineNotice(notice: HTMLElement, isWaiting: boolean): void {
  notice.toggleAttribute("data-offline", isWaiting || !navigator.onLine);
}

/**
 * Dispatches `hearback:connected` once the server responds. Call after a request failed for a reason that may pass.
 * `navigator.onLine` is not enough, because it stays true if only the server is unreachable.
 */
export function awaitConnection(): void {
  timer ??= setTimeout(() => void checkConnection(), CHECK_DELAY_MS);
}

/**
 * Calls `send` once the server responds again, if `problem` allows it. Returns whether it does. `element` contains what
 * is to be sent: nothing is sent if it leaves the page or if the person types in it, because they may not have
 * finished.
 */
export function sendWhenConnected(element: Element, problem: unknown, send: () => void): boolean {
  if (!(problem instanceof Problem) || !problem.isRepeatable) return false;
  waiting.set(element, send);
  awaitConnection();
  return true;
}

async function checkConnection(): Promise<void> {
  clearTimeout(timer);
  timer = undefined;
  if (!(await serverResponds())) return awaitConnection();
  for (const notice of document.querySelectorAll("[data-offline]")) notice.remove();
  const unsent = [...waiting];
  waiting.clear();
  for (const [element, send] of unsent) if (element.isConnected) send();
  document.dispatchEvent(new CustomEvent("hearback:connected"));
}

/** Whether the server responds. A 5xx is the response of a proxy whose server is down. */
async function serverResponds(): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
    return (await fetch("/healthz", { cache: "no-store", signal })).status < 500;
  } catch {
    return false;
  }
}

addEventListener("online", () => void checkConnection());

document.addEventListener("input", ({ target }) => {
  for (const element of waiting.keys())
    if (target instanceof Node && element.contains(target)) waiting.delete(element);
});
