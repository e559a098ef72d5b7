// Composites frames in memory in the I420 format, which stores luma and chroma in separate planes.
// Captured screens and windows mostly have this format. Converting each whole frame to RGB and back
// would cost several times as much as all other steps together.
import { type Bubble, type Drawable, drawFace, clampBubble } from "./camera-bubble.js";

/**
 * The weights of red, green and blue (each from 0 to 1) in luma (Y) and in the two chroma
 * components (U and V). There is one table per matrix: ITU-R BT.601 and BT.709, limited range.
 */
const yuvWeights = {
  bt601: [
    [65.481, 128.553, 24.966],
    [-37.797, -74.203, 112],
    [112, -93.786, -18.214],
  ],
  bt709: [
    [46.559, 156.629, 15.812],
    [-25.664, -86.336, 112],
    [112, -101.73, -10.27],
  ],
} as const;

export class I420Composer {
  /**
   * Three buffers: the screen's last frame, the screen's next frame while it is being copied, and the composited frame.
   */
  #screen: Uint8Array<ArrayBuffer>;
  #nextScreen: Uint8Array<ArrayBuffer>;
  #composed: Uint8Array<ArrayBuffer>;
  #colors: VideoColorSpace | null = null;
  #face = new OffscreenCanvas(2, 2).getContext("2d", { willReadFrequently: true });

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    [this.#screen, this.#nextScreen, this.#composed] = [0, 1, 2].map(
      () => new Uint8Array((width * height * 3) / 2),
    ) as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
  }

  fits(frame: VideoFrame): boolean {
    const { width, height } = frame.visibleRect ?? { width: 0, height: 0 };
    return (
      frame.format === "I420" &&
      width === this.width &&
      height === this.height &&
      frame.colorSpace.fullRange !== true &&
      this.#face !== null
    );
  }

  /** Copies the screen's next frame. The caller may close the frame afterwards. */
  async setScreen(frame: VideoFrame): Promise<void> {
    await frame.copyTo(this.#nextScreen);
    this.#colors = frame.colorSpace;
    [this.#screen, this.#nextScreen] = [this.#nextScreen, this.#screen];
  }

  /** Returns the screen's last frame with the camera drawn on it. */
  compose(camera: Drawable | null, bubble: Bubble, timestamp: number): VideoFrame {
    this.#composed.set(this.#screen);
    if (camera) this.#blendCamera(camera, bubble);
    return this.#frame(this.#composed, timestamp);
  }

  /** Returns the screen's last frame without the camera. */
  still(timestamp: number): VideoFrame {
    return this.#frame(this.#screen, timestamp);
  }

  #frame(planes: Uint8Array<ArrayBuffer>, timestamp: number): VideoFrame {
    return new VideoFrame(planes, {
      format: "I420",
      codedWidth: this.width,
      codedHeight: this.height,
      timestamp,
      ...(this.#colors ? { colorSpace: this.#colors.toJSON() } : {}),
    });
  }

  #blendCamera(camera: Drawable, bubble: Bubble): void {
    const context = this.#face;
    if (!context) return;
    const { width, height } = this;
    const place = clampBubble(bubble, width / height);
    // Use even numbers, because each chroma value covers 2 × 2 pixels.
    const size = 2 * Math.floor((place.size * height) / 2);
    const left = 2 * Math.max(0, Math.round((place.x * width - size / 2) / 2));
    const top = 2 * Math.max(0, Math.round((place.y * height - size / 2) / 2));
    if (context.canvas.width !== size) context.canvas.width = context.canvas.height = size;
    context.clearRect(0, 0, size, size);
    drawFace(context, camera, 0, 0, size);
    this.#blend(context.getImageData(0, 0, size, size), left, top);
  }

  /** Blends RGBA pixels into the planes. All positions and sizes are even. */
  #blend({ data, width: size }: ImageData, left: number, top: number): void {
    const { width, height } = this;
    const [[yr, yg, yb], [ur, ug, ub], [vr, vg, vb]] =
      yuvWeights[this.#colors?.matrix === "bt709" ? "bt709" : "bt601"];
    const planes = this.#composed;
    const uPlane = width * height;
    for (let y = 0; y < size; y += 2) {
      for (let x = 0; x < size; x += 2) {
        // Add up 2 × 2 pixels, because they share one value of each chroma component.
        let [red, green, blue, cover] = [0, 0, 0, 0];
        for (let n = 0; n < 4; n += 1) {
          const [dx, dy] = [n & 1, n >> 1];
          const from = 4 * ((y + dy) * size + x + dx);
          const alpha = (data[from + 3] ?? 0) / 255;
          if (alpha === 0) continue;
          const [r, g, b] = [data[from] ?? 0, data[from + 1] ?? 0, data[from + 2] ?? 0];
          const at = (top + y + dy) * width + left + x + dx;
          const luma = 16 + (yr * r + yg * g + yb * b) / 255;
          planes[at] = (1 - alpha) * (planes[at] ?? 0) + alpha * luma;
          red += alpha * r;
          green += alpha * g;
          blue += alpha * b;
          cover += alpha;
        }
        if (cover === 0) continue;
        const [r, g, b, share] = [red / cover, green / cover, blue / cover, cover / 4];
        const u = uPlane + ((top + y) >> 1) * (width >> 1) + ((left + x) >> 1);
        const v = u + uPlane / 4;
        const uValue = 128 + (ur * r + ug * g + ub * b) / 255;
        const vValue = 128 + (vr * r + vg * g + vb * b) / 255;
        planes[u] = (1 - share) * (planes[u] ?? 0) + share * uValue;
        planes[v] = (1 - share) * (planes[v] ?? 0) + share * vValue;
      }
    }
  }
}
