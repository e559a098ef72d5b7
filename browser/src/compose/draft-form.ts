// The form of a draft: saved as one types, kept when somebody else changed it, sent with Ctrl Enter.
// An update that was sent already is not saved by itself: its readers would see half a sentence.
import { copyText } from "../lib/copy-button.js";
import { announce, icon, make, readStorage, writeStorage } from "../lib/dom.js";
import { confirmDialog } from "../lib/dialogs.js";
import { navigate } from "../lib/navigate.js";
import { refresh } from "../lib/refresh.js";
import { draft, recorder, uploads, type Draft } from "./draft.js";
import type { PeopleField } from "./people-field.js";
import { cache } from "@hotwired/turbo";
import { requestJson, Problem, toSentence } from "../lib/request.js";

interface Update {
  id: string;
  version: number;
  title: string;
  notes: string;
  media: unknown[];
  otherwise: string | null;
  expectation: string;
  visibility: string;
  due: string | null;
  /** Links to pass on, in the answer that made them. */
  invited?: { email: string; url: string }[];
}

type Fields = Record<string, string | string[] | boolean | { working_days: number } | null>;

const wait = 700;

export class DraftForm extends HTMLElement implements Draft {
  #form!: HTMLFormElement;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> = Promise.resolve();
  #creating: Promise<string> | null = null;
  #saved: Fields = {};
  #stopped = false;
  /** The title that the draft was made with, where that was for want of one. */
  #lent = "";
  #withdrawing: Promise<void> | null = null;

