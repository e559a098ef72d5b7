// Menus are <details> elements. At most one is open at a time; Escape or a click elsewhere closes
// it. The menus of comments are in comments/comment-menus.ts.
import { make } from "./dom.js";

const MAX_EMOJIS = 40;

document.addEventListener("click", (event) => {
  const inside = event.target instanceof Element ? event.target.closest("details.menu") : null;
  for (const menu of document.querySelectorAll("details.menu[open]"))
    if (menu !== inside) menu.removeAttribute("open");
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector<HTMLDetailsElement>("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary")?.focus();
  event.stopPropagation();
});

// Going back must not show an open menu.
document.addEventListener("turbo:before-cache", () => {
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.removeAttribute("open");
});

// `toggle` does not bubble, so listen in the capture phase.
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!(target instanceof HTMLDetailsElement) || !target.open || !target.matches(".menu")) return;
    const items = target.querySelector<HTMLElement>(".menu-items");
    if (items) keepInView(items);
  },
  true,
);

/** Moves an open menu into the window, or into the scrolling list that contains it. */
export function keepInView(items: HTMLElement): void {
  items.style.translate = "";
  const [box, frame] = [
    items.getBoundingClientRect(),
    items.closest(".threads")?.getBoundingClientRect(),
  ];
  const right = Math.min(innerWidth - 8, frame?.right ?? Infinity);
  const left = Math.max(8, frame?.left ?? 0);
  const dx = box.right > right ? right - box.right : box.left < left ? left - box.left : 0;
  const summary = items.parentElement?.getBoundingClientRect();
  const bottom = Math.min(
    innerHeight - parseFloat(getComputedStyle(document.body).getPropertyValue("--bottom-bar")),
    frame?.bottom ?? Infinity,
  );
  const dy =
    summary && box.bottom > bottom && box.height < summary.top ? summary.top - box.bottom - 4 : 0;
  if (dx !== 0 || dy !== 0) items.style.translate = `${dx}px ${dy}px`;
}

/** Adds a field that finds an emoji by name to a menu of reactions. The list of emojis is loaded on the first search. */
export function addEmojiSearch(items: HTMLElement, reactionsUrl: string): void {
  const input = make("input", {
    type: "search",
    placeholder: "Search all emojis",
    "aria-label": "Search all emojis by name",
    autocomplete: "off",
  });
  const results = make("div", {
    class: "emoji-found",
    "data-js": true,
    role: "group",
    "aria-label": "Found",
  });
  items.append(make("div", { class: "emoji-search", "data-js": true }, input), results);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    results.querySelector("button")?.click();
  });
  input.addEventListener("input", () => {
    void findEmojis(input.value).then((found) => {
      results.replaceChildren(
        ...found.map(([emoji, names]) =>
          make(
            "button",
            {
              form: "act",
              formaction: reactionsUrl + emoji,
              name: "_method",
              value: "PUT",
              title: names.split(" ").slice(0, 4).join(" "),
              "aria-label": names,
            },
            emoji,
          ),
        ),
      );
      keepInView(items);
    });
  });
}

/** Emojis whose names contain every word of the query, best matches first. */
async function findEmojis(query: string): Promise<[emoji: string, names: string][]> {
  const { default: all } = await import("emojis");
  const words = query.trim().toLowerCase().split(/\s+/);
  const phrase = words.join(" ");
  if (phrase === "") return [];
  const rank = (names: string) =>
    names.startsWith(phrase) ? 0 : names.includes(` ${phrase}`) ? 1 : 2;
  return all
    .filter(([, names]) => words.every((word) => names.includes(word)))
    .sort(([, a], [, b]) => rank(a) - rank(b))
    .slice(0, MAX_EMOJIS);
}
