// <upload-queue> sends dropped, pasted and chosen files one by one. Each file has its own row with its own progress and
// errors. A single picture first opens in the markup editor, and its shapes are saved once the picture is on the
// server.
import { draft, type FileSink, type PendingMedia, uploads } from "../compose/draft.js";
import { announce, formatBytes, make } from "../lib/dom.js";
import { refresh } from "../lib/refresh.js";
import { noResponseProblem, Problem } from "../lib/request.js";
import { saveLayer, waitUntilDrawn, waitUntilReady } from "../markup/layer-api.js";
import { canMarkUp, markUpFile } from "../markup/mark-file.js";
import { markUpMedia } from "../markup/mark-media.js";
import type { Shape } from "../markup/shapes.js";
import { listenForFiles, suggestTitle } from "./file-sources.js";
import type { FileUpload } from "./file-upload.js";
import { explainUnfinished } from "./unfinished-upload-messages.js";
import { UploadRow } from "./upload-row.js";

interface Item {
  file: File;
  row: UploadRow;
  state: "marking" | "waiting" | "sending" | "failed" | "done";
  upload?: FileUpload;
  /** Shapes that are not on the server yet. */
  shapes: Shape[];
  /** Whether the file is on the server. Its shapes may still be missing. */
  arrived: boolean;
  /** Whether the item failed for a reason that may be temporary. */
  isTransient: boolean;
}

/** How often the page is refreshed while media is being processed, and while another page is uploading media. */
const [PROCESSING_REFRESH_MS, ARRIVING_REFRESH_MS] = [2000, 10_000];

export class UploadQueue extends HTMLElement implements FileSink, PendingMedia {
  #items: Item[] = [];
  #isRunning = false;
  #waiters: ((complete: boolean) => void)[] = [];
  #refreshTimer: ReturnType<typeof setTimeout> | undefined;
  #listeners = new AbortController();

