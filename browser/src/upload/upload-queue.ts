// Files on their way: dropped anywhere, pasted or picked, sent one by one, each with its own progress and its own failure.
// One that broke off with its page goes on where it was when the same file is chosen again. A single picture that is captured, chosen, pasted
// or dropped is marked before it is sent, and its marks follow it.
import { draft, type FileSink, type PendingMedia, uploads } from "../compose/draft.js";
import {
  announce,
  formatBytes,
  icon,
  iconButton,
  make,
  isTextEntry,
  formatTimestamp,
} from "../lib/dom.js";
import type { FileUpload } from "./file-upload.js";
import { waitUntilDrawn, waitUntilReady, saveLayer } from "../markup/layer-api.js";
import { markUpFile, canMarkUp } from "../markup/mark-file.js";
import { markUpMedia } from "../markup/mark-media.js";
import type { Shape } from "../markup/shapes.js";
import { refresh } from "../lib/refresh.js";
import { requestJson, noResponseProblem, Problem } from "../lib/request.js";

interface Item {
  file: File;
  row: HTMLLIElement;
  state: "marked" | "waiting" | "sending" | "failed" | "done";
  upload?: FileUpload;
  /** Drawn on it, and not on the server yet. */
  shapes: Shape[];
  /** The file is there: what is left are its marks. */
  arrived: boolean;
  /** It failed for a reason that may be gone by itself. */
  passing: boolean;
}

/** A row of `GET /uploads`. */
interface Unfinished {
  id: string;
  update: string;
  media: string;
  received: number;
  length: number | null;
  recording: boolean;
  touched_at: string;
}

/** A recording of which nothing came for so many milliseconds is not on its way any more, or is paused. */
const SILENT = 60_000;

export class UploadQueue extends HTMLElement implements FileSink, PendingMedia {
  #items: Item[] = [];
  #busy = false;
  #waiting: ((complete: boolean) => void)[] = [];
  #depth = 0;
  #look: ReturnType<typeof setTimeout> | undefined;
  #listeners = new AbortController();

