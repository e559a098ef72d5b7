// Unlimited undo and redo. The history keeps complete states, which share their unchanged parts.

interface Entry<State> {
  state: State;
  /** The name of the change that led to this state, for messages such as "Undone: …". */
  what: string;
  /**
   * Consecutive changes with the same key are undone in one step. For example, ten nudges of a shape count as one move.
   */
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

  /** Undoes one change and returns its name, or null if there is nothing to undo. */
  undo(): string | null {
    const previous = this.#past.pop();
    if (!previous) return null;
    const { what } = this.#now;
    this.#future.push(this.#now);
    this.#now = { ...previous, key: null };
    return what;
  }

  /** Redoes one change and returns its name, or null if there is nothing to redo. */
  redo(): string | null {
    const next = this.#future.pop();
    if (!next) return null;
    this.#past.push(this.#now);
    this.#now = { ...next, key: null };
    return next.what;
  }
}
