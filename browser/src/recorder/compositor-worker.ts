// Composites frames in a worker, because browsers throttle the scripts of a hidden tab but not workers.
import { type Bubble, drawComposite, type Drawable } from "./camera-bubble.js";
import type { BeginCommand, Layer, WorkerCommand, WorkerReport } from "./compositor-client.js";
import { evenSize, type Size, sizeOf } from "./picture-size.js";
import { I420Composer } from "./i420.js";

const scope = self as unknown as {
  postMessage(message: WorkerReport, transfer?: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<WorkerCommand>) => void): void;
};

/**
 * While the camera delivers frames, a picture is sent for each of them, and new screen frames become part of these
 * pictures. A screen frame is sent immediately only if no picture has been sent for this many milliseconds.
 */
const screenFrameGap = 40;
/** After this many milliseconds without a camera frame, screen frames are sent immediately again. */
const cameraStall = 200;
/**
 * The last picture is sent again after this many milliseconds, because a recorder waits for frames and a still screen
 * delivers few.
 */
const repeatInterval = 250;

let bubble: Bubble;
let composer: Composer | undefined;
let ticker: ReturnType<typeof setInterval> | undefined;

scope.addEventListener("message", ({ data }) => {
  if ("bubble" in data) bubble = data.bubble;
  if ("begin" in data) begin(data.begin);
  if ("fixSize" in data) composer?.fixSize();
  // Send ticks to a page that composites the picture itself, because in a hidden tab only workers' timers run at full
  // speed.
  if ("every" in data) {
    clearInterval(ticker);
    ticker = setInterval(() => scope.postMessage({ tick: true }), data.every);
  }
});

function begin({ base, overlay, still, out, ...size }: BeginCommand): void {
  let writable: WritableStream<VideoFrame>;
  if (out) writable = out;
  else {
    if (
      typeof VideoTrackGenerator === "undefined" ||
      typeof MediaStreamTrackProcessor === "undefined"
    )
      return scope.postMessage({ cannot: true });
    const generator = new VideoTrackGenerator();
    writable = generator.writable;
    scope.postMessage({ track: generator.track }, [generator.track]);
  }
  composer = new Composer(writable.getWriter(), size, overlay !== null, still);
  composer.start();
  void composer.follow(framesOf(base), "base");
  if (overlay) void composer.follow(framesOf(overlay), "overlay");
}

/** Returns a stream of frames. The source is a track if only workers can read frames. */
function framesOf(
  source: ReadableStream<VideoFrame> | MediaStreamTrack,
): ReadableStream<VideoFrame> {
  return source instanceof ReadableStream
    ? source
    : new MediaStreamTrackProcessor({ track: source }).readable;
}

