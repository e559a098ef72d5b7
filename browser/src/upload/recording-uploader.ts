// Uploads a recording while it is being made, so that little is left to send at the end and little can be lost at any
// time.
import type { WorkerCommand, WorkerReport } from "./recording-uploader-worker.js";
import type { SendProgress } from "./send-progress.js";
import type { Recording } from "./spool.js";

interface RecordingUploaderEvents {
  /** More data was recorded, spooled or confirmed, or the state changed. */
  progress: CustomEvent<SendProgress>;
  /** The computer was asleep. */
  slept: Event;
}

/** The page's interface to the worker that sends one recording. */
export class RecordingUploader extends EventTarget {
  progress: SendProgress = {
    recordedMs: 0,
    spooledMs: 0,
    safeMs: 0,
    state: "sending",
    message: "",
  };
  #finished = deferred();
  #discarded = deferred();

  private constructor(
    private readonly recording: Recording,
    private readonly worker: Worker,
  ) {
    super();
    worker.addEventListener("message", ({ data }: MessageEvent<WorkerReport>) =>
      this.#handleReport(data),
    );
    addEventListener("online", this.#retryNow);
  }

  override addEventListener<K extends keyof RecordingUploaderEvents>(
    type: K,
    listener: (event: RecordingUploaderEvents[K]) => void,
  ): void {
    super.addEventListener(type, listener as EventListener);
  }

  /**
   * Creates the upload and its entry in the spool. Start recording once this resolves. Rejects with a message for the
   * person.
   */
  static begin(options: {
    type: string;
    name: string;
    update?: string;
  }): Promise<RecordingUploader> {
    return RecordingUploader.#startWorker({ command: "begin", ...options });
  }

  /** Sends the rest of a spooled recording that no page is sending. Rejects with a message for the person. */
  static resume(id: string): Promise<RecordingUploader> {
    return RecordingUploader.#startWorker({ command: "resume", id });
  }

  static #startWorker(command: WorkerCommand): Promise<RecordingUploader> {
    const worker = new Worker(
      document.querySelector<HTMLMetaElement>("meta[name=recording-uploader-worker]")?.content ??
        "",
      { type: "module" },
    );
    return new Promise((resolve, reject) => {
      const fail = (message: string): void => {
        worker.terminate();
        reject(new Error(message));
      };
      worker.addEventListener("message", ({ data }: MessageEvent<WorkerReport>) => {
        if (data.event === "begun") resolve(new RecordingUploader(data.recording, worker));
        else if (data.event === "failed" && data.command === "begin") fail(data.message);
      });
      worker.addEventListener("error", () =>
        fail("This page didn’t load fully, so it can’t upload your recording. Reload the page."),
      );
      worker.postMessage(command);
    });
  }

  /** The id of the upload. */
  get id(): string {
    return this.recording.id;
  }

  get update(): string {
    return this.recording.update;
  }

  get media(): string {
    return this.recording.media;
  }

  /**
   * Adds the next piece, which ends after `untilMs` milliseconds of recorded time. Pieces must be added in order; empty
   * ones are ignored.
   */
  addPiece(blob: Blob, untilMs: number): void {
    this.#command({ command: "piece", blob, untilMs });
  }

  /**
   * Declares that no more pieces follow. Resolves once the server has the whole recording. Rejects with a message if
   * the server refuses the rest, which then stays in the spool.
   */
  async finish(): Promise<{ update: string; media: string }> {
    this.#command({ command: "finish" });
    await this.#finished.promise;
    return { update: this.update, media: this.media };
  }

  /**
   * Deletes the upload, its media and the spooled pieces. The caller must ask the person for confirmation first.
   * Rejects with a message on failure.
   */
  async discard(): Promise<void> {
    this.#discarded = deferred();
    this.#command({ command: "discard" });
    await this.#discarded.promise;
  }

  /** Stops sending and releases the recording, so that another page can resume it. The spool keeps its pieces. */
  release(): void {
    removeEventListener("online", this.#retryNow);
    this.worker.terminate();
    this.#finished.reject(new Error("Another page may resume this recording."));
  }

  #retryNow = (): void => this.#command({ command: "retry" });

  #command(command: WorkerCommand): void {
    this.worker.postMessage(command);
  }

  #handleReport(report: WorkerReport): void {
    switch (report.event) {
      case "progress":
        this.progress = report.progress;
        this.dispatchEvent(new CustomEvent("progress", { detail: report.progress }));
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
        (report.command === "discard" ? this.#discarded : this.#finished).reject(
          new Error(report.message),
        );
        break;
    }
  }
}

interface Deferred {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** A promise with the functions that resolve and reject it. An unhandled rejection is not reported. */
function deferred(): Deferred {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
