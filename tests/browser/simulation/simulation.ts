// Simulates a team that uses a server, step by step.
import type { Receipt, Update } from "./api.ts";
import { Auditor, type Figures } from "./figures.ts";
import { Ledger } from "./ledger.ts";
import { contentOf, Person, type Story, type World } from "./person.ts";
import { coreGroup, email, planUpdates, ticks, type PlannedUpdate } from "./plan.ts";
import type { Scale } from "./team.ts";
import { TeamServer } from "./team-server.ts";

const DAY = 24 * 3_600_000;

export type Outcome = { figures: Figures; mails: number; events: number };

export class Simulation {
  private readonly plan: PlannedUpdate[];
  private readonly world: World;
  private readonly people: Person[] = [];
  private readonly auditor: Auditor;
  /** The number of emails that the auditor has seen. */
  private seenMails = 0;

  private constructor(
    private readonly scale: Scale,
    private readonly server: TeamServer,
  ) {
    this.plan = planUpdates(scale);
    this.world = { scale, ledger: new Ledger(), stories: new Map(), now: () => server.now };
    this.auditor = new Auditor(this.world, this.people);
  }

  /** Runs the whole simulation. `report` receives a line for each simulated day. */
  static async run(scale: Scale, report: (line: string) => void): Promise<Outcome> {
    const steps = ticks(scale);
    const server = await TeamServer.start(steps[0]!);
    try {
      const simulation = new Simulation(scale, server);
      await simulation.hire();
      for (const [at, step] of steps.entries()) {
        await simulation.step(step);
        if ((at + 1) % (DAY / (steps[1]! - steps[0]!)) !== 0) continue;
        await simulation.auditor.audit();
        report(
          `${new Date(step).toISOString().slice(0, 10)}: ${simulation.auditor.mailCount} emails`,
        );
      }
      const { auditor, world } = simulation;
      const { eventCount: events } = world.ledger;
      return { figures: auditor.figures(), mails: auditor.mailCount, events };
    } finally {
      await server.stop();
    }
  }

  private async hire(): Promise<void> {
    for (const member of this.scale.members) {
      const api = await this.server.addMember(member);
      const { id } = await api.get<{ id: string }>("/me");
      this.people.push(new Person(member, id, api, this.world));
    }
    const [first] = this.people;
    await first!.api.send("POST", "/groups", { name: "core", members: coreGroup(this.scale) });
  }

  /** Moves the clock to `time`, lets everybody act, and waits until the resulting emails have arrived. */
  private async step(time: number): Promise<void> {
    await this.server.moveTo(time);
    this.readMails();
    for (const person of this.people) await person.keepCalendar();
    const due = (at: number | undefined) => at === time;
    const published = this.plan.filter(({ at }) => due(at));
    const changed = this.plan.filter(({ changeAt }) => due(changeAt));
    for (const update of published) await this.publish(update);
    for (const update of changed) await this.change(update);
    const visitors = this.people.filter((person) => person.visits());
    for (const person of visitors) await person.visit();
    if (published.length + changed.length + visitors.length === 0) return;
    await this.server.deliverMails();
    this.readMails();
  }

  private readMails(): void {
    const { mails } = this.server.sink;
    for (const mail of mails.slice(this.seenMails)) {
      const recipient = this.people.find(({ member }) => email(member) === mail.to);
      if (!recipient) throw new Error(`an email to a stranger: ${mail.to}`);
      this.auditor.receive(mail, recipient);
    }
    this.seenMails = mails.length;
  }

  private async publish(planned: PlannedUpdate): Promise<void> {
    const { index, title, author: member, expectation, due, audience } = planned;
    const author = this.people.find((person) => person.member === member)!;
    const fields = expectation === "fyi" ? {} : { due };
    const { id } = await author.api.send<Update>("POST", "/updates", {
      ...{ title, notes: contentOf(index, 1), expectation, audience, publish: true },
      ...fields,
    });
    const story = { index, id, author, title, expectation, revision: 1 };
    this.world.stories.set(id, story);
    const { ledger, now } = this.world;
    for (const { person, due } of await this.receipts(story)) {
      ledger.record(person.id, id, now());
      if (due) ledger.recordDue(person.id, id, Date.parse(due));
    }
  }

  /** Makes a material change to an update, and records that it concerns everybody who answered the earlier revision. */
  private async change({ index }: PlannedUpdate): Promise<void> {
    const story = [...this.world.stories.values()].find((story) => story.index === index);
    if (!story) return;
    const { id, author } = story;
    const notes = contentOf(index, story.revision + 1);
    const fields = { notes, change: "material", what_changed: "The number is different." };
    const { revision } = await author.api.send<Update>("PATCH", `/updates/${id}`, fields);
    story.revision = revision;
    for (const { person, answered_at } of await this.receipts(story)) {
      if (answered_at) this.world.ledger.record(person.id, id, this.world.now());
    }
  }

  private async receipts({ id, author }: Story): Promise<Receipt[]> {
    const { items } = await author.api.get<{ items: Receipt[] }>(`/updates/${id}/receipts`);
    return items;
  }
}
