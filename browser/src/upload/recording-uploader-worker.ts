// The worker of `RecordingUploader`. Recordings are sent from a worker, because browsers throttle the scripts of hidden
// tabs but not workers. The worker holds the Web Lock that marks a recording as being sent.
import { RecordingSender } from "./recording-sender.js";
import type { SendProgress } from "./send-progress.js";
import { recordingLock, Spool, type Piece, type Recording } from "./spool.js";
import { discardUpload, encodeMetadata, fetchPersonId, sendTusRequest } from "./tus.js";

interface BeginCommand {
  command: "begin";
  type: string;
  name: string;
  update?: string;
}
interface ResumeCommand {
  command: "resume";
  id: string;
}

/** Messages from the page. */
export type WorkerCommand =
  | BeginCommand
  | ResumeCommand
  | { command: "piece"; blob: Blob; untilMs: number }
  | { command: "finish" | "discard" | "retry" };

/** Messages to the page. */
export type WorkerReport =
  | { event: "begun"; recording: Recording }
  | { event: "progress"; progress: SendProgress }
  | { event: "finished" | "discarded" | "slept" }
  | { event: "failed"; command: "begin" | "finish" | "discard"; message: string };

/** A longer gap between ticks means that the computer slept or the browser was suspended. */
const SLEEP_MS = 20_000;

const spool = new Spool();
let sender: RecordingSender | undefined;
let progress: SendProgress | undefined;
/** Resolves `allSpooled`. Called when the last piece is in the spool, or when the spool could not store it. */
let resolveSpooled: () => void;
const allSpooled = new Promise<void>((resolve) => (resolveSpooled = resolve));

addEventListener("message", ({ data }: MessageEvent<WorkerCommand>) => {
  switch (data.command) {
    case "begin":
    case "resume":
      return void begin(data);
    case "piece":
      return sender?.addPiece(data.blob, data.untilMs);
    case "finish":
      return void sender?.finish().then(resolveSpooled);
    case "discard":
      return void discard();
    case "retry":
      return sender?.retryNow();
  }
});

let lastTick = performance.now();
setInterval(() => {
  const elapsed = performance.now() - lastTick;
  lastTick += elapsed;
  if (elapsed > SLEEP_MS) report({ event: "slept" });
}, 1000);

function report(message: WorkerReport): void {
  postMessage(message);
}

async function begin(command: BeginCommand | ResumeCommand): Promise<void> {
  try {
    if (command.command === "begin") start(await createRecording(command));
    else await resume(command.id);
  } catch (error) {
    report({
      event: "failed",
      command: "begin",
      message: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Creates the upload on the server and adds the recording to the spool. */
async function createRecording({ type, name, update }: BeginCommand): Promise<Recording> {
  const [response, person] = await Promise.all([
    sendTusRequest("POST", "/uploads", {
      headers: {
        "Upload-Defer-Length": "1",
        "Upload-Metadata": encodeMetadata({
          filename: name,
          filetype: type,
          ...(update ? { update } : {}),
        }),
      },
    }),
    fetchPersonId(),
  ]);
  const { status, location, media } = response;
  if (status === 401 || person === null)
    throw new Error("You are signed out. Sign in again in another tab, then start.");
  if (status === 0 || person === undefined)
    throw new Error(
      "The server is not responding, so recording hasn’t started. Try again in a moment.",
    );
  const updateId = response.update ?? update;
  if (status !== 201 || !location || !media || !updateId)
    throw new Error(
      response.message || `The server rejected the recording (${status}). Try again in a moment.`,
    );
  // Use only the path, because behind a proxy the server's host name may differ from the page's.
  const url = new URL(location, self.location.href).pathname;
  const recording: Recording = {
    id: url.slice(url.lastIndexOf("/") + 1),
    url,
    update: updateId,
    media,
    person,
    name,
    type,
    began: Date.now(),
    safe: 0,
    safeMs: 0,
  };
  await acquireLock(recording.id);
  // Ignore a failure, because recording also works without a spool. Writing the first piece will fail too, and the page
  // then warns the person.
  await spool.addRecording(recording).catch(() => {});
  return recording;
}

/** Sends the rest of a recording that another page began. */
async function resume(id: string): Promise<void> {
  if (!(await acquireLock(id))) throw new Error("Another tab is already sending this recording.");
  const recording = await spool.getRecording(id);
  if (!recording) throw new Error("This browser no longer has this recording.");
  // Fetch the offset, because the server may have received more bytes than the spool knows about.
  const { offset } = await sendTusRequest("HEAD", recording.url);
  if (offset !== null) recording.safe = Math.max(recording.safe, offset);
  start(recording, await spool.listPieces(recording));
  // The recording has no pieces beyond those in the spool, so declare its end.
  void sender?.finish().then(resolveSpooled);
}

function start(recording: Recording, spooled?: Piece[]): void {
  const onProgress = (current: SendProgress): void => {
    progress = current;
    report({ event: "progress", progress: current });
  };
  sender = new RecordingSender(recording, spool, onProgress, spooled);
  report({ event: "begun", recording });
  void sender.run().then(async (isComplete) => {
    if (isComplete) return report({ event: "finished" });
    // The page terminates this worker when the failure is reported, so first wait until the last piece is in the spool.
    await allSpooled;
    if (progress?.state === "refused")
      report({ event: "failed", command: "finish", message: progress.message });
  });
}

/**
 * Acquires a recording's lock and holds it until this worker ends. Resolves with `false` if another
 * page holds the lock.
 */
function acquireLock(id: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(recordingLock(id), { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock && new Promise(() => {});
      })
      .catch(reject);
  });
}

/** Deletes the recording on the server and then in the spool. If the server cannot delete it, the spool keeps it. */
async function discard(): Promise<void> {
  if (!sender) return;
  const { id } = sender.recording;
  const message = await discardUpload(sender.recording);
  if (message === null) {
    await sender.stop();
    await spool.removeRecording(id).catch(() => {});
    report({ event: "discarded" });
  } else {
    report({ event: "failed", command: "discard", message });
  }
}
