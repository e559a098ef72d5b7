// <people-suggestions>: suggests email addresses in the input that it contains, while the person types. With
// `data-submit`, choosing a suggestion submits the form. Without scripts, the input is a plain field.
import { make } from "./dom.js";
import { LatestSearch } from "./people-search.js";

const MAX_SUGGESTIONS = 8;

class PeopleSuggestions extends HTMLElement {
  #input!: HTMLInputElement;
  #options!: HTMLDataListElement;
  readonly #search = new LatestSearch();

  connectedCallback(): void {
    const input = this.querySelector("input");
    if (!input || this.querySelector("datalist")) return;
    this.#input = input;
    this.#options = make("datalist", { id: `${input.id}-people` });
    this.append(this.#options);
    input.setAttribute("list", this.#options.id);
    input.addEventListener("focus", () => void this.#suggest());
    input.addEventListener("input", () => {
      if (this.#isChosen() && this.hasAttribute("data-submit")) input.form?.requestSubmit();
      else void this.#suggest();
    });
  }

  disconnectedCallback(): void {
    this.#search.abort();
  }

  /** Whether the input contains one of the suggestions. Typing a complete address counts, too. */
  #isChosen(): boolean {
    return [...this.#options.options].some((option) => option.value === this.#input.value);
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
