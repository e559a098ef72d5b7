// DOM, formatting and storage helpers that all elements share.

/** Creates an element. `true` sets an empty attribute and `false` omits it. Never parses text as HTML. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Record<string, string | boolean> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** An icon from the sprite. Pass a literal, because the build searches the source for the names of icons. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("width", "20");
  svg.setAttribute("height", "20");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${document.documentElement.dataset["icons"] ?? ""}#${name}`);
  svg.append(use);
  return svg;
}

/** A button that shows only an icon; `label` is its accessible name and tooltip. */
export function iconButton(
  label: string,
  image: SVGSVGElement,
  className: string,
): HTMLButtonElement {
  return make(
    "button",
    { type: "button", class: className, "aria-label": label, title: label },
    image,
  );
}

/** Announces `text` to screen readers. */
export function announce(text: string): void {
  const region = document.getElementById("announcements");
  // Screen readers do not announce unchanged text, so append a no-break space to repeated text.
  if (region) region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}

const signedOut = "You are signed out. ";
const signIn = "Sign in";

/**
 * Sets the text of an element. If the text contains "You are signed out. Sign in", turns "Sign in" into a link. The
 * link opens a new tab, so that this page keeps its state.
 */
export function setMessage(element: Element, message: string): void {
  // Do not replace an unchanged message, because screen readers would read it again.
  if (element.textContent === message) return;
  const start = message.indexOf(signedOut + signIn);
  if (start === -1) {
    element.textContent = message;
    return;
  }
  const linkStart = start + signedOut.length;
  const [before, after] = [message.slice(0, linkStart), message.slice(linkStart + signIn.length)];
  const link =
    element.querySelector("a") ??
    make("a", { href: "/session", target: "_blank", rel: "noopener" }, signIn);
  // Keep an existing link: it may have the focus, or the person may be clicking it.
  if (!link.previousSibling || !link.nextSibling) element.replaceChildren(before, link, after);
  else {
    link.previousSibling.textContent = before;
    link.nextSibling.textContent = after;
  }
}

/** Formats a count with its noun: `1 person`, `3 people`. */
export function plural(count: number, one: string, more: string): string {
  return `${count} ${count === 1 ? one : more}`;
}

/** Formats milliseconds as `0:42` or `1:02:03`. */
export function formatTime(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, seconds] = [
    Math.floor(total / 3600),
    Math.floor(total / 60) % 60,
    String(total % 60).padStart(2, "0"),
  ];
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}`
    : `${minutes}:${seconds}`;
}

/** Formats a number of bytes as `8.4 MB`, in powers of 1000. */
export function formatBytes(count: number): string {
  const units = ["bytes", "kB", "MB", "GB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return `${(count / 1000 ** power).toLocaleString("en", { maximumFractionDigits: power > 1 ? 1 : 0 })} ${units[power]}`;
}

/** Whether keys pressed on `target` edit a field and so must not trigger shortcuts. */
export function isTextEntry(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches("input:not([type=checkbox], [type=radio], [type=file]), textarea, select"))
  );
}

/** Reads from storage. Returns null if the key is absent or storage is switched off. */
export function readStorage(store: "localStorage" | "sessionStorage", key: string): string | null {
  try {
    return window[store].getItem(key);
  } catch {
    return null;
  }
}

/** Writes to storage; null or an empty string removes the key. Does nothing if storage is switched off or full. */
export function writeStorage(
  store: "localStorage" | "sessionStorage",
  key: string,
  value: string | null,
): void {
  try {
    if (value === null || value === "") window[store].removeItem(key);
    else window[store].setItem(key, value);
  } catch {
    // Ignore the failure, because every feature also works without stored values.
  }
}

/** Formats a local time as `21 Nov 14:02`. File names need a `separator` other than the colon. */
export function formatTimestamp(time = new Date(), separator = ":"): string {
  const month = time.toLocaleString("en", { month: "short" });
  const [hours, minutes] = [time.getHours(), time.getMinutes()].map((part) =>
    String(part).padStart(2, "0"),
  );
  return `${time.getDate()} ${month} ${hours}${separator}${minutes}`;
}

/**
 * Resolves once the browser has painted the current state of the page. Does not resolve while the page is in the
 * background, because browsers do not paint it then.
 */
export function nextPaint(): Promise<void> {
  return new Promise((resolve) =>
    // The first callback runs before the paint, the second one after it.
    requestAnimationFrame(() => requestAnimationFrame(() => resolve())),
  );
}
