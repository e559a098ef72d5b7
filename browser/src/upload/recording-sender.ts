// Sends the pieces of one recording in order. Only the server knows how many bytes it has received. Whenever the
// server's offset is in doubt, a HEAD request fetches it before more is sent.
import { PieceQueue } from "./piece-queue.js";
import { progressMessage, type SendProgress } from "./send-progress.js";
import type { Piece, Recording, Spool } from "./spool.js";
import {
  fetchPersonId,
  finishUpload,
  isMediaDeleted,
  sendTusRequest,
  STALL_TIMEOUT_MS,
  type TusResponse,
} from "./tus.js";

/**
 * The limit for the size of a request body: its initial value, and the minimum to which it shrinks
 * when requests fail.
 */
const [MAX_BODY_BYTES, MIN_BODY_BYTES] = [1 << 20, 1 << 16];
/**
 * The first and the longest delay of the exponential backoff. A `Retry-After` header may require a longer delay, up to
 * `MAX_RETRY_AFTER_MS`.
 */
const [FIRST_RETRY_MS, MAX_RETRY_MS, MAX_RETRY_AFTER_MS] = [500, 15_000, 60_000];
const SIGN_IN_CHECK_MS = 2000;
const MAX_STALL_TIMEOUT_MS = 8 * STALL_TIMEOUT_MS;

export class RecordingSender {
  /** Whether another page began the recording. */
  readonly isResumed: boolean;
  #queue: PieceQueue;
  /** Whether the last piece has been added. */
  #hasEnded = false;
  /** Whether a piece could not be read. Later pieces are then useless. */
  #hasGap = false;
  /** Whether the media was deleted on the server. */
  #isDeleted = false;
  /** Whether `recording.safe` is known to equal the server's offset. */
  #offsetKnown: boolean;
  #bodyLimit = MAX_BODY_BYTES;
  #retries = 0;
  #stallTimeoutMs = STALL_TIMEOUT_MS;
  #state: SendProgress["state"] = "sending";
  /** The reason why nothing is being sent, as a sentence. */
  #reason = "";
  /** Serializes the calls of `addPiece` and `finish`. */
  #pending: Promise<void> = Promise.resolve();
  #sleeper: { until: "piece" | "retry"; wake: () => void } | undefined;
  #stopped = new AbortController();

  /** `spooled` contains the spooled pieces if another page began the recording. */
  constructor(
    readonly recording: Recording,
    private readonly spool: Spool,
    private readonly onProgress: (progress: SendProgress) => void,
    spooled?: Piece[],
  ) {
    this.isResumed = spooled !== undefined;
    this.#queue = new PieceQueue(recording, spool, spooled ?? []);
    this.#offsetKnown = spooled === undefined;
  }

