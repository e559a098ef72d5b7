// Simulates one member, who looks at the inbox, answers, objects, asks questions, reviews readbacks and reminds others.
import type { Api, Comment, Entry, Inbox, Receipt, Update } from "./api.ts";
import { addDays, beginOfDay, Calendar } from "./calendar.ts";
import type { Ledger } from "./ledger.ts";
import { absence, type Expectation } from "./plan.ts";
import { roll } from "./random.ts";
import { habits, type Member, type Scale } from "./team.ts";

/** A published update as the simulation knows it. */
export type Story = {
  index: number;
  id: string;
  author: Person;
  title: string;
  expectation: Expectation;
  /** The current revision. A material change increases it. */
  revision: number;
};

/** The state that all simulated people share. */
export type World = {
  scale: Scale;
  ledger: Ledger;
  /** The published updates, by id. */
  stories: Map<string, Story>;
  now(): number;
};

/** Returns the sentence that a revision contains. Only people who opened the revision know it. */
export function contentOf(index: number, revision: number): string {
  return `The number is ${1000 + 10 * index + revision}.`;
}

const MISUNDERSTANDING = "The number is 7.";

export class Person {
  readonly calendar: Calendar;
  /** Readbacks that the person loaded at an earlier visit and has not judged yet, by update. */
  private readonly oldPages = new Map<string, Receipt[]>();

  constructor(
    readonly member: Member,
    readonly id: string,
    readonly api: Api,
    private readonly world: World,
  ) {
    this.calendar = new Calendar(member);
  }

  /**
   * Returns true with this probability. The result depends only on the probability, the seed, the person and `keys`.
   */
  private decides(probability: number, ...keys: (string | number)[]): boolean {
    return roll(this.world.scale.seed, this.member.name, ...keys) < probability;
  }

  /** Enters the absence when it begins, and changes the time zone when the person moves. */
  async keepCalendar(): Promise<void> {
    const { member, calendar, api, world } = this;
    const away = absence(member, world.scale);
    if (away && !calendar.away && world.now() >= away.from) {
      await api.send("PATCH", "/me", { away_until: new Date(away.until).toISOString() });
      calendar.away = { from: world.now(), until: away.until };
    }
    if (!member.moves) return;
    const [day, zone] = member.moves;
    const moveAt = beginOfDay(member.zone, addDays(world.scale.firstDay, day));
    if (calendar.zone !== zone && world.now() >= moveAt) {
      await api.send("PATCH", "/me", { time_zone: zone });
      calendar.zone = zone;
    }
  }

  /** Whether the person looks at the inbox now. */
  visits(): boolean {
    const now = this.world.now();
    const works = this.calendar.worksAt(now) && !this.calendar.isAway(now);
    return works && this.decides(habits.visit[this.member.behaviour], "visit", now);
  }

  /** Loads the inbox and reacts to its entries. */
  async visit(): Promise<void> {
    const inbox = await this.loadInbox();
    for (const entry of inbox.owed_by_me) {
      const story = this.world.stories.get(entry.update.id);
      if (!story) continue;
      if (entry.why === "readbacks") await this.reviewReadbacks(story);
      else if (entry.why === "questions") await this.answerQuestions(story);
      else await this.dealWith(story, entry);
    }
    for (const entry of inbox.owed_to_me) await this.chase(entry);
    for (const entry of inbox.said_to_me) await this.hear(entry);
    await this.rewriteReadbacks();
  }

  /** Loads the inbox and records which notifications it shows. */
  async loadInbox(): Promise<Inbox> {
    const inbox = await this.api.get<Inbox>("/inbox");
    for (const { why, also, update, at } of inbox.said_to_me) {
      // Any reason that is not in `ABOUT_CONTENT` tells the person that an answer is missing.
      const aboutAnswers = [why, ...(also ?? [])].some((reason) => !ABOUT_CONTENT.has(reason));
      if (aboutAnswers) this.world.ledger.notify(this.id, update.id, Date.parse(at));
    }
    for (const { update, reminded_at } of inbox.owed_by_me) {
      if (reminded_at) this.world.ledger.notify(this.id, update.id, Date.parse(reminded_at));
    }
    return inbox;
  }

  private async dealWith(story: Story, entry: Entry): Promise<void> {
    const { behaviour } = this.member;
    const forgets =
      behaviour === "forgetful" &&
      !entry.reminded_at &&
      this.decides(habits.forget, "forget", story.index, story.revision);
    const attends = this.decides(habits.attend[behaviour], "attend", story.index, this.world.now());
    if (forgets || !attends) return;
    if (behaviour === "skimmer") return this.skim(story, entry);
    await this.open(story);
    if (behaviour === "questioner") await this.ask(story);
    if (behaviour === "objector" && this.decides(habits.object, "object", story.index))
      return this.object(story);
    await this.answer(story, entry);
  }

  /**
   * Answers, usually without opening the update. Opens it first only if the author has corrected
   * the previous answer.
   */
  private async skim(story: Story, entry: Entry): Promise<void> {
    if (entry.why === "corrected") {
      await this.open(story);
      return this.answer(story, entry);
    }
    const readback = `Will do: ${story.title}.`;
    await this.sendAnswer(story, story.expectation === "readback" ? { readback } : {});
  }

