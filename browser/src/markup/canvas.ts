// Displays a document: draws the shapes on the picture, and draws the selection and the crop over them.
import { cropPixels } from "./crop-shapes.js";
import type { MarkupDocument } from "./document.js";
import { drawShapes, redactedPixels } from "./draw.js";
import { bounds, boxHandles, handlesOf, type Handle } from "./geometry.js";
import type { Mark } from "./marks.js";
import type { Box, Point, Shape } from "./shapes.js";
import type { Viewport } from "./viewport.js";

const svgNamespace = "http://www.w3.org/2000/svg";

/**
 * The minimum length in screen pixels at which a side gets its own handle. On a shorter side, that handle would cover
 * the handles of the corners.
 */
const minSideForHandle = 48;

export class MarkupCanvas {
  readonly shapesLayer = svg("markup-shapes");
  readonly overlay = svg("markup-over");
  /**
   * Whether the selected mark has handles. Drawing tools hide them, because the next shape often begins close to the
   * last one.
   */
  hasHandles = false;
  /** Set once the canvas is on the page. */
  viewport!: Viewport;
  #drawn = new Map<number, { shape: Shape; element: SVGElement }>();
  #preview: SVGElement | null = null;
  /** Shapes that a pointer is changing, by mark id. They are shown instead of the document's shapes. */
  #changes: ReadonlyMap<number, Shape> = new Map();
  #marquee: Box | null = null;
  #crop: Box | null = null;
  #hiddenId: number | null = null;

  /** `lossy` means that the picture is compressed in blocks. */
  constructor(
    readonly doc: MarkupDocument,
    readonly lossy: boolean,
  ) {
    const { width, height } = doc.size;
    this.shapesLayer.setAttribute("viewBox", `0 0 ${width} ${height}`);
  }

  /** Redraws the shapes that changed in the document. Keeps the elements of unchanged shapes. */
  update(): void {
    const existing = new Set<number>();
    let before: Element | null = null;
    for (const { id, shape } of this.doc.marks) {
      existing.add(id);
      const element = this.#elementOf(id, this.#changes.get(id) ?? shape);
      const next: Element | null = before
        ? before.nextElementSibling
        : this.shapesLayer.firstElementChild;
      if (next !== element) this.shapesLayer.insertBefore(element, next);
      before = element;
    }
    for (const [id, { element }] of this.#drawn) {
      if (existing.has(id)) continue;
      element.remove();
      this.#drawn.delete(id);
    }
    this.drawOverlay();
  }

  #elementOf(id: number, shape: Shape): SVGElement {
    const drawn = this.#drawn.get(id);
    if (drawn?.shape === shape) return drawn.element;
    const element = this.#drawShape(shape);
    if (id === this.#hiddenId) element.setAttribute("visibility", "hidden");
    drawn?.element.replaceWith(element);
    this.#drawn.set(id, { shape, element });
    return element;
  }