  connectedCallback(): void {
    const form = this.querySelector("form");
    if (!form) return;
    this.#form = form;
    draft.register(this);
    // The form came back: why, is said above it.
    document.querySelector("main > .problem")?.scrollIntoView({ block: "nearest" });
    if (this.#update === "") this.#lastTime();
    this.#saved = this.#update === "" ? {} : this.#fields();
    form.addEventListener("keydown", (event) => this.#key(event));
    form.addEventListener("submit", (event) => this.#submit(event));
    if (this.dataset["state"] === "published") return;
    form.addEventListener("input", () => this.#soon());
    form.addEventListener("change", () => this.#soon());
    // Best effort; the last typed words go when the tab is put away, not only after the pause.
    document.addEventListener("visibilitychange", this.#away);
  }

  disconnectedCallback(): void {
    draft.unregister(this);
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#away);
    this.#say();
  }

  /** The id of the draft, which is made now if it is not there yet. A title that it is given for want of one is selected, unless that is for later. */
  async ensure(title = "", select = true): Promise<string> {
    await this.#withdrawing;
    const field = this.#title;
    if (title !== "" && field?.value === "") {
      if (this.#update === "") this.#lent = title;
      field.value = title;
      if (select) field.select();
    }
    return this.#there();
  }

  async #there(): Promise<string> {
    if (this.#update !== "") return this.#update;
    this.#creating ??= this.#create().finally(() => (this.#creating = null));
    return this.#creating;
  }

  /** Takes back a draft that was made for what did not come, if nothing was written into it and no file is in it. It goes to the trash. */
  withdraw(): Promise<void> {
    if (this.#withdrawing) return this.#withdrawing;
    // In turn with what is being saved.
    this.#withdrawing = this.#saving
      .then(() => this.#withdraw())
      .finally(() => (this.#withdrawing = null));
    this.#saving = this.#withdrawing.catch(() => undefined);
    return this.#withdrawing;
  }

  /** The same while the page goes away, which waits for no answer. */
  abandon(): void {
    if (this.#untouched && !document.querySelector('.media-item:not([data-state="uploading"])'))
      void fetch(`/updates/${this.#update}`, { method: "DELETE", keepalive: true });
  }

  /** There is a draft, and all that is in it is the title that it was given. */
  get #untouched(): boolean {
    const { title, notes, prompt, otherwise } = this.#fields();
    return (
      this.#update !== "" &&
      this.dataset["state"] === "draft" &&
      this.#lent !== "" &&
      title === this.#lent &&
      !notes &&
      !prompt &&
      !otherwise &&
      !uploads.current?.busy
    );
  }

  async #withdraw(): Promise<void> {
    await this.#creating;
    if (!this.#untouched) return;
    const { title, notes, media } = (await requestJson(
      "GET",
      `/updates/${this.#update}`,
    )) as Update;
    if (title !== this.#lent || notes !== "" || media.length > 0 || !this.#untouched) return;
    clearTimeout(this.#timer);
    await requestJson("DELETE", `/updates/${this.#update}`);
    // One went to another page meanwhile: the way back must not lead to a form without a draft.
    if (!this.isConnected) return cache.clear();
    this.dataset["update"] = this.dataset["state"] = "";
    this.#saved = {};
    this.#form.action = "/updates";
    this.#form.enctype = "multipart/form-data";
    for (const name of ["_method", "version"])
      this.#form.querySelector(`input[type=hidden][name=${name}]`)?.remove();
    if (this.#title?.value === this.#lent) this.#title.value = "";
    this.#lent = "";
    history.replaceState(history.state, "", "/updates/new");
    this.#say();
  }

  get #title(): HTMLInputElement | null {
    const field = this.#form.elements.namedItem("title");
    return field instanceof HTMLInputElement ? field : null;
  }

  get #update(): string {
    return this.dataset["update"] ?? "";
  }

  #away = (): void => {
    const { title, notes, prompt, otherwise } = this.#fields();
    // A page on which nothing was written makes no draft.
    if (document.hidden && (this.#update !== "" || title || notes || prompt || otherwise))
      this.#now();
  };

  #key(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.isComposing) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      void this.#send();
    } else if (
      event.target instanceof HTMLInputElement &&
      event.target.type !== "submit" &&
      this.dataset["state"] !== "published"
    ) {
      // Everything is saved as one types; Enter in a line has nothing to do.
      event.preventDefault();
    }
  }

  /** Sent by its keys. They are pressed in passing while one types: what is being recorded is not cut off and sent without a question. */
  async #send(): Promise<void> {
    this.#people?.commit();
    const whom = this.#people?.words ?? "";
    if (
      recorder.current?.asks &&
      !(await confirmDialog(
        `Stop the recording and send it${whom === "" ? "" : ` to ${whom}`}?`,
        "Stop and send",
      ))
    )
      return;
    this.#form.requestSubmit(this.#form.querySelector<HTMLButtonElement>(".button.main"));
  }

  #soon(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#now(), wait);
  }

  #now(): void {
    clearTimeout(this.#timer);
    // Whatever goes wrong, what is typed next is saved.
    this.#saving = this.#saving
      .then(() => this.#save())
      .catch((error: unknown) => this.#unsaved(error));
  }

  async #save(): Promise<void> {
    if (this.#stopped) return;
    const fields = this.#fields();
    const changed = Object.fromEntries(
      Object.entries(fields).filter(
        ([name, value]) => JSON.stringify(value) !== JSON.stringify(this.#saved[name]),
      ),
    );
    if (Object.keys(changed).length === 0) return;
    try {
      if (this.#update === "") {
        await this.#there();
        return;
      }
      await this.#patch(changed);
      this.#fine();
    } catch (error) {
      if (error instanceof Problem) await this.#failed(error, changed);
      else throw error;
    }
  }

  async #create(): Promise<string> {
    const fields = this.#fields();
    // A half-typed address must not keep the rest from being saved; it follows with the next save.
    const { audience, ...rest } = fields;
    const made = (await requestJson("POST", "/updates", {
      ...Object.fromEntries(
        Object.entries(rest).filter(([, value]) => value !== null && value !== ""),
      ),
      publish: false,
    })) as Update;
    this.dataset["update"] = made.id;
    this.dataset["state"] = "draft";
    this.#saved = { ...rest, audience: [] };
    this.#form.action = `/updates/${made.id}`;
    this.#form.enctype = "application/x-www-form-urlencoded";
    this.#form.prepend(
      make("input", { type: "hidden", name: "_method", value: "PATCH" }),
      make("input", { type: "hidden", name: "version", value: String(made.version) }),
    );
    history.replaceState(history.state, "", `/updates/${made.id}/edit`);
    this.#say(icon("check"), "Saved as a draft");
    if (JSON.stringify(this.#fields()) !== JSON.stringify(this.#saved)) this.#soon();
    return made.id;
  }

  async #patch(changed: Fields): Promise<void> {
    this.#took(
      (await requestJson("PATCH", `/updates/${this.#update}`, {
        ...changed,
        version: this.#version,
      })) as Update,
      changed,
    );
  }

  #fine(): void {
    this.#wrong({});
    this.#say(icon("check"), "Saved");
  }

  #took(update: Update, changed: Fields): void {
    this.#version = update.version;
    this.#saved = { ...this.#saved, ...changed };
  }

  async #failed(error: Problem, changed: Fields): Promise<void> {
    if (error.status === 409) return this.#conflict(changed);
    if (error.status === 422) {
      // What is right is saved; what is wrong is said beside its field.
      this.#wrong(error.errors);
      const right: Fields = Object.fromEntries(
        Object.entries(changed).filter(
          ([name]) =>
            !Object.keys(error.errors).some(
              (field) => field === name || field.startsWith(`${name}[`),
            ),
        ),
      );
      const known = this.#known(changed["audience"], error.errors["audience"]);
      if (known) right["audience"] = known;
      if (
        this.#update !== "" &&
        Object.keys(right).length > 0 &&
        JSON.stringify(right) !== JSON.stringify(changed)
      ) {
        try {
          await this.#patch(right);
        } catch {
          // Said below; the next save tries again.
        }
      }
      this.#say(icon("circle-alert"), "Not all of it is saved");
      return;
    }
    this.#unsaved(error);
  }

  #unsaved(error: unknown): void {
    this.#say(
      icon("circle-alert"),
      `Not saved. ${error instanceof Error ? error.message : String(error)}`,
    );
    clearTimeout(this.#timer);
    if (error instanceof Problem && error.isTransient)
      this.#timer = setTimeout(() => this.#now(), 5000);
  }

  /** Somebody (or I, in another tab) changed it: nothing typed is thrown away, and the person says which one stays. */
  async #conflict(changed: Fields): Promise<void> {
    const theirs = (await requestJson("GET", `/updates/${this.#update}`)) as Update;
    // A file that was added counts as a change, too: if no words changed, there is nothing to decide.
    const same = (["title", "notes", "expectation", "visibility"] as const).every(
      (name) => (theirs[name] ?? "") === (this.#saved[name] ?? ""),
    );
    this.#version = theirs.version;
    if (same) {
      await this.#patch(changed);
      return this.#fine();
    }
    this.#stopped = true;
    const words = `This was changed elsewhere${theirs.title === this.#fields()["title"] ? "" : `, where it is called “${theirs.title}”`}. What you typed is still here, not saved.`;
    const keep = make("button", { type: "button", class: "button" }, "Save mine over it");
    const notice = make(
      "div",
      { class: "problem", "data-js": true },
      icon("circle-alert"),
      make(
        "div",
        {},
        make("p", {}, words),
        make(
          "p",
          { class: "actions" },
          make(
            "a",
            { class: "button", href: `/updates/${this.#update}/edit` },
            "Load the other version",
          ),
          keep,
        ),
      ),
    );
    keep.addEventListener("click", () => {
      notice.remove();
      this.#stopped = false;
      this.#saved = {};
      this.#now();
    });
    this.prepend(notice);
    notice.scrollIntoView({ block: "nearest" });
    announce(words);
    this.#say(icon("circle-alert"), "Not saved");
  }

  /** Those of the addresses that nothing is wrong with; nothing if the audience is not what is wrong, or none can be told apart. */
  #known(audience: Fields[string] | undefined, wrong: string | undefined): string[] | null {
    if (!Array.isArray(audience) || wrong === undefined) return null;
    const named = wrong.toLowerCase().split(/[\s,"]+/);
    const bad = audience.filter((value) => named.includes(value.toLowerCase()));
    this.#people?.mark(bad);
    return bad.length > 0 ? audience.filter((value) => !bad.includes(value)) : null;
  }

  get #people(): PeopleField | null {
    return this.querySelector<PeopleField>("people-field");
  }

  #submit(event: SubmitEvent): void {
    this.#people?.commit();
    const button = event.submitter;
    if (!(button instanceof HTMLButtonElement) || this.dataset["state"] === "published") return;
    if (button.name === "publish" && button.value === "true")
      void this.#once(event, () => this.#publish());
    else if (button.name === "invite") void this.#once(event, () => this.#invite());
  }

  /** Does it here instead of by the form, and not a second time while it runs. */
  async #once(event: SubmitEvent, act: () => Promise<void>): Promise<void> {
    event.preventDefault();
    if (this.#form.getAttribute("aria-busy") === "true") return;
    this.#form.setAttribute("aria-busy", "true");
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#wrong(error.errors);
      this.#say(icon("circle-alert"), error.message);
      announce(error.message);
    } finally {
      this.#form.removeAttribute("aria-busy");
      // Where it was not sent, what was recorded or added for it is here all the same.
      if (!this.#stopped) void refresh();
    }
  }

  /** The recording and files first, then what was typed, and only when all of it is saved it is sent. */
  async #publish(): Promise<void> {
    const recording = recorder.current;
    if (recording?.busy) {
      this.#say("Sends itself as soon as the recording is here.");
      announce("Sends itself as soon as the recording is here.");
      if (!(await recording.finish()))
        return this.#say(
          icon("circle-alert"),
          "Not sent, because of the recording: see above. Press Send again to send what is here.",
        );
    }
    const queue = uploads.current;
    if (queue?.busy) {
      this.#say("Sends itself as soon as the files are here.");
      announce("Sends itself as soon as the files are here.");
    }
    if (queue && !(await queue.finish()))
      return this.#say(
        icon("circle-alert"),
        "Not sent: not all that you added is here. Try it again, or remove it.",
      );
    if (!(await this.#flush())) return this.querySelector<HTMLElement>("[aria-invalid]")?.focus();
    const id = this.#update;
    const sent = `${id} ${Date.now()}`;
    await requestJson("PUT", `/updates/${id}/publication`);
    this.#stopped = true;
    const fields = this.#fields();
    writeStorage("localStorage", "audience", (fields["audience"] as string[]).join(", "));
    writeStorage("localStorage", "expectation", fields["expectation"] as string);
    writeStorage("sessionStorage", "sent", sent);
    if (await copyText(`${location.origin}/updates/${id}`))
      writeStorage("sessionStorage", "sent", `${sent} copied`);
    navigate(`/updates/${id}`);
  }

  /** Saves what is not saved yet; true when all of it is. */
  async #flush(): Promise<boolean> {
    await this.#saving;
    if (this.#update === "") await this.ensure();
    this.#now();
    await this.#saving;
    clearTimeout(this.#timer);
    return (
      !this.#stopped &&
      JSON.stringify(this.#fields()) === JSON.stringify({ ...this.#fields(), ...this.#saved })
    );
  }

  /** Invites those without an account; their links are shown here, and only now. */
  async #invite(): Promise<void> {
    await this.#flush();
    if (this.#stopped) return;
    const { audience = [] } = this.#fields();
    const update = (await requestJson("PATCH", `/updates/${this.#update}`, {
      audience,
      invite: true,
      version: this.#version,
    })) as Update;
    this.#took(update, { audience });
    this.#fine();
    const field = this.#people?.closest(".field");
    for (const { email, url } of update.invited ?? []) {
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
          `The link for ${email}, shown only now. Pass it on: whoever accepts is asked at once.`,
        ),
        line,
      );
    }
    announce("Invited.");
  }

  /** Audience and expectation as last time, where the form has none yet. */
  #lastTime(): void {
    const audience = this.#form.elements.namedItem("audience");
    if (!(audience instanceof HTMLInputElement) || audience.value !== "") return;
    audience.value = readStorage("localStorage", "audience") ?? "";
    const expectation = this.#form.querySelector<HTMLInputElement>(
      `input[name=expectation][value="${CSS.escape(readStorage("localStorage", "expectation") ?? "fyi")}"]`,
    );
    if (expectation) expectation.checked = true;
    document.dispatchEvent(new CustomEvent("hearback:audience-changed"));
  }

  #fields(): Fields {
    const data = new FormData(this.#form);
    const text = (name: string) => {
      const value = data.get(name);
      return typeof value === "string" ? value : "";
    };
    return {
      title: text("title"),
      notes: text("notes"),
      audience: text("audience")
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
      expectation: text("expectation"),
      visibility: text("visibility"),
      due:
        text("when") === "days"
          ? { working_days: Number(text("due_days")) }
          : text("when") === "time"
            ? text("due") || null
            : null,
      prompt: text("prompt") || null,
      otherwise: text("otherwise") || null,
      later_members:
        this.#form.querySelector<HTMLInputElement>("input[type=checkbox][name=later_members]")
          ?.checked ?? false,
    };
  }

  get #version(): number {
    const input = this.#form.elements.namedItem("version");
    return input instanceof HTMLInputElement ? Number(input.value) : 0;
  }

  set #version(version: number) {
    const input = this.#form.elements.namedItem("version");
    if (input instanceof HTMLInputElement) input.value = String(version);
  }

