// Composes a picture that always delivers frames: a screen with the camera in a bubble, or one track that delivers none or too few.
// It runs in a worker where the browser can, else in the page at the worker's clock.
import type { Bubble } from "./camera-bubble.js";
import { CompositorClient, type Layer, type Report, type Tracks } from "./compositor-client.js";
import { PageCompositor, rate } from "./page-compositor.js";
import { evenSize, guessedSize, sizeOf } from "./picture-size.js";
import { TrackWitness } from "./track-witness.js";

/** Milliseconds to wait for the worker's script, and for frames that the tracks deliver to reach it. */
export interface Patience {
  script: number;
  frames: number;
}

/** Dispatches `arrived` at the first frame of a layer, and `failed` when the worker breaks after composing has begun. */
export class Compositor extends EventTarget {
  /** The composed picture. */
  track!: MediaStreamTrack;
  /** The layers that have not delivered a frame so far. */
  readonly missing = new Set<Layer>();
  #client: CompositorClient | null = null;
  /** The current worker broke. */
  #hasFailed = false;
  /** The current worker makes the picture. */
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
   * Starts composing; `script` is the address of recorder/compositor-worker.ts, and `still` is shown until the base delivers a frame. Resolves
   * within about twice the time of `patience`, whether or not the tracks deliver and the script loads.
   */
  static async begin(
    script: string,
    tracks: Tracks,
    bubble: Bubble,
    patience: Patience,
    still: VideoFrame | null = null,
  ): Promise<Compositor> {
    const made = new Compositor(script, tracks, bubble);
    try {
      made.track = await made.#begin(patience, still);
      return made;
    } catch (error) {
      made.close();
      throw error;
    } finally {
      still?.close();
    }
  }

  set bubble(bubble: Bubble) {
    this.place = bubble;
    if (this.#inPage) this.#inPage.bubble = bubble;
    else this.#client?.order({ bubble });
  }

  /** Keeps the size of the picture, which follows the base until then: a recording has one size. */
  fixSize(): void {
    if (this.#inPage) this.#inPage.fixSize();
    else this.#client?.order({ fixSize: true });
  }

  close(): void {
    this.#client?.close();
    this.#inPage?.close();
  }

  async #begin(patience: Patience, still: VideoFrame | null): Promise<MediaStreamTrack> {
    const size = still ? evenSize(sizeOf(still)) : guessedSize(this.tracks.base);
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const client = this.#employ();
      const track = (await client.runs(patience.script))
        ? await client.compose(
            this.tracks,
            size,
            still?.clone() ?? null,
            this.place,
            patience.script,
          )
        : null;
      if (!track) break;
      if (await this.#receives(patience.frames)) {
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
      (layer) => this.#arrived(layer),
    );
    // A worker that loads late still gets this, and its clock takes over.
    this.#client?.keepTime(1000 / rate);
    return this.#inPage.track;
  }

  /** Starts a worker in place of the one before. */
  #employ(): CompositorClient {
    this.#client?.close();
    // What another worker got before does not reach this one.
    this.missing.add("base");
    if (this.tracks.overlay) this.missing.add("overlay");
    const client = new CompositorClient(this.script, (report) => {
      if (this.#client === client) this.#hear(report);
    });
    this.#client = client;
    this.#hasFailed = false;
    return client;
  }

  /**
   * Whether the worker runs and gets the frames that the tracks deliver, as far as that shows within `ms` milliseconds. In Chromium 156, both
   * streams of frames that were handed to a worker delivered nothing in 1 of 23 runs, while their tracks did; the reason is not known.
   */
  async #receives(ms: number): Promise<boolean> {
    const { base, overlay } = this.tracks;
    const witnesses = [
      ["base", new TrackWitness(base)] as const,
      ...(overlay ? [["overlay", new TrackWitness(overlay)] as const] : []),
    ];
    const until = performance.now() + ms;
    while (!this.#hasFailed && this.missing.size > 0 && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const isDead = witnesses.some(([layer, witness]) => witness.hasSeen && this.missing.has(layer));
    for (const [, witness] of witnesses) witness.close();
    return !isDead && !this.#hasFailed;
  }

  #hear(report: Report): void {
    if ("failed" in report) {
      this.#hasFailed = true;
      // While it begins, another worker or the page takes over; a worker that only keeps the time may fail to compose.
      if (this.#composes) this.dispatchEvent(new Event("failed"));
    }
    if ("arrived" in report) this.#arrived(report.arrived);
    else if ("tick" in report) this.#inPage?.tick();
  }

  #arrived(layer: Layer): void {
    if (this.missing.delete(layer)) this.dispatchEvent(new Event("arrived"));
  }
}