  private async answer(story: Story, entry: Entry): Promise<void> {
    const { revision } = story;
    if (story.expectation !== "readback") return this.sendAnswer(story, { revision });
    const first = entry.why !== "corrected";
    const wrong =
      first && this.decides(habits.misunderstand, "misunderstand", story.index, revision);
    const understood = wrong ? MISUNDERSTANDING : contentOf(story.index, revision);
    const readback = `${first ? "I" : "Now I"} read: ${understood}`;
    await this.sendAnswer(story, { revision, readback });
  }

  private async sendAnswer(
    { id, author, revision }: Story,
    body: { readback?: string; revision?: number },
  ): Promise<void> {
    const sent = await this.api.trySend("PUT", `/updates/${id}/acknowledgement`, body);
    if (sent === undefined) return;
    const { ledger, now } = this.world;
    ledger.of(this.id, id).answer = { revision, objection: false, text: body.readback };
    if (body.readback) ledger.record(author.id, id, now());
  }

  private async object({ id, author, revision }: Story): Promise<void> {
    const reason = "I do not agree with this number.";
    const sent = await this.api.trySend("PUT", `/updates/${id}/decline`, { reason });
    if (sent === undefined) return;
    this.world.ledger.of(this.id, id).answer = { revision, objection: true };
    this.world.ledger.record(author.id, id, this.world.now());
  }

  /** Opens an update, and reports the opening as the page's script would. */
  private async open({ id, revision }: Story): Promise<void> {
    await this.api.get<Update>(`/updates/${id}`);
    await this.api.send("PUT", `/updates/${id}/opening`);
    this.world.ledger.of(this.id, id).opened = revision;
  }

  private async ask({ id, index, author }: Story): Promise<void> {
    const dealings = this.world.ledger.of(this.id, id);
    if (dealings.asked || !this.decides(habits.ask, "ask", index)) return;
    const body = { kind: "question", body: "What is this number for?" };
    await this.api.send("POST", `/updates/${id}/comments`, body);
    dealings.asked = true;
    this.world.ledger.record(author.id, id, this.world.now());
  }

  private async answerQuestions({ id }: Story): Promise<void> {
    const { items } = await this.api.get<{ items: Comment[] }>(`/updates/${id}/comments`);
    for (const { id: parent_id, author } of items.filter(({ state }) => state === "open")) {
      await this.api.send("POST", `/updates/${id}/comments`, {
        body: "For the report.",
        parent_id,
      });
      this.world.ledger.record(author.id, id, this.world.now());
    }
  }

  /**
   * Judges the readbacks on the receipts page. Sometimes only loads the page at this visit, and judges the loaded
   * readbacks at a later visit, when they may be outdated.
   */
  private async reviewReadbacks(story: Story): Promise<void> {
    const { id, index } = story;
    const loaded = await this.api.get<{ items: Receipt[] }>(`/updates/${id}/receipts`);
    const old = this.oldPages.get(id);
    if (!old && this.decides(habits.oldPage, "old page", index, this.world.now())) {
      this.oldPages.set(id, loaded.items);
      return;
    }
    this.oldPages.delete(id);
    for (const row of old ?? loaded.items) {
      if (row.state === "read_back") await this.judge(story, row);
    }
  }

  /**
   * Confirms the readback if it has the right number and the recipient opened the update. Corrects
   * it otherwise.
   */
  private async judge({ id, index, revision }: Story, row: Receipt): Promise<void> {
    const right = row.readback?.includes(contentOf(index, revision)) && row.opened_at !== null;
    const verdict = right
      ? { verdict: "confirmed", said_at: row.answered_at }
      : { verdict: "corrected", body: "Please look again.", said_at: row.answered_at };
    const path = `/updates/${id}/receipts/${row.person.id}/confirmation`;
    const sent = await this.api.trySend("PUT", path, verdict);
    if (sent !== undefined) this.world.ledger.record(row.person.id, id, this.world.now());
  }

  /** If this person is prompt, reminds the recipients whose answers are overdue. */
  private async chase({ update: { id }, overdue }: Entry): Promise<void> {
    if (this.member.behaviour !== "prompt" || !overdue) return;
    const path = `/updates/${id}/reminders`;
    const sent = await this.api.trySend<{ reminded: { id: string }[] }>("POST", path, {});
    for (const reminded of sent?.reminded ?? []) {
      this.world.ledger.record(reminded.id, id, this.world.now());
    }
  }

  /** Opens the update of an entry in the section "To hear", unless this person is a skimmer. */
  private async hear({ update: { id } }: Entry): Promise<void> {
    const story = this.world.stories.get(id);
    if (story && this.member.behaviour !== "skimmer") await this.open(story);
  }

  /** Rewrites some of the person's readbacks that have no verdict yet. */
  private async rewriteReadbacks(): Promise<void> {
    const { stories, ledger, now } = this.world;
    for (const story of stories.values()) {
      const { answer } = ledger.of(this.id, story.id);
      if (!answer?.text || answer.revision !== story.revision) continue;
      if (!this.decides(habits.rewrite, "rewrite", story.index, now())) continue;
      const { state } = await this.api.get<Receipt>(`/updates/${story.id}/receipts/${this.id}`);
      if (state !== "read_back") continue;
      const wrong = this.decides(habits.spoil, "spoil", story.index, now());
      const text = wrong ? MISUNDERSTANDING : answer.text;
      await this.sendAnswer(story, { readback: `Again: ${text}`.slice(0, 400) });
    }
  }
}

/** The reasons for an entry in the section "To hear" that are not about a missing answer. */
const ABOUT_CONTENT = new Set([
  "sent",
  "comments",
  "mention",
  "answer",
  "declined",
  "confirmed",
  "corrected",
  "all_heard",
  "joined",
]);
