// Small helpers of all elements.

/** Makes an element with attributes and children. Never parses text as HTML. */
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

/** A picture of the sprite. The build collects the names from calls with a literal. */
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

/** A button that is only an icon; the words are its name. */
export function iconButton(
  words: string,
  picture: SVGSVGElement,
  className: string,
): HTMLButtonElement {
  return make(
    "button",
    { type: "button", class: className, "aria-label": words, title: words },
    picture,
  );
}

/** Tells readers of the screen what just happened. */
export function announce(text: string): void {
  const region = document.getElementById("announcements");
  // The same sentence twice in a row would not be read again without a change in between.
  if (region) region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}

const out = "You are signed out. ";

/** Writes words into an element. Where they say that one is signed out, "Sign in" leads there, in another tab: this page must stay. */
export function setMessage(element: Element, words: string): void {
  // What stands there already is not written again: it would be read out anew.
  if (element.textContent === words) return;
  const at = words.indexOf(`${out}Sign in`);
  if (at === -1) {
    element.textContent = words;
    return;
  }
  const [before, after] = [
    words.slice(0, at + out.length),
    words.slice(at + out.length + "Sign in".length),
  ];
  const link =
    element.querySelector("a") ??
    make("a", { href: "/session", target: "_blank", rel: "noopener" }, "Sign in");
  // The link that is there stays: it may have the focus, or be pressed just now.
  if (!link.previousSibling || !link.nextSibling) element.replaceChildren(before, link, after);
  else {
    link.previousSibling.textContent = before;
    link.nextSibling.textContent = after;
  }
}

/** `0:42`, or `1:02:03`, of milliseconds. */
export function formatTime(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, seconds] = [
    Math.floor(all / 3600),
    Math.floor(all / 60) % 60,
    String(all % 60).padStart(2, "0"),
  ];
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}`
    : `${minutes}:${seconds}`;
}

/** `8.4 MB` of bytes. */
export function formatBytes(count: number): string {
  const units = ["bytes", "kB", "MB", "GB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return `${(count / 1000 ** power).toLocaleString("en", { maximumFractionDigits: power > 1 ? 1 : 0 })} ${units[power]}`;
}

/** Whether a key is being typed into something. */
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
    // Every feature works without remembered values.
  }
}

/** `21 Nov 14:02`, with another sign than the colon where it is for a file's name. */
export function formatTimestamp(at = new Date(), colon = ":"): string {
  return `${at.getDate()} ${at.toLocaleString("en", { month: "short" })} ${String(at.getHours()).padStart(2, "0")}${colon}${String(at.getMinutes()).padStart(2, "0")}`;
}
