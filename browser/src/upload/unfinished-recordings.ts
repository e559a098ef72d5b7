// What was recorded and never came to its end: in this browser (its page was closed, it crashed, the server was away) or begun in another.
// It is offered, with how much of it there is; nothing is thrown away because it was found.
import { RecordingUploader, type Safety } from "./recording-uploader.js";
import {
  announce,
  formatBytes,
  formatTime,
  icon,
  make,
  readStorage,
  writeStorage,
  formatTimestamp,
  setMessage,
} from "../lib/dom.js";
import { confirmDialog } from "../lib/dialogs.js";
import { navigate } from "../lib/navigate.js";
import { requestJson } from "../lib/request.js";
import { lockOf, Spool, type Piece, type Recording } from "./spool.js";
import { deletedWords, discard, finish, isDeleted, send } from "./tus.js";

/** A row of `GET /uploads`. */
interface Upload {
  id: string;
  url: string;
  update: string;
  media: string;
  received: number;
  recording: boolean;
  created_at: string;
  touched_at: string;
}

/** A recording begun in another browser that was heard of in the last so many milliseconds may still go on there. */
const GOING_ON = 600_000;

const spool = new Spool();
/** What this page carries to its end, also while one goes on to another page. */
const carried = new Map<string, RecordingUploader>();

export class KeptRecordings extends HTMLElement {
  #gone = new AbortController();