  connectedCallback(): void {
    uploads.register(this);
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    const input = this.querySelector<HTMLInputElement>("input[type=file]");
    input?.addEventListener(
      "change",
      () => {
        this.#accept([...(input.files ?? [])]);
        // Clear the field. Otherwise, submitting the form would send the files again.
        input.value = "";
      },
      { signal },
    );
    listenForFiles((files, withText) => {
      // Do not open the editor over the field into which the person has just pasted text.
      if (withText) this.add(files);
      else this.#accept(files);
    }, signal);
    addEventListener("online", () => this.#retryTransient(), { signal });
    addEventListener(
      "beforeunload",
      (event) => {
        if (this.#hasUnsaved) event.preventDefault();
      },
      { signal },
    );
    document.addEventListener(
      "turbo:before-visit",
      (event) => {
        const question = this.busy
          ? "A file is still being uploaded. Leave and stop the upload? To continue it later, choose the same file again."
          : "Your drawing is not saved. Leave and lose it?";
        if (this.#hasUnsaved && !window.confirm(question)) event.preventDefault();
      },
      { signal },
    );
    for (const event of ["hearback:refreshed", "hearback:recordings-listed"])
      document.addEventListener(event, () => this.#updateServerRows(), { signal });
    this.#updateServerRows();
  }

  disconnectedCallback(): void {
    uploads.unregister(this);
    this.#listeners.abort();
    clearTimeout(this.#refreshTimer);
    for (const item of this.#items) if (item.state !== "done") item.upload?.stop();
  }

  /** Whether a file is in the editor, queued or being sent. */
  get busy(): boolean {
    return this.#items.some(
      ({ state }) => state === "marking" || state === "waiting" || state === "sending",
    );
  }

  /** Whether leaving the page would lose a file or shapes. */
  get #hasUnsaved(): boolean {
    return this.busy || this.#items.some(({ state, arrived }) => state === "failed" && arrived);
  }

  get #isComplete(): boolean {
    return !this.#items.some((item) => item.state === "failed");
  }

  finish(): Promise<boolean> {
    if (!this.busy) return Promise.resolve(this.#isComplete);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  add(files: Iterable<File>): void {
    if (this.dataset["refused"] !== undefined) return;
    for (const file of files) {
      const item = this.#append(file, "waiting");
      item.row.show(file, `${formatBytes(file.size)}, waiting`);
    }
    void this.#run();
  }

  /**
   * Opens a picture in the markup editor and queues the result. Files that cannot be marked up are queued unchanged.
   */
  async open(file: File): Promise<void> {
    if (this.dataset["refused"] !== undefined) return;
    if (await canMarkUp(file)) await this.#markUp(this.#append(file, "marking"));
    else this.add([file]);
  }

  async #markUp(item: Item): Promise<void> {
    item.state = "marking";
    this.#nameList();
    item.row.reset();
    item.row.show(item.file, "Sent when you leave the editor");
    try {
      const marked = await markUpFile(item.file);
      if (!marked) {
        this.#remove(item);
        announce(`${item.file.name} was not added.`);
        return this.#resolveWaiters();
      }
      Object.assign(item, marked);
      this.#retry(item);
    } catch (error) {
      // Do not send the picture without markup, because the person may have meant to redact something.
      item.state = "failed";
      this.#showError(
        item,
        `The editor could not be opened, so the picture was not added. ${error instanceof Error ? error.message : String(error)}`,
        { label: "Mark up", run: () => void this.#markUp(item) },
      );
      this.#resolveWaiters();
    }
  }

  #append(file: File, state: Item["state"]): Item {
    const item: Item = {
      file,
      row: new UploadRow(() => this.#remove(item)),
      state,
      shapes: [],
      arrived: false,
      isTransient: false,
    };
    this.#items.push(item);
    this.#list.append(item.row.element);
    this.querySelector(".drop")?.classList.add("small");
    return item;
  }

  /**
   * The list of files being sent. It is separate from the server-rendered list: in a shared list, a refresh would morph
   * these rows into the server's rows.
   */
  get #list(): HTMLElement {
    const existing = this.querySelector<HTMLElement>(".media-list.arriving");
    if (existing) return existing;
    const list = make("ul", { class: "media-list arriving", "aria-label": "Uploading" });
    this.querySelector(".media-list")?.after(list);
    return list;
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (let item = this.#next(); item; item = this.#next()) {
      item.state = "sending";
      try {
        await this.#send(item);
        item.state = "done";
        announce(`${item.file.name} was uploaded.`);
        // New media is a material change, so select the checkbox that asks for new responses. The
        // author can clear it.
        const isMaterial = document.querySelector<HTMLInputElement>("#change");
        if (isMaterial) isMaterial.checked = true;
        await refresh();
        this.#remove(item);
      } catch (error) {
        if (!this.#items.includes(item)) continue; // cancelled
        item.state = "failed";
        this.#showFailure(item, error instanceof Problem ? error : noResponseProblem());
      }
    }
    this.#isRunning = false;
    this.#resolveWaiters();
  }

  #resolveWaiters(): void {
    if (this.busy) return;
    for (const resolve of this.#waiters.splice(0)) resolve(this.#isComplete);
  }

  /** Sends the file and then the shapes drawn on it. */
  async #send(item: Item): Promise<void> {
    if (!item.arrived) {
      item.row.show(item.file, "Starting");
      const update = await this.#ensureDraft(item.file);
      const { FileUpload } = await import("./file-upload.js");
      item.upload ??= new FileUpload(item.file, update, (message, fraction) =>
        item.row.show(item.file, message, fraction),
      );
      await item.upload.send();
      item.arrived = true;
    }
    const media = item.upload?.media;
    if (item.shapes.length === 0 || !media) return;
    item.row.show(item.file, "Saving your drawing", 1);
    const before = await waitUntilReady(media);
    await saveLayer(media, 0, { shapes: item.shapes, crop: null });
    void waitUntilDrawn(media, before).then(refresh, () => {});
  }

  #next(): Item | undefined {
    return this.#items.find((item) => item.state === "waiting");
  }

  /** The id of the update. Creates a draft if necessary. */
  async #ensureDraft(file: File): Promise<string> {
    const known = this.dataset["update"];
    if (known) return known;
    const form = draft.current;
    if (!form) throw noResponseProblem();
    const id = await form.ensure(suggestTitle(file));
    this.dataset["update"] = id;
    return id;
  }

