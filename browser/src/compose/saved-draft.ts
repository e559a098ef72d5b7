// The draft on the server. It is created when first needed, saved as the person types, and deleted if it stays empty.
import { cache } from "@hotwired/turbo";
import { make } from "../lib/dom.js";
import { awaitConnection } from "../lib/offline.js";
import { Problem, requestJson } from "../lib/request.js";
import { uploads, type Draft } from "./draft.js";
import { changedValues, type DraftFields, type DraftValues } from "./draft-fields.js";
import type { DraftMessages } from "./draft-messages.js";

/** The part of an update's JSON that the form uses. */
interface Update {
  id: string;
  version: number;
  title: string;
  notes: string;
  media: unknown[];
  expectation: string;
  visibility: string;
  /** The links of new invitations. Only the response to the request that created the invitations contains them. */
  invited?: { email: string; url: string }[];
}

/** Milliseconds between the last keystroke and the save. */
const autosaveDelay = 700;

export class SavedDraft implements Draft {
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The running save or, if none is running, the last one. It never rejects. */
  #saving: Promise<void> = Promise.resolve();
  #creating: Promise<string> | null = null;
  #withdrawing: Promise<void> | null = null;
  /** The values that the server has stored. */
  #saved: Partial<DraftValues> = {};
  #isStopped = false;
  /** The error of the last save, if the server did not respond or rejected the whole request. Otherwise null. */
  #failure: Problem | null = null;
  /** The title that `ensure` gave to the draft because the person had typed none. */
  #defaultTitle = "";

  /** `root` is the `<draft-form>` element. This class keeps its `data-update` and `data-state` up to date. */
  constructor(
    private readonly root: HTMLElement,
    private readonly fields: DraftFields,
    private readonly messages: DraftMessages,
  ) {
    if (this.exists) this.#saved = fields.read();
  }

  /** Empty until the draft exists. */
  get id(): string {
    return this.root.dataset["update"] ?? "";
  }

  get exists(): boolean {
    return this.id !== "";
  }

  /** Whether saving has stopped because the update was published or somebody else changed it. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** The error of the last save, if the server did not respond or rejected the whole request. Otherwise null. */
  get failure(): Problem | null {
    return this.#failure;
  }

  async ensure(title = "", select = true): Promise<string> {
    await this.#withdrawing;
    const field = this.fields.title;
    if (title !== "" && field?.value === "") {
      if (!this.exists) this.#defaultTitle = title;
      field.value = title;
      if (select) field.select();
    }
    return this.#ensureExists();
  }

