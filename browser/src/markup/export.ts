// The marked picture taken along: to the clipboard, and as a file.
import { make } from "../lib/dom.js";

/** Copies a picture; answers what became of it, in words. */
export async function copyPicture(picture: () => Promise<Blob>): Promise<string> {
  if (typeof ClipboardItem === "undefined" || !("write" in (navigator.clipboard ?? {}))) {
    return isSecureContext
      ? "This browser does not copy pictures. Download it."
      : "Browsers copy pictures only over https. Download it.";
  }
  try {
    // The promise goes along, so that the press still counts when the picture is ready.
    await navigator.clipboard.write([new ClipboardItem({ "image/png": picture() })]);
    return "The marked picture is copied.";
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotAllowedError")
      return "The browser did not let it be copied. Allow the clipboard beside the address, or download it.";
    return `The picture could not be copied. ${error instanceof Error ? error.message : ""}`.trim();
  }
}

export async function downloadPicture(picture: () => Promise<Blob>, name: string): Promise<string> {
  try {
    const address = URL.createObjectURL(await picture());
    const file = `${
      name
        .replace(/\.(png|jpe?g|webp|gif)$/i, "")
        // eslint-disable-next-line no-control-regex -- no file system takes them in a name
        .replace(/[\\/:*?"<>|\u0000-\u001f]+/g, " ")
        .trim() || "picture"
    } marked.png`;
    make("a", { href: address, download: file }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    return `Downloaded as ${file}`;
  } catch (error) {
    return `The picture could not be downloaded. ${error instanceof Error ? error.message : ""}`.trim();
  }
}
