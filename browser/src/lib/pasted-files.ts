// The files and the text of a paste.
import { isTextEntry } from "./dom.js";

/**
 * The files that a paste adds. Office programs put HTML, plain text and a picture of the copied text on the clipboard,
 * and some put the picture there in several formats. If there is HTML, all pictures therefore show the same, and only
 * the first is used.
 */
export function pastedFiles({ clipboardData }: ClipboardEvent): File[] {
  const files = [...(clipboardData?.files ?? [])];
  if (!clipboardData?.types.includes("text/html")) return files;
  const first = files.find(({ type }) => type.startsWith("image/"));
  return files.filter((file) => file === first || !file.type.startsWith("image/"));
}

/** Whether the browser inserts text into the field with the focus, unless the event is cancelled. */
export function insertsText(event: ClipboardEvent): boolean {
  return isTextEntry(event.target) && event.clipboardData?.types.includes("text/plain") === true;
}
