// A picture that is still here alone: marked before it is sent, so that what is black on it, or outside the crop, never leaves this browser.
import { lost, type Shape } from "./shapes.js";

/** A picture as it is sent, and the marks that are sent after it. */
export interface Marked {
  file: File;
  shapes: Shape[];
}

/** Whether a file is a picture that can be marked. A GIF may move. */
export async function markable(file: File): Promise<boolean> {
  if (!/^image\/(png|jpeg|webp)$/.test(file.type)) return false;
  // Of what is no picture after all, the server says what it is.
  return createImageBitmap(file).then(
    (bitmap) => (bitmap.close(), true),
    () => false,
  );
}

/** Opens the editor on it. Null when the person would rather not add it. */
export async function mark(file: File): Promise<Marked | null> {
  const [{ edit }, { burn }] = await Promise.all([import("./editor.js"), import("./flatten.js")]);
  let marked: Marked | null = null;
  const saved = await edit({
    picture: file,
    name: file.name,
    work: { shapes: [], crop: null },
    destroys: true,
    final: (work) =>
      `${lost(work, "never leaves this browser")} Nobody can bring it back, not even you.`,
    done: "Add",
    leave: "Do not add it",
    save: async (work) => {
      const { picture, shapes } = await burn(file, work);
      marked = { file: picture === file ? file : renamed(picture, file.name), shapes };
    },
  });
  return saved ? marked : null;
}

/** Burned, it may be of another kind, and is called so. */
function renamed(picture: Blob, name: string): File {
  const end =
    { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp" }[picture.type] ?? "png";
  return new File([picture], `${name.replace(/\.(png|apng|jpe?g|webp|gif)$/i, "")}.${end}`, {
    type: picture.type,
  });
}
