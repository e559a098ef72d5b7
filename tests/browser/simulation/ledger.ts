// What really happened in the simulation, as opposed to what the server says about it.

const DAY = 24 * 3_600_000;

/** What a person did with an update. */
export type Dealings = {
  /** The newest revision that the person opened; 0 if none. */
  opened: number;
  /** Whether the person asked a question about the update. */
  asked?: boolean;
  /** The person's latest answer. */
  answer?: { revision: number; objection: boolean; text?: string };
};

export class Ledger {
  private readonly dealings = new Map<string, Dealings>();
  private readonly events = new Map<string, number[]>();
  private readonly dues = new Map<string, Set<number>>();
  private readonly notifications = new Map<string, number>();
  /**
   * How many emails there would be if every event were emailed separately. An event counts once for each person whom it
   * concerns.
   */
  eventCount = 0;

  /** Returns what the person did with the update. */
  of(person: string, update: string): Dealings {
    const key = `${person} ${update}`;
    let dealings = this.dealings.get(key);
    if (!dealings) this.dealings.set(key, (dealings = { opened: 0 }));
    return dealings;
  }

  /** Records that an event of the update, at time `at`, concerns this person. */
  record(person: string, update: string, at: number): void {
    this.eventCount += 1;
    const key = `${person} ${update}`;
    this.events.set(key, [...(this.events.get(key) ?? []), at]);
  }

  /** Records a due time of an answer that the person owes or expects. */
  recordDue(person: string, update: string, due: number): void {
    const key = `${person} ${update}`;
    this.dues.set(key, (this.dues.get(key) ?? new Set()).add(due));
  }

  /**
   * Whether there is news about the update for this person between an email at `from` and an email
   * at `to`. News is an event, the passing of a due time, or the moment one day before a due time.
   * An event at exactly `from` counts as news, because people act only after the emails of that
   * moment have arrived.
   */
  hasNews(person: string, update: string, from: number, to: number): boolean {
    const key = `${person} ${update}`;
    const within = (at: number) => at > from && at <= to;
    const events = this.events.get(key) ?? [];
    const dues = [...(this.dues.get(key) ?? [])];
    const happened = events.some((at) => at === from || within(at));
    return happened || dues.some((due) => within(due) || within(due - DAY));
  }

  /** Records that a person was notified about an update. */
  notify(person: string, update: string, at: number): void {
    const key = `${person} ${update}`;
    this.notifications.set(key, Math.max(at, this.notifications.get(key) ?? 0));
  }

  /** Whether the person was notified about the update at or after `since`. */
  wasNotified(person: string, update: string, since: number): boolean {
    return (this.notifications.get(`${person} ${update}`) ?? -1) >= since;
  }
}
