// Loads the picture that the editor marks up.
import { make } from "../lib/dom.js";

export interface LoadedPicture {
  /** Null if this page may show the picture but may not read its bytes. */
  blob: Blob | null;
  /** The URL from which the image is shown. */
  url: string;
  image: HTMLImageElement;
}

/** Loads a picture from a blob or a same-origin URL. Returns null if the browser cannot decode it. */
export async function loadPicture(source: Blob | string): Promise<LoadedPicture | null> {
  const blob = typeof source === "string" ? await fetchBlob(source) : source;
  const url = blob ? URL.createObjectURL(blob) : (source as string);
  const image = make("img", { alt: "", draggable: "false" });
  image.src = url;
  try {
    await image.decode();
  } catch {
    return null;
  }
  return { blob, url, image };
}

/**
 * Returns the picture's bytes, or null if they cannot be read, for example because another host
 * delivers them.
 */
async function fetchBlob(url: string): Promise<Blob | null> {
  try {
    const response = await fetch(url, { credentials: "same-origin" });
    return response.ok ? await response.blob() : null;
  } catch {
    return null;
  }
}