  connectedCallback(): void {
    this.#gone = new AbortController();
    // A recorder let go of one that the server takes no more of.
    document.addEventListener("hearback:recording-kept", () => void this.#look(), {
      signal: this.#gone.signal,
    });
    void this.#look();
  }

  disconnectedCallback(): void {
    this.#gone.abort();
    // Turbo keeps a copy of the page for the way back.
    this.replaceChildren();
  }

  async #look(): Promise<void> {
    const [mine, all] = await Promise.all([
      this.#here(),
      requestJson("GET", "/uploads").then(
        (list) => (list as { items: Upload[] }).items,
        () => [],
      ),
    ]);
    // On the page of a draft its own alone: what leads to another one would be taken for this one's.
    const draft = document.querySelector<HTMLElement>("draft-form")?.dataset["update"] ?? "";
    const ofThis = ({ update }: { update: string }): boolean => draft === "" || update === draft;
    const [here, uploads] = [mine.filter(ofThis), all.filter(ofThis)];
    const rows: HTMLElement[] = [];
    for (const recording of here) {
      const row = await this.#kept(
        recording,
        uploads.find(({ id }) => id === recording.id),
      ).catch(() => unreadable(recording));
      if (row) rows.push(row);
    }
    const known =
      "locks" in navigator ? new Set((await inBrowser()).map(({ id }) => id)) : new Set<string>();
    for (const upload of uploads) {
      if (
        upload.recording &&
        upload.received > 0 &&
        !known.has(upload.id) &&
        !later(upload.id) &&
        Date.now() - Date.parse(upload.touched_at) > GOING_ON
      )
        rows.push(await this.#elsewhere(upload));
    }
    if (this.#gone.signal.aborted) return;
    this.replaceChildren(
      ...(rows.length > 0
        ? [make("ul", { "aria-label": "Recordings that are not finished" }, ...rows)]
        : []),
    );
    offered();
  }

  /** Mine, in this browser, that no page holds. Where another page holds one, it is looked at again when that page is gone. */
  async #here(): Promise<Recording[]> {
    if (!("locks" in navigator)) return [];
    const { held = [] } = await navigator.locks.query();
    const mine = (await inBrowser()).filter(
      ({ person, id }) => person === this.dataset["person"] && !later(id),
    );
    return mine.filter(({ id }) => {
      if (carried.has(id) || !held.some(({ name }) => name === lockOf(id))) return true;
      void navigator.locks
        .request(lockOf(id), { signal: this.#gone.signal }, () => {})
        .then(
          () => this.#look(),
          () => {},
        );
      return false;
    });
  }

  /** Nothing for one whose page was left before it began. */
  async #kept(recording: Recording, upload: Upload | undefined): Promise<HTMLElement | null> {
    const { id } = recording;
    const row = new Row(
      `Unfinished recording of ${formatTimestamp(new Date(recording.began))}${await ofDraft(recording.update)}`,
      recording.media,
    );
    const courier = carried.get(id);
    if (courier) {
      this.#follow(row, courier);
      return row.element;
    }
    const pieces = await spool.pieces(recording);
    const answer = upload ? null : await send("HEAD", recording.url);
    const there = Math.max(recording.safe, upload?.received ?? answer?.offset ?? 0);
    if (there === 0 && pieces.length === 0 && (await discard(recording)) === null) {
      await spool.forget(id);
      return null;
    }
    const rest = await spool.pieces({ ...recording, safe: there });
    const safeMs = pieces.findLast(({ end }) => end <= there)?.ms ?? recording.safeMs;
    const recordedMs = pieces.at(-1)?.ms ?? recording.safeMs;
    if (answer && [404, 410].includes(answer.status) && (await isDeleted(recording.media))) {
      this.#closed(
        row,
        recording,
        rest,
        `${formatTime(recordedMs)} recorded. ${deletedWords(safeMs, rest.length === 0 ? 0 : recordedMs - safeMs)}`,
      );
      return row.element;
    }
    if (answer && [404, 410].includes(answer.status)) {
      this.#closed(
        row,
        recording,
        rest,
        rest.length === 0
          ? `${formatTime(recordedMs)} recorded. It is not on its way any more: it was deleted, or is part of its update.`
          : `${formatTime(recordedMs)} recorded. The server takes no more of it: ${formatTime(recordedMs - safeMs)} is in this browser alone.`,
      );
      return row.element;
    }
    if (answer?.media && rest.length === 0) {
      // The server finished it by itself, and did not know that nothing is missing.
      await finish(recording.url, there);
      this.#closed(row, recording, [], `All ${formatTime(recordedMs)} of it arrived.`);
      return row.element;
    }
    row.say(
      `${formatTime(recordedMs)} recorded, ${rest.length === 0 ? "all of it" : formatTime(safeMs)} safe on the server.`,
    );
    row.offer(
      button(rest.length === 0 ? "Finish it" : "Continue the upload", () =>
        this.#continue(row, recording),
      ),
      button("Keep for later", () => this.#later(row, id)),
      button(
        "Discard",
        () =>
          this.#discard(
            row,
            `Discard this recording of ${formatTime(recordedMs)}? It is deleted here and on the server.`,
            async () => {
              const words = await discard(recording);
              if (words !== null) throw new Error(words);
              await spool.forget(id);
            },
          ),
        "quiet",
      ),
    );
    return row.element;
  }

  /** Begun in another browser: what arrived is all that can be had here. */
  async #elsewhere({ id, url, update, media, received, created_at }: Upload): Promise<HTMLElement> {
    const path = new URL(url, location.href).pathname;
    const row = new Row(
      `Unfinished recording of ${formatTimestamp(new Date(created_at))}, begun in another browser${await ofDraft(update)}`,
      media,
    );
    row.say(
      `${formatBytes(received)} of it arrived. The rest may be in that browser, and can be sent from there.`,
    );
    row.offer(
      button("Finish it here", async () => {
        row.say("Finishing.");
        const { status, words } = await finish(path, received);
        if (status === 204) navigate(`/updates/${update}/edit`);
        else row.fail(words || "The server does not answer. Try again in a moment.");
      }),
      button("Keep for later", () => this.#later(row, id)),
      button(
        "Discard",
        () =>
          this.#discard(
            row,
            `Discard this recording? ${formatBytes(received)} on the server are deleted.`,
            async () => {
              const words = await discard({ url: path, media, update });
              if (words !== null) throw new Error(words);
            },
          ),
        "quiet",
      ),
    );
    return row.element;
  }

  async #continue(row: Row, { id }: Recording): Promise<void> {
    row.say("Looking how far it is.");
    try {
      const courier = await RecordingUploader.resume(id);
      carried.set(id, courier);
      this.#follow(row, courier);
    } catch (error) {
      row.fail((error as Error).message);
    }
  }

  /** Shows how far a courier is, and leads to the draft when all is there. */
  #follow(row: Row, courier: RecordingUploader): void {
    const show = ({ recordedMs, safeMs, message: words, state }: Safety): void => {
      row.say(
        state === "sending"
          ? `${formatTime(safeMs)} of ${formatTime(recordedMs)} safe on the server.`
          : words,
      );
      row.progress(safeMs / Math.max(1, recordedMs));
    };
    row.offer();
    delete row.element.dataset["of"];
    offered();
    show(courier.progress);
    courier.addEventListener("progress", (event) => show(event.detail));
    void courier.finish().then(
      ({ update }) => {
        carried.delete(courier.id);
        announce("All of it is safe on the server.");
        if (row.element.isConnected) navigate(`/updates/${update}/edit`);
      },
      async (error: Error) => {
        carried.delete(courier.id);
        courier.release();
        const recording = await spool.recording(courier.id);
        if (recording) this.#closed(row, recording, await spool.pieces(recording), error.message);
      },
    );
  }

  /** The server takes no more of it: what is left here can be had as a file. */
  #closed(row: Row, recording: Recording, rest: Piece[], words: string): void {
    const open = make(
      "a",
      { class: "button", href: `/updates/${recording.update}` },
      "Open the update",
    );
    if (rest.length === 0) {
      row.say(words);
      row.offer(
        open,
        button(
          "Put away",
          async () => {
            await spool.forget(recording.id);
            row.remove();
          },
          "quiet",
        ),
      );
      return;
    }
    row.fail(words);
    row.offer(
      button(recording.safe === 0 ? "Download it" : "Download the rest", () =>
        download(recording, rest),
      ),
      open,
      button(
        "Discard",
        () =>
          this.#discard(
            row,
            "Discard what is left in this browser? What the server has stays there.",
            () => spool.forget(recording.id),
          ),
        "quiet",
      ),
    );
  }

  #later(row: Row, id: string): void {
    writeStorage("sessionStorage", `later ${id}`, "yes");
    row.rest("Kept. It is offered again when you next open Hearback in another tab or window.");
  }

  async #discard(row: Row, words: string, act: () => Promise<void>): Promise<void> {
    if (!(await confirmDialog(words, "Discard"))) return;
    try {
      await act();
      row.remove();
      announce("The recording is deleted.");
    } catch (error) {
      row.fail((error as Error).message);
    }
  }
}