  /** Queues the next piece, which ends after `ms` milliseconds of recorded time. Ignores empty pieces. */
  addPiece(blob: Blob, ms: number): void {
    this.#queue.recordedMs = ms;
    this.#enqueue(async () => {
      // If the server has refused the recording, keep spooling pieces. After a gap, stop, because later pieces are
      // useless.
      if (this.#hasGap) return;
      const bytes = await readBlob(blob);
      if (!bytes) {
        this.#hasGap = true;
        return this.#giveUp("This browser could not read what it recorded.");
      }
      if (bytes.byteLength > 0) await this.#queue.add(bytes, ms);
    });
  }

  /**
   * Declares that no more pieces follow. Resolves once the spool contains the queued pieces or has failed to store
   * them.
   */
  finish(): Promise<void> {
    this.#enqueue(() => {
      this.#hasEnded = true;
    });
    return this.#pending;
  }

  /** Retries immediately instead of waiting longer. Called when the browser is online again. */
  retryNow(): void {
    this.#wake("retry");
  }

  /** Stops sending and spooling. The spool keeps its pieces. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake("piece");
    this.#wake("retry");
    await this.#pending;
  }

  /**
   * Sends pieces as they arrive. Resolves with `true` once the server has everything, and with `false` once the server
   * refuses the rest or `stop` is called.
   */
  async run(): Promise<boolean> {
    this.#report();
    while (!this.#stopped.signal.aborted && this.#state !== "refused" && this.#state !== "done") {
      if (this.#offsetKnown && !this.#hasWork) await this.#sleep("piece");
      else if (this.#offsetKnown) await this.#sendNext();
      else await this.#fetchOffset();
    }
    return this.#state === "done";
  }

  #enqueue(task: () => Promise<void> | void): void {
    this.#pending = this.#pending.then(async () => {
      if (this.#stopped.signal.aborted) return;
      await task();
      this.#report();
      this.#wake("piece");
    });
  }

  /** Whether a piece can be sent or the end of the recording can be declared. */
  get #hasWork(): boolean {
    return this.#queue.isEmpty ? this.#hasEnded : this.#queue.hasReadyPiece;
  }

  async #fetchOffset(): Promise<void> {
    const response = await sendTusRequest("HEAD", this.recording.url, {
      signal: this.#stopped.signal,
    });
    // Pass `false`, because this request did not declare the upload's length. If the response contains a length, the
    // server may have set it by itself, because the recording's page seemed to be gone.
    if (response.status === 200 || response.status === 204)
      return this.#confirmOffset(response, false);
    return this.#handleFailure(response);
  }

  async #sendNext(): Promise<void> {
    const body = await this.#queue.read(this.#bodyLimit);
    if (body === "unreadable")
      return this.#retryLater("This browser cannot read its copy of the recording.");
    if (body === "deleted")
      return this.#giveUp("This browser’s copy of the recording was deleted.");
    const { safe } = this.recording;
    const isLast = this.#hasEnded && safe + body.size === this.#queue.endOffset;
    const headers: Record<string, string> = {
      "Content-Type": "application/offset+octet-stream",
      "Upload-Offset": String(safe),
    };
    if (isLast) headers["Upload-Length"] = String(this.#queue.endOffset);
    const response = await sendTusRequest("PATCH", this.recording.url, {
      headers,
      body,
      signal: this.#stopped.signal,
      stallTimeoutMs: this.#stallTimeoutMs,
    });
    if (response.status !== 204) return this.#handleFailure(response);
    this.#stallTimeoutMs = STALL_TIMEOUT_MS;
    this.#bodyLimit = Math.min(MAX_BODY_BYTES, this.#bodyLimit * 2);
    await this.#confirmOffset(response, isLast);
  }

  /** Adopts the offset returned by the server. `endDeclared` means that the request declared the upload's length. */
  async #confirmOffset({ offset }: TusResponse, endDeclared: boolean): Promise<void> {
    const { recording } = this;
    if (offset === null) return this.#retryLater("The server’s response was not understood.");
    if (offset < recording.safe)
      return this.#giveUp("The server has less of this recording than it confirmed.");
    if (offset > this.#queue.endOffset) {
      // The server can have more bytes than this page only after a resume: the earlier page may have sent pieces
      // without spooling them.
      if (!this.isResumed) return this.#giveUp("Another page has sent more of this recording.");
      this.#queue.skipTo(offset);
    }
    this.#offsetKnown = true;
    if (offset > recording.safe) {
      this.#retries = 0;
      await this.#queue.confirm(offset);
    }
    if (endDeclared && this.#hasEnded && offset === this.#queue.endOffset) {
      recording.safeMs = this.#queue.recordedMs;
      await this.spool.removeRecording(recording.id).catch(() => {});
      this.#state = "done";
    } else {
      this.#state = "sending";
    }
    this.#report();
  }

  /** Retries, waits for the person to sign in, or gives up, depending on the status. */
  async #handleFailure(response: TusResponse): Promise<void> {
    const { status, message } = response;
    if (this.#stopped.signal.aborted) return;
    this.#offsetKnown = false;
    if (status === 409 || status === 460) {
      // The offset was wrong or the checksum did not match. The first time, return, so that the
      // offset is fetched without a delay.
      if (this.#retries++ === 0) return;
      return this.#retryLater("The server and this browser disagree on the upload’s offset.");
    }
    if (status === 401 || status === 404) return this.#checkSession(status);
    if (status === 413) {
      // Finish the upload with the bytes that the server has. The spool keeps the rest.
      await finishUpload(this.recording.url, this.recording.safe, this.#stopped.signal);
    }
    if (status === 410) {
      this.#isDeleted = await isMediaDeleted(this.recording.media);
      return this.#giveUp(
        message || "The server no longer accepts this recording: its update was sent or deleted.",
      );
    }
    if (status >= 400 && status < 500 && ![408, 423, 425, 429].includes(status))
      return this.#giveUp(message || `The server rejected this recording (${status}).`);
    return this.#backOff(response);
  }

  /** Handles 401 and 404. A 404 may mean that another person is signed in. */
  async #checkSession(status: 401 | 404): Promise<void> {
    const person = await fetchPersonId();
    if (person === undefined) return this.#retryLater(noResponseReason());
    if (person !== this.recording.person)
      return this.#wait(
        "signed-out",
        person === null
          ? "You are signed out. Sign in again in another tab; your recording is safe here."
          : "Someone else is signed in to this browser. Sign in as yourself again in another tab; your recording is safe here.",
        SIGN_IN_CHECK_MS,
      );
    // The session is valid, so the person must have signed in after the request that failed with 401. Retry that
    // request.
    if (status === 401)
      return this.#retryLater("You are signed in again. Sending continues in a moment.");
    this.#isDeleted = await isMediaDeleted(this.recording.media);
    return this.#giveUp("The server no longer has this recording.");
  }

  /**
   * Retries later with a smaller body. After a stall, also doubles the stall timeout, because the server may be busy
   * joining the parts of a long recording.
   */
  #backOff({ status, stalled, message, retryAfter }: TusResponse): Promise<void> {
    this.#bodyLimit = Math.max(MIN_BODY_BYTES, this.#bodyLimit >> 1);
    if (stalled) this.#stallTimeoutMs = Math.min(MAX_STALL_TIMEOUT_MS, 2 * this.#stallTimeoutMs);
    return this.#retryLater(
      status === 0 ? noResponseReason() : message || "The server is not ready.",
      Math.min(MAX_RETRY_AFTER_MS, retryAfter * 1000),
    );
  }

  async #retryLater(reason: string, minimumMs = 0): Promise<void> {
    this.#offsetKnown = false;
    const longest = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#retries++, 10));
    // Add jitter, so that clients do not all retry at the same moment.
    await this.#wait("waiting", reason, Math.max(minimumMs, longest * (0.5 + Math.random() / 2)));
  }

  #wait(state: SendProgress["state"], reason: string, ms: number): Promise<void> {
    this.#state = state;
    this.#reason = reason;
    this.#report();
    return this.#sleep("retry", ms);
  }

  #giveUp(reason: string): void {
    this.#state = "refused";
    this.#reason = reason;
    this.#report();
  }

  /** Sleeps until `#wake` is called with the value of `until`, or until `ms` milliseconds have passed. */
  #sleep(until: "piece" | "retry", ms?: number): Promise<void> {
    if (this.#stopped.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => this.#wake(until), ms);
      this.#sleeper = {
        until,
        wake: () => {
          clearTimeout(timer);
          resolve();
        },
      };
    });
  }

  #wake(reason: "piece" | "retry"): void {
    if (this.#sleeper?.until !== reason) return;
    const { wake } = this.#sleeper;
    this.#sleeper = undefined;
    wake();
  }

  #report(): void {
    const { recordedMs, spooledMs, isInMemoryOnly } = this.#queue;
    const progress = {
      recordedMs,
      spooledMs: this.#state === "done" ? recordedMs : spooledMs,
      safeMs: this.recording.safeMs,
      state: this.#state,
    };
    const message = progressMessage({
      ...progress,
      reason: this.#reason,
      isDeleted: this.#isDeleted,
      inMemoryOnly: isInMemoryOnly,
    });
    this.onProgress({ ...progress, message });
  }
}

function noResponseReason(): string {
  return navigator.onLine ? "The server is not responding." : "You are offline.";
}

/** Reads a blob, with two retries. Returns null if the browser does not return the bytes. */
async function readBlob(blob: Blob): Promise<ArrayBuffer | null> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      return await blob.arrayBuffer();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  return null;
}
