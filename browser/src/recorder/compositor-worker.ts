// Composes frame by frame in a worker, because a hidden tab slows everything else down.
import { type Bubble, draw, type Drawable } from "./camera-bubble.js";
import type { Begin, Layer, Order, Report } from "./compositor-client.js";
import { evenSize, type Size, sizeOf } from "./picture-size.js";
import { Planes } from "./i420.js";

const scope = self as unknown as {
  postMessage(message: Report, transfer?: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Order>) => void): void;
};

/** Milliseconds. With a camera that delivers, its frames set the pace, and a screen's frames add to them only after such a gap. */
const gap = 40;
/** Milliseconds after which a camera without a new frame no longer sets the pace. */
const stall = 200;
/** Milliseconds after which the last picture is sent again: a recorder waits for frames, and a still screen delivers few or none. */
const beat = 250;

let bubble: Bubble;
let composer: Composer | undefined;
let ticking: ReturnType<typeof setInterval> | undefined;

scope.addEventListener("message", ({ data }) => {
  if ("bubble" in data) bubble = data.bubble;
  if ("begin" in data) begin(data.begin);
  if ("fixSize" in data) composer?.fixSize();
  // For browsers that compose in the page: their timers are slow in a hidden tab, a worker's are not.
  if ("every" in data) {
    clearInterval(ticking);
    ticking = setInterval(() => scope.postMessage({ tick: true }), data.every);
  }
});

function begin({ base, overlay, still, out, ...size }: Begin): void {
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
  void composer.follow(frames(base), "base");
  if (overlay) void composer.follow(frames(overlay), "overlay");
}

/** Tracks come as such where only workers can read them. */
function frames(source: ReadableStream<VideoFrame> | MediaStreamTrack): ReadableStream<VideoFrame> {
  return source instanceof ReadableStream
    ? source
    : new MediaStreamTrackProcessor({ track: source }).readable;
}

class Composer {
  #context: OffscreenCanvasRenderingContext2D;
  /** The last frame of each layer. */
  #latest: Record<Layer, VideoFrame | null>;
  /** The layers that have delivered a frame, and those of which a picture was sent. */
  #taken = new Set<Layer>();
  #sent = new Set<Layer>();
  #over: Record<Layer, boolean> = { base: false, overlay: false };
  /** Null without an overlay, and once they failed: the canvas is slower, and takes everything. */
  #planes: Planes | null = null;
  /** The last frame of the base is with the planes. */
  #flat = false;
  #sizeIsFixed = false;
  /** The frame of the base that was passed on last. */
  #passedOn: VideoFrame | null = null;
  /** When a picture was sent last, and when the overlay delivered last. */
  #sentAt = -Infinity;
  #overlayAt = -Infinity;
  #beat: ReturnType<typeof setInterval> | undefined;

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
    if (hasOverlay) this.#planes = new Planes(width, height);
  }

  /** Sends pictures from here on, whether or not a layer delivers frames. */
  start(): void {
    this.#try(() => this.#compose());
    this.#beat = setInterval(() => {
      if (performance.now() - this.#sentAt >= beat) this.#try(() => this.#compose());
    }, beat);
  }

  /** Keeps the size of the picture, which is that of the base until then. */
  fixSize(): void {
    this.#sizeIsFixed = true;
  }

  /** Reads a layer to its end. */
  async follow(source: ReadableStream<VideoFrame>, layer: Layer): Promise<void> {
    try {
      const reader = source.getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        this.#take(next.value, layer);
        if (layer === "base") await this.#flatten(next.value);
        if (this.#isDue(layer)) this.#try(() => this.#compose());
      }
    } catch {
      return this.#fail();
    }
    this.#end(layer);
  }

  #take(frame: VideoFrame, layer: Layer): void {
    this.#latest[layer]?.close();
    this.#latest[layer] = frame;
    if (layer === "overlay") this.#overlayAt = performance.now();
    else this.#fit(frame);
    this.#taken.add(layer);
  }

  /** Gives the picture the size of the base, until that is fixed. */
  #fit(frame: VideoFrame): void {
    const { width, height } = evenSize(sizeOf(frame));
    const { canvas } = this.#context;
    if (this.#sizeIsFixed || (canvas.width === width && canvas.height === height)) return;
    Object.assign(canvas, { width, height });
    this.#flat = false;
    if (this.#planes) this.#planes = new Planes(width, height);
  }

  /** Whether a frame of this layer is to be sent at once. */
  #isDue(layer: Layer): boolean {
    const now = performance.now();
    return (
      layer === "overlay" ||
      this.#over.overlay ||
      now - this.#overlayAt > stall ||
      now - this.#sentAt > gap
    );
  }

  async #flatten(base: VideoFrame): Promise<void> {
    const planes = this.#planes;
    const flat = planes?.fits(base) ?? false;
    if (planes && flat) {
      try {
        await planes.take(base);
      } catch {
        return this.#leavePlanes();
      }
      // They failed meanwhile, with the camera: the canvas needs the frame.
      if (this.#planes !== planes) return;
      base.close();
      this.#latest.base = null;
    }
    this.#flat = flat;
  }

  /** Goes on with the canvas. */
  #leavePlanes(): void {
    if (this.#flat && this.#planes)
      this.#latest.base ??= this.#planes.still(Math.round(performance.now() * 1000));
    this.#planes = null;
    this.#flat = false;
  }

  /** Does without the planes what fails with them. What fails without them, too, is reported. */
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
    // What cannot be taken as fast as it comes is left out, not queued.
    if (this.#over.base || (this.writer.desiredSize ?? 0) <= 0) return;
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
    if (this.#flat && this.#planes)
      return this.#planes.compose(overlay && drawable(overlay), bubble, timestamp);
    // Nothing to draw: passed on without a copy, but only once. A captured frame keeps the time of its capture, and a recorder that gets the same
    // time again and again writes nothing.
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
    draw(this.#context, base && drawable(base), overlay && drawable(overlay), bubble);
    return new VideoFrame(canvas, { timestamp });
  }

  #end(layer: Layer): void {
    this.#over[layer] = true;
    this.#latest[layer]?.close();
    this.#latest[layer] = null;
    // Without a camera the screen goes on alone.
    if (layer === "overlay") return;
    clearInterval(this.#beat);
    this.writer.close().catch(() => undefined);
  }

  #fail(): void {
    clearInterval(this.#beat);
    scope.postMessage({ failed: true });
  }
}

function drawable(frame: VideoFrame): Drawable {
  return { image: frame, ...sizeOf(frame) };
}

scope.postMessage({ ready: true });
