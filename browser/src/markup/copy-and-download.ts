// Copies the marked picture to the clipboard, or saves it as a file.
import { make } from "../lib/dom.js";

/** Copies a picture. Resolves with a message about the result. */
export async function copyToClipboard(picture: () => Promise<Blob>): Promise<string> {
  if (typeof ClipboardItem === "undefined" || !("write" in (navigator.clipboard ?? {}))) {
    return isSecureContext
      ? "This browser cannot copy pictures. Download the picture instead."
      : "Browsers copy pictures only over https. Download the picture instead.";
  }
  try {
    // Pass a promise instead of waiting for the picture. By the time the picture is ready, the browser may refuse to
    // copy, because the click was too long ago.
    await navigator.clipboard.write([new ClipboardItem({ "image/png": picture() })]);
    return "The marked picture is copied.";
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotAllowedError")
      return "The browser blocked the copy. Allow access to the clipboard next to the address, or download the picture.";
    return `The picture could not be copied. ${error instanceof Error ? error.message : ""}`.trim();
  }
}

/** Saves a picture as a file. Resolves with a message about the result. */
export async function download(picture: () => Promise<Blob>, name: string): Promise<string> {
  try {
    const address = URL.createObjectURL(await picture());
    const file = `${
      name
        .replace(/\.(png|jpe?g|webp|gif)$/i, "")
        // eslint-disable-next-line no-control-regex -- invalid in file names
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
