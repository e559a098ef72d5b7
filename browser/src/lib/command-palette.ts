// The command palette: Ctrl+K or ⌘K opens a dialog in which the person goes to a page, starts an update, or finds an
// update or a person. The field is an ARIA combobox with a list box.
import { visit } from "@hotwired/turbo";
import { announce, icon, make, plural } from "./dom.js";
import { latinKey } from "./latin-key.js";
import { ListBox } from "./list-box.js";
import { searchPeople, type FoundPerson } from "./people-search.js";
import { requestJson } from "./request.js";
import { showShortcuts } from "./shortcuts.js";

/** The maximum number of updates, and of people, that a search shows. */
const MAX_FOUND = 5;

interface Entry {
  group: "Go to" | "Updates" | "People";
  label: string;
  detail?: string;
  picture: SVGSVGElement;
  run: () => void;
}

interface Found {
  updates: { id: string; title: string; state: string; author: { name: string } }[];
  people: FoundPerson[];
}

const go = (url: string) => (): void => visit(url);

function commands(): Entry[] {
  const all: [label: string, picture: SVGSVGElement, run: () => void][] = [
    ["New update", icon("plus"), go("/updates/new")],
    ["Record", icon("video"), () => location.assign("/updates/new#record")],
    ["Inbox", icon("inbox"), go("/inbox")],
    ["Library", icon("library"), go("/updates")],
    ["Drafts", icon("text"), go("/updates?state=draft")],
    ["Sent by me", icon("ear"), go("/receipts")],
    ["People", icon("users-round"), go("/people")],
    ["Groups", icon("users-round"), go("/groups")],
    ["Settings", icon("settings"), go("/me")],
    ["Trash", icon("trash-2"), go("/updates?state=trashed")],
    ["Keyboard shortcuts", icon("keyboard"), showShortcuts],
  ];
  return all.map(([label, picture, run]) => ({ group: "Go to", label, picture, run }));
}

class Palette {
  readonly #input = make("input", {
    type: "text",
    role: "combobox",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    dir: "auto",
    placeholder: "Go to a page, or find an update or a person",
    "aria-label": "Go to a page, or find an update or a person",
    "aria-autocomplete": "list",
    "aria-expanded": "true",
    "aria-controls": "palette-options",
  });
  readonly #list = make("div", {
    id: "palette-options",
    class: "palette-options",
    role: "listbox",
    "aria-label": "Suggestions",
  });
  readonly #dialog = make(
    "dialog",
    { class: "palette", "aria-label": "Search and commands", "data-turbo-temporary": true },
    make("div", { class: "palette-field" }, icon("search"), this.#input),
    this.#list,
  );
  #entries: Entry[] = [];
  readonly #listBox = new ListBox(this.#input, this.#list);
  #search = new AbortController();

  open(): void {
    this.#input.addEventListener("input", () => this.#update());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
    this.#dialog.addEventListener("close", () => {
      this.#search.abort();
      this.#dialog.remove();
    });
    document.body.append(this.#dialog);
    this.#dialog.showModal();
    this.#update();
  }

  get #query(): string {
    return this.#input.value.trim();
  }

  /** Shows the matching commands at once, and what the server finds when it responds. */
  #update(): void {
    this.#search.abort();
    this.#search = new AbortController();
    const matching = this.#matchingCommands();
    this.#show(matching);
    if (this.#query !== "") void this.#findOnServer(matching, this.#search.signal);
  }

  #matchingCommands(): Entry[] {
    const words = this.#query.toLowerCase().split(/\s+/);
    return commands().filter(({ label }) => {
      const parts = label.toLowerCase().split(" ");
      return words.every((word) => parts.some((part) => part.startsWith(word)));
    });
  }

  async #findOnServer(matching: Entry[], signal: AbortSignal): Promise<void> {
    try {
      const found = await search(this.#query, signal);
      if (signal.aborted) return;
      const entries = [...matching, ...foundEntries(found)];
      this.#show(entries);
      const { length } = entries;
      announce(length === 0 ? "Nothing found." : `${plural(length, "result", "results")}.`);
    } catch {
      // Without results from the server, the commands remain.
    }
  }

  /** Shows the entries under the headings of their groups. The active entry stays active if it is still shown. */
  #show(entries: Entry[]): void {
    const before = this.#entries[this.#listBox.active];
    const same = entries.findIndex(
      ({ group, label }) => group === before?.group && label === before.label,
    );
    this.#entries = entries;
    const groups = [...new Set(entries.map(({ group }) => group))];
    this.#list.replaceChildren(
      ...groups.map((group) => this.#group(group)),
      ...(entries.length === 0 ? [make("p", { class: "hint" }, "Nothing found")] : []),
    );
    const first = entries.length > 0 ? 0 : -1;
    this.#listBox.activate(this.#query === "" ? first : Math.max(first, same));
  }

  #group(group: Entry["group"]): HTMLElement {
    const options = this.#entries
      .filter((entry) => entry.group === group)
      .map((entry) => this.#option(entry));
    const heading = make("h3", { "aria-hidden": "true" }, group);
    return make("div", { role: "group", "aria-label": group }, heading, ...options);
  }

  #option({ label, detail, picture, run }: Entry): HTMLElement {
    const option = make(
      "div",
      { role: "option", "aria-selected": "false" },
      picture,
      make("bdi", {}, label),
      ...(detail === undefined
        ? []
        : [make("span", { class: "sr" }, ", "), make("bdi", { class: "meta" }, detail)]),
    );
    option.addEventListener("click", () => this.#run(run));
    return option;
  }

  #key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") this.#listBox.move(1);
    else if (event.key === "ArrowUp") this.#listBox.move(-1);
    else if (event.key === "Enter") {
      const entry = this.#entries[this.#listBox.active];
      if (entry) this.#run(entry.run);
    } else return;
    event.preventDefault();
  }

  #run(run: () => void): void {
    this.#dialog.close();
    run();
  }
}

async function search(query: string, signal: AbortSignal): Promise<Found> {
  const words = new URLSearchParams({ q: query, limit: String(MAX_FOUND) }).toString();
  const [updates, people] = await Promise.all([
    requestJson("GET", `/updates?${words}`, undefined, signal),
    searchPeople(query, MAX_FOUND, { signal }),
  ]);
  return { updates: (updates as { items: Found["updates"] }).items, people };
}

function foundEntries({ updates, people }: Found): Entry[] {
  return [
    ...updates.map(({ id, title, state, author }): Entry => ({
      group: "Updates",
      label: title,
      detail: author.name,
      picture: icon("film"),
      run: go(`/updates/${id}${state === "draft" ? "/edit" : ""}`),
    })),
    ...people.map(({ id, name, email }): Entry => ({
      group: "People",
      label: name,
      detail: email,
      picture: icon("user-round"),
      run: go(`/updates?author=${id}`),
    })),
  ];
}

/** Opens the palette, if the page has a navigation and no other dialog is open. */
function openPalette(): boolean {
  if (!document.querySelector(".rail") || document.querySelector("dialog[open]")) return false;
  new Palette().open();
  return true;
}

document.addEventListener("keydown", (event) => {
  const isShortcut = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  if (isShortcut && latinKey(event) === "k" && !event.defaultPrevented && openPalette())
    event.preventDefault();
});

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("[data-palette]") : null;
  if (link && !event.ctrlKey && !event.metaKey && openPalette()) event.preventDefault();
});
