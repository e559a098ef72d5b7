// Sends one recording, piece by piece in order, and keeps each in the spool until the server holds it.
// What the server holds, it says itself, by an offset; whenever that is in doubt it is asked before anything more is sent.
import { formatTime } from "../lib/dom.js";
import type { Piece, Recording, Spool } from "./spool.js";
import { deletedWords, finish, isDeleted, PATIENCE, send, whoIsThere, type Answer } from "./tus.js";

/** How far a recording has come, in milliseconds of it. */
export interface SendProgress {
  recordedMs: number;
  /** On this computer's disk, or on the server. */
  spooledMs: number;
  /** On the server. */
  safeMs: number;
  state: "sending" | "waiting" | "signed-out" | "refused" | "done";
  message: string;
}

/** A piece, with its bytes as long as they are in memory alone. */
type Held = Piece & { bytes?: ArrayBuffer };

/** So many bytes go in one request, at most and when requests stall. */
const [MOST, LEAST] = [1 << 20, 1 << 16];
/** Milliseconds between tries: the first, the longest, and the longest that a server may ask for. */
const [SOON, LATE, ASKED] = [500, 15_000, 60_000];

export class RecordingSender {
  /** Another page began it. */
  readonly found: boolean;
  #held: Held[];
  #recordedMs: number;
  #end: number;
  #last = false;
  /** A piece is missing. */
  #torn = false;
  /** The spool took the latest piece that it was given. */
  #room = true;
  /** The server has nothing of it any more. */
  #deleted = false;
  /** Whether the server's offset is known for certain. */
  #certain: boolean;
  #limit = MOST;
  #tries = 0;
  #patience = PATIENCE;
  #state: SendProgress["state"] = "sending";
  #why = "";
  #arriving: Promise<void> = Promise.resolve();
  #sleeping: { until: "piece" | "line"; wake: () => void } | undefined;
  #stopped = new AbortController();

  /** `kept` is what the spool has of a recording that another page began. */
  constructor(
    readonly recording: Recording,
    private readonly spool: Spool,
    private readonly tell: (safety: SendProgress) => void,
    kept?: Piece[],
  ) {
    this.found = kept !== undefined;
    this.#held = kept ?? [];
    this.#certain = kept === undefined;
    const last = this.#held.at(-1);
    this.#end = last?.end ?? recording.safe;
    this.#recordedMs = last?.ms ?? recording.safeMs;
  }

