// Addresses as chips, with completion from the people of the workspace (a combobox with a listbox, as ARIA's patterns have it).
// The plain line of addresses with commas stays underneath and is what the form sends.
import { announce, icon, iconButton, make } from "../lib/dom.js";

interface Choice {
  value: string;
  name: string;
}

export class PeopleField extends HTMLElement {
  #line!: HTMLInputElement;
  #input!: HTMLInputElement;
  #box!: HTMLDivElement;
  #list!: HTMLUListElement;
  #choices: Choice[] = [];
  #shown: Choice[] = [];
  #at = -1;
  #wrong = new Set<string>();

  connectedCallback(): void {
    const line = this.querySelector<HTMLInputElement>("input[name=audience], input[name=members]");
    if (!line || this.querySelector(".people-box")) return;
    this.#line = line;
    this.#choices = [...(line.list?.options ?? [])].map((option) => ({
      value: option.value,
      name: option.textContent ?? "",
    }));
    this.#list = make("ul", {
      class: "people-options",
      role: "listbox",
      id: `${line.id}-options`,
      "aria-label": "People",
      hidden: true,
    });
    this.#input = make("input", {
      type: "text",
      id: line.id,
      role: "combobox",
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": this.#list.id,
    });
    for (const name of ["aria-describedby", "aria-invalid"]) {
      const value = line.getAttribute(name);
      if (value !== null) this.#input.setAttribute(name, value);
      line.removeAttribute(name);
    }
    line.removeAttribute("id");
    line.removeAttribute("list");
    line.type = "hidden";
    this.querySelector("datalist")?.remove();
    this.#box = make("div", { class: "people-box" }, this.#input);
    this.append(this.#box, this.#list);
    this.#input.addEventListener("input", () => this.#typed());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#input.addEventListener("focus", () => this.#suggest());
    this.#input.addEventListener("blur", () => this.commit());
    this.#box.addEventListener("click", () => this.#input.focus());
    // The form filled in what it remembers, after this element began.
    document.addEventListener("hearback:audience-changed", this.#draw);
    this.#draw();
  }

  disconnectedCallback(): void {
    document.removeEventListener("hearback:audience-changed", this.#draw);
  }

  /** Takes what is typed and not yet a chip. */
  commit(): void {
    this.#take(this.#input.value);
    this.#close();
  }

  /** Marks the addresses that are wrong, and no others. */
  mark(wrong: string[]): void {
    this.#wrong = new Set(wrong);
    this.#draw();
  }

  /** Whom it names, in words: nothing, or "Ruth, Bob and 2 more". */
  get words(): string {
    const names = [...this.#box.querySelectorAll(".person-chip > span")].map(
      (chip) => chip.textContent ?? "",
    );
    const shown = names.length > 3 ? [...names.slice(0, 2), `${names.length - 2} more`] : names;
    return shown.join(", ").replace(/, ([^,]*)$/, " and $1");
  }

  get #values(): string[] {
    return this.#line.value
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
  }

  #set(values: string[]): void {
    this.#line.value = [...new Set(values)].join(", ");
    this.#draw();
    this.#line.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #draw = (): void => {
    for (const chip of this.#box.querySelectorAll(".person-chip")) chip.remove();
    for (const value of this.#values) {
      const name = this.#choices.find((choice) => choice.value === value)?.name ?? value;
      const remove = iconButton(`Remove ${name}`, icon("x"), "");
      remove.addEventListener("click", () => this.#remove(value));
      this.#input.before(
        make(
          "span",
          { class: "person-chip", title: value, "data-wrong": this.#wrong.has(value) },
          make("span", {}, name),
          remove,
        ),
      );
    }
    this.#input.placeholder = this.#values.length === 0 ? "Name or e-mail address" : "";
  };

  #remove(value: string): void {
    this.#set(this.#values.filter((other) => other !== value));
    announce(`${value} removed.`);
    this.#input.focus();
  }

  #typed(): void {
    // A comma, or several addresses pasted at once.
    if (/[,;\n]/.test(this.#input.value)) {
      const parts = this.#input.value.split(/[,;\s]+/);
      this.#input.value = "";
      this.#set([...this.#values, ...parts.filter((part) => part !== "")]);
    }
    this.#suggest();
  }

  #take(text: string): void {
    const value = text.trim();
    if (value === "") return;
    const known = this.#choices.find((choice) =>
      [choice.value, choice.name].some((word) => word.toLowerCase() === value.toLowerCase()),
    );
    this.#input.value = "";
    this.#set([...this.#values, known?.value ?? value]);
  }

  #suggest(): void {
    const words = this.#input.value.trim().toLowerCase();
    const taken = new Set(this.#values);
    this.#shown = this.#choices
      .filter(
        ({ value, name }) =>
          !taken.has(value) &&
          (words === "" ||
            value.toLowerCase().startsWith(words) ||
            name
              .toLowerCase()
              .split(" ")
              .some((part) => part.startsWith(words)) ||
            name.toLowerCase().startsWith(words)),
      )
      .slice(0, 8);
    this.#at = words === "" ? -1 : 0;
    this.#list.replaceChildren(
      ...this.#shown.map(({ value, name }, index) => {
        const option = make(
          "li",
          { role: "option", id: `${this.#input.id}-option-${index}`, "aria-selected": "false" },
          make("span", {}, name),
          make("span", { class: "meta" }, value === "everyone" ? "" : value),
        );
        // Before the line loses the focus.
        option.addEventListener("mousedown", (event) => {
          event.preventDefault();
          this.#choose(index);
        });
        return option;
      }),
    );
    this.#mark();
    this.#list.hidden = this.#shown.length === 0;
    this.#input.setAttribute("aria-expanded", String(this.#shown.length > 0));
  }

  #mark(): void {
    [...this.#list.children].forEach((option, index) =>
      option.setAttribute("aria-selected", String(index === this.#at)),
    );
    const active = this.#list.children[this.#at];
    if (active) {
      this.#input.setAttribute("aria-activedescendant", active.id);
      active.scrollIntoView({ block: "nearest" });
    } else this.#input.removeAttribute("aria-activedescendant");
  }

  #choose(index: number): void {
    const choice = this.#shown[index];
    if (!choice) return;
    this.#input.value = "";
    this.#set([...this.#values, choice.value]);
    // Open, it would lie over the button that is pressed next; typing opens it again.
    this.#close();
  }

  #close(): void {
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }

  #key(event: KeyboardEvent): void {
    const open = !this.#list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) this.#suggest();
      else
        this.#at =
          (this.#at + (event.key === "ArrowDown" ? 1 : -1) + this.#shown.length) %
          this.#shown.length;
      this.#mark();
    } else if (
      (event.key === "Enter" || event.key === "Tab") &&
      !event.ctrlKey &&
      !event.metaKey &&
      !event.shiftKey
    ) {
      if (
        (open && this.#at >= 0 && this.#input.value !== "") ||
        (event.key === "Enter" && open && this.#at >= 0)
      ) {
        event.preventDefault();
        this.#choose(this.#at);
      } else if (this.#input.value.trim() !== "") {
        event.preventDefault();
        this.#take(this.#input.value);
        this.#close();
      }
    } else if (event.key === "Escape" && open) {
      event.stopPropagation();
      this.#close();
    } else if (event.key === "Backspace" && this.#input.value === "") {
      const last = this.#values.at(-1);
      if (last) this.#remove(last);
    }
  }
}

customElements.define("people-field", PeopleField);

declare global {
  interface HTMLElementTagNameMap {
    "people-field": PeopleField;
  }
}
