// Adds explanations to the rows of media whose upload was interrupted or is running elsewhere.
import { formatBytes, formatTimestamp } from "../lib/dom.js";
import { listUploads, type UnfinishedUpload } from "./upload-list.js";

/** A recording that has sent nothing for this long is paused, or its page is gone. */
const RECORDING_IDLE_MS = 60_000;

/**
 * Adds to each row how much has arrived and how to continue. Leaves the rows unchanged if the
 * server does not respond.
 */
export async function explainUnfinished(rows: HTMLElement[]): Promise<void> {
  let uploads: UnfinishedUpload[];
  try {
    uploads = await listUploads();
  } catch {
    return;
  }
  for (const row of rows) {
    const upload = uploads.find(({ media }) => media === row.dataset["media"]);
    const message = row.querySelector("[data-say]");
    if (!upload || !message) continue;
    const text = upload.recording ? recordingMessage(upload) : await fileMessage(upload);
    if (text !== null) message.textContent = text;
  }
}

/** The message about an unfinished recording, or null while it may still be running. */
function recordingMessage({ media, received, touched_at }: UnfinishedUpload): string | null {
  const touched = new Date(touched_at);
  if (document.querySelector(`unfinished-recordings [data-of="${CSS.escape(media)}"]`))
    return `Unfinished. ${formatBytes(received)} uploaded; see above.`;
  if (Date.now() - touched.getTime() > RECORDING_IDLE_MS)
    return `${formatBytes(received)} uploaded, nothing since ${formatTimestamp(touched)}. The recording is paused, or its page was closed.`;
  return null;
}

async function fileMessage({ id, received, length }: UnfinishedUpload): Promise<string> {
  const { canResume } = await import("./resume-after-reload.js");
  const advice = (await canResume(id))
    ? "Choose the same file again to continue the upload."
    : "Continue in the browser where you began. Here, remove this upload and choose the file again.";
  const total = length === null ? "" : ` of ${formatBytes(length)}`;
  return `${formatBytes(received)}${total} uploaded. ${advice}`;
}
