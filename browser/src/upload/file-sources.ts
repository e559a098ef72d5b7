// Accepts files that are dropped anywhere on the page or pasted.
import { formatTimestamp } from "../lib/dom.js";
import { insertsText, pastedFiles } from "../lib/pasted-files.js";

/**
 * Calls `onFiles` for dropped and pasted files, and marks the page while files are dragged over it. `withText` means
 * that the browser also inserts pasted text into a field. Stops when `signal` is aborted.
 */
export function listenForFiles(
  onFiles: (files: File[], withText: boolean) => void,
  signal: AbortSignal,
): void {
  const { classList } = document.documentElement;
  // When the pointer enters a child element, the child's `dragenter` event fires before the parent's `dragleave` event,
  // so count both events.
  let depth = 0;
  const trackDrag = (event: DragEvent, change: number): void => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = Math.max(0, depth + change);
    classList.toggle("dropping", depth > 0);
  };
  addEventListener("dragenter", (event) => trackDrag(event, 1), { signal });
  addEventListener("dragleave", (event) => trackDrag(event, -1), { signal });
  addEventListener(
    "dragover",
    (event) => {
      if (hasFiles(event)) event.preventDefault();
    },
    { signal },
  );
  addEventListener(
    "drop",
    (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth = 0;
      classList.remove("dropping");
      onFiles([...(event.dataTransfer?.files ?? [])], false);
    },
    { signal },
  );
  addEventListener(
    "paste",
    (event) => {
      const files = pastedFiles(event);
      if (files.length === 0) return;
      const withText = insertsText(event);
      if (!withText) event.preventDefault();
      onFiles(files.map(withPasteTime), withText);
    },
    { signal },
  );
  signal.addEventListener("abort", () => classList.remove("dropping"));
}

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** Gives a pasted picture a name that contains the time, because browsers call every pasted picture image.png. */
function withPasteTime(file: File): File {
  if (!/^image\.\w+$/.test(file.name)) return file;
  const extension = file.name.split(".").pop() ?? "png";
  return new File([file], `Pasted ${formatTimestamp(undefined, ".")}.${extension}`, {
    type: file.type,
  });
}

/** Suggests a title for an update created from a file: its kind and the time. Names of files make poor titles. */
export function suggestTitle({ name, type }: File): string {
  const picture = /^(screenshot|pasted)\b/i.test(name) ? "Screenshot" : "Picture";
  return `${type.startsWith("video/") ? "Video" : picture}, ${formatTimestamp()}`;
}
