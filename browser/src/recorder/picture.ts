// Provides the video track of a recording, which is either a captured track or a composited one. Lists the sources that
// have not delivered a frame yet.
import type { Bubble } from "./camera-bubble.js";
import { type Layer, canTransferFrames } from "./compositor-client.js";
import { Compositor, type Timeouts } from "./compositor.js";
import { evenSize } from "./picture-size.js";
import { showsPicture } from "./track-probe.js";

/**
 * Timeouts of the compositor, in milliseconds. `choosing` applies while the person chooses sources.
 * `recording` applies after the countdown, when the recording is about to begin.
 */
const timeouts = {
  choosing: { script: 2000, frames: 1500 },
  recording: { script: 400, frames: 0 },
};

export type PictureSource = "screen" | "camera";

/** The captured tracks. At least one is not null. */
export interface CapturedTracks {
  screen: MediaStreamTrack | null;
  camera: MediaStreamTrack | null;
}

/** Dispatches `arrived` when a source delivers its first frame, and `failed` if the composited picture stops. */
export class RecorderPicture extends EventTarget {
  #compositor: Compositor | null = null;
  #composing: Promise<void> | null = null;
  #isClosed = false;

  private constructor(
    private readonly worker: string,
    private readonly captured: CapturedTracks,
    private place: Bubble,
  ) {
    super();
  }

  /**
   * Composites the picture from the start if there are two sources, or if the browser can pass
   * frames through a worker without copying them. A still screen delivers no new frames, so without
   * compositing, a recorder that starts later would get none. `worker` is the URL of
   * compositor-worker.ts.
   */
  static async begin(
    worker: string,
    captured: CapturedTracks,
    bubble: Bubble,
  ): Promise<RecorderPicture> {
    const picture = new RecorderPicture(worker, captured, bubble);
    if ((captured.screen && captured.camera) || canTransferFrames())
      await picture.#compose(timeouts.choosing, null);
    return picture;
  }

  get track(): MediaStreamTrack {
    return this.#compositor?.track ?? this.#base;
  }

  /** Whether the picture is composited. A composited picture delivers frames even if its sources do not. */
  get isComposed(): boolean {
    return this.#compositor !== null;
  }

  set bubble(bubble: Bubble) {
    this.place = bubble;
    if (this.#compositor) this.#compositor.bubble = bubble;
  }

  /** The sources that have not delivered a frame yet. Empty if the picture is not composited. */
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
   * Switches from the captured track to a composited picture, which always delivers frames. The composited picture
   * starts with the frame that `preview` shows. For a shared tab, it starts without a frame.
   */
  compose(preview: HTMLVideoElement): Promise<void> {
    if (this.#compositor) return Promise.resolve();
    // Do not begin with the most recent frame of a shared tab: the tab may be this page, and its
    // countdown must not be recorded. Nor is that frame needed, because a tab delivers a frame to
    // each new consumer.
    const still = (): VideoFrame | null =>
      this.#base.getSettings().displaySurface === "browser" ? null : stillOf(preview);
    this.#composing ??= this.#compose(timeouts.recording, still()).finally(
      () => (this.#composing = null),
    );
    return this.#composing;
  }

  /**
   * Keeps the size of a composited picture from changing, because a recording has a single size.
   */
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

  async #compose(limits: Timeouts, still: VideoFrame | null): Promise<void> {
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

/** Copies the frame that a video shows. The copy has even sides. */
function stillOf(video: HTMLVideoElement): VideoFrame | null {
  if (!showsPicture(video) || typeof VideoFrame === "undefined") return null;
  const { width, height } = evenSize({ width: video.videoWidth, height: video.videoHeight });
  return new VideoFrame(video, { timestamp: 0, visibleRect: { x: 0, y: 0, width, height } });
}

/**
 * Returns a message that names the sources missing from the recording. Returns an empty string if none is missing.
 * `alone` means that the picture has only one source.
 */
export function missingMessage(
  missing: readonly PictureSource[],
  { alone, lostSound }: { alone: boolean; lostSound: boolean },
): string {
  const messages: string[] = [];
  if (missing.length === 2)
    messages.push(
      "Your screen and camera haven’t appeared yet. You’re still recording, and they’ll be in it from the moment they appear.",
    );
  else if (missing[0] === "camera" && !alone)
    messages.push("Your camera isn’t sending a picture. You’re recording without it.");
  else if (missing[0])
    messages.push(
      `Your ${missing[0]} hasn’t appeared yet. You’re still recording, and it’ll be in it from the moment it appears.`,
    );
  if (lostSound) messages.push("No sound is arriving, so you’re recording without sound.");
  return messages.join(" ");
}
