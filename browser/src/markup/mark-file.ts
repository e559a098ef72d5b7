// Marks up a picture before it is sent, so that redacted and cropped-away pixels never leave this
// browser.
import { describeLoss, type Shape } from "./shapes.js";

/** The picture to send, and the marks to save on it afterwards. */
export interface MarkedFile {
  file: File;
  shapes: Shape[];
}

/** Whether a file is a picture that can be marked up. GIFs cannot, because they may be animated. */
export async function canMarkUp(file: File): Promise<boolean> {
  if (!/^image\/(png|jpeg|webp)$/.test(file.type)) return false;
  // A picture that the browser cannot decode is uploaded unchanged, and the server reports what is wrong.
  return createImageBitmap(file).then(
    (bitmap) => (bitmap.close(), true),
    () => false,
  );
}

/** Opens the editor on a file. Returns null if the person decides not to add the file. */
export async function markUpFile(file: File): Promise<MarkedFile | null> {
  const [{ edit }, { redactPicture }] = await Promise.all([
    import("./editor-dialog.js"),
    import("./flatten.js"),
  ]);
  let marked: MarkedFile | null = null;
  const saved = await edit({
    picture: file,
    name: file.name,
    markup: { shapes: [], crop: null },
    allowsDestruction: true,
    lossWarning: (markup) =>
      `${describeLoss(markup, "never leaves this browser")} Nobody can restore it, not even you.`,
    saveLabel: "Add",
    leaveLabel: "Discard",
    save: async (markup) => {
      const { picture, shapes } = await redactPicture(file, markup);
      marked = { file: picture === file ? file : toFile(picture, file.name), shapes };
    },
  });
  return saved ? marked : null;
}

/** Creates a file from a redacted picture. Its type, and therefore its extension, may differ from the original's. */
function toFile(picture: Blob, originalName: string): File {
  const extensions: Record<string, string> = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
  };
  const base = originalName.replace(/\.(png|apng|jpe?g|webp|gif)$/i, "");
  return new File([picture], `${base}.${extensions[picture.type] ?? "png"}`, {
    type: picture.type,
  });
}
