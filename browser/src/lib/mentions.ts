// Names behind an @: completed from the people and groups of the workspace, which are fetched when the first one is typed.
import "@github/text-expander-element";
import { make } from "./dom.js";
import { requestJson } from "./request.js";

interface Name {
  /** What is written for it. */
  value: string;
  name: string;
  /** What tells it from others. */
  hint: string;
  /** Beginnings it is found by. */
  words: string[];
}

const SHOWN = 6;
let names: Promise<Name[]> | null = null;

// These events do not bubble; on their way down they pass here.
document.addEventListener(
  "text-expander-change",
  (event) => {
    event.detail.provide(offer(event.detail.text));
  },
  true,
);

document.addEventListener(
  "text-expander-value",
  (event) => {
    const detail = event.detail;
    detail.value = detail.item.dataset["value"] ?? null;
  },
  true,
);

// What was put in is typed, for the draft and for all who listen.
document.addEventListener(
  "text-expander-committed",
  (event) => {
    event.detail.input.dispatchEvent(new Event("input", { bubbles: true }));
  },
  true,
);

// Over the line instead of under it where there is no room, and never over an edge.
document.addEventListener(
  "text-expander-activate",
  ({ target }) => {
    requestAnimationFrame(() => {
      const list = target instanceof Element ? target.querySelector<HTMLElement>(".names") : null;
      if (!list) return;
      const box = list.getBoundingClientRect();
      const across = Math.min(0, innerWidth - 8 - box.right);
      const up = box.bottom > innerHeight - 8 ? -box.height - 32 : 6;
      list.style.translate = `${across}px ${up}px`;
    });
  },
  true,
);

async function offer(typed: string): Promise<{ matched: boolean; fragment?: HTMLElement }> {
  names ??= fetchNames();
  let all: Name[];
  try {
    all = await names;
  } catch {
    names = null; // Asked again at the next letter.
    return { matched: false };
  }
  const wanted = fold(typed);
  const found = all
    .filter(({ words }) => words.some((word) => word.startsWith(wanted)))
    .slice(0, SHOWN);
  if (found.length === 0) return { matched: false };
  const items = found.map(({ value, name, hint }, index) =>
    make(
      "li",
      { role: "option", id: `name-${index}`, "data-value": value },
      make("span", {}, name),
      make("span", { class: "meta" }, hint),
    ),
  );
  return {
    matched: true,
    fragment: make(
      "ul",
      {
        class: "names people-options",
        role: "listbox",
        "aria-label": "People and groups",
        "data-js": true,
      },
      ...items,
    ),
  };
}

async function fetchNames(): Promise<Name[]> {
  const [people, groups] = await Promise.all([
    requestJson("GET", "/people") as Promise<{
      items: { name: string; email: string; deactivated_at: string | null }[];
    }>,
    (requestJson("GET", "/groups") as Promise<{ items: { name: string }[] }>).catch(() => ({
      items: [],
    })),
  ]);
  return [
    ...people.items
      .filter((person) => person.deactivated_at === null)
      .map(({ name, email }) => ({
        value: `@${name}`,
        name,
        hint: email,
        words: [fold(name), ...fold(name).split(" "), fold(email)],
      })),
    ...groups.items.map(({ name }) => ({
      value: `@${name}`,
      name: `@${name}`,
      hint: "group",
      words: [fold(name)],
    })),
  ];
}

/** As the server folds names: without case and accents. */
function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
