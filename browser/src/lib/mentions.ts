// Suggests people and groups of the workspace after an @.
import "@github/text-expander-element";
import { make } from "./dom.js";
import { LatestSearch, type FoundPerson } from "./people-search.js";
import { requestJson } from "./request.js";

interface Mentionable {
  /** The text to insert. */
  value: string;
  name: string;
  /** Distinguishes people with the same name. */
  hint: string;
}

const MAX_SUGGESTIONS = 6;
const search = new LatestSearch();
let groups: Promise<string[]> | null = null;

// The events of <text-expander> do not bubble, so listen in the capture phase.
document.addEventListener(
  "text-expander-change",
  (event) => {
    event.detail.provide(suggest(event.detail.text));
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

// Dispatch `input` for an inserted name too, so that the draft is saved.
document.addEventListener(
  "text-expander-committed",
  (event) => {
    event.detail.input.dispatchEvent(new Event("input", { bubbles: true }));
  },
  true,
);

// Open the list above the line if there is no room below the line, and keep the list within the window.
document.addEventListener(
  "text-expander-activate",
  ({ target }) => {
    requestAnimationFrame(() => {
      const list = target instanceof Element ? target.querySelector<HTMLElement>(".names") : null;
      if (!list) return;
      const box = list.getBoundingClientRect();
      const dx = Math.min(0, innerWidth - 8 - box.right);
      const dy = box.bottom > innerHeight - 8 ? -box.height - 32 : 6;
      list.style.translate = `${dx}px ${dy}px`;
    });
  },
  true,
);

async function suggest(typed: string): Promise<{ matched: boolean; fragment?: HTMLElement }> {
  const names = groupNames();
  const people = await search.run(typed, MAX_SUGGESTIONS);
  // The element shows whatever arrives last, so if a later search has replaced this one, nothing may arrive.
  if (!people && search.isRunning) return new Promise(() => {});
  const matches = people ? mentionables(typed, people, await names) : [];
  if (matches.length === 0) return { matched: false };
  const items = matches.map(({ value, name, hint }, index) =>
    make(
      "li",
      { role: "option", id: `name-${index}`, "data-value": value },
      make("span", { dir: "auto" }, name),
      make("span", { class: "meta" }, hint),
    ),
  );
  return {
    matched: true,
    fragment: make(
      "ul",
      {
        class: "names suggestions",
        role: "listbox",
        "aria-label": "People and groups",
        "data-js": true,
      },
      ...items,
    ),
  };
}

/** The people that were found, and the groups whose name begins with the typed letters. */
function mentionables(typed: string, people: FoundPerson[], names: string[]): Mentionable[] {
  const prefix = fold(typed);
  return [
    ...people.map(({ name, email }) => ({ value: `@${name}`, name, hint: email })),
    ...names
      .filter((name) => fold(name).startsWith(prefix))
      .map((name) => ({ value: `@${name}`, name: `@${name}`, hint: "group" })),
  ].slice(0, MAX_SUGGESTIONS);
}

/** The names of all groups. They are fetched when the first @ is typed. */
async function groupNames(): Promise<string[]> {
  groups ??= requestJson("GET", "/groups").then((list) =>
    (list as { items: { name: string }[] }).items.map(({ name }) => name),
  );
  try {
    return await groups;
  } catch {
    groups = null; // Retry at the next letter.
    return [];
  }
}

/** Converts to lower case and removes accents, as the server does. */
function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
