// Burning what must not be seen into a picture before it leaves the browser, and putting the shapes on it for the clipboard and for a file.
import { clip, kept } from "./crop-shapes.js";
import { font, inBlocks, paint, redacted } from "./draw.js";
import { destroys, type Shape, type Work } from "./shapes.js";

/** The picture without what was redacted or cropped away, and the shapes that stand on it then; the blob as it was where there is neither. */
export async function burn(picture: Blob, work: Work): Promise<{ picture: Blob; shapes: Shape[] }> {
  if (!destroys(work)) return { picture, shapes: work.shapes };
  const canvas = await burned(picture, work);
  const { width, height } = canvas.full;
  const shapes = work.shapes.filter(({ kind }) => kind !== "redaction");
  const type = inBlocks(picture.type) ? picture.type : "image/png";
  return {
    picture: await blobOf(canvas.canvas, type),
    shapes: work.crop ? clip(shapes, work.crop, width, height) : shapes,
  };
}

/** The picture with everything on it, as a PNG. */
export async function flatten(picture: Blob, work: Work): Promise<Blob> {
  const shapes = work.shapes.filter(({ kind }) => kind !== "redaction");
  // A canvas does not wait for a font.
  if (shapes.some(({ kind }) => kind === "text" || kind === "step"))
    await document.fonts.load(`16px "${font}"`);
  const { canvas, full } = await burned(picture, work);
  const [left, top] = work.crop ? kept(work.crop, full.width, full.height) : [0, 0];
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.translate(-left, -top);
  paint(context, shapes, full.width, full.height);
  return blobOf(canvas, "image/png");
}

/** A canvas with what is left of the picture, and the size the picture had. */
async function burned(
  picture: Blob,
  work: Work,
): Promise<{ canvas: HTMLCanvasElement; full: { width: number; height: number } }> {
  const bitmap = await createImageBitmap(picture);
  const full = { width: bitmap.width, height: bitmap.height };
  const [left, top, width, height] = work.crop
    ? kept(work.crop, full.width, full.height)
    : [0, 0, full.width, full.height];
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This picture is too large for the browser to redraw.");
  context.drawImage(bitmap, -left, -top);
  bitmap.close();
  context.fillStyle = "#000";
  for (const shape of work.shapes) {
    if (shape.kind !== "redaction") continue;
    const [x, y, w, h] = redacted(shape.box, full.width, full.height, inBlocks(picture.type));
    context.fillRect(x - left, y - top, w, h);
  }
  return { canvas, full };
}

async function blobOf(canvas: HTMLCanvasElement, type: string): Promise<Blob> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, 0.95));
  if (!blob) throw new Error("This picture is too large for the browser to redraw.");
  return blob;
}
