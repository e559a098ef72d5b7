// <people-suggestions> wraps an input, and suggests email addresses as the user types. With `data-submit`, choosing a
// suggestion submits the form. Without scripts, the input is a plain field.
import { make } from "./dom.js";
import { LatestSearch } from "./people-search.js";

const MAX_SUGGESTIONS = 8;

class PeopleSuggestions extends HTMLElement {
  #input!: HTMLInputElement;
  #options!: HTMLDataListElement;
  readonly #search = new LatestSearch();
  #listeners = new AbortController();

  connectedCallback(): void {
    const input = this.querySelector("input");
    if (!input) return;
    this.#input = input;
    // A page from Turbo's cache contains the list, but its listeners are gone.
    this.#options =
      this.querySelector("datalist") ?? make("datalist", { id: `${input.id}-people` });
    this.append(this.#options);
    input.setAttribute("list", this.#options.id);
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    input.addEventListener("focus", () => void this.#suggest(), { signal });
    input.addEventListener("input", (event) => this.#handleInput(event), { signal });
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
    this.#search.abort();
  }

  #handleInput(event: Event): void {
    if (this.#isChosen(event) && this.hasAttribute("data-submit"))
      this.#input.form?.requestSubmit();
    else void this.#suggest();
  }

  /** Whether the person chose a suggestion. Typing a complete address does not count: it may be part of a longer one. */
  #isChosen(event: Event): boolean {
    // Browsers report a chosen suggestion as a replacement, or as an event without an input type.
    const { inputType = "" } = event as Partial<InputEvent>;
    return (
      (inputType === "" || inputType === "insertReplacementText") &&
      [...this.#options.options].some((option) => option.value === this.#input.value)
    );
  }

  async #suggest(): Promise<void> {
    const found = await this.#search.run(this.#input.value, MAX_SUGGESTIONS, true);
    if (!found) return;
    const options = found.map(({ name, email }) => make("option", { value: email }, name));
    this.#options.replaceChildren(...options);
  }
}

customElements.define("people-suggestions", PeopleSuggestions);

declare global {
  interface HTMLElementTagNameMap {
    "people-suggestions": PeopleSuggestions;
  }
}