  #drawShape(shape: Shape): SVGElement {
    const { width, height } = this.doc.size;
    return drawShapes([shape], width, height, this.lossy)[0] as SVGElement;
  }

  /** Shows the shape that is being drawn; null removes it. */
  showPreview(shape: Shape | null): void {
    const element = shape ? this.#drawShape(shape) : null;
    if (this.#preview && element) this.#preview.replaceWith(element);
    else {
      this.#preview?.remove();
      // Insert the preview of a redaction below all shapes, because the redaction will also lie there once it is added.
      if (element && shape?.kind === "redaction") this.shapesLayer.prepend(element);
      else if (element) this.shapesLayer.append(element);
    }
    this.#preview = element;
  }

  /** Shows these shapes, by mark id, instead of the document's shapes while a pointer moves or resizes them. */
  showChanges(shapes: ReadonlyMap<number, Shape>): void {
    for (const id of this.#changes.keys()) {
      const mark = shapes.has(id) ? undefined : this.doc.marks.find((one) => one.id === id);
      if (mark) this.#elementOf(id, mark.shape);
    }
    this.#changes = shapes;
    for (const [id, shape] of shapes) this.#elementOf(id, shape);
    this.drawOverlay();
  }

  /** Hides the text shape that is being edited in the text field; null shows it again. */
  hideMark(id: number | null): void {
    if (this.#hiddenId !== null)
      this.#drawn.get(this.#hiddenId)?.element.removeAttribute("visibility");
    this.#hiddenId = id;
    if (id !== null) this.#drawn.get(id)?.element.setAttribute("visibility", "hidden");
    this.drawOverlay();
  }

  showMarquee(box: Box | null): void {
    this.#marquee = box;
    this.drawOverlay();
  }

  /** Shows the crop that is being chosen, in picture pixels; null hides it. */
  showCrop(box: Box | null): void {
    this.#crop = box;
    this.drawOverlay();
  }

  /** The handle nearest to a window position, within `reach` pixels. */
  handleAt(clientX: number, clientY: number, reach: number): Handle | null {
    const point = this.viewport.toImage(clientX, clientY);
    const [x, y] = this.viewport.toStage(point);
    const [selected] = this.doc.selected;
    if (selected && !this.#crop) reach = Math.min(reach, this.#maxReach(selected.shape, point));
    const nearest = this.#handles()
      .map(([handle, at]) => ({ handle, distance: Math.hypot(at[0] - x, at[1] - y) }))
      .sort((a, b) => a.distance - b.distance)[0];
    return nearest && nearest.distance <= reach ? nearest.handle : null;
  }

  /**
   * The maximum distance, in screen pixels, from which a handle of the shape can be grabbed. It is
   * short enough that a small shape can still be dragged by its interior, and a short line by its
   * middle.
   */
  #maxReach(shape: Shape, [x, y]: Point): number {
    const [left, top, w, h] = bounds(shape, this.doc.size);
    if ("from" in shape) return (Math.hypot(w, h) * this.viewport.scale) / 3;
    const isInside = x > left && x < left + w && y > top && y < top + h;
    return isInside ? (Math.min(w, h) * this.viewport.scale) / 3 : Infinity;
  }

  /** The handles and their positions in stage pixels. */
  #handles(): [Handle, Point][] {
    const onStage = (handles: [Handle, Point][]): [Handle, Point][] =>
      handles.map(([handle, at]) => [handle, this.viewport.toStage(at)]);
    if (this.#crop) return onStage(boxHandles(this.#crop));
    const [only, more] = this.doc.selected;
    if (!this.hasHandles || !only || more || only.id === this.#hiddenId) return [];
    const shape = this.#changes.get(only.id) ?? only.shape;
    const handles = onStage(handlesOf(shape, this.doc.size));
    if (handles.length < 8) return handles;
    const [, , w, h] = bounds(shape, this.doc.size);
    return handles.filter(([handle]) => {
      const side = /[ns]/.test(handle) ? w : h;
      return handle.length === 2 || side * this.viewport.scale >= minSideForHandle;
    });
  }

  /** Draws the crop, the selection, the marquee and the handles. */
  drawOverlay(): void {
    this.overlay.replaceChildren(
      ...this.#cropElements(),
      ...(this.#crop ? [] : this.doc.selected.flatMap((mark) => this.#selectionElements(mark))),
      ...(this.#marquee ? frameElements("marquee", this.#boxOnStage(this.#marquee)) : []),
      ...this.#handles().map(([handle, at]) => handleElement(handle, at)),
    );
  }

  #boxOnStage([x, y, w, h]: Box): Box {
    const { scale } = this.viewport;
    return [...this.viewport.toStage([x, y]), w * scale, h * scale];
  }

  /**
   * The shade over the parts that the crop removes and, while the crop is being chosen, the frame
   * around the crop.
   */
  #cropElements(): SVGElement[] {
    const { doc } = this;
    const { width, height } = this.viewport.stageSize;
    const crop = this.#crop ?? (doc.crop && cropPixels(doc.crop, doc.size.width, doc.size.height));
    if (!crop) return [];
    const [x, y, w, h] = this.#boxOnStage(crop);
    const shade = element("path", this.#crop ? "crop-shade" : "crop-gone", {
      d: `M0 0H${width}V${height}H0ZM${x} ${y}V${y + h}H${x + w}V${y}Z`,
      "fill-rule": "evenodd",
    });
    return this.#crop ? [shade, ...frameElements("crop-frame", [x, y, w, h])] : [shade];
  }

  #selectionElements({ id, shape: stored }: Mark): SVGElement[] {
    if (id === this.#hiddenId) return [];
    const shape = this.#changes.get(id) ?? stored;
    const { width, height } = this.doc.size;
    if ("from" in shape) {
      // Draw no outline around a single line, because the outline would hide the line's handles.
      if (this.doc.selected.length === 1) return [];
      const toStage = ([x, y]: Point): Point => this.viewport.toStage([x * width, y * height]);
      const [[x1, y1], [x2, y2]] = [toStage(shape.from), toStage(shape.to)];
      return [element("line", "upper strung", { x1, y1, x2, y2 })];
    }
    const box =
      shape.kind === "redaction"
        ? redactedPixels(shape.box, width, height, this.lossy)
        : bounds(shape, this.doc.size);
    const [x, y, w, h] = this.#boxOnStage(box);
    return frameElements("chosen", [x - 3, y - 3, w + 6, h + 6]);
  }
}

/** Draws a frame that is visible on every picture: a light outline on top of a dark one. */
function frameElements(name: string, [x, y, width, height]: Box): SVGElement[] {
  return ["under", "upper"].map((layer) =>
    element("rect", `${layer} ${name}`, { x, y, width, height }),
  );
}

function handleElement(handle: Handle, [x, y]: Point): SVGElement {
  return handle === "from" || handle === "to"
    ? element("circle", "handle", { cx: x, cy: y, r: 6 })
    : element("rect", "handle", { x: x - 5, y: y - 5, width: 10, height: 10, rx: 2 });
}

function element(
  name: string,
  className: string,
  attributes: Record<string, number | string>,
): SVGElement {
  const result = document.createElementNS(svgNamespace, name);
  result.setAttribute("class", className);
  for (const [key, value] of Object.entries(attributes)) result.setAttribute(key, String(value));
  return result;
}

function svg(className: string): SVGSVGElement {
  const result = document.createElementNS(svgNamespace, "svg");
  result.setAttribute("class", className);
  result.setAttribute("aria-hidden", "true");
  result.setAttribute("focusable", "false");
  return result;
}
