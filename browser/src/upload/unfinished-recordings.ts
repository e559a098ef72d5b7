// <unfinished-recordings> lists the person's unfinished recordings. Some are in this browser's spool, because their
// page was closed, crashed or could not reach the server. Others were started in another browser. Only the person can
// discard a recording that contains data.
import {
  announce,
  formatBytes,
  formatTime,
  formatTimestamp,
  make,
  readStorage,
  writeStorage,
} from "../lib/dom.js";
import { confirmDialog } from "../lib/dialogs.js";
import { navigate } from "../lib/navigate.js";
import { requestJson } from "../lib/request.js";
import { actionButton, RecordingRow } from "./recording-row.js";
import { RecordingUploader } from "./recording-uploader.js";
import type { SendProgress } from "./send-progress.js";
import { recordingLock, Spool, type Piece, type Recording } from "./spool.js";
import {
  deletedMessage,
  discardUpload,
  finishUpload,
  isGone,
  isMediaDeleted,
  sendTusRequest,
} from "./tus.js";
import { listUploads, type UnfinishedUpload } from "./upload-list.js";

/** A recording from another browser may still be running if the server received bytes within this time. */
const ACTIVE_MS = 600_000;

const spool = new Spool();
/** The recordings that this tab is resuming, by id. Their uploads continue when the person visits another page. */
const resumed = new Map<string, RecordingUploader>();

export class UnfinishedRecordings extends HTMLElement {
  #disconnected = new AbortController();

