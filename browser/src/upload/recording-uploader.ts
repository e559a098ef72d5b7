// Carries a recording to the server while it is being made, so that at its end nothing is left to send and at no time much can be lost.
import type { Order, Report } from "./recording-uploader-worker.js";
import type { SendProgress } from "./recording-sender.js";
import type { Recording } from "./spool.js";

export type { SendProgress as Safety };

/** What a `Courier` dispatches. */
interface RecordingUploaderEvents {
  progress: CustomEvent<SendProgress>;
  slept: Event;
}

/** Dispatches `safety` with a [`Safety`] as its detail whenever more is recorded, kept or safe, or something stands in the way, and `slept` after a sleep. */
export class RecordingUploader extends EventTarget {
  /** What was said last. */
  progress: SendProgress = {
    recordedMs: 0,
    spooledMs: 0,
    safeMs: 0,
    state: "sending",
    message: "",
  };
  #finished = awaited();
  #discarded = awaited();

  private constructor(
    private readonly recording: Recording,
    private readonly worker: Worker,
  ) {
    super();
    worker.addEventListener("message", ({ data }: MessageEvent<Report>) => this.#hear(data));
    addEventListener("online", this.#online);
  }

  override addEventListener<K extends keyof RecordingUploaderEvents>(
    type: K,
    listener: (event: RecordingUploaderEvents[K]) => void,
  ): void {
    super.addEventListener(type, listener as EventListener);
  }

  /** Once this resolves, the update, the upload and its place in the spool are there; only then recording begins. Rejects with words. */
  static begin(order: { type: string; name: string; update?: string }): Promise<RecordingUploader> {
    return RecordingUploader.#employ({ do: "begin", ...order });
  }

  /** Goes on with a recording that is in the spool and that no page holds, to its end. */
  static resume(id: string): Promise<RecordingUploader> {
    return RecordingUploader.#employ({ do: "resume", id });
  }

  static #employ(order: Order): Promise<RecordingUploader> {
    const worker = new Worker(
      document.querySelector<HTMLMetaElement>("meta[name=recording-uploader-worker]")?.content ??
        "",
      { type: "module" },
    );
    return new Promise((resolve, reject) => {
      const fail = (words: string): void => {
        worker.terminate();
        reject(new Error(words));
      };
      worker.addEventListener("message", ({ data }: MessageEvent<Report>) => {
        if (data.is === "begun") resolve(new RecordingUploader(data.recording, worker));
        else if (data.is === "failed" && data.order === "begin") fail(data.words);
      });
      worker.addEventListener("error", () =>
        fail(
          "The part of this page that sends recordings could not be loaded. Load the page again.",
        ),
      );
      worker.postMessage(order);
    });
  }

  /** That of the upload. */
  get id(): string {
    return this.recording.id;
  }

  get update(): string {
    return this.recording.update;
  }

  get media(): string {
    return this.recording.media;
  }

  /** The next piece, with which `untilMs` milliseconds are recorded. In order; empty ones are fine. */
  addPiece(blob: Blob, untilMs: number): void {
    this.#order({ do: "piece", blob, untilMs });
  }

  /** After the last piece: resolves when the server has all of it, or rejects with words; then the spool keeps what is missing there. */
  async finish(): Promise<{ update: string; media: string }> {
    this.#order({ do: "finish" });
    await this.#finished.promise;
    return { update: this.update, media: this.media };
  }

  /** Deletes the upload, its media and what is kept here. The person was asked before. Rejects with words if it could not be done. */
  async discard(): Promise<void> {
    this.#discarded = awaited();
    this.#order({ do: "discard" });
    await this.#discarded.promise;
  }

  /** Sends nothing more from this page, and lets another have it; what is kept stays. */
  release(): void {
    removeEventListener("online", this.#online);
    this.worker.terminate();
    this.#finished.reject(new Error("Left for later."));
  }

  #online = (): void => this.#order({ do: "hurry" });

  #order(order: Order): void {
    this.worker.postMessage(order);
  }

  #hear(said: Report): void {
    switch (said.is) {
      case "safety":
        this.progress = said.safety;
        this.dispatchEvent(new CustomEvent("progress", { detail: said.safety }));
        break;
      case "slept":
        this.dispatchEvent(new Event("slept"));
        break;
      case "finished":
        this.#finished.resolve();
        this.release();
        break;
      case "discarded":
        this.#discarded.resolve();
        this.release();
        break;
      case "failed":
        (said.order === "discard" ? this.#discarded : this.#finished).reject(new Error(said.words));
        break;
    }
  }
}

/** A promise that is settled from outside. Whoever waits for it hears of a failure; nobody has to. */
function awaited(): {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
} {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((good, bad) => {
    resolve = good;
    reject = bad;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
