// <people-field>: an input for email addresses and @groups. It shows the entries as chips and completes names (ARIA
// combobox pattern). The suggestions come from the server. The original input is hidden. It contains the
// comma-separated addresses and is submitted with the form. Its datalist has the names of the people in it. `data-me`
// is an address that is not suggested.
import { announce, icon, iconButton, make } from "../lib/dom.js";
import { ListBox } from "../lib/list-box.js";
import { LatestSearch, searchPeople } from "../lib/people-search.js";

/** The maximum number of suggestions shown at a time. */
const maxSuggestions = 8;

interface Choice {
  value: string;
  name: string;
}

export class PeopleField extends HTMLElement {
  /** The original input, which is hidden and is submitted with the form. */
  #value!: HTMLInputElement;
  /** The input that the person types into. */
  #input!: HTMLInputElement;
  #box!: HTMLDivElement;
  #list!: HTMLUListElement;
  /** The people that this page knows so far. */
  #choices: Choice[] = [];
  readonly #search = new LatestSearch();
  /** Whether Enter was pressed while the search was running. */
  #acceptsFirst = false;
  /** Entries whose names were requested from the server. */
  readonly #asked = new Set<string>();
  #suggestions: Choice[] = [];
  #listBox!: ListBox;
  #invalid = new Set<string>();

