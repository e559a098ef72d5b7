// Menus are <details>: one is open at a time, and Escape or a click elsewhere closes it. And any emoji, by its name.
import { make } from "./dom.js";

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

// `toggle` does not bubble, but it can be captured.
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!(target instanceof HTMLDetailsElement) || !target.open || !target.matches(".menu")) return;
    const items = target.querySelector<HTMLElement>(".menu-items");
    if (!items) return;
    if (target.matches(".react")) searchEmojis(items);
    keepInView(items);
  },
  true,
);

/** Moves a menu that would hang over an edge, of the window or of a list that scrolls. */
function keepInView(items: HTMLElement): void {
  items.style.translate = "";
  const [box, frame] = [
    items.getBoundingClientRect(),
    items.closest(".threads")?.getBoundingClientRect(),
  ];
  const right = Math.min(innerWidth - 8, frame?.right ?? Infinity);
  const left = Math.max(8, frame?.left ?? 0);
  const across = box.right > right ? right - box.right : box.left < left ? left - box.left : 0;
  const summary = items.parentElement?.getBoundingClientRect();
  const below = Math.min(
    innerHeight - parseFloat(getComputedStyle(document.body).getPropertyValue("--bottom-bar")),
    frame?.bottom ?? Infinity,
  );
  const up =
    summary && box.bottom > below && box.height < summary.top ? summary.top - box.bottom - 4 : 0;
  if (across !== 0 || up !== 0) items.style.translate = `${across}px ${up}px`;
}

/** Adds a line that finds any emoji; the list of all is fetched when it is first used. */
function searchEmojis(items: HTMLElement): void {
  if (items.querySelector(".emoji-search")) return;
  const first = items.querySelector<HTMLButtonElement>("button[formaction]");
  const base = first?.getAttribute("formaction")?.replace(/[^/]*$/, "");
  if (base === undefined) return;
  const input = make("input", {
    type: "search",
    placeholder: "Any other, by name",
    "aria-label": "Find an emoji by its name",
    autocomplete: "off",
  });
  const found = make("div", {
    class: "emoji-found",
    "data-js": true,
    role: "group",
    "aria-label": "Found",
  });
  items.append(make("div", { class: "emoji-search", "data-js": true }, input), found);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    found.querySelector("button")?.click();
  });
  input.addEventListener("input", () => {
    void (async () => {
      const { default: all } = await import("emojis");
      const words = input.value.trim().toLowerCase().split(/\s+/);
      const wanted = words.join(" ");
      // What is called so comes before what has to do with it.
      const rank = (names: string) =>
        names.startsWith(wanted) ? 0 : names.includes(` ${wanted}`) ? 1 : 2;
      const hits =
        wanted === ""
          ? []
          : all
              .filter(([, names]) => words.every((word) => names.includes(word)))
              .sort(([, a], [, b]) => rank(a) - rank(b))
              .slice(0, 40);
      found.replaceChildren(
        ...hits.map(([emoji, names]) =>
          make(
            "button",
            {
              formaction: base + emoji,
              title: names.split(" ").slice(0, 4).join(" "),
              "aria-label": names,
            },
            emoji,
          ),
        ),
      );
      keepInView(items);
    })();
  });
}
