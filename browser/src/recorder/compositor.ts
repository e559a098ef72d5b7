// Composites a video track that delivers frames even if its sources do not. The track shows a screen with the camera in
// a bubble, or a single source. Compositing runs in a worker if the browser supports that. Otherwise it runs in the
// page, and the worker only serves as a clock.
import type { Bubble } from "./camera-bubble.js";
import {
  CompositorClient,
  type Layer,
  type WorkerReport,
  type Tracks,
} from "./compositor-client.js";
import { PageCompositor, frameRate } from "./page-compositor.js";
import { evenSize, guessedSize, sizeOf } from "./picture-size.js";
import { TrackProbe } from "./track-probe.js";

/**
 * Timeouts in milliseconds. `script`: for loading the worker's script, and again for the worker's
 * response with the track. `frames`: for frames of the tracks to reach the worker.
 */
export interface Timeouts {
  script: number;
  frames: number;
}

/**
 * Dispatches `arrived` when the first frame of a layer is in the picture, and `failed` if
 * compositing fails after it has started.
 */
export class Compositor extends EventTarget {
  /** The track of the composited picture. */
  track!: MediaStreamTrack;
  /** The layers whose first frame is not in the composited picture yet. */
  readonly missing = new Set<Layer>();
  #client: CompositorClient | null = null;
  /** Whether the current worker has failed. */
  #hasFailed = false;
  /** Whether the current worker composites the picture. */
  #composes = false;
  #inPage: PageCompositor | null = null;

  private constructor(
    private readonly script: string,
    readonly tracks: Tracks,
    private place: Bubble,
  ) {
    super();
  }

  /**
   * Starts compositing. `script` is the URL of compositor-worker.ts. `still` is shown until the
   * base track delivers a frame. `timeouts` limits the wait if the tracks deliver nothing or the
   * script does not load.
   */
  static async begin(
    script: string,
    tracks: Tracks,
    bubble: Bubble,
    timeouts: Timeouts,
    still: VideoFrame | null = null,
  ): Promise<Compositor> {
    const compositor = new Compositor(script, tracks, bubble);
    try {
      compositor.track = await compositor.#begin(timeouts, still);
      return compositor;
    } catch (error) {
      compositor.close();
      throw error;
    } finally {
      still?.close();
    }
  }

  set bubble(bubble: Bubble) {
    this.place = bubble;
    if (this.#inPage) this.#inPage.bubble = bubble;
    else this.#client?.send({ bubble });
  }

  /**
   * Locks the picture's size, because a recording has a single size. Until this call, the size follows the base track.
   */
  fixSize(): void {
    if (this.#inPage) this.#inPage.fixSize();
    else this.#client?.send({ fixSize: true });
  }

  close(): void {
    this.#client?.close();
    this.#inPage?.close();
  }

  async #begin(timeouts: Timeouts, still: VideoFrame | null): Promise<MediaStreamTrack> {
    const size = still ? evenSize(sizeOf(still)) : guessedSize(this.tracks.base);
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const client = this.#startWorker();
      const track = (await client.isRunning(timeouts.script))
        ? await client.compose(
            this.tracks,
            size,
            still?.clone() ?? null,
            this.place,
            timeouts.script,
          )
        : null;
      if (!track) break;
      if (await this.#receivesFrames(timeouts.frames)) {
        this.#composes = true;
        return track;
      }
    }
    this.#client?.release();
    this.#inPage = new PageCompositor(
      this.tracks,
      size,
      this.place,
      still?.clone() ?? null,
      (layer) => this.#markArrived(layer),
      () => this.dispatchEvent(new Event("failed")),
    );
    // Send this message even if the worker has not loaded yet. Once the worker loads, it receives the message, and its
    // clock replaces the page's timer.
    this.#client?.startTicks(1000 / frameRate);
    return this.#inPage.track;
  }

  /** Starts a worker. Closes the previous one, if any. */
  #startWorker(): CompositorClient {
    this.#client?.close();
    // Mark all layers as missing, because the new worker has received no frames yet.
    this.missing.add("base");
    if (this.tracks.overlay) this.missing.add("overlay");
    const client = new CompositorClient(this.script, (report) => {
      if (this.#client === client) this.#handleReport(report);
    });
    this.#client = client;
    this.#hasFailed = false;
    return client;
  }

  /**
   * Resolves with false if the worker failed, or if a track delivered frames but none reached the worker within `ms`
   * milliseconds. In 1 of 23 runs of Chromium 156, no frames reached the worker from either of two transferred streams,
   * although the tracks delivered frames. The reason is not known.
   */
  async #receivesFrames(ms: number): Promise<boolean> {
    const { base, overlay } = this.tracks;
    const probes = [
      ["base", new TrackProbe(base)] as const,
      ...(overlay ? [["overlay", new TrackProbe(overlay)] as const] : []),
    ];
    const until = performance.now() + ms;
    while (!this.#hasFailed && this.missing.size > 0 && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const isDead = probes.some(([layer, probe]) => probe.hasPicture && this.missing.has(layer));
    for (const [, probe] of probes) probe.close();
    return !isDead && !this.#hasFailed;
  }

  #handleReport(report: WorkerReport): void {
    if ("failed" in report) {
      this.#hasFailed = true;
      // Report the failure only if this worker was already compositing. If a worker fails before that, another worker
      // or the page takes over.
      if (this.#composes) this.dispatchEvent(new Event("failed"));
    }
    if ("arrived" in report) this.#markArrived(report.arrived);
    else if ("tick" in report) this.#inPage?.tick();
  }

  #markArrived(layer: Layer): void {
    if (this.missing.delete(layer)) this.dispatchEvent(new Event("arrived"));
  }
}
