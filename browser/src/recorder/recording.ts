// Records with the browser's MediaRecorder and passes each piece to the uploader.
import { CaptureError } from "./capture.js";
import type { RecordingUploader } from "../upload/recording-uploader.js";
import { withFallback } from "../lib/deadline.js";

/**
 * The MIME types in order of preference. The first two play in all browsers. Recordings of the
 * other types must be converted for some browsers.
 */
const preferredTypes = [
  "video/mp4;codecs=avc1.640028,mp4a.40.2",
  "video/mp4;codecs=avc1.42E01E,mp4a.40.2",
  "video/webm;codecs=vp9,opus",
  "video/webm;codecs=vp8,opus",
  "video/mp4;codecs=avc1.42E01E,opus",
];

/** The MIME type of new recordings; empty for the browser's default. */
export function supportedType(): string {
  return preferredTypes.find((type) => MediaRecorder.isTypeSupported(type)) ?? "";
}

/**
 * Removes the codecs from a MIME type and returns it with its file extension. An empty type stands for the browser's
 * default.
 */
export function fileTypeOf(type: string): { type: string; extension: string } {
  const container =
    type.split(";")[0] ||
    (MediaRecorder.isTypeSupported("video/webm") ? "video/webm" : "video/mp4");
  return { type: container, extension: container.endsWith("mp4") ? "mp4" : "webm" };
}

/**
 * Whether sound and picture get out of sync when the computer sleeps during a recording. In
 * Firefox, the sound is then ahead of the picture by as long as the computer slept.
 */
export const driftsAfterSleep = "mozInnerScreenX" in window;

/**
 * The length of each piece in milliseconds. If pieces were longer, a crash would lose more. If they were shorter,
 * Safari would emit empty pieces.
 */
const timeslice = 1000;

/** How long a browser may take to emit the end of a recording, in milliseconds. */
const stopTimeout = 10_000;

/**
 * The bit rate of a 1080p video, in bits per second. Smaller pictures get less, but at least 40% of
 * this rate.
 */
const videoBitRate = 2_500_000;
const audioBitRate = 96_000;

/**
 * Dispatches `piece` after each piece, and `failed` if the browser stops recording by itself. The pieces recorded
 * before that are kept.
 */
export class Recording extends EventTarget {
  /** The number of bytes passed to the uploader. */
  bytes = 0;
  /** The requested bits per second. The browser may produce fewer. */
  readonly bitRate: number;
  #recorder: MediaRecorder;
  /** Milliseconds recorded before the last pause. */
  #earlierMs = 0;
  #runningSince: number | null = null;
  /** Whether the recorder should be running. Becomes false when `stop` or `discard` is called. */
  #isExpectedToRun = true;
  #isDiscarded = false;
  #stopped: Promise<void>;

  constructor(
    stream: MediaStream,
    readonly uploader: RecordingUploader,
  ) {
    super();
    const { width = 1280, height = 720 } = stream.getVideoTracks()[0]?.getSettings() ?? {};
    const share = Math.max(0.4, Math.min(1, (width * height) / (1920 * 1080)));
    const videoBitsPerSecond = Math.round(share * videoBitRate);
    this.bitRate = videoBitsPerSecond + audioBitRate;
    const options = {
      mimeType: supportedType(),
      videoBitsPerSecond,
      audioBitsPerSecond: audioBitRate,
      // Request frequent key frames, because browsers write MP4 data only at key frames, and recordings can be cut
      // without conversion only at key frames.
      videoKeyFrameIntervalDuration: timeslice,
    };
    this.#recorder = new MediaRecorder(stream, options);
    this.#stopped = new Promise((resolve) =>
      this.#recorder.addEventListener("stop", () => resolve(), { once: true }),
    );
    this.#recorder.addEventListener("dataavailable", ({ data }) => this.#passOn(data));
    // Listen for both events, because the browser stops the recorder without an error event if all recorded tracks have
    // ended.
    for (const end of ["error", "stop"])
      this.#recorder.addEventListener(end, () => {
        if (this.#isExpectedToRun) this.dispatchEvent(new Event("failed"));
      });
    this.#recorder.addEventListener("start", () => (this.#runningSince ??= performance.now()), {
      once: true,
    });
  }

  #passOn(data: Blob): void {
    if (this.#isDiscarded) return;
    this.bytes += data.size;
    this.uploader.addPiece(data, this.ms);
    this.dispatchEvent(new Event("piece"));
  }

  /**
   * Resolves once the recorder is running. Some browsers wait until every track has delivered data. Rejects with a
   * `CaptureError`.
   */
  async start(): Promise<void> {
    const running = new Promise<void>((resolve, reject) => {
      this.#recorder.addEventListener("start", () => resolve(), { once: true });
      this.addEventListener(
        "failed",
        () =>
          reject(
            new CaptureError(
              "The browser could not record this source. Choose another one, then press Record again.",
            ),
          ),
        { once: true },
      );
    });
    this.#recorder.start(timeslice);
    await running;
  }

  /** The length of the recording in milliseconds, excluding pauses. */
  get ms(): number {
    return Math.round(
      this.#earlierMs + (this.#runningSince === null ? 0 : performance.now() - this.#runningSince),
    );
  }

  pause(): void {
    this.#stopClock();
    this.#recorder.pause();
    // Upload the part that was recorded before the pause.
    this.#recorder.requestData();
  }

  resume(): void {
    this.#recorder.resume();
    this.#runningSince = performance.now();
  }

  /** Stops the recorder. Resolves when the uploader has received the last piece, or after `stopTimeout`. */
  async stop(): Promise<void> {
    this.#isExpectedToRun = false;
    this.#stopClock();
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
    await withFallback(this.#stopped, stopTimeout, undefined);
  }

  /** Stops a recorder that has not started, and ignores any data that it still emits. */
  discard(): void {
    this.#isDiscarded = true;
    this.#isExpectedToRun = false;
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
  }

  /**
   * Stops the recorder, and resolves when the server has the whole recording. Rejects if the server refuses the rest of
   * the recording, which then stays in the spool.
   */
  async finishUpload(): Promise<void> {
    await this.stop();
    try {
      await this.uploader.finish();
    } catch (error) {
      this.uploader.release();
      document.dispatchEvent(new CustomEvent("hearback:recording-kept"));
      throw error;
    }
  }

  #stopClock(): void {
    this.#earlierMs = this.ms;
    this.#runningSince = null;
  }
}
