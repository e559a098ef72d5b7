// Undo and redo without a limit. Every state is kept; states share what did not change.

interface Entry<State> {
  state: State;
  /** What was done to get to this state, for "Undone: …". */
  what: string;
  /** Entries in a row with the same key are undone together: ten nudges of a shape are one move. */
  key: string | null;
}

export class History<State> {
  #past: Entry<State>[] = [];
  #now: Entry<State>;
  #future: Entry<State>[] = [];

  constructor(state: State) {
    this.#now = { state, what: "", key: null };
  }

  get now(): State {
    return this.#now.state;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  commit(state: State, what: string, key: string | null = null): void {
    if (key === null || key !== this.#now.key) this.#past.push(this.#now);
    this.#now = { state, what, key };
    this.#future = [];
  }

  /** Returns what was undone; null if there is nothing to undo. */
  undo(): string | null {
    const previous = this.#past.pop();
    if (!previous) return null;
    const { what } = this.#now;
    this.#future.push(this.#now);
    this.#now = { ...previous, key: null };
    return what;
  }

  /** Returns what was redone; null if there is nothing to redo. */
  redo(): string | null {
    const next = this.#future.pop();
    if (!next) return null;
    this.#past.push(this.#now);
    this.#now = { ...next, key: null };
    return next.what;
  }
}
