// The camera on the screen as one picture, composed in a worker where the browser can, else in the page at the worker's ticks.
import { type Bubble, draw, type Drawable } from "./bubble.js";
import { Refusal } from "./capture.js";

/** What the worker is told to begin with. Streams where the page can make them, tracks where only a worker can read them. */
export interface Begin extends Size {
  screen: ReadableStream<VideoFrame> | MediaStreamTrack;
  camera: ReadableStream<VideoFrame> | MediaStreamTrack;
  out?: WritableStream<VideoFrame>;
}
interface Size {
  width: number;
  height: number;
}
export type Told = { begin: Begin; bubble: Bubble } | { bubble: Bubble } | { every: number };
export type Said = { tick: true } | { cannot: true } | { failed: true } | { track: MediaStreamTrack };

const rate = 30;
const cannot = "The camera could not be put on the screen. Record the screen alone, or try again.";

/** Dispatches `failed` when the picture does not change any more, and should. */
export class Compositor extends EventTarget {
  /** The composed picture. */
  track!: MediaStreamTrack;
  #worker: Worker;
  #bubble: Bubble;
  #clones: MediaStreamTrack[] = [];
  #videos: HTMLVideoElement[] = [];

  private constructor(worker: string, bubble: Bubble) {
    super();
    this.#worker = new Worker(worker, { type: "module" });
    this.#bubble = bubble;
    this.#worker.addEventListener("error", () => this.dispatchEvent(new Event("failed")));
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Said>) => { if ("failed" in data) this.dispatchEvent(new Event("failed")); });
  }

  /** Starts composing two tracks; `worker` is the address of compositor-worker.ts. */
  static async begin(worker: string, screen: MediaStreamTrack, camera: MediaStreamTrack, bubble: Bubble): Promise<Compositor> {
    const made = new Compositor(worker, bubble);
    const failed = new Promise<never>((_, reject) => made.addEventListener("failed", () => reject(new Refusal(cannot)), { once: true }));
    const track = async (): Promise<MediaStreamTrack> => {
      const sized = await size(screen);
      return made.#streamed(screen, camera, sized) ?? (await made.#inWorker(screen, camera, sized)) ?? made.#inPage(screen, camera, sized);
    };
    try {
      made.track = await Promise.race([track(), failed]);
      return made;
    } catch (error) {
      made.close();
      throw error;
    }
  }

  set bubble(bubble: Bubble) {
    this.#bubble = bubble;
    this.#tell({ bubble });
  }

  close(): void {
    this.#worker.terminate();
    // There is none where it failed at its beginning.
    (this.track as MediaStreamTrack | undefined)?.stop();
    for (const clone of this.#clones) clone.stop();
    for (const video of this.#videos) video.srcObject = null;
  }

  #tell(told: Told, transfer: Transferable[] = []): void {
    this.#worker.postMessage(told, transfer);
  }

  /** Chromium: the page makes streams of frames, and the worker gets them. */
  #streamed(screen: MediaStreamTrack, camera: MediaStreamTrack, sized: Size): MediaStreamTrack | null {
    if (typeof MediaStreamTrackProcessor === "undefined" || typeof MediaStreamTrackGenerator === "undefined") return null;
    const generator = new MediaStreamTrackGenerator({ kind: "video" });
    const begin = { screen: new MediaStreamTrackProcessor({ track: screen }).readable, camera: new MediaStreamTrackProcessor({ track: camera }).readable, out: generator.writable, ...sized };
    this.#tell({ begin, bubble: this.#bubble }, [begin.screen, begin.camera, begin.out] as unknown as Transferable[]);
    return generator;
  }

  /** Safari: tracks go to the worker, and the composed one comes back. */
  #inWorker(screen: MediaStreamTrack, camera: MediaStreamTrack, sized: Size): Promise<MediaStreamTrack | null> {
    const clones = [screen.clone(), camera.clone()] as const;
    const begin = { screen: clones[0], camera: clones[1], ...sized };
    return new Promise((resolve) => {
      this.#worker.addEventListener("message", ({ data }: MessageEvent<Said>) => resolve("track" in data ? data.track : null), { once: true });
      try {
        this.#tell({ begin, bubble: this.#bubble }, clones as unknown as Transferable[]);
      } catch {
        // Tracks cannot be given to workers here.
        for (const clone of clones) clone.stop();
        resolve(null);
      }
    });
  }

  /** Firefox: drawn in the page, thirty times a second by the worker's clock. */
  async #inPage(screen: MediaStreamTrack, camera: MediaStreamTrack, sized: Size): Promise<MediaStreamTrack> {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, sized);
    const context = canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("no canvas");
    this.#videos = await Promise.all([screen, camera].map(played));
    const [on, face] = this.#videos.map((video) => (): Drawable => ({ image: video, width: video.videoWidth || 1, height: video.videoHeight || 1 }));
    const stream = canvas.captureStream(0);
    const track = stream.getVideoTracks()[0] as MediaStreamTrack & { requestFrame?: () => void };
    const sent = stream as MediaStream & { requestFrame?: () => void };
    let rested = 0;
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Said>) => {
      const began = performance.now();
      if (!("tick" in data) || began < rested) return;
      draw(context, on?.() ?? null, camera.readyState === "live" ? (face?.() ?? null) : null, this.#bubble);
      if (track.requestFrame) track.requestFrame();
      else sent.requestFrame?.();
      // A slow machine gets fewer frames rather than a page that does nothing else.
      rested = 2 * performance.now() - began;
    });
    this.#tell({ every: 1000 / rate });
    return track;
  }
}

/** The size of a recording of it; encoders want even numbers. Until its first frame, a screen is said to be as large as it may be. */
async function size(screen: MediaStreamTrack): Promise<Size> {
  const video = await Promise.race([played(screen), new Promise<null>((resolve) => setTimeout(resolve, 1000, null))]);
  const { width = 1280, height = 720 } = video && video.videoWidth > 0 ? { width: video.videoWidth, height: video.videoHeight } : screen.getSettings();
  if (video) video.srcObject = null;
  return { width: width - (width % 2), height: height - (height % 2) };
}

async function played(track: MediaStreamTrack): Promise<HTMLVideoElement> {
  const video = document.createElement("video");
  video.muted = true;
  video.srcObject = new MediaStream([track]);
  await video.play();
  return video;
}