  /** Says beside each field what is wrong with it, and takes away what was said before. */
  #wrong(errors: Record<string, string>): void {
    for (const old of this.querySelectorAll(".wrong")) {
      if (old.id !== "")
        this.querySelector(`[aria-describedby~="${CSS.escape(old.id)}"]`)?.removeAttribute(
          "aria-invalid",
        );
      old.remove();
    }
    // What the server offered says the same.
    this.querySelector(".field > .note")?.remove();
    if (errors["audience"] === undefined) this.#people?.mark([]);
    for (const [path, text] of Object.entries(errors)) {
      const name = path.replace(/[[.].*$/, "");
      const field = this.querySelector<HTMLElement>(`#${CSS.escape(name)}`);
      const id = `${name}-wrong`;
      if (!field || document.getElementById(id)) continue;
      field.setAttribute("aria-invalid", "true");
      field.setAttribute(
        "aria-describedby",
        [...new Set([...(field.getAttribute("aria-describedby") ?? "").split(" "), id])]
          .join(" ")
          .trim(),
      );
      field
        .closest(".field")
        ?.append(
          make(
            "p",
            { class: "wrong", id },
            icon("circle-alert"),
            make("span", {}, toSentence(text)),
          ),
        );
      // Offered to admins, for addresses that are right but not known.
      if (name === "audience" && this.dataset["admin"] !== undefined && / no account/.test(text))
        field
          .closest(".field")
          ?.append(
            make(
              "p",
              { class: "wrong" },
              make("button", { class: "button", name: "invite", value: "true" }, "Invite and ask"),
            ),
          );
    }
  }

  #say(...parts: (Node | string)[]): void {
    document
      .getElementById("save-state")
      ?.replaceChildren(
        ...parts.map((part) => (typeof part === "string" ? make("span", {}, part) : part)),
      );
  }
}

customElements.define("draft-form", DraftForm);

declare global {
  interface HTMLElementTagNameMap {
    "draft-form": DraftForm;
  }
}
