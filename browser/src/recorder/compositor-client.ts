// The page's interface to one compositor worker. The worker composites the picture, or serves only as a clock if the
// page composites the picture itself.
import type { Bubble } from "./camera-bubble.js";
import { withFallback } from "../lib/deadline.js";
import type { Size } from "./picture-size.js";

/** `base` fills the picture; `overlay` is drawn in the bubble. */
export type Layer = "base" | "overlay";

/** The tracks to composite. Without an `overlay`, the frames of `base` are passed on unchanged. */
export interface Tracks {
  base: MediaStreamTrack;
  overlay: MediaStreamTrack | null;
}
/** `base` and `overlay` are streams if the page can read frames. If only a worker can, they are tracks. */
export interface BeginCommand extends Size {
  base: ReadableStream<VideoFrame> | MediaStreamTrack;
  overlay: ReadableStream<VideoFrame> | MediaStreamTrack | null;
  /** The picture that is shown until `base` delivers a frame. */
  still: VideoFrame | null;
  out?: WritableStream<VideoFrame>;
}
/**
 * A message to the worker. `fixSize`: keep the current size of the picture from now on. `every`:
 * send `tick` at this interval, in milliseconds.
 */
export type WorkerCommand =
  | { begin: BeginCommand; bubble: Bubble }
  | { bubble: Bubble }
  | { every: number }
  | { fixSize: true };
/**
 * A message from the worker. `ready`: the worker's script is running. `cannot`: workers in this
 * browser cannot composite. `arrived`: the worker has sent a picture that contains the first frame
 * of this layer.
 */
export type WorkerReport =
  | { ready: true }
  | { tick: true }
  | { cannot: true }
  | { failed: true }
  | { track: MediaStreamTrack }
  | { arrived: Layer };

/** Whether the page can transfer the frames of tracks to a worker and get composited frames back. */
export function canTransferFrames(): boolean {
  return (
    typeof MediaStreamTrackProcessor !== "undefined" &&
    typeof MediaStreamTrackGenerator !== "undefined"
  );
}

export class CompositorClient {
  #worker: Worker;
  #ready: Promise<boolean>;
  #track: MediaStreamTrack | null = null;
  #clones: MediaStreamTrack[] = [];

  /**
   * `script` is the URL of compositor-worker.ts. `onReport` receives all reports from the worker,
   * and `failed` if the worker fails while compositing.
   */
  constructor(
    script: string,
    readonly onReport: (report: WorkerReport) => void,
  ) {
    this.#worker = new Worker(script, { type: "module" });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<WorkerReport>) =>
      this.onReport(data),
    );
    this.#ready = this.#waitForReport((report) => ("ready" in report ? true : undefined), false);
    this.#worker.addEventListener("error", () => {
      if (this.#track) this.onReport({ failed: true });
    });
  }

  /**
   * Resolves with true once the script is running, or with false if the script fails or is not running after `ms`
   * milliseconds.
   */
  isRunning(ms: number): Promise<boolean> {
    return withFallback(this.#ready, ms, false);
  }

  /**
   * Resolves with the composited track, or with null if the worker cannot composite or does not respond within `ms`
   * milliseconds. Takes ownership of `still`.
   */
  async compose(
    tracks: Tracks,
    size: Size,
    still: VideoFrame | null,
    bubble: Bubble,
    ms: number,
  ): Promise<MediaStreamTrack | null> {
    this.#track =
      this.#composeFromStreams(tracks, size, still, bubble) ??
      (await this.#composeFromTracks(tracks, size, still, bubble, ms));
    return this.#track;
  }

  /** Makes the worker report `tick` every `ms` milliseconds, even while the tab is hidden. */
  startTicks(ms: number): void {
    this.send({ every: ms });
  }

  send(order: WorkerCommand, transfer: Transferable[] = []): void {
    this.#worker.postMessage(order, transfer);
  }

  /** Stops compositing. The worker keeps running and can still tick. */
  release(): void {
    this.#track?.stop();
    this.#track = null;
    for (const clone of this.#clones) clone.stop();
  }

  close(): void {
    this.#worker.terminate();
    this.release();
  }

  /** Resolves with the first value that `read` returns for a report, or with `broken` if the worker fails first. */
  #waitForReport<T>(read: (report: WorkerReport) => T | undefined, broken: T): Promise<T> {
    return new Promise((resolve) => {
      this.#worker.addEventListener("message", ({ data }: MessageEvent<WorkerReport>) => {
        const answer = read(data);
        if (answer !== undefined) resolve(answer);
      });
      this.#worker.addEventListener("error", () => resolve(broken), { once: true });
    });
  }

  /** For Chromium: creates streams of frames in the page and transfers them to the worker. */
  #composeFromStreams(
    { base, overlay }: Tracks,
    size: Size,
    still: VideoFrame | null,
    bubble: Bubble,
  ): MediaStreamTrack | null {
    if (!canTransferFrames()) return null;
    const generator = new MediaStreamTrackGenerator({ kind: "video" });
    const frames = (track: MediaStreamTrack): ReadableStream<VideoFrame> =>
      new MediaStreamTrackProcessor({ track }).readable;
    this.#begin(
      {
        base: frames(base),
        overlay: overlay && frames(overlay),
        still,
        out: generator.writable,
        ...size,
      },
      bubble,
    );
    return generator;
  }

  /** For Safari: transfers the tracks to the worker, which returns the composited track. */
  async #composeFromTracks(
    tracks: Tracks,
    size: Size,
    still: VideoFrame | null,
    bubble: Bubble,
    ms: number,
  ): Promise<MediaStreamTrack | null> {
    const base = tracks.base.clone();
    const overlay = tracks.overlay?.clone() ?? null;
    this.#clones = overlay ? [base, overlay] : [base];
    const answer = this.#waitForReport<MediaStreamTrack | null>(
      (report) => ("track" in report ? report.track : "cannot" in report ? null : undefined),
      null,
    );
    try {
      this.#begin({ base, overlay, still, ...size }, bubble);
    } catch {
      // This browser cannot transfer tracks to a worker.
      still?.close();
      return null;
    }
    return withFallback(answer, ms, null);
  }

  #begin(begin: BeginCommand, bubble: Bubble): void {
    const transfer = [begin.base, begin.overlay, begin.still, begin.out].filter(
      (one) => one !== null && one !== undefined,
    );
    this.send({ begin, bubble }, transfer);
  }
}
