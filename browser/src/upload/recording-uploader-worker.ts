// The courier's worker: a tab that is hidden or busy does not slow it down. It holds the lock that says that a page owns the recording.
import { RecordingSender, type SendProgress } from "./recording-sender.js";
import { lockOf, Spool, type Piece, type Recording } from "./spool.js";
import { discard, metadata, send, whoIsThere } from "./tus.js";

interface Begin {
  do: "begin";
  type: string;
  name: string;
  update?: string;
}
interface Resume {
  do: "resume";
  id: string;
}

/** What the page asks for. */
export type Order =
  | Begin
  | Resume
  | { do: "piece"; blob: Blob; untilMs: number }
  | { do: "finish" | "discard" | "hurry" };

/** What the page is told. */
export type Report =
  | { is: "begun"; recording: Recording }
  | { is: "safety"; safety: SendProgress }
  | { is: "finished" | "discarded" | "slept" }
  /** An order was not carried out. */
  | { is: "failed"; order: "begin" | "finish" | "discard"; words: string };

const spool = new Spool();
let sender: RecordingSender | undefined;
let safety: SendProgress | undefined;
/** Resolves when there are no more pieces and all of them are kept. */
let ended: () => void;
const end = new Promise<void>((resolve) => (ended = resolve));

addEventListener("message", ({ data }: MessageEvent<Order>) => {
  if (data.do === "piece") sender?.piece(data.blob, data.untilMs);
  else if (data.do === "hurry") sender?.hurry();
  else if (data.do === "finish") void sender?.finish().then(ended);
  else if (data.do === "discard") void throwAway();
  else if (data.do === "begin" || data.do === "resume") void begin(data);
});

/** Milliseconds in which nothing ran: the computer slept, or the browser was held. */
const SLEEP = 20_000;
let awake = performance.now();
setInterval(() => {
  const before = awake;
  awake = performance.now();
  if (awake - before > SLEEP) report({ is: "slept" });
}, 1000);

function report(said: Report): void {
  postMessage(said);
}

async function begin(order: Begin | Resume): Promise<void> {
  try {
    if (order.do === "begin") start(await create(order));
    else await resume(order.id);
  } catch (error) {
    report({
      is: "failed",
      order: "begin",
      words: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Makes the upload on the server and its place in the spool. */
async function create({ type, name, update }: Begin): Promise<Recording> {
  const [answer, person] = await Promise.all([
    send("POST", "/uploads", {
      headers: {
        "Upload-Defer-Length": "1",
        "Upload-Metadata": metadata({
          filename: name,
          filetype: type,
          ...(update ? { update } : {}),
        }),
      },
    }),
    whoIsThere(),
  ]);
  const { status, location, media } = answer;
  if (status === 401 || person === null)
    throw new Error("You are signed out. Sign in again in another tab, then begin.");
  if (status === 0 || person === undefined)
    throw new Error(
      "The server does not answer, so recording has not begun. Try again in a moment.",
    );
  const belongs = answer.update ?? update;
  if (status !== 201 || !location || !media || !belongs)
    throw new Error(
      answer.words || `The server does not take a recording (${status}). Try again in a moment.`,
    );
  // Only the path: the server may know itself by another name than this page does.
  const url = new URL(location, self.location.href).pathname;
  const recording: Recording = {
    id: url.slice(url.lastIndexOf("/") + 1),
    url,
    update: belongs,
    media,
    person,
    name,
    type,
    began: Date.now(),
    safe: 0,
    safeMs: 0,
  };
  await own(recording.id);
  // Without a spool it is recorded all the same; the pieces will find it missing too, and that is said.
  await spool.add(recording).catch(() => {});
  return recording;
}

/** Goes on with what another page began. */
async function resume(id: string): Promise<void> {
  if (!(await own(id))) throw new Error("Another tab is sending this recording already.");
  const recording = await spool.recording(id);
  if (!recording) throw new Error("This recording is not in this browser any more.");
  // The server may hold more than was written down here.
  const { offset } = await send("HEAD", recording.url);
  if (offset !== null) recording.safe = Math.max(recording.safe, offset);
  start(recording, await spool.pieces(recording));
  // Its end is what is there.
  void sender?.finish().then(ended);
}

function start(recording: Recording, kept?: Piece[]): void {
  const tell = (now: SendProgress): void => {
    safety = now;
    report({ is: "safety", safety: now });
  };
  sender = new RecordingSender(recording, spool, tell, kept);
  report({ is: "begun", recording });
  void sender.run().then(async (whole) => {
    if (whole) return report({ is: "finished" });
    // The page lets go of it then: not before the last piece is kept, too.
    await end;
    if (safety?.state === "refused")
      report({ is: "failed", order: "finish", words: safety.message });
  });
}

/** Takes the lock for as long as this worker lives; false if another has it. */
function own(id: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(lockOf(id), { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock && new Promise(() => {});
      })
      .catch(reject);
  });
}

/** Deletes the recording everywhere. What cannot be deleted on the server stays here too. */
async function throwAway(): Promise<void> {
  if (!sender) return;
  const { id } = sender.recording;
  const words = await discard(sender.recording);
  if (words === null) {
    await sender.stop();
    await spool.forget(id).catch(() => {});
    report({ is: "discarded" });
  } else {
    report({ is: "failed", order: "discard", words });
  }
}
