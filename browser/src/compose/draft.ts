// Connects the parts of the page on which a person writes an update. Each part registers itself here, so that the parts
// need not import one another.

/** The draft that this page edits. */
export interface Draft {
  /**
   * Creates the draft if it does not exist yet, and resolves with its id. Fills an empty title
   * field with `title` and, if `select` is set, selects that title.
   */
  ensure(title?: string, select?: boolean): Promise<string>;
  /** Deletes the draft if it contains no files and no text except the title given by `ensure`. */
  withdraw(): Promise<void>;
  /** Like `withdraw`, but runs while the page is being unloaded and does not wait for a response. */
  abandon(): void;
}

/** A part of the page that records, marks up or uploads media. The media is pending until it is in the draft. */
export interface PendingMedia {
  readonly busy: boolean;
  /** Waits until no media is pending. Resolves with true if all media arrived. */
  finish(): Promise<boolean>;
}

export interface Recorder extends PendingMedia {
  /**
   * Whether publishing the draft would end a running recording. If so, the person must confirm
   * first.
   */
  readonly asks: boolean;
}

/** Adds files to the draft. */
export interface FileSink {
  add(files: Iterable<File>): void;
  /** Opens a picture in the markup editor, and adds the result. */
  open(file: File): Promise<void>;
}

/** Holds one part of the page, such as the draft, once that part has registered. */
class Slot<T> {
  #current: T | null = null;

  get current(): T | null {
    return this.#current;
  }

  register(element: T): void {
    this.#current = element;
  }

  /** Removes the part, unless another one has registered since. */
  unregister(element: T): void {
    if (this.#current === element) this.#current = null;
  }
}

export const draft = new Slot<Draft>();
export const recorder = new Slot<Recorder>();
export const uploads = new Slot<PendingMedia & FileSink>();
