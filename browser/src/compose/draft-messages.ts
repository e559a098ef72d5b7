// The messages of the draft form: the save status, errors beside fields, edit conflicts, and links for invited people.
import { announce, icon, make } from "../lib/dom.js";
import { toSentence } from "../lib/request.js";
import type { PeopleField } from "./people-field.js";

export class DraftMessages {
  /** `root` is the `<draft-form>` element. */
  constructor(private readonly root: HTMLElement) {}

  get people(): PeopleField | null {
    return this.root.querySelector("people-field");
  }

  /** Replaces the save status. */
  status(text: string, picture?: SVGSVGElement): void {
    document
      .getElementById("save-state")
      ?.replaceChildren(...(picture ? [picture] : []), make("span", {}, text));
  }

  clearStatus(): void {
    document.getElementById("save-state")?.replaceChildren();
  }

  succeeded(text: string): void {
    this.status(text, icon("check"));
  }

  failed(text: string): void {
    this.status(text, icon("circle-alert"));
  }

  /**
   * Shows each error beside its field, and removes the errors shown before. `errors` maps paths such as `audience[0]`
   * to messages.
   */
  showErrors(errors: Record<string, string>): void {
    this.#removeErrors();
    // Remove the server-rendered note about an unknown address, because the error says the same.
    this.root.querySelector(".field > .note")?.remove();
    if (errors["audience"] === undefined) this.people?.mark([]);
    for (const [path, text] of Object.entries(errors))
      this.#showError(path.replace(/[[.].*$/, ""), text);
  }

  /**
   * Marks the addresses that the error mentions as invalid, and returns the others. Returns null if
   * there is no error, or if the error mentions no address.
   */
  validAddresses(audience: string[] | undefined, error: string | undefined): string[] | null {
    if (audience === undefined || error === undefined) return null;
    const named = error.toLowerCase().split(/[\s,"]+/);
    const invalid = audience.filter((address) => named.includes(address.toLowerCase()));
    this.people?.mark(invalid);
    return invalid.length > 0 ? audience.filter((address) => !invalid.includes(address)) : null;
  }

  /**
   * Lets the person choose between their text and the version that somebody else saved. `keep` runs if they keep their
   * text.
   */
  showConflict(editUrl: string, otherTitle: string | null, keep: () => void): void {
    const where =
      otherTitle === null ? "elsewhere" : `elsewhere, where its title is “${otherTitle}”`;
    const message = `This update was changed ${where}. Your text is still here, but it is not saved.`;
    const load = make("a", { class: "button", href: editUrl }, "Load the other version");
    const overwrite = make("button", { type: "button", class: "button" }, "Keep mine");
    const notice = make(
      "div",
      { class: "problem", "data-js": true },
      icon("circle-alert"),
      make("div", {}, make("p", {}, message), make("p", { class: "actions" }, load, overwrite)),
    );
    overwrite.addEventListener("click", () => {
      notice.remove();
      keep();
    });
    this.root.prepend(notice);
    notice.scrollIntoView({ block: "nearest" });
    announce(message);
    this.failed("Not saved");
  }

  /**
   * Lists the invitation links below the audience. The server sends them only once, so they cannot be shown again
   * later.
   */
  showInvitations(invited: { email: string; url: string }[]): void {
    const field = this.people?.closest(".field");
    for (const { email, url } of invited) {
      const id = `invited-${email}`;
      const line = document.createElement("copy-button");
      line.className = "copy";
      line.append(
        make("input", { id, type: "text", readonly: true, value: url }),
        make(
          "button",
          { type: "button", class: "button", hidden: true },
          icon("copy"),
          make("span", {}, "Copy"),
        ),
      );
      field?.append(
        make(
          "label",
          { for: id },
          `Link for ${email}. Pass it on now: it won’t be shown again. Whoever accepts it is asked once you send the update.`,
        ),
        line,
      );
    }
    announce("Invitation created.");
  }

  #removeErrors(): void {
    for (const error of this.root.querySelectorAll(".wrong")) {
      if (error.id !== "")
        this.root
          .querySelector(`[aria-describedby~="${CSS.escape(error.id)}"]`)
          ?.removeAttribute("aria-invalid");
      error.remove();
    }
  }

  #showError(name: string, text: string): void {
    const input = this.root.querySelector<HTMLElement>(`#${CSS.escape(name)}`);
    const id = `${name}-wrong`;
    if (!input || document.getElementById(id)) return;
    input.setAttribute("aria-invalid", "true");
    const described = (input.getAttribute("aria-describedby") ?? "").split(" ");
    input.setAttribute("aria-describedby", [...new Set([...described, id])].join(" ").trim());
    const field = input.closest(".field");
    field?.append(
      make("p", { class: "wrong", id }, icon("circle-alert"), make("span", {}, toSentence(text))),
    );
    // Offer to invite only if the person is an admin and the address has no account.
    if (name === "audience" && this.root.dataset["admin"] !== undefined && / no account/.test(text))
      field?.append(
        make(
          "p",
          { class: "wrong" },
          make("button", { class: "button", name: "invite", value: "true" }, "Invite and ask"),
        ),
      );
  }
}
