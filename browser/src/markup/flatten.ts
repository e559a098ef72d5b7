// Removes redacted and cropped-away pixels before a picture leaves the browser, and paints shapes
// on pictures for the clipboard and for downloads.
import { clipShapes, cropPixels } from "./crop-shapes.js";
import { fontName, isBlockCoded, paintShapes, redactedPixels } from "./draw.js";
import { isDestructive, type Markup, type Shape } from "./shapes.js";

/**
 * Returns the picture without the pixels that the markup redacts or crops away, and the shapes that
 * remain on it. Returns the same blob if the markup removes nothing.
 */
export async function redactPicture(
  picture: Blob,
  markup: Markup,
): Promise<{ picture: Blob; shapes: Shape[] }> {
  if (!isDestructive(markup)) return { picture, shapes: markup.shapes };
  const { canvas, original } = await redactedCanvas(picture, markup);
  const shapes = withoutRedactions(markup);
  const type = isBlockCoded(picture.type) ? picture.type : "image/png";
  return {
    picture: await toBlob(canvas, type),
    shapes: markup.crop ? clipShapes(shapes, markup.crop, original.width, original.height) : shapes,
  };
}

/**
 * Returns the picture as a PNG: cropped, with redacted areas black and the other shapes painted on
 * it.
 */
export async function flattenPicture(picture: Blob, markup: Markup): Promise<Blob> {
  const shapes = withoutRedactions(markup);
  // Load the font before painting. Otherwise, the canvas would paint the text in another font.
  if (shapes.some(({ kind }) => kind === "text" || kind === "step"))
    await document.fonts.load(`16px "${fontName}"`);
  const { canvas, original } = await redactedCanvas(picture, markup);
  const [left, top] = markup.crop
    ? cropPixels(markup.crop, original.width, original.height)
    : [0, 0];
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.translate(-left, -top);
  paintShapes(context, shapes, original.width, original.height);
  return toBlob(canvas, "image/png");
}

function withoutRedactions({ shapes }: Markup): Shape[] {
  return shapes.filter(({ kind }) => kind !== "redaction");
}

/**
 * Returns a canvas with the part of the picture inside the crop, in which redacted areas are black,
 * and the picture's original size.
 */
async function redactedCanvas(
  picture: Blob,
  markup: Markup,
): Promise<{ canvas: HTMLCanvasElement; original: { width: number; height: number } }> {
  const bitmap = await createImageBitmap(picture);
  const original = { width: bitmap.width, height: bitmap.height };
  const [left, top, width, height] = markup.crop
    ? cropPixels(markup.crop, original.width, original.height)
    : [0, 0, original.width, original.height];
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This picture is too large for the browser to redraw.");
  context.drawImage(bitmap, -left, -top);
  bitmap.close();
  context.fillStyle = "#000";
  const lossy = isBlockCoded(picture.type);
  for (const shape of markup.shapes) {
    if (shape.kind !== "redaction") continue;
    const [x, y, w, h] = redactedPixels(shape.box, original.width, original.height, lossy);
    context.fillRect(x - left, y - top, w, h);
  }
  return { canvas, original };
}

async function toBlob(canvas: HTMLCanvasElement, type: string): Promise<Blob> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, 0.95));
  if (!blob) throw new Error("This picture is too large for the browser to redraw.");
  return blob;
}