class Composer {
  #context: OffscreenCanvasRenderingContext2D;
  /** The last frame of each layer. */
  #latest: Record<Layer, VideoFrame | null>;
  /** The layers that have delivered a frame. */
  #taken = new Set<Layer>();
  /** The layers that have been part of a sent picture. */
  #sent = new Set<Layer>();
  #ended: Record<Layer, boolean> = { base: false, overlay: false };
  /**
   * Composites in memory. Null if there is no overlay, or after an error. If null, the canvas
   * composites instead, which is slower but works with every frame format.
   */
  #planes: I420Composer | null = null;
  /** Whether `#planes` contains the last base frame. */
  #baseIsInPlanes = false;
  #sizeIsFixed = false;
  /** The last base frame that was sent unchanged instead of being copied. */
  #passedOn: VideoFrame | null = null;
  /** The time at which the last picture was sent, on the clock of `performance.now()`. */
  #sentAt = -Infinity;
  /**
   * The time at which the overlay delivered its last frame, on the clock of `performance.now()`.
   */
  #overlayAt = -Infinity;
  #repeatTimer: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly writer: WritableStreamDefaultWriter<VideoFrame>,
    { width, height }: Size,
    readonly hasOverlay: boolean,
    still: VideoFrame | null,
  ) {
    const context = new OffscreenCanvas(width, height).getContext("2d", {
      alpha: false,
      desynchronized: true,
    });
    if (!context) throw new Error("no canvas");
    this.#context = context;
    this.#latest = { base: still, overlay: null };
    if (hasOverlay) this.#planes = new I420Composer(width, height);
  }

  /** Starts sending pictures, even if no layer has delivered a frame yet. */
  start(): void {
    this.#try(() => this.#compose());
    this.#repeatTimer = setInterval(() => {
      if (performance.now() - this.#sentAt >= repeatInterval) this.#try(() => this.#compose());
    }, repeatInterval);
  }

  /** Locks the size of the picture. Before this call, the picture has the size of the last base frame. */
  fixSize(): void {
    this.#sizeIsFixed = true;
  }

  /** Reads the frames of a layer until the stream ends. */
  async follow(source: ReadableStream<VideoFrame>, layer: Layer): Promise<void> {
    try {
      const reader = source.getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        this.#receive(next.value, layer);
        if (layer === "base") await this.#moveToPlanes(next.value);
        if (this.#isDue(layer)) this.#try(() => this.#compose());
      }
    } catch {
      return this.#fail();
    }
    this.#endLayer(layer);
  }

  #receive(frame: VideoFrame, layer: Layer): void {
    this.#latest[layer]?.close();
    this.#latest[layer] = frame;
    if (layer === "overlay") this.#overlayAt = performance.now();
    else this.#fitSize(frame);
    this.#taken.add(layer);
  }

  /** Gives the picture the size of a base frame, unless the size is locked. */
  #fitSize(frame: VideoFrame): void {
    const { width, height } = evenSize(sizeOf(frame));
    const { canvas } = this.#context;
    if (this.#sizeIsFixed || (canvas.width === width && canvas.height === height)) return;
    Object.assign(canvas, { width, height });
    this.#baseIsInPlanes = false;
    if (this.#planes) this.#planes = new I420Composer(width, height);
  }

  /** Whether a new frame of this layer should be sent immediately. */
  #isDue(layer: Layer): boolean {
    const now = performance.now();
    return (
      layer === "overlay" ||
      this.#ended.overlay ||
      now - this.#overlayAt > cameraStall ||
      now - this.#sentAt > screenFrameGap
    );
  }

  async #moveToPlanes(base: VideoFrame): Promise<void> {
    const planes = this.#planes;
    const flat = planes?.fits(base) ?? false;
    if (planes && flat) {
      try {
        await planes.setScreen(base);
      } catch {
        return this.#leavePlanes();
      }
      // If `#planes` failed while this frame was being copied, keep the frame, because the canvas needs it.
      if (this.#planes !== planes) return;
      base.close();
      this.#latest.base = null;
    }
    this.#baseIsInPlanes = flat;
  }

  /** Switches to compositing with the canvas. */
  #leavePlanes(): void {
    if (this.#baseIsInPlanes && this.#planes)
      this.#latest.base ??= this.#planes.still(Math.round(performance.now() * 1000));
    this.#planes = null;
    this.#baseIsInPlanes = false;
  }

  /**
   * Runs an action. If it fails, switches to compositing with the canvas. If the canvas is already in use, reports the
   * failure.
   */
  #try(act: () => void): void {
    try {
      act();
    } catch {
      if (!this.#planes) return this.#fail();
      try {
        this.#leavePlanes();
      } catch {
        this.#fail();
      }
    }
  }

  #compose(): void {
    // If the recorder is too slow, drop frames instead of queueing them.
    if (this.#ended.base || (this.writer.desiredSize ?? 0) <= 0) return;
    this.#sentAt = performance.now();
    const frame = this.#frame(Math.round(this.#sentAt * 1000));
    this.writer.write(frame).catch(() => frame.close());
    for (const layer of this.#taken) {
      if (this.#sent.has(layer)) continue;
      this.#sent.add(layer);
      scope.postMessage({ arrived: layer });
    }
  }

  #frame(timestamp: number): VideoFrame {
    const { base, overlay } = this.#latest;
    const { canvas } = this.#context;
    if (this.#baseIsInPlanes && this.#planes)
      return this.#planes.compose(overlay && drawable(overlay), bubble, timestamp);
    // If nothing has to be drawn on the frame, send the frame itself instead of a copy. Send it
    // only once: a captured frame keeps its capture time, and a recorder ignores a frame whose
    // capture time repeats.
    if (
      !this.hasOverlay &&
      base &&
      base !== this.#passedOn &&
      base.displayWidth === canvas.width &&
      base.displayHeight === canvas.height
    ) {
      this.#passedOn = base;
      return new VideoFrame(base, { timestamp });
    }
    drawComposite(this.#context, base && drawable(base), overlay && drawable(overlay), bubble);
    return new VideoFrame(canvas, { timestamp });
  }

  #endLayer(layer: Layer): void {
    this.#ended[layer] = true;
    this.#latest[layer]?.close();
    this.#latest[layer] = null;
    // If the camera ends, continue with the screen alone.
    if (layer === "overlay") return;
    clearInterval(this.#repeatTimer);
    this.writer.close().catch(() => undefined);
  }

  #fail(): void {
    clearInterval(this.#repeatTimer);
    scope.postMessage({ failed: true });
  }
}

function drawable(frame: VideoFrame): Drawable {
  return { image: frame, ...sizeOf(frame) };
}

scope.postMessage({ ready: true });
