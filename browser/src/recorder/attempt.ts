// One attempt to start a recording, from the click on Record until the recorder is running. Until
// then, the attempt can be cancelled. Cancelling deletes the upload, and the draft if it is
// otherwise empty.
import { draft } from "../compose/draft.js";
import { withDeadline, withFallback } from "../lib/deadline.js";
import { announce, formatTimestamp } from "../lib/dom.js";
import { RecordingUploader } from "../upload/recording-uploader.js";
import { CaptureError, TimeoutError } from "./capture.js";
import { fileTypeOf, supportedType } from "./recording.js";

/**
 * Timeouts in milliseconds. `create`: how long creating the draft and the upload may take.
 * `cleanup`: how long a new attempt waits for the deletion of the previous attempt's draft and
 * upload.
 */
const timeouts = { create: 30_000, cleanup: 10_000 };
const noAnswerMessage =
  "The server is not responding, so nothing is recorded. Try again in a moment.";

/**
 * Resolves when the draft and the upload of the last cancelled attempt are deleted. The next
 * attempt waits for this, because it must not reuse that draft.
 */
let cleanup: Promise<void> = Promise.resolve();

export class Attempt {
  #controller = new AbortController();
  #isRunning = false;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Cancels the attempt unless the recorder is already running. `reason` is shown to the person; by default, nothing is
   * shown.
   */
  cancel(reason: unknown = new CaptureError("")): void {
    if (!this.#isRunning) this.#controller.abort(reason);
  }

  /** Cancels the attempt because the person pressed a key or a button, and announces it. */
  cancelByPerson(): void {
    this.cancel();
    announce("Canceled. Nothing is recorded.");
  }

  /** Marks the recorder as running, after which the attempt can no longer be cancelled. */
  markRunning(): void {
    this.#isRunning = true;
  }

  /**
   * Waits for a resource that the attempt needs; rejects if the attempt is cancelled. `undo`
   * releases the resource on cancellation, even if the resource arrives later.
   */
  acquire<T>(pending: Promise<T>, undo: (acquired: T) => void = () => undefined): Promise<T> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      const rejectCancelled = (): void => reject(signal.reason as Error);
      if (signal.aborted) rejectCancelled();
      else signal.addEventListener("abort", rejectCancelled, { once: true });
      pending.then((acquired) => {
        if (signal.aborted) undo(acquired);
        else signal.addEventListener("abort", () => undo(acquired), { once: true });
        resolve(acquired);
      }, reject);
    });
  }

  /**
   * Creates the draft and the upload once `before` resolves, or after a timeout. If the attempt is
   * cancelled, deletes the upload, and the draft if it is otherwise empty.
   */
  prepare(before: Promise<void>, showError: (error: unknown) => void): Promise<RecordingUploader> {
    const form = draft.current;
    const created = this.#create(before);
    const inTime = withDeadline(created, timeouts.create, () => new TimeoutError(noAnswerMessage));
    // If the creation fails, cancel the attempt immediately instead of counting down to the end.
    inTime.catch((error: unknown) => this.cancel(error));
    const discard = (): void => {
      cleanup = created
        .then(discardRecording, () => undefined)
        .then(() => form?.withdraw())
        .catch(showError);
    };
    this.signal.addEventListener("abort", discard, { once: true });
    const uploader = this.acquire(inTime);
    // Nothing awaits the uploader during the countdown, so mark its rejection as handled.
    uploader.catch(() => undefined);
    return uploader;
  }

  async #create(before: Promise<void>): Promise<RecordingUploader> {
    const form = draft.current;
    const { type, extension } = fileTypeOf(supportedType());
    await withFallback(Promise.all([cleanup, before]), timeouts.cleanup, undefined);
    this.signal.throwIfAborted();
    const update = (await form?.ensure(`Recording, ${formatTimestamp()}`, false)) ?? "";
    this.signal.throwIfAborted();
    const name = `Recording ${formatTimestamp(undefined, ".")}.${extension}`;
    return RecordingUploader.begin({ type, name, update });
  }
}

/** Deletes a recording. If that fails, releases its lock, so that it appears in the list of unfinished recordings. */
export async function discardRecording(uploader: RecordingUploader): Promise<void> {
  try {
    await uploader.discard();
  } catch (error) {
    uploader.release();
    throw error;
  }
}
