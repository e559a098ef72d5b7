// A picture that is still here alone: marked before it is sent, so that what is black on it, or outside the crop, never leaves this browser.
import type { Shape } from "./markup-shapes.js";

/** A picture as it is sent, and the marks that are sent after it. */
export interface Marked {
  file: File;
  shapes: Shape[];
}

/** Whether a file is a picture that stands still. */
export async function stands(file: File): Promise<boolean> {
  if (!/^image\/(png|jpeg|webp|gif)$/.test(file.type)) return false;
  return file.type !== "image/gif" || frames(new Uint8Array(await file.arrayBuffer())) < 2;
}

/** Opens the editor on it. Null when the person would rather not add it. */
export async function mark(file: File): Promise<Marked | null> {
  const [{ edit }, { burn }] = await Promise.all([import("./markup-editor.js"), import("./markup-burn.js")]);
  let marked: Marked | null = null;
  const saved = await edit({
    picture: file,
    name: file.name,
    work: { shapes: [], crop: null },
    destroys: true,
    final: "What is black, and what is outside the crop, never leaves this browser: not you either can bring it back.",
    done: "Add",
    save: async (work) => {
      const { picture, shapes } = await burn(file, work, /jpeg|webp/.test(file.type));
      marked = { file: picture === file ? file : renamed(picture, file.name), shapes };
    },
  });
  return saved ? marked : null;
}

/** Burned, it may be of another kind, and is called so. */
function renamed(picture: Blob, name: string): File {
  const end = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp" }[picture.type] ?? "png";
  return new File([picture], `${name.replace(/\.(png|apng|jpe?g|webp|gif)$/i, "")}.${end}`, { type: picture.type });
}

/** Pictures of a GIF, counted by the blocks that say how long each is shown (GIF89a §23). */
function frames(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at + 7 < bytes.length; at += 1) {
    if (bytes[at] === 0x21 && bytes[at + 1] === 0xf9 && bytes[at + 2] === 4 && bytes[at + 7] === 0) count += 1;
  }
  return count;
}
