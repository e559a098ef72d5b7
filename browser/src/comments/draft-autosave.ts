// What is being typed, kept on the server while one types, and in this tab while the server does not answer: around a textarea,
// <draft-box data-update data-subject>. With `data-local` (guests have no drafts) in this tab alone.
import { onQuietSubmission } from "../lib/dialogs.js";
import { announce, make, readStorage, writeStorage } from "../lib/dom.js";
import { requestJson } from "../lib/request.js";

/** So long after the last letter, in milliseconds. */
const PAUSE = 600;

let told = false;

export class DraftBox extends HTMLElement {
  /** What the server keeps. */
  #kept = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | null = null;
  /** It is being sent: what is saved now would outlive that. */
  #held = false;
  #listeners = new AbortController();

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    const area = this.#area;
    if (!area) return;
    this.#kept = area.defaultValue.trim();
    area.addEventListener("input", () => this.#typed(), { signal });
    addEventListener("pagehide", () => this.#leave(), { signal });
    document.addEventListener(
      "hearback:refreshed",
      () => {
        // Written on another device, and not touched here.
        if (area.value === area.defaultValue) this.#kept = area.value.trim();
      },
      { signal },
    );
    const here = readStorage("sessionStorage", this.#key);
    if (here === null || here === area.value) return;
    area.value = here;
    this.closest<HTMLDetailsElement>("details.reply")?.setAttribute("open", "");
    this.#typed();
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
    this.#leave();
  }

  /** Waits for what is under way, and saves nothing more until `sent` or `resume`. */
  async pause(): Promise<void> {
    this.#held = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** It was sent: the server threw the draft away. */
  clear(): void {
    this.#held = false;
    clearTimeout(this.#timer);
    this.#kept = "";
    writeStorage("sessionStorage", this.#key, null);
    this.#say(null);
  }

  /** It was not sent. */
  resume(): void {
    this.#held = false;
    this.#typed();
  }

  get #area(): HTMLTextAreaElement | null {
    return this.querySelector("textarea");
  }

  get #key(): string {
    return `unsent ${this.dataset["update"] ?? ""} ${this.dataset["subject"] ?? ""}`;
  }

  get #address(): string {
    return `/updates/${this.dataset["update"] ?? ""}/drafts/${this.dataset["subject"] ?? ""}`;
  }

  get #unsaved(): boolean {
    return (
      this.dataset["local"] === undefined &&
      !this.#held &&
      (this.#area?.value.trim() ?? "") !== this.#kept
    );
  }

  #typed(): void {
    writeStorage("sessionStorage", this.#key, this.#area?.value ?? "");
    clearTimeout(this.#timer);
    if (this.#unsaved) this.#timer = setTimeout(() => void this.#save(), PAUSE);
  }

  async #save(): Promise<void> {
    await this.#running;
    if (!this.#unsaved) return;
    const text = this.#area?.value ?? "";
    this.#running = requestJson("PUT", this.#address, { body: text })
      .then(
        () => {
          this.#kept = text.trim();
          // What was typed meanwhile stays in this tab until it is saved too.
          if (this.#area?.value === text) writeStorage("sessionStorage", this.#key, null);
          this.#say(null);
          if (!told) announce("Draft saved.");
          told = true;
        },
        () => this.#say("Not saved on the server. It stays in this tab."),
      )
      .finally(() => (this.#running = null));
    await this.#running;
  }

  /** The page goes: the browser finishes the request after it. */
  #leave(): void {
    clearTimeout(this.#timer);
    if (!this.#unsaved) return;
    const text = this.#area?.value ?? "";
    void fetch(this.#address, {
      method: "PUT",
      keepalive: true,
      credentials: "same-origin",
      headers: { Accept: "application/json", "Content-Type": "application/json" },
      body: JSON.stringify({ body: text }),
    }).catch(() => {});
  }

  #say(text: string | null): void {
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

/** Sends what stands in the boxes within: they save nothing meanwhile, forget it once it is sent, and go on when it is not. */
export async function sendWithDrafts<T>(within: Element, send: () => Promise<T>): Promise<T> {
  const boxes = [...within.querySelectorAll<DraftBox>("draft-box")];
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