customElements.define("kept-recordings", KeptRecordings);

declare global {
  interface HTMLElementTagNameMap {
    "kept-recordings": KeptRecordings;
  }
}

/** One recording as it is offered. */
class Row {
  readonly element: HTMLLIElement;
  #words = make("p", { class: "meta" });
  #progress = make("progress", {
    max: "1",
    value: "0",
    hidden: true,
    "aria-label": "Sending the recording",
  });
  #buttons = make("div", { class: "actions" });

  /** `media` is what does not arrive while this offers it. */
  constructor(title: string, media = "") {
    this.element = make(
      "li",
      { class: "note kept", "data-of": media },
      icon("film"),
      make(
        "div",
        {},
        make("p", { class: "name" }, title),
        this.#words,
        this.#progress,
        this.#buttons,
      ),
    );
  }

  say(words: string): void {
    this.element.classList.remove("problem");
    setMessage(this.#words, words);
  }

  fail(words: string): void {
    this.say(words);
    this.element.classList.add("problem");
    this.#progress.hidden = true;
    announce(words);
  }

  progress(part: number): void {
    this.#progress.hidden = false;
    this.#progress.value = part;
  }

  offer(...buttons: HTMLElement[]): void {
    this.#buttons.replaceChildren(...buttons);
  }

  /** There is nothing more to do about it here. */
  rest(words: string): void {
    this.say(words);
    this.#progress.hidden = true;
    this.offer();
    this.element.tabIndex = -1;
    this.element.focus();
    announce(words);
  }

  /** Takes it off the page; what stands beside it has the focus then. */
  remove(): void {
    const next = this.element.nextElementSibling ?? this.element.previousElementSibling;
    const list = this.element.parentElement;
    this.element.remove();
    if (next) next.querySelector<HTMLElement>("button, a")?.focus();
    else {
      list?.remove();
      document.getElementById("main")?.focus();
    }
  }
}

/** The list of files says otherwise what is offered here. */
function offered(): void {
  document.dispatchEvent(new CustomEvent("hearback:recordings-listed"));
}

function unreadable({ began }: Recording): HTMLElement {
  const row = new Row(`Unfinished recording of ${formatTimestamp(new Date(began))}`);
  row.fail("This browser does not give back what it keeps of it just now. Load the page again.");
  return row.element;
}

/** Which draft a recording is of, where that has a title which says more than the time. */
async function ofDraft(update: string): Promise<string> {
  const { title } = (await requestJson("GET", `/updates/${update}`).catch(() => ({
    title: "",
  }))) as {
    title: string;
  };
  return title === "" || /^Recording, \d+ \w+ \d\d:\d\d$/.test(title) ? "" : `, in “${title}”`;
}

/** Whatever is in this browser's spool; nothing where storage is switched off. */
async function inBrowser(): Promise<Recording[]> {
  return spool.recordings().catch(() => []);
}

function later(id: string): boolean {
  return readStorage("sessionStorage", `later ${id}`) !== null;
}

function button(words: string, act: () => void | Promise<void>, more = ""): HTMLButtonElement {
  const made = make("button", { type: "button", class: `button ${more}`.trim() }, words);
  made.addEventListener("click", () => {
    if (made.getAttribute("aria-busy") === "true") return;
    made.setAttribute("aria-busy", "true");
    void Promise.resolve(act()).finally(() => made.removeAttribute("aria-busy"));
  });
  return made;
}

async function download(recording: Recording, rest: Piece[]): Promise<void> {
  const parts: ArrayBuffer[] = [];
  for (const piece of rest) {
    const part = await spool.read(recording.id, piece);
    if (part) parts.push(part);
  }
  const href = URL.createObjectURL(new Blob(parts, { type: recording.type }));
  const end = recording.type.includes("mp4")
    ? "mp4"
    : recording.type.includes("matroska")
      ? "mkv"
      : "webm";
  const name = `Recording of ${formatTimestamp(new Date(recording.began), ".")}${recording.safe > 0 ? `, from ${formatTime(recording.safeMs).replaceAll(":", ".")}` : ""}.${end}`;
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
