// Composes where the frames already are in memory as planes of brightness and colour (I420), as most screens and windows come: turning each whole
// frame into red, green and blue and back again costs several times as much as all of the rest.
import { type Bubble, type Drawable, drawFace, within } from "./camera-bubble.js";

/** What red, green and blue (0 to 255) add to brightness and to the two colours, by the kind of the frame (ITU-R BT.601 and BT.709, limited range). */
const weights = {
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

export class Planes {
  /** The screen as it came, the one that is coming, and what is composed of it. */
  #screen: Uint8Array<ArrayBuffer>;
  #coming: Uint8Array<ArrayBuffer>;
  #out: Uint8Array<ArrayBuffer>;
  #colors: VideoColorSpace | null = null;
  #face = new OffscreenCanvas(2, 2).getContext("2d", { willReadFrequently: true });

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    [this.#screen, this.#coming, this.#out] = [0, 1, 2].map(
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

  /** Takes the next frame of the screen, which may be closed then. */
  async take(frame: VideoFrame): Promise<void> {
    await frame.copyTo(this.#coming);
    this.#colors = frame.colorSpace;
    [this.#screen, this.#coming] = [this.#coming, this.#screen];
  }

  /** The screen that was taken last with the camera on it. */
  compose(camera: Drawable | null, bubble: Bubble, timestamp: number): VideoFrame {
    this.#out.set(this.#screen);
    if (camera) this.#put(camera, bubble);
    return this.#frame(this.#out, timestamp);
  }

  /** A copy of the screen that was taken last, for whoever draws in another way from here on. */
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

  #put(camera: Drawable, bubble: Bubble): void {
    const context = this.#face;
    if (!context) return;
    const { width, height } = this;
    const place = within(bubble, width / height);
    // Even, because a colour stands for four pixels.
    const size = 2 * Math.floor((place.size * height) / 2);
    const left = 2 * Math.max(0, Math.round((place.x * width - size / 2) / 2));
    const top = 2 * Math.max(0, Math.round((place.y * height - size / 2) / 2));
    if (context.canvas.width !== size) context.canvas.width = context.canvas.height = size;
    context.clearRect(0, 0, size, size);
    drawFace(context, camera, 0, 0, size);
    const { data } = context.getImageData(0, 0, size, size);
    const [[yr, yg, yb], [ur, ug, ub], [vr, vg, vb]] =
      weights[this.#colors?.matrix === "bt709" ? "bt709" : "bt601"];
    const out = this.#out;
    const chroma = width * height;
    for (let y = 0; y < size; y += 2) {
      for (let x = 0; x < size; x += 2) {
        let [red, green, blue, cover] = [0, 0, 0, 0];
        for (let n = 0; n < 4; n += 1) {
          const [dx, dy] = [n & 1, n >> 1];
          const from = 4 * ((y + dy) * size + x + dx);
          const [r, g, b, alpha] = [
            data[from] ?? 0,
            data[from + 1] ?? 0,
            data[from + 2] ?? 0,
            (data[from + 3] ?? 0) / 255,
          ];
          if (alpha === 0) continue;
          const to = (top + y + dy) * width + left + x + dx;
          out[to] = (1 - alpha) * (out[to] ?? 0) + alpha * (16 + (yr * r + yg * g + yb * b) / 255);
          [red, green, blue, cover] = [
            red + alpha * r,
            green + alpha * g,
            blue + alpha * b,
            cover + alpha,
          ];
        }
        if (cover === 0) continue;
        const to = chroma + ((top + y) >> 1) * (width >> 1) + ((left + x) >> 1);
        const next = to + chroma / 4;
        const [r, g, b, share] = [red / cover, green / cover, blue / cover, cover / 4];
        out[to] = (1 - share) * (out[to] ?? 0) + share * (128 + (ur * r + ug * g + ub * b) / 255);
        out[next] =
          (1 - share) * (out[next] ?? 0) + share * (128 + (vr * r + vg * g + vb * b) / 255);
      }
    }
  }
}
