// The recorder of the browser: what comes out of it goes to the courier piece by piece.
import { Refusal } from "./capture.js";
import type { RecordingUploader } from "../upload/recording-uploader.js";
import { withFallback } from "../lib/deadline.js";

/** What plays everywhere comes first; then what plays after a conversion. */
const containers = [
  "video/mp4;codecs=avc1.640028,mp4a.40.2",
  "video/mp4;codecs=avc1.42E01E,mp4a.40.2",
  "video/webm;codecs=vp9,opus",
  "video/webm;codecs=vp8,opus",
  "video/mp4;codecs=avc1.42E01E,opus",
];

/** The container and codecs to record with; empty for whatever the browser likes. */
export function container(): string {
  return containers.find((type) => MediaRecorder.isTypeSupported(type)) ?? "";
}

/** `video/webm` of a type with codecs, and the end of a file's name for it. */
export function plain(type: string): { type: string; end: string } {
  const bare =
    type.split(";")[0] ||
    (MediaRecorder.isTypeSupported("video/webm") ? "video/webm" : "video/mp4");
  return { type: bare, end: bare.endsWith("mp4") ? "mp4" : "webm" };
}

/** Firefox goes on after a sleep with the sound ahead of the picture, by as long as it slept. */
export const driftsInSleep = "mozInnerScreenX" in window;

/** Milliseconds. Longer pieces lose more in a crash, shorter ones come empty from Safari. */
const slice = 1000;

/** Milliseconds that a browser has to hand out the end of a recording. */
const endPatience = 10_000;

/** Bits a second of 1080p; less for what is smaller, within reason. */
const rate = 2_500_000;
const sound = 96_000;

/** Dispatches `piece` when one was handed over, and `failed` when the browser gave up; what came until then is kept. */
export class Recording extends EventTarget {
  /** So many bytes were handed over. */
  bytes = 0;
  /** Bits a second that are asked for; what comes may be less. */
  readonly rate: number;
  #recorder: MediaRecorder;
  #before = 0;
  #since: number | null = null;
  /** Nobody asked it to end yet. */
  #wanted = true;
  #isAbandoned = false;
  #stopped: Promise<void>;

  constructor(
    stream: MediaStream,
    readonly courier: RecordingUploader,
  ) {
    super();
    const { width = 1280, height = 720 } = stream.getVideoTracks()[0]?.getSettings() ?? {};
    const picture = Math.round(Math.max(0.4, Math.min(1, (width * height) / (1920 * 1080))) * rate);
    this.rate = picture + sound;
    const options = {
      mimeType: container(),
      videoBitsPerSecond: picture,
      audioBitsPerSecond: sound,
      // MP4 is written at key frames only, and a cut without converting is possible only there.
      videoKeyFrameIntervalDuration: slice,
    };
    this.#recorder = new MediaRecorder(stream, options);
    this.#stopped = new Promise((resolve) =>
      this.#recorder.addEventListener("stop", () => resolve(), { once: true }),
    );
    this.#recorder.addEventListener("dataavailable", ({ data }) => {
      if (this.#isAbandoned) return;
      this.bytes += data.size;
      this.courier.addPiece(data, this.ms);
      this.dispatchEvent(new Event("piece"));
    });
    // With an error or, where all that was recorded ended, without one.
    for (const end of ["error", "stop"])
      this.#recorder.addEventListener(end, () => {
        if (this.#wanted) this.dispatchEvent(new Event("failed"));
      });
    this.#recorder.addEventListener(
      "start",
      () => {
        this.#since ??= performance.now();
      },
      { once: true },
    );
  }

  /** Resolves when it runs: at the first bytes, for which some browsers wait until every track has delivered something. */
  async start(): Promise<void> {
    const running = new Promise<void>((resolve, reject) => {
      this.#recorder.addEventListener("start", () => resolve(), { once: true });
      this.addEventListener(
        "failed",
        () =>
          reject(
            new Refusal(
              "The browser could not record this. Choose something else, then press Record again.",
            ),
          ),
        { once: true },
      );
    });
    this.#recorder.start(slice);
    await running;
  }

  /** Milliseconds recorded; pauses are not. */
  get ms(): number {
    return Math.round(this.#before + (this.#since === null ? 0 : performance.now() - this.#since));
  }

  pause(): void {
    this.#hold();
    this.#recorder.pause();
    // What was said before a pause is safe before it, too.
    this.#recorder.requestData();
  }

  resume(): void {
    this.#recorder.resume();
    this.#since = performance.now();
  }

  /** Resolves when the last piece is with the courier, or when the browser has not handed it out in time. */
  async stop(): Promise<void> {
    this.#wanted = false;
    this.#hold();
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
    await withFallback(this.#stopped, endPatience, undefined);
  }

  /** Ends one that has not begun, so that another can take its place: whatever it hands out is not part of the recording. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#wanted = false;
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
  }

  /** Ends it, and resolves when the server has all of it. Rejects with words where the server takes no more: what is left is kept here then, and let go. */
  async bringIn(): Promise<void> {
    await this.stop();
    try {
      await this.courier.finish();
    } catch (error) {
      this.courier.release();
      document.dispatchEvent(new CustomEvent("hearback:recording-kept"));
      throw error;
    }
  }

  #hold(): void {
    this.#before = this.ms;
    this.#since = null;
  }
}