  connectedCallback(): void {
    const value = this.querySelector<HTMLInputElement>("input[name=audience], input[name=members]");
    if (!value || this.querySelector(".people-box")) return;
    this.#value = value;
    this.#choices = [...(value.list?.options ?? [])].map((option) => ({
      value: option.value,
      name: option.textContent ?? "",
    }));
    this.#list = make("ul", {
      class: "suggestions",
      role: "listbox",
      id: `${value.id}-options`,
      "aria-label": "People",
      hidden: true,
    });
    this.#input = this.#makeInput(value.id);
    this.#listBox = new ListBox(this.#input, this.#list);
    this.#hideOriginal();
    this.#box = make("div", { class: "people-box" }, this.#input);
    this.append(this.#box, this.#list);
    this.#input.addEventListener("input", () => this.#handleInput());
    this.#input.addEventListener("keydown", (event) => this.#handleKey(event));
    this.#input.addEventListener("focus", () => this.#suggestOnFocus());
    this.#input.addEventListener("blur", () => this.commit());
    this.#box.addEventListener("click", () => this.#input.focus());
    // The draft form may restore the last audience after this element is connected, so redraw the chips when it does.
    document.addEventListener("hearback:audience-changed", this.#draw);
    this.#draw();
  }

  disconnectedCallback(): void {
    this.#search.abort();
    document.removeEventListener("hearback:audience-changed", this.#draw);
  }

  /** Turns the text still in the input into a chip. */
  commit(): void {
    this.#add(this.#input.value);
    this.#close();
  }

  /** Marks these addresses as invalid, and no others. */
  mark(invalid: string[]): void {
    this.#invalid = new Set(invalid);
    this.#draw();
  }

  /** The names on the chips as a phrase, such as "Ruth, Bob and 2 more". Empty if there are no chips. */
  get summary(): string {
    const names = [...this.#box.querySelectorAll(".person-chip > span")].map(
      (chip) => chip.textContent ?? "",
    );
    const shown = names.length > 3 ? [...names.slice(0, 2), `${names.length - 2} more`] : names;
    return shown.join(", ").replace(/, ([^,]*)$/, " and $1");
  }

  #makeInput(id: string): HTMLInputElement {
    return make("input", {
      type: "text",
      id,
      role: "combobox",
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": this.#list.id,
    });
  }

  /** Hides the original input and moves its id and ARIA attributes to the visible one. */
  #hideOriginal(): void {
    for (const name of ["aria-describedby", "aria-invalid"]) {
      const value = this.#value.getAttribute(name);
      if (value !== null) this.#input.setAttribute(name, value);
      this.#value.removeAttribute(name);
    }
    this.#value.removeAttribute("id");
    this.#value.removeAttribute("list");
    this.#value.type = "hidden";
    this.querySelector("datalist")?.remove();
  }

  get #values(): string[] {
    return this.#value.value
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
  }

  #setValues(values: string[]): void {
    this.#value.value = [...new Set(values)].join(", ");
    this.#draw();
    this.#value.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #draw = (): void => {
    for (const chip of this.#box.querySelectorAll(".person-chip")) chip.remove();
    for (const value of this.#values) {
      const name = this.#choices.find((choice) => choice.value === value)?.name ?? value;
      if (name === value) void this.#lookUp(value);
      const remove = iconButton(`Remove ${name}`, icon("x"), "");
      remove.addEventListener("click", () => this.#remove(value));
      this.#input.before(
        make(
          "span",
          { class: "person-chip", title: value, "data-wrong": this.#invalid.has(value) },
          make("span", { dir: "auto" }, name),
          remove,
        ),
      );
    }
    const example =
      this.#value.name === "members"
        ? "Type a name or e-mail address"
        : "Type a name, @group or e-mail address";
    this.#input.placeholder = this.#values.length === 0 ? example : "";
  };

  #remove(value: string): void {
    this.#setValues(this.#values.filter((other) => other !== value));
    announce(`${value} removed.`);
    this.#input.focus();
  }

  #handleInput(): void {
    // A separator means that the user has finished typing an address or has pasted several.
    if (/[,;\n]/.test(this.#input.value)) {
      const parts = this.#input.value.split(/[,;\s]+/);
      this.#input.value = "";
      this.#setValues([...this.#values, ...parts.filter((part) => part !== "")]);
    }
    this.#suggest();
  }

  #add(text: string): void {
    const value = text.trim();
    if (value === "") return;
    const known = this.#choices.find((choice) =>
      [choice.value, choice.name].some((word) => word.toLowerCase() === value.toLowerCase()),
    );
    this.#input.value = "";
    this.#setValues([...this.#values, known?.value ?? value]);
  }

  /** Adds people to those that this page knows. */
  #learn(found: { name: string; email: string }[]): void {
    for (const { name, email } of found)
      if (!this.#choices.some((choice) => choice.value === email))
        this.#choices.push({ value: email, name });
  }

  /** Asks the server once who has this address or full name, so that the chip shows the name. */
  async #lookUp(entry: string): Promise<void> {
    if (entry.startsWith("@") || this.#asked.has(entry)) return;
    this.#asked.add(entry);
    const typed = entry.toLowerCase();
    let found;
    try {
      found = await searchPeople(entry, maxSuggestions);
    } catch {
      return; // The chip shows what was typed.
    }
    const same = found.filter(({ name, email }) =>
      [name, email].some((word) => word.toLowerCase() === typed),
    );
    const [person] = same;
    if (!person || same.length > 1 || !this.#values.includes(entry)) return;
    this.#learn([person]);
    if (person.email === entry) this.#draw();
    else this.#setValues(this.#values.map((value) => (value === entry ? person.email : value)));
  }

  /** Once people are chosen, the list opens only when the person types, because it would cover what is below. */
  #suggestOnFocus(): void {
    if (this.#values.length === 0 || this.#input.value !== "") this.#suggest();
  }

  /** Shows the matching people that the page knows, and then those that the server finds. */
  #suggest(): void {
    this.#showSuggestions();
    void this.#searchServer();
  }

  async #searchServer(): Promise<void> {
    const found = await this.#search.run(this.#input.value.trim(), maxSuggestions + 1);
    if (this.#search.isRunning) return;
    const accepts = this.#acceptsFirst;
    this.#acceptsFirst = false;
    if (found) {
      const others = found.filter(({ email }) => email !== this.dataset["me"]);
      this.#learn(others);
      this.#showSuggestions(others.map(({ name, email }) => ({ value: email, name })));
    }
    if (accepts && this.#suggestions.length > 0) this.#choose(0);
    else if (accepts) this.commit();
  }

  /**
   * `found` are the people whom the server found; without it, shows the matching people that the page knows. When they
   * arrive, the active suggestion stays active.
   */
  #showSuggestions(found?: Choice[]): void {
    const query = this.#input.value.trim().toLowerCase();
    const chosen = new Set(this.#values);
    const known = this.#choices.filter((choice) => matches(choice, query));
    const choices = found
      ? [...known.filter(({ value }) => value === "everyone"), ...found]
      : known;
    const activeValue = found && this.#suggestions[this.#listBox.active]?.value;
    this.#suggestions = choices
      .filter((choice) => !chosen.has(choice.value))
      .slice(0, maxSuggestions);
    const index = this.#suggestions.findIndex(({ value }) => value === activeValue);
    this.#list.replaceChildren(...this.#suggestions.map((choice, i) => this.#option(choice, i)));
    this.#listBox.activate(index >= 0 || query === "" ? index : 0);
    this.#list.hidden = this.#suggestions.length === 0;
    this.#input.setAttribute("aria-expanded", String(this.#suggestions.length > 0));
  }

  #option({ value, name }: Choice, index: number): HTMLLIElement {
    const option = make(
      "li",
      { role: "option", "aria-selected": "false" },
      make("span", { dir: "auto" }, name),
      make("span", { class: "meta" }, value === "everyone" ? "" : value),
    );
    // Use mousedown, because the input loses the focus before `click` and would then turn the typed text into a chip.
    option.addEventListener("mousedown", (event) => {
      event.preventDefault();
      this.#choose(index);
    });
    return option;
  }

  #choose(index: number): void {
    const choice = this.#suggestions[index];
    if (!choice) return;
    this.#input.value = "";
    this.#setValues([...this.#values, choice.value]);
    // Close the list, because it would cover the button that the person presses next. Typing opens it again.
    this.#close();
  }

  #close(): void {
    this.#search.abort();
    this.#acceptsFirst = false;
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }

  #handleKey(event: KeyboardEvent): void {
    const isOpen = !this.#list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      this.#moveActive(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" || event.key === "Tab") {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey) this.#accept(event);
    } else if (event.key === "Escape" && isOpen) {
      event.stopPropagation();
      this.#close();
    } else if (event.key === "Backspace" && this.#input.value === "") {
      const last = this.#values.at(-1);
      if (last) this.#remove(last);
    }
  }

  #moveActive(step: 1 | -1): void {
    if (this.#list.hidden) this.#suggest();
    else this.#listBox.move(step);
  }

  /**
   * Enter and Tab accept the active suggestion or, if none is active, add the typed text. In an empty input, Tab moves
   * the focus as usual.
   */
  #accept(event: KeyboardEvent): void {
    const hasActive = !this.#list.hidden && this.#listBox.active >= 0;
    if (hasActive && (this.#input.value !== "" || event.key === "Enter")) {
      event.preventDefault();
      this.#choose(this.#listBox.active);
    } else if (this.#input.value.trim() !== "") {
      event.preventDefault();
      if (event.key === "Enter" && this.#search.isRunning && !this.#input.value.includes("@"))
        this.#acceptsFirst = true;
      else this.commit();
    }
  }
}

/** Whether the address, the name or a word of the name starts with the query. */
function matches({ value, name }: Choice, query: string): boolean {
  const words = name.toLowerCase().split(" ");
  return [value.toLowerCase(), name.toLowerCase(), ...words].some((word) => word.startsWith(query));
}

customElements.define("people-field", PeopleField);

declare global {
  interface HTMLElementTagNameMap {
    "people-field": PeopleField;
  }
}