  /** Takes the next piece, with which `ms` milliseconds are recorded. */
  piece(blob: Blob, ms: number): void {
    this.#recordedMs = ms;
    this.#then(async () => {
      // What follows a piece that is missing is of no use; what follows one that the server did not take is kept.
      if (this.#torn) return;
      const bytes = await read(blob);
      if (!bytes) {
        this.#torn = true;
        return this.#refuse("This browser could not read what it recorded.");
      }
      // Some recorders hand out nothing now and then: then no more is kept than before.
      if (bytes.byteLength === 0) return;
      this.#held.push({ from: this.#end, end: this.#end + bytes.byteLength, ms, bytes });
      this.#end += bytes.byteLength;
      await this.#keep();
    });
  }

  /** There will be no more pieces; resolves when all of them are kept, as far as they can be. */
  finish(): Promise<void> {
    this.#then(() => {
      this.#last = true;
    });
    return this.#arriving;
  }

  /** There is a reason to hope that the line is back. */
  hurry(): void {
    this.#wake("line");
  }

  /** Sends and keeps nothing more; what is kept stays. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake("piece");
    this.#wake("line");
    await this.#arriving;
  }

  /** Sends until the server holds all of it (true), or takes no more of it, or this is stopped. */
  async run(): Promise<boolean> {
    this.#say();
    while (!this.#stopped.signal.aborted && this.#state !== "refused" && this.#state !== "done") {
      if (this.#certain && !this.#more) await this.#sleep("piece");
      else await this.#step();
    }
    return this.#state === "done";
  }

  #then(act: () => Promise<void> | void): void {
    this.#arriving = this.#arriving.then(async () => {
      if (this.#stopped.signal.aborted) return;
      await act();
      this.#say();
      this.#wake("piece");
    });
  }

  /** Writes down what is in memory alone, in order. Where the spool takes nothing, the recording goes on without. */
  async #keep(): Promise<void> {
    for (const piece of [...this.#held]) {
      const { bytes } = piece;
      if (!bytes || !this.#held.includes(piece)) continue;
      try {
        await this.spool.keep(this.recording.id, piece, bytes);
        delete piece.bytes;
        this.#room = true;
      } catch {
        // Full, or switched off: `words` says so, and the next piece tries again.
        this.#room = false;
        return;
      }
    }
  }

  /** Whether there is something to send: bytes that are kept (or cannot be), or that there are no more. */
  get #more(): boolean {
    const next = this.#held[0];
    return next ? this.#ready(next) : this.#last;
  }

  #ready(piece: Held): boolean {
    return piece.bytes === undefined || !this.#room;
  }

  /** One request, and what follows from its answer. */
  async #step(): Promise<void> {
    if (!this.#certain) {
      const answer = await send("HEAD", this.recording.url, { signal: this.#stopped.signal });
      // That this is all, it is told even where it has the length: it may have finished the recording by itself, as one whose page was lost.
      return answer.status === 200 || answer.status === 204
        ? this.#took(answer, false)
        : this.#heed(answer);
    }
    const body = await this.#gather();
    if (body === null) return;
    const { safe } = this.recording;
    const whole = this.#last && safe + body.size === this.#end;
    const headers: Record<string, string> = {
      "Content-Type": "application/offset+octet-stream",
      "Upload-Offset": String(safe),
    };
    if (whole) headers["Upload-Length"] = String(this.#end);
    const answer = await send("PATCH", this.recording.url, {
      headers,
      body,
      signal: this.#stopped.signal,
      patience: this.#patience,
    });
    if (answer.status !== 204) return this.#heed(answer);
    this.#patience = PATIENCE;
    this.#limit = Math.min(MOST, this.#limit * 2);
    await this.#took(answer, whole);
  }

  /** The next bytes; null if they could not be read. */
  async #gather(): Promise<Blob | null> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let at = this.recording.safe;
    let room = this.#limit;
    for (const piece of [...this.#held]) {
      if (room === 0 || !this.#ready(piece)) break;
      let bytes = piece.bytes;
      try {
        bytes ??= await this.spool.read(this.recording.id, piece);
      } catch {
        await this.#pause("This browser does not give back what it keeps.");
        return null;
      }
      if (!bytes) {
        this.#refuse("What this browser kept of the recording was deleted.");
        return null;
      }
      const part = new Uint8Array(bytes, at - piece.from, Math.min(room, piece.end - at));
      parts.push(part);
      at += part.byteLength;
      room -= part.byteLength;
    }
    return new Blob(parts);
  }

  /** The server has said up to where it holds the recording, and whether it was told that this is all. */
  async #took({ offset }: Answer, whole: boolean): Promise<void> {
    const { recording } = this;
    if (offset === null) return this.#pause("The server's answer was not understood.");
    if (offset < recording.safe)
      return this.#refuse("The server holds less of this recording than it had said.");
    if (offset > this.#end) {
      // Of what another page began, the server may hold what never came to be kept here.
      if (!this.found)
        return this.#refuse("More of this recording came to the server from elsewhere.");
      this.#held = [];
      this.#end = offset;
    }
    this.#certain = true;
    if (offset > recording.safe) {
      this.#tries = 0;
      const covered = this.#held.filter((piece) => piece.end <= offset);
      this.#held = this.#held.filter((piece) => piece.end > offset);
      recording.safe = offset;
      recording.safeMs = covered.at(-1)?.ms ?? recording.safeMs;
      // What cannot be let go is only kept for longer: whoever finds it asks the server first.
      await this.spool.covered(recording, covered).catch(() => {});
    }
    if (whole && this.#last && offset === this.#end) {
      recording.safeMs = this.#recordedMs;
      await this.spool.forget(recording.id).catch(() => {});
      this.#state = "done";
    } else {
      this.#state = "sending";
    }
    this.#say();
  }

  /** What to do about anything but success. */
  async #heed({ status, stalled, words, retryAfter }: Answer): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    this.#certain = false;
    if (status === 409 || status === 460) {
      // Somebody or something else wrote, or it was damaged on its way; the first time it is no reason to wait.
      if (this.#tries++ === 0) return;
      return this.#pause("The server and this browser do not agree on how far it is.");
    }
    if (status === 401 || status === 404) {
      const person = await whoIsThere();
      if (person === undefined) return this.#pause("The server does not answer.");
      if (person !== this.recording.person)
        return this.#signedOut(
          person === null
            ? "You are signed out. Sign in in another tab; the recording waits here."
            : "Somebody else is signed in in this browser. Sign in as yourself again in another tab; the recording waits here.",
        );
      // Signed in again a moment ago.
      if (status === 401) return this.#pause("The server does not answer.");
      this.#deleted = await isDeleted(this.recording.media);
      return this.#refuse("The server does not know this recording any more.");
    }
    if (status === 413) {
      // What the server holds is a recording of its own; what it takes no more stays here.
      await finish(this.recording.url, this.recording.safe, this.#stopped.signal);
    }
    if (status === 410) {
      this.#deleted = await isDeleted(this.recording.media);
      return this.#refuse(
        words || "The server takes no more of this recording: its update was sent or deleted.",
      );
    }
    if (status >= 400 && status < 500 && ![408, 423, 425, 429].includes(status))
      return this.#refuse(words || `The server does not take this recording (${status}).`);
    this.#limit = Math.max(LEAST, this.#limit >> 1);
    // A dead line is found out soon; a server that puts a long recording together is given its time.
    if (stalled) this.#patience = Math.min(8 * PATIENCE, 2 * this.#patience);
    const silent = navigator.onLine ? "The server does not answer." : "You are offline.";
    return this.#pause(
      status === 0 ? silent : words || "The server is not ready.",
      Math.min(ASKED, retryAfter * 1000),
    );
  }

  async #pause(why: string, atLeast = 0): Promise<void> {
    this.#certain = false;
    const longest = Math.min(LATE, SOON * 2 ** Math.min(this.#tries++, 10));
    // Spread, so that all who wait for a server do not come back at once.
    await this.#wait("waiting", why, Math.max(atLeast, longest * (0.5 + Math.random() / 2)));
  }

  #signedOut(why: string): Promise<void> {
    return this.#wait("signed-out", why, 2000);
  }

  #wait(state: SendProgress["state"], why: string, ms: number): Promise<void> {
    this.#state = state;
    this.#why = why;
    this.#say();
    return this.#sleep("line", ms);
  }

  #refuse(why: string): void {
    this.#state = "refused";
    this.#why = why;
    this.#say();
  }

  #sleep(until: "piece" | "line", ms?: number): Promise<void> {
    if (this.#stopped.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => this.#wake(until), ms);
      this.#sleeping = {
        until,
        wake: () => {
          clearTimeout(timer);
          resolve();
        },
      };
    });
  }

  #wake(because: "piece" | "line"): void {
    if (this.#sleeping?.until !== because) return;
    const { wake } = this.#sleeping;
    this.#sleeping = undefined;
    wake();
  }

  #say(): void {
    const safeMs = this.recording.safeMs;
    const loose = this.#held.findIndex((piece) => piece.bytes);
    const keptMs = (loose === -1 ? this.#held.at(-1) : this.#held[loose - 1])?.ms ?? safeMs;
    const safe = `Safe on the server up to ${formatTime(safeMs)}`;
    const tab =
      this.#room || loose === -1
        ? ""
        : ` This browser has no room for the rest: it is in this tab alone, so leave it open.`;
    const words = {
      sending: `${safe}.${tab}`,
      waiting: `${this.#why} ${safe}, kept in this browser up to ${formatTime(keptMs)}.${tab}`,
      "signed-out": `${this.#why} ${safe}, kept in this browser up to ${formatTime(keptMs)}.${tab}`,
      refused: `${this.#why} ${this.#deleted ? deletedWords(safeMs, keptMs - safeMs) : `${safe}, kept in this browser up to ${formatTime(keptMs)}.`}${tab}`,
      done: "All of it is safe on the server.",
    }[this.#state];
    this.tell({
      recordedMs: this.#recordedMs,
      spooledMs: this.#state === "done" ? this.#recordedMs : keptMs,
      safeMs,
      state: this.#state,
      message: words,
    });
  }
}

/** The bytes of a piece; nothing where the browser does not give them. */
async function read(blob: Blob): Promise<ArrayBuffer | null> {
  for (let tries = 0; tries < 3; tries += 1) {
    try {
      return await blob.arrayBuffer();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  return null;
}
