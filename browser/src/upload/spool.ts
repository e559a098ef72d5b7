// The spool: what was recorded in this browser and is not safe on the server yet, in IndexedDB.
// A piece stays until the server has said that it holds it; and nothing is thrown away because it was found.
import { openDB, type DBSchema, type IDBPDatabase } from "idb";

/** A recording on its way. It stands here from before its first byte until the server holds all of it. */
export interface Recording {
  /** That of its upload. */
  id: string;
  /** Where its upload is. */
  url: string;
  /** The update it belongs to. */
  update: string;
  /** What the server calls the recording itself. */
  media: string;
  /** Who recorded it: nobody else is told of it. */
  person: string;
  /** What it is called, for a file of it. */
  name: string;
  /** Its media type. */
  type: string;
  /** When it began, in milliseconds since the epoch. */
  began: number;
  /** So many bytes the server holds … */
  safe: number;
  /** … and so many milliseconds of recording are whole in them. */
  safeMs: number;
}

/** One piece of a recording: the bytes from `from` up to `end`, with which `ms` milliseconds are recorded. */
export interface Piece {
  from: number;
  end: number;
  ms: number;
}

type Key = [recording: string, from: number, end: number, ms: number];

interface Stores extends DBSchema {
  recordings: { key: string; value: Recording };
  // All that is known of a piece is its key, so that a list of them costs none of their bytes.
  pieces: { key: Key; value: ArrayBuffer };
}

const strict = { durability: "strict" } as const;

export class Spool {
  #opened: Promise<IDBPDatabase<Stores>> | undefined;

  /** The database; opened again after the browser has closed it, as some do after a sleep. */
  get #db(): Promise<IDBPDatabase<Stores>> {
    const forget = (): void => {
      this.#opened = undefined;
    };
    this.#opened ??= openDB<Stores>("hearback-spool", 1, {
      upgrade(db) {
        db.createObjectStore("recordings", { keyPath: "id" });
        db.createObjectStore("pieces");
      },
      terminated: forget,
    }).catch((error: unknown) => {
      forget();
      throw error;
    });
    return this.#opened;
  }

  /** All that are in this browser, of whomever, oldest first. */
  async recordings(): Promise<Recording[]> {
    return (await (await this.#db).getAll("recordings")).sort((a, b) => a.began - b.began);
  }

  async recording(id: string): Promise<Recording | undefined> {
    return (await this.#db).get("recordings", id);
  }

  async add(recording: Recording): Promise<void> {
    await (await this.#db).add("recordings", recording);
  }

  /** What is kept of a recording, in order and without a gap from what is safe on. */
  async pieces({ id, safe }: Recording): Promise<Piece[]> {
    const whole: Piece[] = [];
    let next = safe;
    for (const [, from, end, ms] of await (await this.#db).getAllKeys("pieces", all(id))) {
      if (end <= safe) continue;
      if (from > next) break;
      whole.push({ from, end, ms });
      next = end;
    }
    return whole;
  }

  /** Keeps a piece; when this resolves it is on disk. */
  async keep(id: string, { from, end, ms }: Piece, bytes: ArrayBuffer): Promise<void> {
    const writing = (await this.#db).transaction("pieces", "readwrite", strict);
    await Promise.all([writing.store.put(bytes, [id, from, end, ms]), writing.done]);
  }

  /** The bytes of a piece; nothing if somebody emptied the browser meanwhile. */
  async read(id: string, { from, end, ms }: Piece): Promise<ArrayBuffer | undefined> {
    return (await this.#db).get("pieces", [id, from, end, ms]);
  }

  /** The server holds the recording up to `safe`: what is whole in that is let go. */
  async covered(recording: Recording, pieces: Piece[]): Promise<void> {
    const writing = (await this.#db).transaction(["recordings", "pieces"], "readwrite", strict);
    const kept = writing.objectStore("pieces");
    await Promise.all([
      writing.objectStore("recordings").put(recording),
      ...pieces.map(({ from, end, ms }) => kept.delete([recording.id, from, end, ms])),
      writing.done,
    ]);
  }

  /** Takes a recording out: the server holds all of it, or its person discarded it. */
  async forget(id: string): Promise<void> {
    const writing = (await this.#db).transaction(["recordings", "pieces"], "readwrite", strict);
    await Promise.all([
      writing.objectStore("recordings").delete(id),
      writing.objectStore("pieces").delete(all(id)),
      writing.done,
    ]);
  }
}

/** All pieces of a recording: an array sorts after every number. */
function all(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id], [id, []]);
}

/** The lock that is held while a page owns a recording. */
export function lockOf(id: string): string {
  return `hearback-recording-${id}`;
}
