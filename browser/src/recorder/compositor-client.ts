// One worker of recorder/compositor-worker.ts, as the page sees it: it composes or, for a page that composes by itself, keeps the time.
import type { Bubble } from "./camera-bubble.js";
import { withFallback } from "../lib/deadline.js";
import type { Size } from "./picture-size.js";

/** What fills the picture, and what is drawn into the bubble. */
export type Layer = "base" | "overlay";

/** Without an overlay the base is passed on as it comes. */
export interface Tracks {
  base: MediaStreamTrack;
  overlay: MediaStreamTrack | null;
}
/** Streams where the page can read frames, tracks where only a worker can. */
export interface Begin extends Size {
  base: ReadableStream<VideoFrame> | MediaStreamTrack;
  overlay: ReadableStream<VideoFrame> | MediaStreamTrack | null;
  /** Shown until the base delivers a frame. */
  still: VideoFrame | null;
  out?: WritableStream<VideoFrame>;
}
/** What the page sends to the worker. `fixSize`: from here on the picture keeps its size. `every`: send `tick` so often, in milliseconds. */
export type Order =
  { begin: Begin; bubble: Bubble } | { bubble: Bubble } | { every: number } | { fixSize: true };
/** What the worker sends to the page. `ready`: its script runs. `arrived`: a picture with the first frame of a layer was sent. */
export type Report =
  | { ready: true }
  | { tick: true }
  | { cannot: true }
  | { failed: true }
  | { track: MediaStreamTrack }
  | { arrived: Layer };

/** Whether pages of this browser can hand the frames of tracks to a worker and back. */
export function passesFrames(): boolean {
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

  /** `script` is the address of recorder/compositor-worker.ts; `hear` gets the worker's reports, and `failed` if it breaks while it composes. */
  constructor(
    script: string,
    readonly hear: (report: Report) => void,
  ) {
    this.#worker = new Worker(script, { type: "module" });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Report>) => this.hear(data));
    this.#ready = this.#answer((report) => ("ready" in report ? true : undefined), false);
    this.#worker.addEventListener("error", () => {
      if (this.#track) this.hear({ failed: true });
    });
  }

  /** Whether the script runs within `ms` milliseconds. It may come from a slow network, or not at all. */
  runs(ms: number): Promise<boolean> {
    return withFallback(this.#ready, ms, false);
  }

  /** The composed picture; null if the workers of this browser cannot compose or say nothing for `ms` milliseconds. Takes over `still`. */
  async compose(
    tracks: Tracks,
    size: Size,
    still: VideoFrame | null,
    bubble: Bubble,
    ms: number,
  ): Promise<MediaStreamTrack | null> {
    this.#track =
      this.#streamed(tracks, size, still, bubble) ??
      (await this.#inWorker(tracks, size, still, bubble, ms));
    return this.#track;
  }

  /** Reports `tick` every `ms` milliseconds, also in a hidden tab. */
  keepTime(ms: number): void {
    this.order({ every: ms });
  }

  order(order: Order, transfer: Transferable[] = []): void {
    this.#worker.postMessage(order, transfer);
  }

  /** Ends the picture; the worker can still keep the time. */
  release(): void {
    this.#track?.stop();
    this.#track = null;
    for (const clone of this.#clones) clone.stop();
  }

  close(): void {
    this.#worker.terminate();
    this.release();
  }

  /** The first report that `read` makes something of; `broken` if the worker breaks before. */
  #answer<T>(read: (report: Report) => T | undefined, broken: T): Promise<T> {
    return new Promise((resolve) => {
      this.#worker.addEventListener("message", ({ data }: MessageEvent<Report>) => {
        const answer = read(data);
        if (answer !== undefined) resolve(answer);
      });
      this.#worker.addEventListener("error", () => resolve(broken), { once: true });
    });
  }

  /** Chromium: the page makes streams of frames, and the worker gets them. */
  #streamed(
    { base, overlay }: Tracks,
    size: Size,
    still: VideoFrame | null,
    bubble: Bubble,
  ): MediaStreamTrack | null {
    if (!passesFrames()) return null;
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

  /** Safari: tracks go to the worker, and the composed one comes back. */
  async #inWorker(
    tracks: Tracks,
    size: Size,
    still: VideoFrame | null,
    bubble: Bubble,
    ms: number,
  ): Promise<MediaStreamTrack | null> {
    const base = tracks.base.clone();
    const overlay = tracks.overlay?.clone() ?? null;
    this.#clones = overlay ? [base, overlay] : [base];
    const answer = this.#answer<MediaStreamTrack | null>(
      (report) => ("track" in report ? report.track : "cannot" in report ? null : undefined),
      null,
    );
    try {
      this.#begin({ base, overlay, still, ...size }, bubble);
    } catch {
      // Tracks cannot be given to workers here.
      still?.close();
      return null;
    }
    return withFallback(answer, ms, null);
  }

  #begin(begin: Begin, bubble: Bubble): void {
    const given = [begin.base, begin.overlay, begin.still, begin.out].filter(
      (one) => one !== null && one !== undefined,
    );
    this.order({ begin, bubble }, given);
  }
}
