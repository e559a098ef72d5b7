// Sends requests as one person. The types describe only the parts of the responses that the simulation reads.

export type Receipt = {
  person: { id: string; name: string };
  state: string;
  opened_at: string | null;
  answered_at: string | null;
  readback: string | null;
  owes: boolean;
  due: string | null;
};

export type Update = {
  id: string;
  revision: number;
  notes: string;
  counts: { acknowledged: number; heard?: number };
};

export type Entry = {
  id: string;
  why: string;
  /** Further reasons besides `why`. Versions before 0.2.0 do not report them. */
  also?: string[];
  update: { id: string };
  overdue: boolean;
  reminded_at: string | null;
  at: string;
};

export type Inbox = { owed_by_me: Entry[]; owed_to_me: Entry[]; said_to_me: Entry[] };

export type Comment = { id: string; kind: string; state: string | null; author: { id: string } };

export class Api {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  get<T>(path: string): Promise<T> {
    return this.send<T>("GET", path);
  }

  /** Sends a request. Throws if the response is not a success. */
  async send<T>(method: string, path: string, body?: object): Promise<T> {
    const sent = await this.trySend<T>(method, path, body);
    if (sent === undefined) throw new Error(`${method} ${path}: 409`);
    return sent;
  }

  /** Sends a request. Returns undefined after a 409, which means that somebody else changed something first. */
  async trySend<T>(method: string, path: string, body?: object): Promise<T | undefined> {
    const response = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (response.status === 409) return undefined;
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text) as T;
  }
}
