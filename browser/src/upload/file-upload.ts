// Uploads one file with the tus protocol. Received bytes stay on the server, so an upload continues after a network
// failure, a server restart or a reload (see resume-after-reload.ts).
import { Upload, type DetailedError } from "tus-js-client";
import { formatBytes } from "../lib/dom.js";
import { noResponseProblem, parseProblem, Problem } from "../lib/request.js";
import { resumeEarlierUpload } from "./resume-after-reload.js";
import { finishUpload, isGone } from "./tus.js";

/** Files of up to this size are sent in the request that creates the upload. */
const SMALL_FILE_BYTES = 1 << 20;
/** The maximum size of a request body. It is limited because proxies may buffer whole requests. */
const CHUNK_BYTES = 16 << 20;
/** A request that sends no bytes for this long is retried. */
const STALL_TIMEOUT_MS = 60_000;
/**
 * How long to wait for a response once all bytes are sent. The server may need a while, for example
 * to decode a large picture.
 */
const RESPONSE_TIMEOUT_MS = 300_000;
/** The delays before automatic retries, in milliseconds. If the last retry fails, the person decides what to do. */
const RETRY_DELAYS_MS = [500, 1000, 2000, 4000, 8000];

/** Receives the progress as a message and as a fraction between 0 and 1. */
type ProgressListener = (message: string, fraction?: number) => void;

export class FileUpload {
  /** The id of the media, once the server has created the upload. */
  media: string | null = null;
  #upload: Upload;
  #result: { resolve: () => void; reject: (error: Problem) => void } | undefined;
  /** Whether the latest response was to a HEAD request. */
  #lastWasHead = false;
  #stallTimer: ReturnType<typeof setTimeout> | undefined;
  /**
   * The time when sending began or resumed, and the number of bytes that had been sent by then.
   * Used to estimate the remaining time.
   */
  #baseline: { sent: number; time: number } | undefined;

  constructor(
    private readonly file: File,
    private readonly update: string,
    private readonly onProgress: ProgressListener,
  ) {
    this.#upload = new Upload(file, {
      endpoint: new URL("/uploads", location.href).href,
      metadata: {
        filename: file.name,
        filetype: file.type,
        update,
        // Makes a repeated creation request idempotent, in case the first response was lost.
        nonce: crypto.getRandomValues(new Uint32Array(4)).join("-"),
      },
      headers: { Accept: "application/json" },
      chunkSize: CHUNK_BYTES,
      uploadDataDuringCreation: file.size <= SMALL_FILE_BYTES,
      removeFingerprintOnSuccess: true,
      retryDelays: RETRY_DELAYS_MS,
      onShouldRetry: (error) => this.#shouldRetry(error),
      onUploadUrlAvailable: () => {
        // Behind a proxy, the server's host name may differ from the page's, so use the page's host name.
        const { pathname } = new URL(this.#upload.url ?? "", location.href);
        this.#upload.url = new URL(pathname, location.href).href;
      },
      onBeforeRequest: () => this.#restartStallTimer(),
      onAfterResponse: (request, response) => {
        this.media ??= response.getHeader("Hearback-Media") ?? null;
        const status = response.getStatus();
        this.#lastWasHead = request.getMethod() === "HEAD";
        // By default, tus-js-client restarts an upload from the beginning after any failed HEAD request. Prevent this
        // unless the status is 404 or 410, because only these mean that the upload is gone.
        if (status === 401 || (this.#lastWasHead && status >= 400 && !isGone(status)))
          throw parseProblem(status, response.getBody());
      },
      onProgress: (sent, total) => this.#showProgress(sent, total),
      onSuccess: () => void this.#complete(),
      onError: (error) => this.#fail(toProblem(error)),
    });
  }

  /** Sends the file, or the rest of it if this browser began the upload earlier. Rejects with a `Problem`. */
  async send(): Promise<void> {
    if (this.file.size === 0) throw new Problem("The file is empty.", 415);
    if (await resumeEarlierUpload(this.#upload, this.update))
      this.onProgress("Resuming the upload");
    await new Promise<void>((resolve, reject) => {
      this.#result = { resolve, reject };
      this.#baseline = undefined;
      this.#upload.start();
    });
  }

  /** Stops sending. The server keeps the received bytes, and choosing the same file again continues the upload. */
  stop(): void {
    this.#fail(noResponseProblem());
    void this.#upload.abort();
  }

  /**
   * Stops sending and deletes the received bytes. If that fails, the draft lists the unfinished upload, and the person
   * can remove it there.
   */
  async cancel(): Promise<void> {
    // Reject the promise of `send` here, because tus-js-client does not report aborted requests.
    this.#fail(noResponseProblem());
    await this.#upload.abort(true).catch(() => {});
  }

  #showProgress(sent: number, total: number): void {
    this.#restartStallTimer(sent < total ? STALL_TIMEOUT_MS : RESPONSE_TIMEOUT_MS);
    const now = performance.now();
    this.#baseline ??= { sent, time: now };
    const seconds = (now - this.#baseline.time) / 1000;
    const sentSince = sent - this.#baseline.sent;
    const remaining =
      sentSince > 0 && seconds > 1
        ? `, ${formatDuration(((total - sent) * seconds) / sentSince)} left`
        : "";
    this.onProgress(
      sent < total
        ? `${formatBytes(sent)} of ${formatBytes(total)}${remaining}`
        : "Uploaded. Being checked.",
      sent / total,
    );
  }

  #restartStallTimer(timeoutMs = STALL_TIMEOUT_MS): void {
    clearTimeout(this.#stallTimer);
    this.#stallTimer = setTimeout(() => {
      this.#baseline = undefined;
      void this.#upload.abort().then(() => this.#upload.start());
    }, timeoutMs);
  }

  #shouldRetry(error: DetailedError): boolean {
    clearTimeout(this.#stallTimer);
    this.#baseline = undefined;
    const { status, message, isTransient } = toProblem(error);
    // Also retry after 409 and 423, which mean that another request is using the upload.
    const retry = isTransient || status === 409 || status === 423;
    if (retry)
      this.onProgress(`${status === 0 ? "The server is not responding." : message} Trying again.`);
    return retry && navigator.onLine;
  }

  /**
   * Completes an upload after the server has received all bytes. If the last response was to a HEAD
   * request, the preceding PATCH request failed after all bytes had arrived. In that case, an empty
   * PATCH request must finish the upload.
   */
  async #complete(): Promise<void> {
    clearTimeout(this.#stallTimer);
    if (this.#lastWasHead) {
      const { status, message } = await finishUpload(this.#upload.url ?? "", this.file.size);
      // Status 409 counts as success too, because it means that another request is already finishing the upload.
      if (status !== 204 && status !== 409)
        return this.#fail(status === 0 ? noResponseProblem() : new Problem(message, status));
    }
    clearTimeout(this.#stallTimer);
    this.#result?.resolve();
  }

  #fail(problem: Problem): void {
    clearTimeout(this.#stallTimer);
    this.#result?.reject(problem);
  }
}

/** Converts an error from tus-js-client to a `Problem`. */
function toProblem(error: Error | DetailedError): Problem {
  if (!("originalRequest" in error)) return noResponseProblem();
  if (error.causingError instanceof Problem) return error.causingError;
  return error.originalResponse
    ? parseProblem(error.originalResponse.getStatus(), error.originalResponse.getBody())
    : noResponseProblem();
}

function formatDuration(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
