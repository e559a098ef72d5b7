// <unit-label>: the unit after a number input, in the singular for 1 and in the plural for everything else.
export class UnitLabel extends HTMLElement {
  #listeners = new AbortController();

  connectedCallback(): void {
    const input = document.getElementById(this.dataset["for"] ?? "");
    if (!(input instanceof HTMLInputElement)) return;
    this.#listeners = new AbortController();
    const update = (): void => {
      const { one = "", more = "" } = this.dataset;
      this.textContent = input.valueAsNumber === 1 ? one : more;
    };
    update();
    input.addEventListener("input", update, { signal: this.#listeners.signal });
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
  }
}

customElements.define("unit-label", UnitLabel);

declare global {
  interface HTMLElementTagNameMap {
    "unit-label": UnitLabel;
  }
}
