// Undo and redo without limit: every state is kept, and states share what did not change.

interface Moment<State> {
  state: State;
  /** What was done to come here, for "Undone: …". */
  what: string;
  /** Moments in a row with the same key are one: a shape nudged ten times is moved once. */
  key: string | null;
}

export class History<State> {
  #past: Moment<State>[] = [];
  #now: Moment<State>;
  #future: Moment<State>[] = [];

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

  /** What was undone, or null where there is nothing. */
  undo(): string | null {
    const before = this.#past.pop();
    if (!before) return null;
    const { what } = this.#now;
    this.#future.push(this.#now);
    this.#now = { ...before, key: null };
    return what;
  }

  redo(): string | null {
    const after = this.#future.pop();
    if (!after) return null;
    this.#past.push(this.#now);
    this.#now = { ...after, key: null };
    return after.what;
  }
}
