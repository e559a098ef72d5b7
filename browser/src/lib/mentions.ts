// Suggests people and groups of the workspace after an @. The names are fetched when the first @ is typed.
import "@github/text-expander-element";
import { make } from "./dom.js";
import { requestJson } from "./request.js";

interface Mentionable {
  /** The text to insert. */
  value: string;
  name: string;
  /** Distinguishes people with the same name. */
  hint: string;
  /**
   * Lower-case strings without accents. The item is suggested if one of them starts with the typed
   * letters.
   */
  keywords: string[];
}

const MAX_SUGGESTIONS = 6;
let mentionables: Promise<Mentionable[]> | null = null;

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
  mentionables ??= fetchMentionables();
  let all: Mentionable[];
  try {
    all = await mentionables;
  } catch {
    mentionables = null; // Retry at the next letter.
    return { matched: false };
  }
  const prefix = fold(typed);
  const matches = all
    .filter(({ keywords }) => keywords.some((keyword) => keyword.startsWith(prefix)))
    .slice(0, MAX_SUGGESTIONS);
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
        class: "names people-options",
        role: "listbox",
        "aria-label": "People and groups",
        "data-js": true,
      },
      ...items,
    ),
  };
}

interface MentionablePerson {
  name: string;
  email: string;
  deactivated_at: string | null;
}

/** Fetches all pages of the list of people. */
async function fetchPeople(): Promise<MentionablePerson[]> {
  const people: MentionablePerson[] = [];
  let after: string | null = "";
  while (after !== null) {
    const page = (await requestJson("GET", `/people?limit=100&after=${after}`)) as {
      items: MentionablePerson[];
      next: string | null;
    };
    people.push(...page.items);
    after = page.next;
  }
  return people;
}

async function fetchMentionables(): Promise<Mentionable[]> {
  const [people, groups] = await Promise.all([
    fetchPeople(),
    (requestJson("GET", "/groups") as Promise<{ items: { name: string }[] }>).catch(() => ({
      items: [],
    })),
  ]);
  return [
    ...people
      .filter((person) => person.deactivated_at === null)
      .map(({ name, email }) => ({
        value: `@${name}`,
        name,
        hint: email,
        keywords: [fold(name), ...fold(name).split(" "), fold(email)],
      })),
    ...groups.items.map(({ name }) => ({
      value: `@${name}`,
      name: `@${name}`,
      hint: "group",
      keywords: [fold(name)],
    })),
  ];
}

/** Converts to lower case and removes accents, as the server does. */
function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