  #showFailure(item: Item, error: Problem): void {
    const message = item.arrived
      ? `The picture was uploaded, but your drawing was not saved. ${error.message}`
      : error.message;
    if (error.isTransient) {
      item.isTransient = true;
      this.#showError(item, message, { label: "Try again", run: () => this.#retry(item) });
    } else if (item.arrived)
      this.#showError(item, message, { label: "Mark up", run: () => void this.#redraw(item) });
    else this.#showError(item, message);
  }

  #showError(item: Item, message: string, action?: { label: string; run: () => void }): void {
    item.row.showError(item.file, message, action);
    this.#nameList();
    announce(`${item.file.name}: ${message}`);
  }

  /** Reopens the editor on a picture that is already stored, with the shapes that the server rejected. */
  async #redraw(item: Item): Promise<void> {
    const media = item.upload?.media;
    if (!media || !(await markUpMedia(media, 0, { shapes: item.shapes, crop: null }))) return;
    await refresh();
    item.state = "done";
    this.#remove(item);
  }

  #retry(item: Item): void {
    item.state = "waiting";
    item.isTransient = false;
    this.#nameList();
    item.row.reset();
    item.row.show(item.file, `${formatBytes(item.file.size)}, waiting`);
    void this.#run();
  }

  #retryTransient(): void {
    for (const item of this.#items) if (item.isTransient) this.#retry(item);
  }

  #nameList(): void {
    const failed = this.#items.length > 0 && this.#items.every((item) => item.state === "failed");
    this.querySelector(".arriving")?.setAttribute("aria-label", failed ? "Not added" : "Uploading");
  }

  /** Removes a file from the queue, and cancels its upload unless it has arrived. */
  #remove(item: Item): void {
    this.#items = this.#items.filter((other) => other !== item);
    if (item.state !== "done" && !item.arrived) void item.upload?.cancel().then(() => refresh());
    const { element } = item.row;
    const hadFocus = element.contains(document.activeElement);
    const neighbor = element.nextElementSibling ?? element.previousElementSibling;
    element.remove();
    this.#nameList();
    if (hadFocus)
      (
        neighbor?.querySelector<HTMLElement>("button") ??
        this.querySelector<HTMLElement>("input[type=file]")
      )?.focus();
  }

  /**
   * Refreshes the page regularly while the rows from the server may change, because drafts have no event stream. Also
   * explains unfinished uploads.
   */
  #updateServerRows(): void {
    clearTimeout(this.#refreshTimer);
    const arriving = this.#arrivingRows();
    const isProcessing = this.querySelector('[data-state="processing"]') !== null;
    if (isProcessing || arriving.length > 0)
      this.#refreshTimer = setTimeout(
        () => void refresh(),
        isProcessing ? PROCESSING_REFRESH_MS : ARRIVING_REFRESH_MS,
      );
    if (arriving.length > 0) void explainUnfinished(arriving);
  }

  /**
   * Returns the server's rows of uploads that started elsewhere. Hides the server's rows of files in this queue,
   * because the queue shows its own rows for them.
   */
  #arrivingRows(): HTMLElement[] {
    const rows = [...this.querySelectorAll<HTMLElement>('[data-media][data-state="uploading"]')];
    for (const row of rows)
      row.hidden = this.#items.some(({ upload }) => upload?.media === row.dataset["media"]);
    return rows.filter((row) => !row.hidden);
  }

  #accept(files: File[]): void {
    const [first, ...others] = files;
    if (first && others.length === 0) void this.open(first);
    else this.add(files);
  }
}

customElements.define("upload-queue", UploadQueue);

declare global {
  interface HTMLElementTagNameMap {
    "upload-queue": UploadQueue;
  }
}