  connectedCallback(): void {
    uploads.register(this);
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    const input = this.querySelector<HTMLInputElement>("input[type=file]");
    input?.addEventListener(
      "change",
      () => {
        this.#take([...(input.files ?? [])]);
        // Sent from here, not once more with the form.
        input.value = "";
      },
      { signal },
    );
    addEventListener("dragenter", (event) => this.#drag(event, 1), { signal });
    addEventListener("dragleave", (event) => this.#drag(event, -1), { signal });
    addEventListener(
      "dragover",
      (event) => {
        if (hasFiles(event)) event.preventDefault();
      },
      { signal },
    );
    addEventListener("drop", (event) => this.#drop(event), { signal });
    addEventListener("paste", (event) => this.#paste(event), { signal });
    addEventListener("online", () => this.#retryAll(), { signal });
    addEventListener(
      "beforeunload",
      (event) => {
        if (this.#holds) event.preventDefault();
      },
      { signal },
    );
    document.addEventListener(
      "turbo:before-visit",
      (event) => {
        const words = this.busy
          ? "A file is still on its way. Leave and stop it? What arrived is kept: choose the same file again, and it goes on from there."
          : "What you drew is not saved. Leave, and lose it?";
        if (this.#holds && !window.confirm(words)) event.preventDefault();
      },
      { signal },
    );
    for (const event of ["hearback:refreshed", "hearback:recordings-listed"])
      document.addEventListener(event, () => this.#watch(), { signal });
    this.#watch();
  }

  disconnectedCallback(): void {
    uploads.unregister(this);
    this.#listeners.abort();
    clearTimeout(this.#look);
    document.documentElement.classList.remove("dropping");
    for (const item of this.#items) if (item.state !== "done") item.upload?.stop();
  }

  /** Whether a file is being marked, waits or travels. */
  get busy(): boolean {
    return this.#items.some(
      ({ state }) => state === "marked" || state === "waiting" || state === "sending",
    );
  }

  /** Whether leaving would lose something: what travels, or marks that were not saved. */
  get #holds(): boolean {
    return this.busy || this.#items.some(({ state, arrived }) => state === "failed" && arrived);
  }

  /** Resolves when nothing travels any more: true if every file arrived. */
  finish(): Promise<boolean> {
    if (!this.busy) return Promise.resolve(!this.#items.some((item) => item.state === "failed"));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Puts files into the queue. */
  add(files: Iterable<File>): void {
    if (this.dataset["refused"] !== undefined) return;
    for (const file of files)
      this.#show(this.#put(file, "waiting"), `${formatBytes(file.size)}, waiting`);
    void this.#run();
  }

  /** Opens a picture in the editor, and puts it into the queue as it leaves that. What cannot be marked goes as it is. */
  async open(file: File): Promise<void> {
    if (this.dataset["refused"] !== undefined) return;
    if (await canMarkUp(file)) await this.#mark(this.#put(file, "marked"));
    else this.add([file]);
  }

  async #mark(item: Item): Promise<void> {
    item.state = "marked";
    this.#name();
    item.row.replaceChildren();
    this.#show(item, "Sent when you leave the editor");
    try {
      const marked = await markUpFile(item.file);
      if (!marked) {
        this.#forget(item);
        announce(`${item.file.name} is not added.`);
        return this.#settle();
      }
      Object.assign(item, marked);
      this.#retry(item);
    } catch (error) {
      // Nothing of it is sent: there may be something on it that nobody is to see.
      item.state = "failed";
      this.#fail(
        item,
        `The editor could not be opened, so it is not added. ${error instanceof Error ? error.message : String(error)}`,
        "Mark up",
        () => void this.#mark(item),
      );
      this.#settle();
    }
  }

  #put(file: File, state: Item["state"]): Item {
    const item: Item = {
      file,
      row: make("li", { class: "media-item", "data-js": true }),
      state,
      shapes: [],
      arrived: false,
      passing: false,
    };
    this.#items.push(item);
    this.#list.append(item.row);
    this.querySelector(".drop")?.classList.add("small");
    return item;
  }

  /** What travels stands in a list of its own: the one of the server is morphed, and would take our rows for its own. */
  get #list(): HTMLElement {
    const known = this.querySelector<HTMLElement>(".media-list.arriving");
    if (known) return known;
    const list = make("ul", { class: "media-list arriving", "aria-label": "On their way" });
    this.querySelector(".media-list")?.after(list);
    return list;
  }

  async #run(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let item = this.#next(); item; item = this.#next()) {
      item.state = "sending";
      try {
        await this.#send(item);
        item.state = "done";
        announce(`${item.file.name} is here.`);
        // Other media is another content: those who answered are asked again, unless the author says otherwise.
        const again = document.querySelector<HTMLInputElement>("#change");
        if (again) again.checked = true;
        await refresh();
        this.#forget(item);
      } catch (error) {
        if (!this.#items.includes(item)) continue; // Cancelled.
        item.state = "failed";
        this.#failed(item, error instanceof Problem ? error : noResponseProblem());
      }
    }
    this.#busy = false;
    this.#settle();
  }

  /** Tells who waits for it that nothing travels any more. */
  #settle(): void {
    if (this.busy) return;
    const complete = !this.#items.some((item) => item.state === "failed");
    for (const resolve of this.#waiting.splice(0)) resolve(complete);
  }

  /** The file, and then what was drawn on it. */
  async #send(item: Item): Promise<void> {
    if (!item.arrived) {
      this.#show(item, "Starting");
      const id = await this.#draft(item.file);
      const { FileUpload } = await import("./file-upload.js");
      item.upload ??= new FileUpload(item.file, id, (words, part) => this.#show(item, words, part));
      await item.upload.send();
      item.arrived = true;
    }
    const media = item.upload?.media;
    if (item.shapes.length === 0 || !media) return;
    this.#show(item, "Saving what you drew", 1);
    const before = await waitUntilReady(media);
    await saveLayer(media, 0, { shapes: item.shapes, crop: null });
    void waitUntilDrawn(media, before).then(refresh, () => {});
  }

  #next(): Item | undefined {
    return this.#items.find((item) => item.state === "waiting");
  }

  async #draft(file: File): Promise<string> {
    const known = this.dataset["update"];
    if (known) return known;
    const form = draft.current;
    if (!form) throw noResponseProblem();
    const id = await form.ensure(title(file));
    this.dataset["update"] = id;
    return id;
  }

  #show(item: Item, words: string, part?: number): void {
    let say = item.row.querySelector<HTMLElement>("[data-say]");
    if (!say) {
      const cancel = iconButton(`Cancel ${item.file.name}`, icon("x"), "button quiet icon-only");
      cancel.addEventListener("click", () => this.#forget(item));
      say = make("p", { class: "meta", "data-say": true });
      item.row.replaceChildren(
        make(
          "span",
          { class: "thumbnail" },
          item.file.type.startsWith("video/") ? icon("film") : icon("image"),
        ),
        make(
          "div",
          { class: "row-text" },
          make("p", { class: "name" }, item.file.name),
          make("progress", { max: "1", value: "0", "aria-label": `Sending ${item.file.name}` }),
          say,
        ),
        make("div", { class: "row-actions" }, cancel),
      );
    }
    say.textContent = words;
    const progress = item.row.querySelector("progress");
    if (progress && part !== undefined) progress.value = part;
    delete item.row.dataset["state"];
  }

  /** Why it is not there, or not with its marks, and what can be done about it. */
  #failed(item: Item, error: Problem): void {
    const words = item.arrived
      ? `The picture is here, what you drew on it is not saved. ${error.message}`
      : error.message;
    if (error.isTransient) {
      item.passing = true;
      this.#fail(item, words, "Try again", () => this.#retry(item));
    } else if (item.arrived) this.#fail(item, words, "Mark up", () => void this.#mend(item));
    else this.#fail(item, words);
  }

  #fail(item: Item, words: string, verb?: string, act?: () => void): void {
    this.#show(item, words);
    item.row.dataset["state"] = "failed";
    item.row.querySelector("progress")?.remove();
    const dismiss = item.row.querySelector(".icon-only");
    for (const name of ["aria-label", "title"])
      dismiss?.setAttribute(name, `Dismiss ${item.file.name}`);
    this.#name();
    announce(`${item.file.name}: ${words}`);
    if (verb === undefined || !act) return;
    const again = make("button", { type: "button", class: "button" }, verb);
    again.addEventListener("click", act);
    item.row.querySelector(".row-actions")?.prepend(again);
  }

  /** Opens the marks that were not taken on the picture that was. */
  async #mend(item: Item): Promise<void> {
    const media = item.upload?.media;
    if (!media || !(await markUpMedia(media, 0, { shapes: item.shapes, crop: null }))) return;
    await refresh();
    item.state = "done";
    this.#forget(item);
  }

