// What is recorded as the picture: a captured track as it comes, or a composed one. Knows which source has not sent a picture so far.
import type { Bubble } from "./camera-bubble.js";
import { type Layer, passesFrames } from "./compositor-client.js";
import { Compositor, type Patience } from "./compositor.js";
import { evenSize } from "./picture-size.js";
import { showsPicture } from "./track-witness.js";

/** Before the countdown there is time; after it, recording is to begin. */
const patience = {
  choosing: { script: 2000, frames: 1500 },
  recording: { script: 400, frames: 0 },
};

export type PictureSource = "screen" | "camera";

/** What there is to record; at least one of the two. */
export interface Captured {
  screen: MediaStreamTrack | null;
  camera: MediaStreamTrack | null;
}

/** Dispatches `arrived` at the first picture of a source, and `failed` when the composed picture should change and no longer does. */
export class RecorderPicture extends EventTarget {
  #compositor: Compositor | null = null;
  #composing: Promise<void> | null = null;
  #isClosed = false;

  private constructor(
    private readonly worker: string,
    private readonly captured: Captured,
    private place: Bubble,
  ) {
    super();
  }

  /**
   * Composes at once if there are two sources, and where frames pass through a worker without a copy: a still screen delivers nothing to a
   * recorder that listens late. `worker` is the address of recorder/compositor-worker.ts.
   */
  static async begin(worker: string, captured: Captured, bubble: Bubble): Promise<RecorderPicture> {
    const made = new RecorderPicture(worker, captured, bubble);
    if ((captured.screen && captured.camera) || passesFrames())
      await made.#compose(patience.choosing, null);
    return made;
  }

  get track(): MediaStreamTrack {
    return this.#compositor?.track ?? this.#base;
  }

  /** A composed picture delivers frames whether or not its sources do. */
  get isComposed(): boolean {
    return this.#compositor !== null;
  }

  set bubble(bubble: Bubble) {
    this.place = bubble;
    if (this.#compositor) this.#compositor.bubble = bubble;
  }

  /** The sources without a picture so far. What is recorded as it comes has one. */
  get missing(): PictureSource[] {
    const [base, overlay] = this.captured.screen
      ? (["screen", "camera"] as const)
      : (["camera"] as const);
    const sources: Partial<Record<Layer, PictureSource>> = {
      base,
      ...(overlay ? { overlay } : {}),
    };
    return [...(this.#compositor?.missing ?? [])]
      .map((layer) => sources[layer])
      .filter((source) => source !== undefined);
  }

  /**
   * Composes what is recorded as it comes, starting with what `preview` shows, if that may be kept: from here on there are frames, also before
   * the source delivers its first and while it delivers none.
   */
  compose(preview: HTMLVideoElement): Promise<void> {
    if (this.#compositor) return Promise.resolve();
    // What is shown of a tab may be this page with its countdown. A tab sends its picture to whoever begins to listen.
    const still = (): VideoFrame | null =>
      this.#base.getSettings().displaySurface === "browser" ? null : stillOf(preview);
    this.#composing ??= this.#compose(patience.recording, still()).finally(
      () => (this.#composing = null),
    );
    return this.#composing;
  }

  /** Keeps the size from here on. */
  fixSize(): void {
    this.#compositor?.fixSize();
  }

  close(): void {
    this.#isClosed = true;
    this.#compositor?.close();
  }

  get #base(): MediaStreamTrack {
    const track = this.captured.screen ?? this.captured.camera;
    if (!track) throw new Error("There is nothing to record.");
    return track;
  }

  async #compose(limits: Patience, still: VideoFrame | null): Promise<void> {
    const overlay = this.captured.screen ? this.captured.camera : null;
    const compositor = await Compositor.begin(
      this.worker,
      { base: this.#base, overlay },
      this.place,
      limits,
      still,
    );
    if (this.#isClosed) return compositor.close();
    this.#compositor = compositor;
    compositor.bubble = this.place;
    for (const name of ["arrived", "failed"])
      compositor.addEventListener(name, () => this.dispatchEvent(new Event(name)));
  }
}

/** The picture that a video shows, with even sides. */
function stillOf(video: HTMLVideoElement): VideoFrame | null {
  if (!showsPicture(video) || typeof VideoFrame === "undefined") return null;
  const { width, height } = evenSize({ width: video.videoWidth, height: video.videoHeight });
  return new VideoFrame(video, { timestamp: 0, visibleRect: { x: 0, y: 0, width, height } });
}

/** What to say of what is missing while it records; empty if nothing is. `alone`: there is only one source of the picture. */
export function missingWords(
  missing: readonly PictureSource[],
  { alone, lostSound }: { alone: boolean; lostSound: boolean },
): string {
  const words: string[] = [];
  if (missing.length === 2)
    words.push(
      "Your screen and your camera haven't sent a picture yet. Recording continues and will show them as soon as they do.",
    );
  else if (missing[0] === "camera" && !alone)
    words.push("Your camera isn't sending a picture. You're recording without it.");
  else if (missing[0])
    words.push(
      `Your ${missing[0]} hasn't sent a picture yet. Recording continues and will show it as soon as it does.`,
    );
  if (lostSound) words.push("No sound is arriving, so you're recording without sound.");
  return words.join(" ");
}
