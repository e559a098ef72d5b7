// <keep-fragment> keeps the URL fragment, such as `#t=42`, through sign-in, because browsers do not send fragments to
// the server.
export class KeepFragment extends HTMLElement {
  connectedCallback(): void {
    const input = this.querySelector("input");
    if (input && location.hash !== "" && !input.value.includes("#"))
      input.value = (input.value || "/") + location.hash;
  }
}

customElements.define("keep-fragment", KeepFragment);

declare global {
  interface HTMLElementTagNameMap {
    "keep-fragment": KeepFragment;
  }
}