  #retry(item: Item): void {
    item.state = "waiting";
    item.passing = false;
    this.#name();
    item.row.replaceChildren();
    this.#show(item, `${formatBytes(item.file.size)}, waiting`);
    void this.#run();
  }

  #retryAll(): void {
    for (const item of this.#items) if (item.passing) this.#retry(item);
  }

  /** The list is called by what is in it. */
  #name(): void {
    const failed = this.#items.length > 0 && this.#items.every((item) => item.state === "failed");
    this.querySelector(".arriving")?.setAttribute(
      "aria-label",
      failed ? "Not taken" : "On their way",
    );
  }

  #forget(item: Item): void {
    this.#items = this.#items.filter((other) => other !== item);
    // The picture stays where only its marks are given up.
    if (item.state !== "done" && !item.arrived) void item.upload?.cancel().then(() => refresh());
    const focused = item.row.contains(document.activeElement);
    const next = item.row.nextElementSibling ?? item.row.previousElementSibling;
    item.row.remove();
    this.#name();
    if (focused)
      (
        next?.querySelector<HTMLElement>("button") ??
        this.querySelector<HTMLElement>("input[type=file]")
      )?.focus();
  }

  /** What is being prepared or still comes is asked after until it is ready; a draft has no stream. */
  #watch(): void {
    clearTimeout(this.#look);
    const arriving = this.#arriving();
    const wait = this.querySelector('[data-state="processing"]')
      ? 2000
      : arriving.length > 0
        ? 10_000
        : 0;
    if (wait > 0) this.#look = setTimeout(() => void refresh(), wait);
    if (arriving.length > 0) void this.#unfinished(arriving);
  }

  /** The rows of what arrives from elsewhere. What is sent from here has its own row, with its progress. */
  #arriving(): HTMLElement[] {
    const rows = [...this.querySelectorAll<HTMLElement>('[data-media][data-state="uploading"]')];
    for (const row of rows)
      row.hidden = this.#items.some(({ upload }) => upload?.media === row.dataset["media"]);
    return rows.filter((row) => !row.hidden);
  }

  /** Says of what broke off how it goes on. */
  async #unfinished(rows: HTMLElement[]): Promise<void> {
    let uploads: Unfinished[];
    try {
      uploads = ((await requestJson("GET", "/uploads")) as { items: Unfinished[] }).items;
    } catch {
      return; // Only words: the next look tries again.
    }
    for (const row of rows) {
      const upload = uploads.find(({ media }) => media === row.dataset["media"]);
      const say = row.querySelector("[data-say]");
      if (!upload || !say) continue;
      if (upload.recording) {
        const touched = new Date(upload.touched_at);
        if (document.querySelector(`kept-recordings [data-of="${CSS.escape(upload.media)}"]`))
          say.textContent = `Unfinished. ${formatBytes(upload.received)} of it arrived; see above.`;
        else if (Date.now() - touched.getTime() > SILENT)
          say.textContent = `${formatBytes(upload.received)} of it arrived, nothing since ${formatTimestamp(touched)}. It is paused, or its page is gone.`;
      } else {
        const { begun } = await import("./file-upload.js");
        const goes = (await begun(upload.id))
          ? "Choose the same file again, and it goes on from there."
          : "It goes on in the browser that it was begun in. Here, remove it and choose the file again.";
        say.textContent = `${formatBytes(upload.received)}${upload.length === null ? "" : ` of ${formatBytes(upload.length)}`} arrived. ${goes}`;
      }
    }
  }

  #drag(event: DragEvent, by: number): void {
    if (!hasFiles(event)) return;
    event.preventDefault();
    // Entering a child comes before leaving its parent, so the two are counted.
    this.#depth = Math.max(0, this.#depth + by);
    document.documentElement.classList.toggle("dropping", this.#depth > 0);
  }

  #drop(event: DragEvent): void {
    if (!hasFiles(event)) return;
    event.preventDefault();
    this.#depth = 0;
    document.documentElement.classList.remove("dropping");
    this.#take([...(event.dataTransfer?.files ?? [])]);
  }

  #paste(event: ClipboardEvent): void {
    const files = [...(event.clipboardData?.files ?? [])];
    // Text that brings a picture of itself along (from an office program) is text, where text is typed.
    if (
      files.length === 0 ||
      (isTextEntry(event.target) && event.clipboardData?.types.includes("text/plain"))
    )
      return;
    event.preventDefault();
    this.#take(files.map(named));
  }

  /** Chosen, dropped or pasted. */
  #take(files: File[]): void {
    const [only, ...more] = files;
    if (only && more.length === 0) void this.open(only);
    else this.add(files);
  }
}

customElements.define("upload-queue", UploadQueue);

declare global {
  interface HTMLElementTagNameMap {
    "upload-queue": UploadQueue;
  }
}

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** Pasted pictures are all called image.png; the time tells them apart. */
function named(file: File): File {
  if (!/^image\.\w+$/.test(file.name)) return file;
  return new File(
    [file],
    `Pasted ${formatTimestamp(undefined, ".")}.${file.name.split(".").pop() ?? "png"}`,
    {
      type: file.type,
    },
  );
}

/** A title for a file: its name without the end, where it says something. */
function title(file: File): string {
  const name = file.name
    .replace(/\.\w{2,5}$/, "")
    .replace(/[_-]+/g, " ")
    .trim();
  return /[a-z]{3}/i.test(name) &&
    !/^(image|img|screenshot|screen recording|untitled|pasted)\b/i.test(name)
    ? name.slice(0, 200)
    : `${file.type.startsWith("video/") ? "Recording" : "Screenshot"}, ${formatTimestamp()}`;
}
