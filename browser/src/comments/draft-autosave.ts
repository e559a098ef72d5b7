// <draft-box data-update data-subject> around a text area saves its text: on the server while the person types, and in
// this tab until the server has confirmed it. With `data-local` it saves in this tab only, because guests have no
// drafts on the server.
import { announce, make, readStorage, writeStorage } from "../lib/dom.js";
import { awaitConnection } from "../lib/offline.js";
import { onQuietSubmission } from "../lib/quiet-forms.js";
import { Problem, requestJson } from "../lib/request.js";

/** The delay between the last key press and the save. */
const SAVE_DELAY_MS = 600;

/** Whether a save has been announced. Only the first save after a full page load is announced. */
let isSaveAnnounced = false;

export class DraftBox extends HTMLElement {
  /** The text that the server has stored. */
  #savedText = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> | null = null;
  /**
   * Whether the text is being sent. Nothing is saved during that time, because a save that arrives after the server has
   * deleted the draft would create the draft again.
   */
  #isPaused = false;
  #listeners = new AbortController();

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    const area = this.#area;
    if (!area) return;
    this.#savedText = area.defaultValue.trimEnd();
    area.addEventListener("input", () => this.#onInput(), { signal });
    addEventListener("pagehide", () => this.#saveBeforeUnload(), { signal });
    document.addEventListener(
      "hearback:refreshed",
      () => {
        // If the text area has its default value, it contains the server's draft, which the refresh has just fetched.
        if (area.value === area.defaultValue) this.#savedText = area.value.trimEnd();
      },
      { signal },
    );
    document.addEventListener(
      "hearback:form-sent",
      ({ detail }) => {
        if (detail.form.contains(this)) this.#empty(area);
      },
      { signal },
    );
    document.addEventListener("hearback:connected", () => void this.#saveAgain(), { signal });
    const unsaved = readStorage("sessionStorage", this.#key);
    if (unsaved === null || unsaved === area.value) return;
    area.value = unsaved;
    this.#onInput();
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
    this.#saveBeforeUnload();
  }

  /** Stops saving until `clear` or `resume` is called, and waits for a running save to end. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    clearTimeout(this.#timer);
    await this.#saving;
  }

  /** Forgets the saved text. Call this after the text has been sent and the server has deleted the draft. */
  clear(): void {
    this.#isPaused = false;
    clearTimeout(this.#timer);
    this.#savedText = "";
    writeStorage("sessionStorage", this.#key, null);
    this.#showState(null);
  }

  /** Starts saving again. Call this if the text could not be sent. */
  resume(): void {
    this.#isPaused = false;
    this.#onInput();
  }

  get #area(): HTMLTextAreaElement | null {
    return this.querySelector("textarea");
  }

  get #key(): string {
    return `unsent ${this.dataset["update"] ?? ""} ${this.dataset["subject"] ?? ""}`;
  }

  get #url(): string {
    return `/updates/${this.dataset["update"] ?? ""}/drafts/${this.dataset["subject"] ?? ""}`;
  }

  /** Whether the current text still has to be saved on the server. */
  get #isUnsaved(): boolean {
    return (
      this.dataset["local"] === undefined &&
      !this.#isPaused &&
      (this.#area?.value.trimEnd() ?? "") !== this.#savedText
    );
  }

  /**
   * Empties the text area after its text has been sent. Otherwise, the text could be saved as a
   * draft again, or be sent twice.
   */
  #empty(area: HTMLTextAreaElement): void {
    area.value = area.defaultValue = "";
    this.clear();
  }

  /** Saves immediately, without the usual delay. Called when the server is responding again. */
  async #saveAgain(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#isUnsaved) await this.#save();
    else this.#showState(null);
  }

  #onInput(): void {
    writeStorage("sessionStorage", this.#key, this.#area?.value ?? "");
    clearTimeout(this.#timer);
    if (this.#isUnsaved) this.#timer = setTimeout(() => void this.#save(), SAVE_DELAY_MS);
  }

  async #save(): Promise<void> {
    await this.#saving;
    if (!this.#isUnsaved) return;
    const text = this.#area?.value ?? "";
    this.#saving = requestJson("PUT", this.#url, { body: text })
      .then(
        () => {
          this.#savedText = text.trimEnd();
          // Delete the copy in this tab, unless the person has typed more since the request began.
          if (this.#area?.value === text) writeStorage("sessionStorage", this.#key, null);
          this.#showState(null);
          if (!isSaveAnnounced) announce("Draft saved.");
          isSaveAnnounced = true;
        },
        (error: unknown) => {
          this.#showState(
            "Not saved on the server. Your text is only in this tab, so keep it open.",
          );
          if (error instanceof Problem && error.isTransient) awaitConnection();
        },
      )
      .finally(() => (this.#saving = null));
    await this.#saving;
  }

  /** Saves with a `keepalive` request, which the browser completes even after the page is gone. */
  #saveBeforeUnload(): void {
    clearTimeout(this.#timer);
    if (!this.#isUnsaved) return;
    const text = this.#area?.value ?? "";
    void fetch(this.#url, {
      method: "PUT",
      keepalive: true,
      credentials: "same-origin",
      headers: { Accept: "application/json", "Content-Type": "application/json" },
      body: JSON.stringify({ body: text }),
    }).catch(() => {});
  }

  #showState(text: string | null): void {
    this.querySelector(".draft-state")?.remove();
    if (text !== null)
      this.append(make("p", { class: "draft-state hint", role: "status", "data-js": true }, text));
  }
}

customElements.define("draft-box", DraftBox);

declare global {
  interface HTMLElementTagNameMap {
    "draft-box": DraftBox;
  }
}

/**
 * Pauses the draft boxes in `container` while `send` runs. Clears them if `send` succeeds; otherwise they continue to
 * save.
 */
export async function sendWithDrafts<T>(container: Element, send: () => Promise<T>): Promise<T> {
  const boxes = [...container.querySelectorAll<DraftBox>("draft-box")];
  await Promise.all(boxes.map((box) => box.pause()));
  try {
    const answer = await send();
    for (const box of boxes) box.clear();
    return answer;
  } catch (error) {
    for (const box of boxes) box.resume();
    throw error;
  }
}

onQuietSubmission(sendWithDrafts);
