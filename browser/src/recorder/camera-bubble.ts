// The camera bubble: where it is, how it is drawn, and the handle by which one moves and resizes it over the preview.

/** The middle as shares of the picture's width and height, and the diameter as a share of its height. */
export interface Bubble {
  x: number;
  y: number;
  size: number;
}

/** At the lower left, a quarter of the height: slides and programs have least there. */
export const usual: Bubble = { x: 0.1, y: 0.82, size: 0.28 };

/** The bubble within a picture whose width is `aspect` × its height. */
export function within({ x, y, size }: Bubble, aspect: number): Bubble {
  const kept = Math.min(Math.max(size, 0.12), Math.min(0.8, aspect));
  const half = kept / 2;
  return {
    x: Math.min(Math.max(x, half / aspect), 1 - half / aspect),
    y: Math.min(Math.max(y, half), 1 - half),
    size: kept,
  };
}

/** Anything that can be drawn, with its size. */
export interface Drawable {
  image: CanvasImageSource;
  width: number;
  height: number;
}

/** Draws the screen, all of it, and the camera in the bubble. Without a screen the rest is black. */
export function draw(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  screen: Drawable | null,
  camera: Drawable | null,
  bubble: Bubble,
): void {
  const { width, height } = context.canvas;
  // A window that changed its shape keeps its proportions; the recording keeps its size.
  const scale = screen ? Math.min(width / screen.width, height / screen.height) : 0;
  const [w, h] = screen ? [screen.width * scale, screen.height * scale] : [0, 0];
  if (Math.round(w) < width || Math.round(h) < height) {
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
  }
  if (screen) context.drawImage(screen.image, (width - w) / 2, (height - h) / 2, w, h);
  if (!camera) return;
  const { x, y, size } = within(bubble, width / height);
  const diameter = size * height;
  drawFace(context, camera, x * width - diameter / 2, y * height - diameter / 2, diameter);
}

/** Draws the middle of the camera's picture as a disc. */
export function drawFace(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  camera: Drawable,
  left: number,
  top: number,
  diameter: number,
): void {
  const side = Math.min(camera.width, camera.height);
  context.save();
  context.beginPath();
  context.arc(left + diameter / 2, top + diameter / 2, diameter / 2, 0, 2 * Math.PI);
  context.clip();
  context.drawImage(
    camera.image,
    (camera.width - side) / 2,
    (camera.height - side) / 2,
    side,
    side,
    left,
    top,
    diameter,
    diameter,
  );
  context.restore();
}

/** Moves and resizes by pointer and by keys; says each new place. */
export class BubbleHandle {
  #place: Bubble;
  #aspect = 16 / 9;

  constructor(
    readonly element: HTMLElement,
    place: Bubble,
    readonly moved: (place: Bubble) => void,
  ) {
    this.#place = place;
    element.addEventListener("pointerdown", (event) => this.#grab(event));
    element.addEventListener("keydown", (event) => this.#key(event));
    this.#show();
  }

  get place(): Bubble {
    return this.#place;
  }

  /** The picture under it has this width × its height. */
  set aspect(aspect: number) {
    this.#aspect = aspect;
    this.#show();
  }

  #put(place: Bubble): void {
    this.#place = within(place, this.#aspect);
    this.#show();
    this.moved(this.#place);
  }

  #show(): void {
    const { x, y, size } = within(this.#place, this.#aspect);
    const { style } = this.element;
    style.left = `${100 * x}%`;
    style.top = `${100 * y}%`;
    style.height = `${100 * size}%`;
  }

  #grab(event: PointerEvent): void {
    if (event.button !== 0) return;
    const frame = this.element.parentElement?.getBoundingClientRect();
    if (!frame) return;
    const from = this.#place;
    const middle = [frame.left + from.x * frame.width, frame.top + from.y * frame.height] as const;
    const resize =
      event.target instanceof Element && event.target.closest(".bubble-corner") !== null;
    const began = Math.hypot(event.clientX - middle[0], event.clientY - middle[1]);
    const move = (now: PointerEvent) => {
      if (resize)
        this.#put({
          ...from,
          size: (from.size * Math.hypot(now.clientX - middle[0], now.clientY - middle[1])) / began,
        });
      else
        this.#put({
          ...from,
          x: from.x + (now.clientX - event.clientX) / frame.width,
          y: from.y + (now.clientY - event.clientY) / frame.height,
        });
    };
    const end = () => {
      this.element.removeEventListener("pointermove", move);
      this.element.removeEventListener("pointerup", end);
      this.element.removeEventListener("pointercancel", end);
    };
    this.element.setPointerCapture(event.pointerId);
    this.element.addEventListener("pointermove", move);
    this.element.addEventListener("pointerup", end);
    this.element.addEventListener("pointercancel", end);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 0.1 : 0.02;
    const { x, y, size } = this.#place;
    const by: Partial<Record<string, Bubble>> = {
      ArrowLeft: { x: x - step, y, size },
      ArrowRight: { x: x + step, y, size },
      ArrowUp: { x, y: y - step, size },
      ArrowDown: { x, y: y + step, size },
      "+": { x, y, size: size + 0.04 },
      "-": { x, y, size: size - 0.04 },
    };
    const place = by[event.key];
    if (!place) return;
    event.preventDefault();
    this.#put(place);
  }
}
