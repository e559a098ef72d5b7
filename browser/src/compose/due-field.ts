// <due-field>: the input for a due time. The person types the time in the browser's time zone, and
// a hidden field sends it in UTC. Without scripts, the server interprets the typed time in the
// account's time zone.
export class DueField extends HTMLElement {
  connectedCallback(): void {
    const input = this.querySelector<HTMLInputElement>("input[type=datetime-local]");
    if (!input || input.name === "") return;
    const sent = document.createElement("input");
    sent.type = "hidden";
    sent.name = input.name;
    input.removeAttribute("name");
    this.append(sent);
    const due = new Date(this.dataset["at"] ?? "");
    if (!Number.isNaN(due.getTime())) {
      // `datetime-local` takes a local time without a zone, so convert the time from UTC.
      input.value = new Date(due.getTime() - due.getTimezoneOffset() * 60_000)
        .toISOString()
        .slice(0, 16);
    }
    const update = () =>
      (sent.value = input.value === "" ? "" : new Date(input.value).toISOString());
    update();
    input.addEventListener("input", update);
  }
}

customElements.define("due-field", DueField);

declare global {
  interface HTMLElementTagNameMap {
    "due-field": DueField;
  }
}

// When the person types a due time, also select the radio button beside it.
document.addEventListener("input", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || input.type === "radio") return;
  const radio = input
    .closest(".choices label")
    ?.querySelector<HTMLInputElement>("input[type=radio]");
  if (radio && !radio.checked) {
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
  }
});
