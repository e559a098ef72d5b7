// The camera bubble: its position, its rendering, and the handle that moves and resizes it on the preview.

/**
 * `x` and `y` are the center, in fractions of the picture's width and height. `size` is the
 * diameter, as a fraction of the height.
 */
export interface Bubble {
  x: number;
  y: number;
  size: number;
}

/** The lower left corner, where slides and programs usually show the least content. */
export const defaultBubble: Bubble = { x: 0.1, y: 0.82, size: 0.28 };

/** Keeps a bubble inside the picture. `aspect` is the picture's width divided by its height. */
export function clampBubble({ x, y, size }: Bubble, aspect: number): Bubble {
  const diameter = Math.min(Math.max(size, 0.12), Math.min(0.8, aspect));
  const half = diameter / 2;
  return {
    x: Math.min(Math.max(x, half / aspect), 1 - half / aspect),
    y: Math.min(Math.max(y, half), 1 - half),
    size: diameter,
  };
}

/** An image and its size in pixels. */
export interface Drawable {
  image: CanvasImageSource;
  width: number;
  height: number;
}

/** Draws the whole screen, and the camera in the bubble. Areas that the screen does not cover are black. */
export function drawComposite(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  screen: Drawable | null,
  camera: Drawable | null,
  bubble: Bubble,
): void {
  const { width, height } = context.canvas;
  // Scale the screen to fit. A shared window may change its proportions during the recording, but the recording keeps
  // its size.
  const scale = screen ? Math.min(width / screen.width, height / screen.height) : 0;
  const [w, h] = screen ? [screen.width * scale, screen.height * scale] : [0, 0];
  if (Math.round(w) < width || Math.round(h) < height) {
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
  }
  if (screen) context.drawImage(screen.image, (width - w) / 2, (height - h) / 2, w, h);
  if (!camera) return;
  const { x, y, size } = clampBubble(bubble, width / height);
  const diameter = size * height;
  drawFace(context, camera, x * width - diameter / 2, y * height - diameter / 2, diameter);
}

/** Draws the center of the camera's picture in a circle. */
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

/**
 * Lets the person move and resize the bubble with a pointer or the keyboard. Calls `onMove` with
 * each new position.
 */
export class BubbleHandle {
  #place: Bubble;
  #aspect = 16 / 9;

  constructor(
    readonly element: HTMLElement,
    place: Bubble,
    readonly onMove: (place: Bubble) => void,
  ) {
    this.#place = place;
    element.addEventListener("pointerdown", (event) => this.#handleDown(event));
    element.addEventListener("keydown", (event) => this.#handleKey(event));
    this.#show();
  }

  get place(): Bubble {
    return this.#place;
  }

  /** The picture's width divided by its height. */
  set aspect(aspect: number) {
    this.#aspect = aspect;
    this.#show();
  }

  #moveTo(place: Bubble): void {
    this.#place = clampBubble(place, this.#aspect);
    this.#show();
    this.onMove(this.#place);
  }

  #show(): void {
    const { x, y, size } = clampBubble(this.#place, this.#aspect);
    const { style } = this.element;
    style.left = `${100 * x}%`;
    style.top = `${100 * y}%`;
    style.height = `${100 * size}%`;
  }

  #handleDown(event: PointerEvent): void {
    if (event.button !== 0) return;
    const frame = this.element.parentElement?.getBoundingClientRect();
    if (!frame) return;
    const from = this.#place;
    const center = [frame.left + from.x * frame.width, frame.top + from.y * frame.height] as const;
    const resizes =
      event.target instanceof Element && event.target.closest(".bubble-corner") !== null;
    const distanceTo = ({ clientX, clientY }: PointerEvent): number =>
      Math.hypot(clientX - center[0], clientY - center[1]);
    const move = (now: PointerEvent): void => {
      if (resizes)
        this.#moveTo({ ...from, size: (from.size * distanceTo(now)) / distanceTo(event) });
      else
        this.#moveTo({
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

  #handleKey(event: KeyboardEvent): void {
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
    this.#moveTo(place);
  }
}
