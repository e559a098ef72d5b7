// The list box of an ARIA combobox: one option at a time is active, while the focus stays in the input.

export class ListBox {
  #active = -1;

  constructor(
    private readonly input: HTMLInputElement,
    private readonly list: HTMLElement,
  ) {}

  /** The index of the active option, or -1. */
  get active(): number {
    return this.#active;
  }

  get #options(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>("[role=option]")];
  }

  /** Makes an option active; -1 makes none active. Call this after each change of the options. */
  activate(index: number): void {
    this.#active = index;
    this.input.removeAttribute("aria-activedescendant");
    for (const [place, option] of this.#options.entries()) {
      option.id = `${this.list.id}-${place}`;
      option.setAttribute("aria-selected", String(place === index));
      if (place !== index) continue;
      this.input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    }
  }

  /** Activates the next or previous option. After the last comes the first. */
  move(step: 1 | -1): void {
    const { length } = this.#options;
    if (length === 0) return;
    const start = this.#active === -1 && step < 0 ? length : this.#active;
    this.activate((start + step + length) % length);
  }
}
