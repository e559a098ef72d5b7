// Searches the people of the workspace on the server, because a workspace can have thousands of them.
import { requestJson } from "./request.js";

export interface FoundPerson {
  id: string;
  name: string;
  email: string;
}

/**
 * Returns the first people, sorted by name, whose name or email address contains words that begin with the typed
 * words. An empty text finds everybody. `withInactive` includes deactivated people.
 */
export async function searchPeople(
  words: string,
  limit: number,
  { withInactive = false, signal }: { withInactive?: boolean; signal?: AbortSignal } = {},
): Promise<FoundPerson[]> {
  const query = new URLSearchParams({ q: words, limit: String(limit) });
  if (!withInactive) query.set("active", "true");
  const page = await requestJson("GET", `/people?${query.toString()}`, undefined, signal);
  return (page as { items: FoundPerson[] }).items;
}

/** Runs one search at a time: a new search aborts the one before. */
export class LatestSearch {
  #running: AbortController | null = null;

  get isRunning(): boolean {
    return this.#running !== null;
  }

  abort(): void {
    this.#running?.abort();
    this.#running = null;
  }

  /** Returns null if a later search aborted this one, or if the server did not respond. */
  async run(words: string, limit: number, withInactive = false): Promise<FoundPerson[] | null> {
    this.abort();
    const controller = new AbortController();
    this.#running = controller;
    try {
      return await searchPeople(words, limit, { withInactive, signal: controller.signal });
    } catch {
      return null; // Without suggestions, the person can still type the address.
    } finally {
      if (this.#running === controller) this.#running = null;
    }
  }
}
