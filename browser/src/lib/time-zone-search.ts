// <time-zone-search>: turns the list of time zones that it contains into a field that finds a zone by its city, and shows
// the current time there (ARIA combobox pattern). The list stays in the form and is submitted. Without scripts, it is
// the field.
import { make } from "./dom.js";
import { ListBox } from "./list-box.js";

const MAX_SHOWN = 8;
/** How often the time under the field is updated. */
const TICK_MS = 10_000;

export class TimeZoneSearch extends HTMLElement {
  #select!: HTMLSelectElement;
  #input!: HTMLInputElement;
  #list!: HTMLUListElement;
  #listBox!: ListBox;
  #now!: HTMLParagraphElement;
  #shown: string[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  connectedCallback(): void {
    const select = this.querySelector("select");
    if (!select) return;
    this.#select = select;
    // A page from Turbo's cache contains the field, but its listeners are gone.
    const earlier = this.querySelector<HTMLInputElement>("input");
    const id = earlier?.id ?? select.id;
    this.querySelector(".zone")?.remove();
    this.#build(id);
    this.#showChosen();
    this.#timer = setInterval(() => this.#showNow(), TICK_MS);
  }

  disconnectedCallback(): void {
    clearInterval(this.#timer);
  }

  #build(id: string): void {
    this.#list = make("ul", {
      class: "suggestions",
      role: "listbox",
      id: `${id}-options`,
      "aria-label": "Time zones",
      hidden: true,
    });
    const errors = this.#select.getAttribute("aria-describedby") ?? "";
    this.#input = make("input", {
      type: "text",
      id,
      role: "combobox",
      autocomplete: "off",
      spellcheck: "false",
      placeholder: "Search for a city",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": this.#list.id,
      "aria-describedby": `${errors} ${id}-now`.trim(),
      "aria-invalid": this.#select.getAttribute("aria-invalid") ?? "false",
    });
    this.#listBox = new ListBox(this.#input, this.#list);
    this.#now = make("p", { class: "hint", id: `${id}-now` });
    this.#select.removeAttribute("id");
    this.#select.hidden = true;
    this.append(
      make(
        "div",
        { class: "zone" },
        make("div", { class: "combobox" }, this.#input, this.#list),
        this.#now,
      ),
    );
    this.#input.addEventListener("focus", () => this.#input.select());
    this.#input.addEventListener("click", () => this.#suggest(""));
    this.#input.addEventListener("input", () => this.#suggest(this.#input.value));
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#input.addEventListener("blur", () => this.#close());
  }

  #suggest(query: string): void {
    this.#shown = query.trim() === "" ? this.#firstZones() : this.#find(query);
    this.#list.replaceChildren(...this.#shown.map((zone, index) => this.#option(zone, index)));
    this.#list.hidden = this.#shown.length === 0;
    this.#input.setAttribute("aria-expanded", String(this.#shown.length > 0));
    this.#listBox.activate(this.#shown.length > 0 ? 0 : -1);
  }

  /** The zone of this browser and the chosen one. */
  #firstZones(): string[] {
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    return [...new Set([here, this.#select.value])].filter((zone) => this.#zones.includes(zone));
  }

  get #zones(): string[] {
    return [...this.#select.options].map(({ value }) => value);
  }

  /** The zones whose names contain words that begin with all typed words. Cities that begin with the text come first. */
  #find(query: string): string[] {
    const typed = query.trim().toLowerCase();
    const words = typed.split(/[\s/_,]+/);
    const rank = (zone: string) => (cityOf(zone).toLowerCase().startsWith(typed) ? 0 : 1);
    return this.#zones
      .filter((zone) => {
        const parts = zone.toLowerCase().split(/[/_-]/);
        return words.every((word) => parts.some((part) => part.startsWith(word)));
      })
      .sort((a, b) => rank(a) - rank(b))
      .slice(0, MAX_SHOWN);
  }

  #option(zone: string, index: number): HTMLLIElement {
    const option = make(
      "li",
      { role: "option", "aria-selected": "false" },
      make("span", {}, cityOf(zone)),
      make("span", { class: "sr" }, ", "),
      make("span", { class: "meta" }, [areaOf(zone), timeIn(zone)].filter(Boolean).join(" · ")),
    );
    // Use mousedown, because `blur` would close the list before `click`.
    option.addEventListener("mousedown", (event) => {
      event.preventDefault();
      this.#choose(index);
    });
    return option;
  }

  #choose(index: number): void {
    const zone = this.#shown[index];
    if (zone !== undefined) this.#select.value = zone;
    this.#close();
  }

  #close(): void {
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#listBox.activate(-1);
    this.#showChosen();
  }

  #showChosen(): void {
    this.#input.value = cityOf(this.#select.value);
    this.#showNow();
  }

  #showNow(): void {
    const { value } = this.#select;
    this.#now.textContent = `${timeIn(value)} in ${cityOf(value)} now`;
  }

  #key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const isOpen = !this.#list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (isOpen) this.#listBox.move(event.key === "ArrowDown" ? 1 : -1);
      else this.#suggest("");
    } else if (event.key === "Enter" && isOpen) this.#choose(this.#listBox.active);
    else if (event.key === "Escape" && isOpen) this.#close();
    else return;
    event.preventDefault();
  }
}

/** The city in the name of a zone: `Buenos Aires` for `America/Argentina/Buenos_Aires`. */
function cityOf(zone: string): string {
  return (zone.split("/").at(-1) ?? zone).replaceAll("_", " ");
}

/** What comes before the city in the name of a zone: `America, Argentina`. */
function areaOf(zone: string): string {
  return zone.split("/").slice(0, -1).join(", ").replaceAll("_", " ");
}

/** The current time there, such as `Mon 17:00`. Empty if the browser does not know the zone. */
function timeIn(zone: string): string {
  try {
    return new Date()
      .toLocaleString("en-GB", {
        timeZone: zone,
        weekday: "short",
        hour: "2-digit",
        minute: "2-digit",
      })
      .replace(",", "");
  } catch {
    return "";
  }
}

customElements.define("time-zone-search", TimeZoneSearch);

declare global {
  interface HTMLElementTagNameMap {
    "time-zone-search": TimeZoneSearch;
  }
}
