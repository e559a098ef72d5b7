// The spool keeps the parts of recordings that the server has not confirmed yet, in IndexedDB. A piece is deleted once
// the server has confirmed it. Otherwise, only the person who recorded it can delete it.
import { openDB, type DBSchema, type IDBPDatabase } from "idb";

/**
 * A recording that is being uploaded. It is stored before its first byte, and removed once the server has everything.
 * Never rename the fields, because their names are stored in people's browsers.
 */
export interface Recording {
  /** The id of the recording's upload. */
  id: string;
  /** The URL path of the recording's upload. */
  url: string;
  /** The id of the recording's update. */
  update: string;
  /** The id of the recording's media. */
  media: string;
  /** The id of the person who made the recording. Other people who use the same browser do not see the recording. */
  person: string;
  /** The file name. */
  name: string;
  /** The media type. */
  type: string;
  /** When the recording began, in milliseconds since the epoch. */
  began: number;
  /** The number of bytes that the server has confirmed. */
  safe: number;
  /** How much of the recording the confirmed bytes fully cover, in milliseconds. */
  safeMs: number;
}

/**
 * A range of a recording's bytes: from offset `from` up to, but not including, offset `end`.
 * Together with all earlier pieces, it covers `ms` milliseconds.
 */
export interface Piece {
  from: number;
  end: number;
  ms: number;
}

type PieceKey = [recording: string, from: number, end: number, ms: number];

interface SpoolSchema extends DBSchema {
  recordings: { key: string; value: Recording };
  // The key contains all metadata of a piece, so that pieces can be listed without reading their bytes.
  pieces: { key: PieceKey; value: ArrayBuffer };
}

/** Transactions complete only once their data is on disk. */
const durable = { durability: "strict" } as const;

/** Reads and writes the spool. Every method rejects if IndexedDB is switched off, full or broken. */
export class Spool {
  #connection: Promise<IDBPDatabase<SpoolSchema>> | undefined;

  /** The database. Some browsers close it after the computer has slept. In that case, it is reopened. */
  get #db(): Promise<IDBPDatabase<SpoolSchema>> {
    const reset = (): void => {
      this.#connection = undefined;
    };
    this.#connection ??= openDB<SpoolSchema>("hearback-spool", 1, {
      upgrade(db) {
        db.createObjectStore("recordings", { keyPath: "id" });
        db.createObjectStore("pieces");
      },
      terminated: reset,
    }).catch((error: unknown) => {
      reset();
      throw error;
    });
    return this.#connection;
  }

  /** Returns the recordings of all people who use this browser, oldest first. */
  async listRecordings(): Promise<Recording[]> {
    return (await (await this.#db).getAll("recordings")).sort((a, b) => a.began - b.began);
  }

  async getRecording(id: string): Promise<Recording | undefined> {
    return (await this.#db).get("recordings", id);
  }

  async addRecording(recording: Recording): Promise<void> {
    await (await this.#db).add("recordings", recording);
  }

  /** A recording's pieces after its `safe` offset, in order, up to the first gap. */
  async listPieces({ id, safe }: Recording): Promise<Piece[]> {
    const contiguous: Piece[] = [];
    let next = safe;
    for (const [, from, end, ms] of await (await this.#db).getAllKeys("pieces", pieceRange(id))) {
      if (end <= safe) continue;
      if (from > next) break;
      contiguous.push({ from, end, ms });
      next = end;
    }
    return contiguous;
  }

  /** Resolves once the piece is on disk. */
  async writePiece(id: string, { from, end, ms }: Piece, bytes: ArrayBuffer): Promise<void> {
    const transaction = (await this.#db).transaction("pieces", "readwrite", durable);
    await Promise.all([transaction.store.put(bytes, [id, from, end, ms]), transaction.done]);
  }

  /** The bytes of a piece, or undefined if the browser's data was cleared. */
  async readPiece(id: string, { from, end, ms }: Piece): Promise<ArrayBuffer | undefined> {
    return (await this.#db).get("pieces", [id, from, end, ms]);
  }

  /** Stores a recording's new `safe` offset and deletes the pieces below it. */
  async removeCovered(recording: Recording, covered: Piece[]): Promise<void> {
    const transaction = (await this.#db).transaction(
      ["recordings", "pieces"],
      "readwrite",
      durable,
    );
    const pieces = transaction.objectStore("pieces");
    await Promise.all([
      transaction.objectStore("recordings").put(recording),
      ...covered.map(({ from, end, ms }) => pieces.delete([recording.id, from, end, ms])),
      transaction.done,
    ]);
  }

  /**
   * Deletes a recording and its pieces. Called when the server has everything or the person has
   * discarded the recording.
   */
  async removeRecording(id: string): Promise<void> {
    const transaction = (await this.#db).transaction(
      ["recordings", "pieces"],
      "readwrite",
      durable,
    );
    await Promise.all([
      transaction.objectStore("recordings").delete(id),
      transaction.objectStore("pieces").delete(pieceRange(id)),
      transaction.done,
    ]);
  }
}

/** The key range of a recording's pieces. IndexedDB sorts arrays after numbers, so `[]` is above every offset. */
function pieceRange(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id], [id, []]);
}

/** The name of the Web Lock that marks a recording as being sent. */
export function recordingLock(id: string): string {
  return `hearback-recording-${id}`;
}
