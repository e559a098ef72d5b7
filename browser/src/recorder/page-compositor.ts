// Composites the picture on a canvas in the page. Used if the worker does not load, cannot
// composite, or receives no frames.
import { type Bubble, drawComposite, type Drawable } from "./camera-bubble.js";
import type { Layer, Tracks } from "./compositor-client.js";
import { evenSize, type Size, sizeOf } from "./picture-size.js";
import { showsPicture } from "./track-probe.js";

/** Frames per second. */
export const frameRate = 30;

export class PageCompositor {
  readonly track: MediaStreamTrack;
  bubble: Bubble;
  #context: CanvasRenderingContext2D;
  #stream: MediaStream;
  #videos: Partial<Record<Layer, HTMLVideoElement>> = {};
  #sizeIsFixed = false;
  #restUntil = 0;
  #hasFailed = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * Calls `arrived` at the first frame of each layer, and `failed` if drawing fails. `still` is drawn until the base
   * track has a frame.
   */
  constructor(
    readonly tracks: Tracks,
    size: Size,
    bubble: Bubble,
    readonly still: VideoFrame | null,
    readonly arrived: (layer: Layer) => void,
    readonly failed: () => void,
  ) {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, size);
    const context = canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("This browser cannot draw on a canvas.");
    this.#context = context;
    this.bubble = bubble;
    this.#videos.base = this.#play("base", tracks.base);
    if (tracks.overlay) this.#videos.overlay = this.#play("overlay", tracks.overlay);
    this.#stream = canvas.captureStream(0);
    const [track] = this.#stream.getVideoTracks();
    if (!track) throw new Error("This browser cannot capture a canvas.");
    this.track = track;
    this.#timer = setInterval(() => this.#tryToDraw(), 1000 / frameRate);
  }

  /**
   * Called by the worker's clock. Draws a frame, and stops the page's own timer, which browsers throttle in hidden
   * tabs.
   */
  tick(): void {
    clearInterval(this.#timer);
    this.#tryToDraw();
  }

  /** Locks the picture's size. */
  fixSize(): void {
    this.#sizeIsFixed = true;
  }

  close(): void {
    clearInterval(this.#timer);
    this.track.stop();
    this.still?.close();
    for (const video of Object.values(this.#videos)) video.srcObject = null;
  }

  #play(layer: Layer, track: MediaStreamTrack): HTMLVideoElement {
    const video = document.createElement("video");
    video.muted = true;
    video.addEventListener("loadeddata", () => this.arrived(layer), { once: true });
    video.srcObject = new MediaStream([track]);
    // Do not await play(): it resolves only once there is a frame, and rejects if the video is closed before that.
    video.play().catch(() => undefined);
    return video;
  }

  /** Draws unless drawing has failed before. */
  #tryToDraw(): void {
    if (this.#hasFailed) return;
    try {
      this.#draw();
    } catch {
      this.#hasFailed = true;
      clearInterval(this.#timer);
      this.failed();
    }
  }

  #draw(): void {
    const began = performance.now();
    if (began < this.#restUntil) return;
    const base =
      this.#frame("base") ?? (this.still && { image: this.still, ...sizeOf(this.still) });
    if (base && !this.#sizeIsFixed) this.#resize(evenSize(base));
    drawComposite(
      this.#context,
      base,
      this.tracks.overlay?.readyState === "live" ? this.#frame("overlay") : null,
      this.bubble,
    );
    const source = [this.track, this.#stream].find(
      (one): one is CanvasCaptureMediaStreamTrack => "requestFrame" in one,
    );
    source?.requestFrame();
    // On a slow machine, draw fewer frames so that the page stays responsive.
    this.#restUntil = 2 * performance.now() - began;
  }

  #resize({ width, height }: Size): void {
    const { canvas } = this.#context;
    // Set the size only if it changes, because setting it clears the canvas.
    if (canvas.width !== width || canvas.height !== height)
      Object.assign(canvas, { width, height });
  }

  #frame(layer: Layer): Drawable | null {
    const video = this.#videos[layer];
    if (!video || !showsPicture(video)) return null;
    return { image: video, width: video.videoWidth, height: video.videoHeight };
  }
}
