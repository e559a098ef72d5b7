// One file on its way, by tus: what arrived stays, so a broken line, a server that was restarted, or a page that was loaded again cost nothing twice.
import { defaultOptions, Upload, type DetailedError } from "tus-js-client";
import { formatBytes } from "../lib/dom.js";
import { noResponseProblem, Problem, parseProblem } from "../lib/request.js";
import { finish } from "./tus.js";

/** A small file is sent in the request that announces it. */
const SMALL = 1 << 20;
/** So much goes in one request: what a proxy holds up is no more than this. */
const CHUNK = 16 << 20;
/** Milliseconds without a byte sent, and without an answer when all are: then a request is made anew. A large picture takes the server its time. */
const [STALLED, SILENT] = [60_000, 300_000];
/** Milliseconds before each next try; then the person decides. */
const TRIES = [500, 1000, 2000, 4000, 8000];

/** How far a file is: in words, and the part of it between 0 and 1. */
type Show = (words: string, part?: number) => void;

export class FileUpload {
  /** What the server calls it, once it is announced there. */
  media: string | null = null;
  #upload: Upload;
  #settle: { resolve: () => void; reject: (error: Problem) => void } | undefined;
  /** The latest answer was one to HEAD. */
  #asked = false;
  #stalled: ReturnType<typeof setTimeout> | undefined;
  /** Where it stood when it began, or went on, and when that was: what is left is reckoned from it. */
  #from: { sent: number; at: number } | undefined;

  constructor(
    private readonly file: File,
    private readonly update: string,
    private readonly show: Show,
  ) {
    this.#upload = new Upload(file, {
      endpoint: new URL("/uploads", location.href).href,
      // Announced again because no answer came, it is still the same.
      metadata: {
        filename: file.name,
        filetype: file.type,
        update,
        nonce: crypto.getRandomValues(new Uint32Array(4)).join("-"),
      },
      headers: { Accept: "application/json" },
      chunkSize: CHUNK,
      uploadDataDuringCreation: file.size <= SMALL,
      removeFingerprintOnSuccess: true,
      retryDelays: TRIES,
      onShouldRetry: (error) => this.#again(error),
      onUploadUrlAvailable: () => {
        // The server may know itself by another name than this page does.
        const { pathname } = new URL(this.#upload.url ?? "", location.href);
        this.#upload.url = new URL(pathname, location.href).href;
      },
      onBeforeRequest: () => this.#moved(),
      onAfterResponse: (request, response) => {
        this.media ??= response.getHeader("Hearback-Media") ?? null;
        // Otherwise the library takes it for an upload that is gone, and begins anew: who is signed out, or asks while the server is not
        // ready, asks again.
        const status = response.getStatus();
        this.#asked = request.getMethod() === "HEAD";
        if (
          status === 401 ||
          (request.getMethod() === "HEAD" && status >= 400 && status !== 404 && status !== 410)
        )
          throw parseProblem(status, response.getBody());
      },
      onProgress: (sent, all) => this.#progress(sent, all),
      onSuccess: () => void this.#finish(),
      onError: (error) => this.#end(() => this.#settle?.reject(told(error))),
    });
  }

  /** Sends it, from where it was left if it was begun before. Rejects with a Problem. */
  async send(): Promise<void> {
    if (this.file.size === 0) throw new Problem("The file is empty.", 415);
    const before = this.#upload.url ? [] : await this.#upload.findPreviousUploads();
    const known = before.filter(({ metadata }) => metadata["update"] === this.update).at(-1);
    if (known) {
      this.#upload.resumeFromPreviousUpload(known);
      this.show("Going on where it was");
    }
    await new Promise<void>((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#from = undefined;
      this.#upload.start();
    });
  }

  /** Stops; what arrived stays for a day on which the same file is chosen again. */
  stop(): void {
    this.#end(() => this.#settle?.reject(noResponseProblem()));
    void this.#upload.abort();
  }

  /** Stops, and throws away what arrived. */
  async cancel(): Promise<void> {
    // The library says nothing of a request that it gives up.
    this.#end(() => this.#settle?.reject(noResponseProblem()));
    // What cannot be thrown away now is listed with the draft, and goes from there.
    await this.#upload.abort(true).catch(() => {});
  }

  #progress(sent: number, all: number): void {
    this.#moved(sent < all ? STALLED : SILENT);
    const now = performance.now();
    this.#from ??= { sent, at: now };
    const seconds = (now - this.#from.at) / 1000;
    const moved = sent - this.#from.sent;
    const left =
      moved > 0 && seconds > 1 ? `, ${duration(((all - sent) * seconds) / moved)} left` : "";
    this.show(
      sent < all
        ? `${formatBytes(sent)} of ${formatBytes(all)}${left}`
        : "Arrived. Being looked at.",
      sent / all,
    );
  }

  #moved(patience = STALLED): void {
    clearTimeout(this.#stalled);
    this.#stalled = setTimeout(() => {
      this.#from = undefined;
      void this.#upload.abort().then(() => this.#upload.start());
    }, patience);
  }

  #again(error: DetailedError): boolean {
    clearTimeout(this.#stalled);
    this.#from = undefined;
    const { status, message, isTransient: passing } = told(error);
    const worth = passing || status === 409 || status === 423;
    if (worth) this.show(`${status === 0 ? "The server does not answer." : message} Trying again.`);
    return worth && navigator.onLine;
  }

  /** All bytes are there. If HEAD said so, the request that brought the last of them failed, and one without bytes has to finish the upload. */
  async #finish(): Promise<void> {
    clearTimeout(this.#stalled);
    if (this.#asked) {
      const { status, words } = await finish(this.#upload.url ?? "", this.file.size);
      // 409: somebody else is finishing it.
      if (status !== 204 && status !== 409) {
        const problem = status === 0 ? noResponseProblem() : new Problem(words, status);
        return this.#end(() => this.#settle?.reject(problem));
      }
    }
    this.#end(() => this.#settle?.resolve());
  }

  #end(act: () => void): void {
    clearTimeout(this.#stalled);
    act();
  }
}

/** Whether an upload was begun by this browser: then the same file, chosen again, goes on where it was. */
export async function begun(id: string): Promise<boolean> {
  const known = (await defaultOptions.urlStorage?.findAllUploads()) ?? [];
  return known.some(({ uploadUrl }) => uploadUrl?.endsWith(`/uploads/${id}`) ?? false);
}

/** What the library says, in our words. */
function told(error: Error | DetailedError): Problem {
  if (!("originalRequest" in error)) return noResponseProblem();
  if (error.causingError instanceof Problem) return error.causingError;
  return error.originalResponse
    ? parseProblem(error.originalResponse.getStatus(), error.originalResponse.getBody())
    : noResponseProblem();
}

function duration(seconds: number): string {
  return seconds < 60
    ? `${Math.max(1, Math.round(seconds))} s`
    : seconds < 3600
      ? `${Math.round(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`;
}
