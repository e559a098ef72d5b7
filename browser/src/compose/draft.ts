// What the parts of the compose page need of each other. Each registers itself here, so that none of them imports another.

/** The draft that this page edits. */
export interface Draft {
  /** Creates the draft if there is none yet, and resolves with its id. An empty title field gets `title`, selected if `select`. */
  ensure(title?: string, select?: boolean): Promise<string>;
  /** Deletes a draft that nothing was written into. */
  withdraw(): Promise<void>;
  /** Does the same while the page goes away, without waiting for an answer. */
  abandon(): void;
}

/** Media on its way into the draft: being recorded, marked up or uploaded. */
export interface PendingMedia {
  readonly busy: boolean;
  /** Resolves when nothing is pending any more: true if everything arrived. */
  finish(): Promise<boolean>;
}

export interface Recorder extends PendingMedia {
  /** Whether sending the draft would end a recording that nobody asked to send. */
  readonly asks: boolean;
}

/** Takes files into the draft. */
export interface FileSink {
  add(files: Iterable<File>): void;
  /** Opens a picture in the markup editor first. */
  open(file: File): Promise<void>;
}

/** Holds the one element of its kind that is on the page. */
class Slot<T> {
  #current: T | null = null;

  get current(): T | null {
    return this.#current;
  }

  register(element: T): void {
    this.#current = element;
  }

  /** Does nothing if another element has registered since. */
  unregister(element: T): void {
    if (this.#current === element) this.#current = null;
  }
}

export const draft = new Slot<Draft>();
export const recorder = new Slot<Recorder>();
export const uploads = new Slot<PendingMedia & FileSink>();
