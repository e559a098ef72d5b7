// Compares what the server says and sends with what really happened.
import type { Receipt, Update } from "./api.ts";
import { contentOf, type Person, type Story, type World } from "./person.ts";
import type { Mail } from "./sink.ts";

/** The figures that `bin/simulate --json` prints. */
export type Figures = {
  /** Emails that arrived outside the recipient's working hours. */
  mails_outside_hours: number;
  /** Emails that arrived during the recipient's absence. */
  mails_while_away: number;
  /**
   * Emails with the same recipient and subject as an earlier email, although nothing that concerns the recipient has
   * happened in between.
   */
  duplicates: number;
  /** Due times outside the recipient's working hours or during their absence. */
  dues_outside_hours: number;
  /** Recipients whose readback is "confirmed", although they do not know the current content. */
  false_confirmed: number;
  /**
   * Recipients who count as having heard an update, although they never opened it, have objected, or answered only an
   * earlier revision.
   */
  false_heard: number;
  /**
   * Answers that have been overdue for two working days, with no notification to the author or the recipient since the
   * due time.
   */
  silent_overdue: number;
  /**
   * The number of emails, divided by the number of events. An event counts once for each person
   * whom it concerns.
   */
  mail_ratio: number;
};

/** After this many working days without a notification, an overdue answer counts as silent. */
const SILENT_DAYS = 2;

export class Auditor {
  private readonly duesOutside = new Set<string>();
  private readonly falselyConfirmed = new Set<string>();
  private readonly falselyHeard = new Map<string, number>();
  private readonly silent = new Set<string>();
  /** The latest email for each combination of recipient and subject. */
  private readonly lastMails = new Map<string, Mail>();
  /** The number of emails that arrived. */
  mailCount = 0;
  private readonly counted = { outside: 0, away: 0, duplicates: 0 };

  constructor(
    private readonly world: World,
    private readonly people: Person[],
  ) {}

  /** Checks an email that arrived, and records that its recipient was notified. */
  receive(mail: Mail, recipient: Person): void {
    const { calendar } = recipient;
    if (calendar.isAway(mail.at)) this.counted.away += 1;
    if (!calendar.worksAt(mail.at)) this.counted.outside += 1;
    const key = `${mail.to} ${mail.subject}`;
    const earlier = this.lastMails.get(key);
    this.lastMails.set(key, mail);
    if (earlier && !this.hasNews(recipient, earlier, mail)) this.counted.duplicates += 1;
    for (const update of mail.updates) this.world.ledger.notify(recipient.id, update, mail.at);
    this.mailCount += 1;
  }

  private hasNews(recipient: Person, earlier: Mail, mail: Mail): boolean {
    return mail.updates.some((update) =>
      this.world.ledger.hasNews(recipient.id, update, earlier.at, mail.at),
    );
  }

  /** Checks what the server says about all published updates. */
  async audit(): Promise<void> {
    for (const person of this.people) await person.loadInbox();
    for (const story of this.world.stories.values()) {
      const { author, id } = story;
      const { counts } = await author.api.get<Update>(`/updates/${id}`);
      const { items } = await author.api.get<{ items: Receipt[] }>(`/updates/${id}/receipts`);
      this.auditHeard(story, counts.heard ?? counts.acknowledged, items);
      for (const row of items) this.auditReceipt(story, row);
    }
  }

  private auditHeard(story: Story, said: number, rows: Receipt[]): void {
    const heard = rows.filter(({ person }) => {
      const { opened, answer } = this.world.ledger.of(person.id, story.id);
      return opened > 0 && answer?.revision === story.revision && !answer.objection;
    });
    const excess = Math.max(0, said - heard.length, this.falselyHeard.get(story.id) ?? 0);
    this.falselyHeard.set(story.id, excess);
  }

  private auditReceipt({ id, index, revision, author }: Story, row: Receipt): void {
    const { ledger, now } = this.world;
    const recipient = this.people.find((person) => person.id === row.person.id)!;
    const key = `${id} ${recipient.id}`;
    const { opened, answer } = ledger.of(recipient.id, id);
    const knows = opened > 0 && answer?.text?.includes(contentOf(index, revision));
    if (row.state === "confirmed" && !knows) this.falselyConfirmed.add(key);
    if (!row.owes || !row.due) return;
    const due = Date.parse(row.due);
    for (const person of [recipient, author]) ledger.recordDue(person.id, id, due);
    const { calendar } = recipient;
    if (!calendar.worksAt(due) || calendar.isAway(due)) this.duesOutside.add(`${key} ${due}`);
    const notified = [recipient, author].some((person) => ledger.wasNotified(person.id, id, due));
    if (!notified && calendar.workingDaysBetween(due, now()) >= SILENT_DAYS) this.silent.add(key);
  }

  figures(): Figures {
    const { eventCount } = this.world.ledger;
    const sum = [...this.falselyHeard.values()].reduce((total, excess) => total + excess, 0);
    return {
      mails_outside_hours: this.counted.outside,
      mails_while_away: this.counted.away,
      duplicates: this.counted.duplicates,
      dues_outside_hours: this.duesOutside.size,
      false_confirmed: this.falselyConfirmed.size,
      false_heard: sum,
      silent_overdue: this.silent.size,
      mail_ratio: Math.round((1000 * this.mailCount) / Math.max(1, eventCount)) / 1000,
    };
  }
}