  connectedCallback(): void {
    this.#disconnected = new AbortController();
    document.addEventListener("hearback:recording-kept", () => void this.#render(), {
      signal: this.#disconnected.signal,
    });
    void this.#render();
  }

  disconnectedCallback(): void {
    this.#disconnected.abort();
    // Remove the rows, because Turbo caches the page and may show it again when the rows are outdated.
    this.replaceChildren();
  }

  async #render(): Promise<void> {
    const [allLocal, allUploads] = await Promise.all([
      this.#localRecordings(),
      listUploads().catch(() => []),
    ]);
    // On a draft's page, list only the draft's own recordings.
    const draft = document.querySelector<HTMLElement>("draft-form")?.dataset["update"] ?? "";
    const isOfPage = ({ update }: { update: string }): boolean => draft === "" || update === draft;
    const [local, uploads] = [allLocal.filter(isOfPage), allUploads.filter(isOfPage)];
    const rows: HTMLElement[] = [];
    for (const recording of local) {
      const upload = uploads.find(({ id }) => id === recording.id);
      const row = await this.#localRow(recording, upload).catch(() => unreadableRow(recording));
      if (row) rows.push(row);
    }
    const inSpool =
      "locks" in navigator
        ? new Set((await spooledRecordings()).map(({ id }) => id))
        : new Set<string>();
    for (const upload of uploads) {
      if (
        upload.recording &&
        upload.received > 0 &&
        !inSpool.has(upload.id) &&
        !isPostponed(upload.id) &&
        Date.now() - Date.parse(upload.touched_at) > ACTIVE_MS
      )
        rows.push(await this.#remoteRow(upload));
    }
    if (this.#disconnected.signal.aborted) return;
    this.replaceChildren(
      ...(rows.length > 0 ? [make("ul", { "aria-label": "Unfinished recordings" }, ...rows)] : []),
    );
    announceList();
  }

  /**
   * Returns this person's spooled recordings that no other page is sending. If another page is sending a recording,
   * this list is rendered again when that page releases the recording's lock.
   */
  async #localRecordings(): Promise<Recording[]> {
    if (!("locks" in navigator)) return [];
    const { held = [] } = await navigator.locks.query();
    const mine = (await spooledRecordings()).filter(
      ({ person, id }) => person === this.dataset["person"] && !isPostponed(id),
    );
    return mine.filter(({ id }) => {
      if (resumed.has(id) || !held.some(({ name }) => name === recordingLock(id))) return true;
      void navigator.locks
        .request(recordingLock(id), { signal: this.#disconnected.signal }, () => {})
        .then(
          () => this.#render(),
          () => {},
        );
      return false;
    });
  }

  /** Returns the row of a spooled recording. If the recording has no bytes, discards it and returns null instead. */
  async #localRow(
    recording: Recording,
    upload: UnfinishedUpload | undefined,
  ): Promise<HTMLElement | null> {
    const { id } = recording;
    const row = new RecordingRow(
      `Unfinished recording of ${formatTimestamp(new Date(recording.began))}${await draftSuffix(recording.update)}`,
      recording.media,
    );
    const uploader = resumed.get(id);
    if (uploader) {
      this.#showUploader(row, uploader);
      return row.element;
    }
    const pieces = await spool.listPieces(recording);
    const response = upload ? null : await sendTusRequest("HEAD", recording.url);
    const offset = Math.max(recording.safe, upload?.received ?? response?.offset ?? 0);
    if (offset === 0 && pieces.length === 0 && (await discardUpload(recording)) === null) {
      await spool.removeRecording(id);
      return null;
    }
    const rest = await spool.listPieces({ ...recording, safe: offset });
    const safeMs = pieces.findLast(({ end }) => end <= offset)?.ms ?? recording.safeMs;
    const recordedMs = pieces.at(-1)?.ms ?? recording.safeMs;
    if (response && isGone(response.status)) {
      this.#showLeftover(
        row,
        recording,
        rest,
        await goneMessage(recording.media, recordedMs, safeMs, rest.length === 0),
      );
    } else if (response?.media && rest.length === 0) {
      // The server has all bytes, but it ended the upload by itself and marked the recording as broken off. Declare
      // that the recording is complete.
      await finishUpload(recording.url, offset);
      this.#showLeftover(row, recording, [], `All ${formatTime(recordedMs)} was uploaded.`);
    } else this.#offerResume(row, recording, { recordedMs, safeMs, isComplete: rest.length === 0 });
    return row.element;
  }

  #offerResume(
    row: RecordingRow,
    recording: Recording,
    { recordedMs, safeMs, isComplete }: { recordedMs: number; safeMs: number; isComplete: boolean },
  ): void {
    row.showMessage(
      `${formatTime(recordedMs)} recorded, ${isComplete ? "all of it" : formatTime(safeMs)} safe on the server.`,
    );
    const question = `Discard this recording of ${formatTime(recordedMs)}? It is deleted here and on the server.`;
    const discardEverywhere = async (): Promise<void> => {
      const message = await discardUpload(recording);
      if (message !== null) throw new Error(message);
      await spool.removeRecording(recording.id);
    };
    row.setActions(
      actionButton(isComplete ? "Finish" : "Continue the upload", () =>
        this.#resume(row, recording),
      ),
      actionButton("Keep for later", () => postpone(row, recording.id)),
      actionButton("Discard", () => discardRow(row, question, discardEverywhere), "quiet"),
    );
  }

  /** The row of a recording that another browser began. Only the part on the server is available. */
  async #remoteRow(upload: UnfinishedUpload): Promise<HTMLElement> {
    const { id, update, media, received, created_at } = upload;
    const url = new URL(upload.url, location.href).pathname;
    const row = new RecordingRow(
      `Unfinished recording of ${formatTimestamp(new Date(created_at))}, started in another browser${await draftSuffix(update)}`,
      media,
    );
    row.showMessage(
      `${formatBytes(received)} uploaded. The rest may be in that browser, and can be sent from there.`,
    );
    const finish = async (): Promise<void> => {
      row.showMessage("Finishing.");
      const { status, message } = await finishUpload(url, received);
      if (status === 204) navigate(`/updates/${update}/edit`);
      else row.showError(message || "The server is not responding. Try again in a moment.");
    };
    const question = `Discard this recording? ${formatBytes(received)} on the server are deleted.`;
    const discard = async (): Promise<void> => {
      const message = await discardUpload({ url, media, update });
      if (message !== null) throw new Error(message);
    };
    row.setActions(
      actionButton("Finish here", finish),
      actionButton("Keep for later", () => postpone(row, id)),
      actionButton("Discard", () => discardRow(row, question, discard), "quiet"),
    );
    return row.element;
  }

  async #resume(row: RecordingRow, { id }: Recording): Promise<void> {
    row.showMessage("Checking how much of this recording is on the server.");
    try {
      const uploader = await RecordingUploader.resume(id);
      resumed.set(id, uploader);
      this.#showUploader(row, uploader);
    } catch (error) {
      row.showError((error as Error).message);
    }
  }

  /** Shows the progress of a resumed upload, and opens the draft once it is complete. */
  #showUploader(row: RecordingRow, uploader: RecordingUploader): void {
    const show = ({ recordedMs, safeMs, message, state }: SendProgress): void => {
      row.showMessage(
        state === "sending"
          ? `${formatTime(safeMs)} of ${formatTime(recordedMs)} safe on the server.`
          : message,
      );
      row.showProgress(safeMs / Math.max(1, recordedMs));
    };
    row.setActions();
    delete row.element.dataset["of"];
    announceList();
    show(uploader.progress);
    uploader.addEventListener("progress", (event) => show(event.detail));
    void uploader.finish().then(
      ({ update }) => {
        resumed.delete(uploader.id);
        announce("The whole recording is safe on the server.");
        if (row.element.isConnected) navigate(`/updates/${update}/edit`);
      },
      async (error: Error) => {
        resumed.delete(uploader.id);
        uploader.release();
        const recording = await spool.getRecording(uploader.id);
        if (recording)
          this.#showLeftover(row, recording, await spool.listPieces(recording), error.message);
      },
    );
  }

  /**
   * Shows a recording whose upload cannot continue. If a part is left in this browser, offers that
   * part as a download.
   */
  #showLeftover(row: RecordingRow, recording: Recording, rest: Piece[], message: string): void {
    const openUpdate = make(
      "a",
      { class: "button", href: `/updates/${recording.update}` },
      "Open the update",
    );
    if (rest.length === 0) {
      const putAway = async (): Promise<void> => {
        await spool.removeRecording(recording.id);
        row.remove();
      };
      row.showMessage(message);
      row.setActions(openUpdate, actionButton("Hide", putAway, "quiet"));
      return;
    }
    row.showError(message);
    const question =
      "Discard the part that hasn’t been uploaded? What is already on the server stays.";
    row.setActions(
      actionButton(recording.safe === 0 ? "Download it" : "Download the rest", () =>
        download(recording, rest),
      ),
      openUpdate,
      actionButton(
        "Discard",
        () => discardRow(row, question, () => spool.removeRecording(recording.id)),
        "quiet",
      ),
    );
  }
}

