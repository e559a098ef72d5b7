// Finds out which files a paste adds, and whether it inserts text.
import { isTextEntry } from "./dom.js";

/**
 * Returns the files that a paste adds. If the clipboard also contains HTML, omits all pictures except the first. Office
 * programs put a picture of the copied text on the clipboard, and some put the same picture there in several formats.
 */
export function pastedFiles({ clipboardData }: ClipboardEvent): File[] {
  const files = [...(clipboardData?.files ?? [])];
  if (!clipboardData?.types.includes("text/html")) return files;
  const first = files.find(({ type }) => type.startsWith("image/"));
  return files.filter((file) => file === first || !file.type.startsWith("image/"));
}

/** Whether the browser is about to insert pasted text into a text field. */
export function insertsText(event: ClipboardEvent): boolean {
  return isTextEntry(event.target) && event.clipboardData?.types.includes("text/plain") === true;
}
