// One try at a recording, from the press on Record until it runs: it can be called off at any moment, and leaves nothing behind then.
import { Refusal, Unanswered } from "./capture.js";
import { RecordingUploader } from "../upload/recording-uploader.js";
import { withDeadline, withFallback } from "../lib/deadline.js";
import { formatTimestamp } from "../lib/dom.js";
import { draft } from "../compose/draft.js";
import { container, plain } from "./recording.js";

/** Milliseconds for draft and upload to be made, and for those of the attempt before to be thrown away. */
const patience = { made: 30_000, tidied: 10_000 };
const unanswered = "The server does not answer, so nothing is recorded. Try again in a moment.";

/** The one before may still be throwing away what it had made: the next one must not count on it. */
let tidied: Promise<void> = Promise.resolve();

export class Attempt {
  #off = new AbortController();
  #runs = false;

  get signal(): AbortSignal {
    return this.#off.signal;
  }

  /** Calls it off, for a reason or without a word. What runs already is not called off. */
  cancel(why: unknown = new Refusal("")): void {
    if (!this.#runs) this.#off.abort(why);
  }

  /** It runs: what was had for it stays. */
  runs(): void {
    this.#runs = true;
  }

  /** Waits for what is needed; rejects with the reason as soon as it is called off. What was had is undone then, also what comes later. */
  had<T>(coming: Promise<T>, undo: (had: T) => void = () => undefined): Promise<T> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      const off = (): void => reject(signal.reason as Error);
      if (signal.aborted) off();
      else signal.addEventListener("abort", off, { once: true });
      coming.then((had) => {
        if (signal.aborted) undo(had);
        else signal.addEventListener("abort", () => undo(had), { once: true });
        resolve(had);
      }, reject);
    });
  }

  /** Makes the draft and the upload, after `before`. Called off, both go again, except for a draft that something was written into. */
  prepare(before: Promise<void>, say: (error: unknown) => void): Promise<RecordingUploader> {
    const form = draft.current;
    const { type, end } = plain(container());
    const begin = async (): Promise<RecordingUploader> => {
      await withFallback(Promise.all([tidied, before]), patience.tidied, undefined);
      this.signal.throwIfAborted();
      const update = (await form?.ensure(`Recording, ${formatTimestamp()}`, false)) ?? "";
      this.signal.throwIfAborted();
      return RecordingUploader.begin({
        type,
        name: `Recording ${formatTimestamp(undefined, ".")}.${end}`,
        update,
      });
    };
    const begun = begin();
    const inTime = withDeadline(begun, patience.made, () => new Unanswered(unanswered));
    // There is no need to count on to something that will not be.
    inTime.catch((error: unknown) => this.cancel(error));
    this.signal.addEventListener(
      "abort",
      () => {
        tidied = begun
          .then(dispose, () => undefined)
          .then(() => form?.withdraw())
          .catch(say);
      },
      { once: true },
    );
    const had = this.had(inTime);
    // Called off while it counts, nobody waits for it any more.
    had.catch(() => undefined);
    return had;
  }
}

/** Throws a recording away. Where that cannot be done it is let go, and offered among those that are kept. */
export async function dispose(courier: RecordingUploader): Promise<void> {
  try {
    await courier.discard();
  } catch (error) {
    courier.release();
    throw error;
  }
}