customElements.define("unfinished-recordings", UnfinishedRecordings);

declare global {
  interface HTMLElementTagNameMap {
    "unfinished-recordings": UnfinishedRecordings;
  }
}

/** Hides a recording until the tab is closed. */
function postpone(row: RecordingRow, id: string): void {
  writeStorage("sessionStorage", `later ${id}`, "yes");
  row.close(
    "Kept. The recording is offered again when you next open Hearback in another tab or window.",
  );
}

function isPostponed(id: string): boolean {
  return readStorage("sessionStorage", `later ${id}`) !== null;
}

/** Asks for confirmation, discards the recording, and removes its row. */
async function discardRow(
  row: RecordingRow,
  question: string,
  discard: () => Promise<void>,
): Promise<void> {
  if (!(await confirmDialog(question, "Discard"))) return;
  try {
    await discard();
    row.remove();
    announce("The recording has been deleted.");
  } catch (error) {
    row.showError((error as Error).message);
  }
}

/** Announces that the list was rendered. The upload queue then updates the rows that refer to this list. */
function announceList(): void {
  document.dispatchEvent(new CustomEvent("hearback:recordings-listed"));
}

function unreadableRow({ began }: Recording): HTMLElement {
  const row = new RecordingRow(`Unfinished recording of ${formatTimestamp(new Date(began))}`);
  row.showError("This browser cannot read its copy of the recording right now. Reload the page.");
  return row.element;
}

/** Explains why the server no longer has an upload: its media was deleted, or the upload is finished. */
async function goneMessage(
  media: string,
  recordedMs: number,
  safeMs: number,
  nothingLeft: boolean,
): Promise<string> {
  const recorded = `${formatTime(recordedMs)} recorded.`;
  if (await isMediaDeleted(media))
    return `${recorded} ${deletedMessage(safeMs, nothingLeft ? 0 : recordedMs - safeMs)}`;
  return nothingLeft
    ? `${recorded} It is no longer being uploaded: it was deleted, or is part of its update.`
    : `${recorded} The server no longer accepts it: ${formatTime(recordedMs - safeMs)} is only in this browser.`;
}

/**
 * Returns a suffix with the title of a recording's draft. Returns an empty string if the title is empty or generated.
 */
async function draftSuffix(update: string): Promise<string> {
  const { title } = (await requestJson("GET", `/updates/${update}`).catch(() => ({
    title: "",
  }))) as { title: string };
  return title === "" || /^Recording, \d+ \w+ \d\d:\d\d$/.test(title) ? "" : `, in “${title}”`;
}

/** All recordings in the spool, or none if storage is disabled. */
async function spooledRecordings(): Promise<Recording[]> {
  return spool.listRecordings().catch(() => []);
}

/** Saves pieces as a file. The file name states where in the recording they begin. */
async function download(recording: Recording, pieces: Piece[]): Promise<void> {
  const parts: ArrayBuffer[] = [];
  for (const piece of pieces) {
    const part = await spool.readPiece(recording.id, piece);
    if (part) parts.push(part);
  }
  const href = URL.createObjectURL(new Blob(parts, { type: recording.type }));
  const extension = recording.type.includes("mp4")
    ? "mp4"
    : recording.type.includes("matroska")
      ? "mkv"
      : "webm";
  const start =
    recording.safe > 0 ? `, from ${formatTime(recording.safeMs).replaceAll(":", ".")}` : "";
  const name = `Recording of ${formatTimestamp(new Date(recording.began), ".")}${start}.${extension}`;
  make("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
