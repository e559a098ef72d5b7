// <time-zone-field> fills in the browser's IANA time zone.
export class TimeZoneField extends HTMLElement {
  connectedCallback(): void {
    const input = this.querySelector("input");
    if (input) input.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
}

customElements.define("time-zone-field", TimeZoneField);

declare global {
  interface HTMLElementTagNameMap {
    "time-zone-field": TimeZoneField;
  }
}
