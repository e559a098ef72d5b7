// <later-members>: the checkbox "Also people who join @design later", which is shown only while the audience contains a
// group.
export class LaterMembers extends HTMLElement {
  #form: HTMLFormElement | null = null;

  connectedCallback(): void {
    this.#form = this.closest("form");
    this.#form?.addEventListener("input", this.#update);
    document.addEventListener("hearback:audience-changed", this.#update);
    this.#update();
  }

  disconnectedCallback(): void {
    this.#form?.removeEventListener("input", this.#update);
    document.removeEventListener("hearback:audience-changed", this.#update);
  }

  #update = (): void => {
    const audience =
      this.#form?.querySelector<HTMLInputElement>("input[name=audience]")?.value ?? "";
    const groups = audience
      .split(/[,;\n]/)
      .map((name) => name.trim())
      .filter((name) => name.startsWith("@"));
    this.hidden = groups.length === 0;
    const box = this.querySelector<HTMLInputElement>("input[type=checkbox]");
    // Clear the checkbox while it is hidden. Otherwise, a choice that the person no longer sees would give people
    // access.
    if (box && this.hidden) box.checked = false;
    this.querySelector("[data-groups]")?.replaceChildren(
      groups.join(", ").replace(/, ([^,]*)$/, " and $1"),
    );
  };
}

customElements.define("later-members", LaterMembers);

declare global {
  interface HTMLElementTagNameMap {
    "later-members": LaterMembers;
  }
}
