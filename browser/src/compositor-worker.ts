// Puts the camera on the screen, frame by frame, in a worker: a hidden tab slows everything else down.
import { type Bubble, draw, type Drawable } from "./bubble.js";
import type { Begin, Said, Told } from "./compositor.js";
import { Planes } from "./planes.js";

const scope = self as unknown as { postMessage(message: Said, transfer?: Transferable[]): void; addEventListener(type: "message", listener: (event: MessageEvent<Told>) => void): void };

/** A camera slower than this (ms) does not hold a moving screen back. */
const patience = 40;

let bubble: Bubble;
let ticking: ReturnType<typeof setInterval> | undefined;

scope.addEventListener("message", ({ data }) => {
  if ("bubble" in data) bubble = data.bubble;
  if ("begin" in data) begin(data.begin);
  // For browsers that compose in the page: their timers are slow where they are not seen, ours are not.
  if ("every" in data) {
    clearInterval(ticking);
    if (data.every > 0) ticking = setInterval(() => scope.postMessage({ tick: true }), data.every);
  }
});

function begin({ screen, camera, out, width, height }: Begin): void {
  let writable: WritableStream<VideoFrame>;
  if (out) writable = out;
  else {
    if (typeof VideoTrackGenerator === "undefined" || typeof MediaStreamTrackProcessor === "undefined") return scope.postMessage({ cannot: true });
    const generator = new VideoTrackGenerator();
    writable = generator.writable;
    scope.postMessage({ track: generator.track }, [generator.track as unknown as Transferable]);
  }
  const composer = new Composer(writable.getWriter(), width, height);
  for (const [source, which] of [[screen, "screen"], [camera, "camera"]] as const) composer.follow(frames(source), which).catch(() => scope.postMessage({ failed: true }));
}

/** Tracks come as such where only workers can read them. */
function frames(source: ReadableStream<VideoFrame> | MediaStreamTrack): ReadableStream<VideoFrame> {
  return source instanceof ReadableStream ? source : new MediaStreamTrackProcessor({ track: source }).readable;
}

class Composer {
  #context: OffscreenCanvasRenderingContext2D;
  #held: Record<"screen" | "camera", VideoFrame | null> = { screen: null, camera: null };
  /** Null once they failed: the canvas is slower, and takes everything. */
  #planes: Planes | null;
  /** The last frame of the screen is with the planes. */
  #flat = false;
  #over = { screen: false, camera: false };
  #drawn = 0;
  #spare: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly writer: WritableStreamDefaultWriter<VideoFrame>,
    width: number,
    height: number,
  ) {
    const context = new OffscreenCanvas(width, height).getContext("2d", { alpha: false, desynchronized: true });
    if (!context) throw new Error("no canvas");
    this.#context = context;
    this.#planes = new Planes(width, height);
  }

  /** Reads a source to its end. */
  async follow(source: ReadableStream<VideoFrame>, which: "screen" | "camera"): Promise<void> {
    const reader = source.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      this.#held[which]?.close();
      this.#held[which] = next.value;
      try {
        if (which === "screen") await this.#flatten(next.value);
        // A still screen gives a frame a second: the camera sets the pace.
        if (which === "camera" || this.#over.camera || performance.now() - this.#drawn > patience) this.#compose();
      } catch (error) {
        if (!this.#planes) throw error;
        this.#planes = null;
        this.#flat = false;
      }
    }
    this.#over[which] = true;
    if (which === "camera") {
      this.#held.camera?.close();
      this.#held.camera = null;
      // Without a camera nothing else keeps a still screen going.
      this.#spare = setInterval(() => { if (performance.now() - this.#drawn > 500) this.#compose(); }, 500);
    } else {
      clearInterval(this.#spare);
      this.#held.screen?.close();
      this.#held.screen = null;
      void this.writer.close().catch(() => undefined);
    }
  }

  async #flatten(screen: VideoFrame): Promise<void> {
    const flat = this.#planes?.fits(screen) ?? false;
    if (flat) {
      await this.#planes?.take(screen);
      screen.close();
      this.#held.screen = null;
    }
    this.#flat = flat;
  }

  #compose(): void {
    const { screen, camera } = this.#held;
    // What cannot be taken as fast as it comes is left out, not queued.
    if ((!screen && !this.#flat) || this.#over.screen || (this.writer.desiredSize ?? 0) <= 0) return;
    this.#drawn = performance.now();
    const frame = this.#frame(screen, camera && drawable(camera), Math.round(this.#drawn * 1000));
    this.writer.write(frame).catch(() => frame.close());
  }

  #frame(screen: VideoFrame | null, camera: Drawable | null, timestamp: number): VideoFrame {
    if (this.#flat && this.#planes) return this.#planes.compose(camera, bubble, timestamp);
    draw(this.#context, screen && drawable(screen), camera, bubble);
    return new VideoFrame(this.#context.canvas, { timestamp });
  }
}

function drawable(frame: VideoFrame): Drawable {
  return { image: frame, width: frame.displayWidth, height: frame.displayHeight };
}
