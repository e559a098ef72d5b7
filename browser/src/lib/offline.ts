// Removes outdated error notices and sends waiting requests as soon as the server responds again.
import { Problem } from "./request.js";

/** How long to wait between two checks of whether the server responds, and how long one check may take. */
const [CHECK_DELAY_MS, CHECK_TIMEOUT_MS] = [5000, 10_000];

const waiting = new Map<Element, () => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** The message for a request that `sendWhenConnected` will send later. */
export function waitingMessage(): string {
  return navigator.onLine
    ? "The server is not responding. This will be sent when it responds again, unless you change it first."
    : "You are offline. This will be sent when you are online again, unless you change it first.";
}

/**
 * Call this with every new error notice. If the browser is offline or the request is waiting for the server
 * (`isWaiting`), the notice is removed once the server responds.
 */
export function markOfflineNotice(notice: HTMLElement, isWaiting: boolean): void {
  notice.toggleAttribute("data-offline", isWaiting || !navigator.onLine);
}

/**
 * Checks repeatedly whether the server responds, and dispatches `hearback:connected` once it does. Call this after a
 * request has failed for a temporary reason. `navigator.onLine` is not enough, because it stays true if only the server
 * is unreachable.
 */
export function awaitConnection(): void {
  timer ??= setTimeout(() => void checkConnection(), CHECK_DELAY_MS);
}

/**
 * If `problem` says that the request can be repeated, calls `send` once the server responds again,
 * and returns true. Otherwise returns false. `element` contains the text to send. If the element
 * has been removed from the page by then, or the person has typed in it, `send` is not called.
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

/**
 * Whether the server responds. A 5xx response does not count, because a proxy may have sent it while the server is
 * down.
 */
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