  withdraw(): Promise<void> {
    if (this.#withdrawing) return this.#withdrawing;
    this.#withdrawing = this.#saving
      .then(() => this.#deleteIfUntouched())
      .finally(() => (this.#withdrawing = null));
    this.#saving = this.#withdrawing.catch(() => undefined);
    return this.#withdrawing;
  }

  abandon(): void {
    if (this.#isUntouched && !document.querySelector('.media-item:not([data-state="uploading"])'))
      void fetch(`/updates/${this.id}`, { method: "DELETE", keepalive: true });
  }

  /** Saves after a pause in typing. */
  scheduleSave(): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.saveNow(), autosaveDelay);
  }

  saveNow(): void {
    clearTimeout(this.#timer);
    this.#saving = this.#saving
      .then(() => this.#save())
      .catch((error: unknown) => this.#reportUnsaved(error));
  }

  /** Saves again if the last save failed for a temporary reason. Call this when the server is responding again. */
  retryNow(): void {
    if (this.#failure?.isTransient && !this.#isStopped) this.saveNow();
  }

  cancelScheduledSave(): void {
    clearTimeout(this.#timer);
  }

  /** Saves all changes. Resolves with true if the server has stored everything. */
  async flush(): Promise<boolean> {
    await this.#saving;
    if (!this.exists) await this.ensure();
    this.saveNow();
    await this.#saving;
    clearTimeout(this.#timer);
    return !this.#isStopped && Object.keys(this.#changed()).length === 0;
  }

  /** Publishes the draft as it was last saved. */
  async publish(): Promise<void> {
    await requestJson("PUT", `/updates/${this.id}/publication`);
    this.#isStopped = true;
  }

  /** Invites the people in the audience who have no account, and returns the invitation links. */
  async invite(): Promise<{ email: string; url: string }[]> {
    const { audience } = this.fields.read();
    const update = await this.#patch({ audience }, { invite: true });
    this.#reportSaved();
    return update.invited ?? [];
  }

  #changed(): Partial<DraftValues> {
    return changedValues(this.fields.read(), this.#saved);
  }

  async #ensureExists(): Promise<string> {
    if (this.exists) return this.id;
    this.#creating ??= this.#create().finally(() => (this.#creating = null));
    return this.#creating;
  }

  async #create(): Promise<string> {
    // Omit the audience, because the server rejects the whole request if an address is only half typed. The next save
    // sends the audience.
    const { audience: _, ...values } = this.fields.read();
    const given = Object.entries(values).filter(([, value]) => value !== null && value !== "");
    const update = (await requestJson("POST", "/updates", {
      ...Object.fromEntries(given),
      publish: false,
    })) as Update;
    this.#saved = { ...values, audience: [] };
    this.#turnIntoEditForm(update);
    this.messages.succeeded("Saved as a draft");
    if (Object.keys(this.#changed()).length > 0) this.scheduleSave();
    return update.id;
  }

  #turnIntoEditForm({ id, version }: Update): void {
    const { form } = this.fields;
    this.root.dataset["update"] = id;
    this.root.dataset["state"] = "draft";
    form.action = `/updates/${id}`;
    form.enctype = "application/x-www-form-urlencoded";
    form.prepend(
      make("input", { type: "hidden", name: "_method", value: "PATCH" }),
      make("input", { type: "hidden", name: "version", value: String(version) }),
    );
    history.replaceState(history.state, "", `/updates/${id}/edit`);
  }

  #turnIntoNewForm(): void {
    const { form } = this.fields;
    this.root.dataset["update"] = this.root.dataset["state"] = "";
    form.action = "/updates";
    form.enctype = "multipart/form-data";
    for (const name of ["_method", "version"])
      form.querySelector(`input[type=hidden][name=${name}]`)?.remove();
    history.replaceState(history.state, "", "/updates/new");
  }

  /** Whether the draft contains nothing but its default title. */
  get #isUntouched(): boolean {
    const { title, notes, prompt, otherwise } = this.fields.read();
    return (
      this.exists &&
      this.root.dataset["state"] === "draft" &&
      this.#defaultTitle !== "" &&
      title === this.#defaultTitle &&
      !notes &&
      !prompt &&
      !otherwise &&
      !uploads.current?.busy
    );
  }

  async #deleteIfUntouched(): Promise<void> {
    await this.#creating;
    if (!this.#isUntouched) return;
    const update = await this.#fetch();
    const isEmpty =
      update.title === this.#defaultTitle && update.notes === "" && update.media.length === 0;
    if (!isEmpty || !this.#isUntouched) return;
    clearTimeout(this.#timer);
    await requestJson("DELETE", `/updates/${this.id}`);
    // If the person has already left the page, clear Turbo's cache, because going back would restore a form whose draft
    // is deleted.
    if (!this.root.isConnected) return cache.clear();
    this.#turnIntoNewForm();
    this.#saved = {};
    const { title } = this.fields;
    if (title?.value === this.#defaultTitle) title.value = "";
    this.#defaultTitle = "";
    this.messages.clearStatus();
  }

  async #fetch(): Promise<Update> {
    return (await requestJson("GET", `/updates/${this.id}`)) as Update;
  }

  async #save(): Promise<void> {
    if (this.#isStopped) return;
    const changed = this.#changed();
    if (Object.keys(changed).length === 0) return;
    this.#failure = null;
    try {
      if (!this.exists) {
        await this.#ensureExists();
        return;
      }
      await this.#patch(changed);
      this.#reportSaved();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 409) await this.#resolveConflict(changed);
      else if (error.status === 422) await this.#saveValid(changed, error.errors);
      else this.#reportUnsaved(error);
    }
  }

  async #patch(changed: Partial<DraftValues>, more: { invite?: true } = {}): Promise<Update> {
    const update = (await requestJson("PATCH", `/updates/${this.id}`, {
      ...changed,
      ...more,
      version: this.fields.version,
    })) as Update;
    this.fields.version = update.version;
    this.#saved = { ...this.#saved, ...changed };
    return update;
  }

  /** Saves the valid fields, and shows the errors of the invalid ones. */
  async #saveValid(changed: Partial<DraftValues>, errors: Record<string, string>): Promise<void> {
    this.messages.showErrors(errors);
    const isInvalid = (name: string): boolean =>
      Object.keys(errors).some((path) => path === name || path.startsWith(`${name}[`));
    const valid: Partial<DraftValues> = Object.fromEntries(
      Object.entries(changed).filter(([name]) => !isInvalid(name)),
    );
    const audience = this.messages.validAddresses(changed.audience, errors["audience"]);
    if (audience) valid.audience = audience;
    const differs = JSON.stringify(valid) !== JSON.stringify(changed);
    if (this.exists && Object.keys(valid).length > 0 && differs) {
      try {
        await this.#patch(valid);
      } catch {
        // Ignore the failure: the message below says that some fields are not saved, and the next save retries.
      }
    }
    this.messages.failed("Some changes aren’t saved");
  }

  /** Handles a newer version that was saved by somebody else, or by the same person in another tab. */
  async #resolveConflict(changed: Partial<DraftValues>): Promise<void> {
    const theirs = await this.#fetch();
    this.fields.version = theirs.version;
    // Adding a file also creates a new version, but that version does not conflict with typed text.
    const isSameText = (["title", "notes", "expectation", "visibility"] as const).every(
      (name) => (theirs[name] ?? "") === (this.#saved[name] ?? ""),
    );
    if (isSameText) {
      await this.#patch(changed);
      return this.#reportSaved();
    }
    this.#isStopped = true;
    const otherTitle = theirs.title === this.fields.read().title ? null : theirs.title;
    this.messages.showConflict(`/updates/${this.id}/edit`, otherTitle, () => {
      this.#isStopped = false;
      this.#saved = {};
      this.saveNow();
    });
  }

  #reportSaved(): void {
    this.messages.showErrors({});
    this.messages.succeeded("Saved");
  }

  #reportUnsaved(error: unknown): void {
    this.#failure = error instanceof Problem ? error : null;
    this.messages.failed(`Not saved. ${error instanceof Error ? error.message : String(error)}`);
    clearTimeout(this.#timer);
    if (this.#failure?.isTransient) awaitConnection();
  }
}
