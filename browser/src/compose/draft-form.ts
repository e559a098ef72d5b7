// <draft-form>: saves a draft while the person types. Send publishes the draft once its recording and files have
// arrived. A published update is not saved automatically, because its recipients would see half-written text.
import { copyText } from "../lib/copy-button.js";
import { confirmDialog } from "../lib/dialogs.js";
import { announce, writeStorage } from "../lib/dom.js";
import { navigate } from "../lib/navigate.js";
import { sendWhenConnected, waitingMessage } from "../lib/offline.js";
import { refresh } from "../lib/refresh.js";
import { Problem } from "../lib/request.js";
import { draft, recorder, uploads } from "./draft.js";
import { DraftFields } from "./draft-fields.js";
import { DraftMessages } from "./draft-messages.js";
import { SavedDraft } from "./saved-draft.js";

export class DraftForm extends HTMLElement {
  #fields!: DraftFields;
  #messages!: DraftMessages;
  #draft!: SavedDraft;
  #listeners = new AbortController();

  connectedCallback(): void {
    const form = this.querySelector("form");
    if (!form) return;
    this.#fields = new DraftFields(form);
    this.#messages = new DraftMessages(this);
    if ((this.dataset["update"] ?? "") === "") this.#fields.restoreLastChoice();
    this.#draft = new SavedDraft(this, this.#fields, this.#messages);
    draft.register(this.#draft);
    // If the server rejected the form, scroll to its error message.
    document.querySelector("main > .problem")?.scrollIntoView({ block: "nearest" });
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    form.addEventListener("keydown", (event) => this.#handleEnter(event), { signal });
    document.addEventListener("keydown", (event) => this.#handleSendKey(event), { signal });
    form.addEventListener("submit", (event) => this.#handleSubmit(event), { signal });
    if (this.#isPublished) return;
    for (const name of ["input", "change"])
      form.addEventListener(name, () => this.#draft.scheduleSave(), { signal });
    document.addEventListener("visibilitychange", () => this.#saveWhenHidden(), { signal });
    document.addEventListener("hearback:connected", () => this.#draft.retryNow(), { signal });
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
    if (!this.#draft) return;
    draft.unregister(this.#draft);
    this.#draft.cancelScheduledSave();
    this.#messages.clearStatus();
  }

  get #isPublished(): boolean {
    return this.dataset["state"] === "published";
  }

  /**
   * Saves without delay when the tab is hidden, because the person may close a hidden tab without looking at it again.
   * Does not create a draft if the form has no text.
   */
  #saveWhenHidden(): void {
    if (document.hidden && (this.#draft.exists || this.#fields.hasText)) this.#draft.saveNow();
  }

  /** Enter in a text field must not submit the form: a draft is saved automatically, and sending must be deliberate. */
  #handleEnter(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey) return;
    const { target } = event;
    if (target instanceof HTMLInputElement && target.type !== "submit" && !this.#isPublished)
      event.preventDefault();
  }

  /** Ctrl+Enter or ⌘+Enter sends, wherever the focus is, unless a dialog is open. */
  #handleSendKey(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.isComposing || !(event.ctrlKey || event.metaKey)) return;
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    void this.#sendByKey();
  }

  /** Handles Ctrl+Enter. Asks before ending a recording, because the keys are easily pressed by accident. */
  async #sendByKey(): Promise<void> {
    const { people } = this.#messages;
    people?.commit();
    const names = people?.summary ?? "";
    const question = `Stop the recording and send it${names === "" ? "" : ` to ${names}`}?`;
    if (recorder.current?.asks && !(await confirmDialog(question, "Stop and send"))) return;
    const { form } = this.#fields;
    form.requestSubmit(form.querySelector<HTMLButtonElement>(".button.main"));
  }

  #handleSubmit(event: SubmitEvent): void {
    this.#messages.people?.commit();
    const button = event.submitter;
    if (!(button instanceof HTMLButtonElement) || this.#isPublished) return;
    if (button.name === "publish" && button.value === "true")
      void this.#replaceSubmit(event, () => this.#publish());
    else if (button.name === "invite") void this.#replaceSubmit(event, () => this.#invite());
  }

  /** Runs `act` instead of submitting the form. Does nothing while another action is running. */
  async #replaceSubmit(event: SubmitEvent, act: () => Promise<void>): Promise<void> {
    event.preventDefault();
    const { form } = this.#fields;
    if (form.getAttribute("aria-busy") === "true") return;
    form.setAttribute("aria-busy", "true");
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const button = event.submitter;
      const waits = sendWhenConnected(form, error, () => {
        if (button?.isConnected) form.requestSubmit(button);
      });
      const message = waits ? waitingMessage() : error.message;
      this.#messages.showErrors(error.errors);
      this.#messages.failed(message);
      announce(message);
    } finally {
      form.removeAttribute("aria-busy");
      // Some media may have been uploaded even if the update was not sent, so refresh the list of media.
      if (!this.#draft.isStopped) void refresh();
    }
  }

  async #publish(): Promise<void> {
    if (!(await this.#mediaArrived())) return;
    if (!(await this.#draft.flush())) {
      const { failure } = this.#draft;
      if (failure?.isRepeatable) throw failure;
      return this.querySelector<HTMLElement>("[aria-invalid]")?.focus();
    }
    const { id } = this.#draft;
    // This value tells the update's page that the update was just sent.
    const sent = `${id} ${Date.now()}`;
    await this.#draft.publish();
    this.#fields.rememberChoice();
    writeStorage("sessionStorage", "sent", sent);
    if (await copyText(`${location.origin}/updates/${id}`))
      writeStorage("sessionStorage", "sent", `${sent} copied`);
    navigate(`/updates/${id}`);
  }

  /**
   * Ends a running recording, then waits until the recording and all files are uploaded. If an upload fails, shows the
   * reason and resolves with false.
   */
  async #mediaArrived(): Promise<boolean> {
    const recording = recorder.current;
    if (recording?.busy) {
      this.#announceWaiting("Your update will be sent as soon as the recording is uploaded.");
      if (!(await recording.finish())) {
        this.#messages.failed(
          "Not sent, because the recording is incomplete: see above. Press Send again to send it anyway.",
        );
        return false;
      }
    }
    const queue = uploads.current;
    if (queue?.busy)
      this.#announceWaiting("Your update will be sent as soon as the files are uploaded.");
    if (queue && !(await queue.finish())) {
      this.#messages.failed(
        "Not sent, because a file was not uploaded. Try that file again, or remove it.",
      );
      return false;
    }
    return true;
  }

  #announceWaiting(text: string): void {
    this.#messages.status(text);
    announce(text);
  }

  async #invite(): Promise<void> {
    await this.#draft.flush();
    if (this.#draft.isStopped) return;
    this.#messages.showInvitations(await this.#draft.invite());
  }
}

customElements.define("draft-form", DraftForm);

declare global {
  interface HTMLElementTagNameMap {
    "draft-form": DraftForm;
  }
}
