// Plans the simulation in advance: who publishes what, when, and to whom.
import { addDays, beginOfDay, Calendar } from "./calendar.ts";
import { pick, roll, shuffle } from "./random.ts";
import { habits, type Member, type Scale } from "./team.ts";

/** The length of a step of the simulation, in milliseconds. */
export const TICK = 30 * 60_000;
/**
 * Steps begin seven minutes after every full and half hour, because many working hours begin or end
 * at a full or half hour.
 */
const OFFSET = 7 * 60_000;
/** Nobody publishes in the last days, so that due times pass before the end. */
const QUIET_DAYS = 4;

export type Expectation = "fyi" | "acknowledge" | "readback";

export type PlannedUpdate = {
  index: number;
  title: string;
  author: Member;
  /**
   * When the author publishes the update (`at`) and makes a material change to it (`changeAt`), in
   * milliseconds since the epoch.
   */
  at: number;
  changeAt?: number;
  expectation: Expectation;
  due: { working_days: number } | string | null;
  audience: string[];
};

export function email({ name }: Member): string {
  return `${name.toLowerCase()}@example.org`;
}

/** Returns the times of all steps, in milliseconds since the epoch. */
export function ticks({ firstDay, days }: Scale): number[] {
  const begin = Date.parse(`${firstDay}T00:00:00Z`) - 12 * 3_600_000 + OFFSET;
  return Array.from({ length: ((days + 1) * 24 * 3_600_000) / TICK }, (_, at) => begin + at * TICK);
}

/** Returns the beginning and the end of a member's absence, in milliseconds since the epoch. */
export function absence(member: Member, scale: Scale): { from: number; until: number } | undefined {
  if (!member.away) return undefined;
  const [from, until] = member.away.map((day) =>
    beginOfDay(member.zone, addDays(scale.firstDay, day)),
  );
  return { from: from!, until: until! };
}

export function planUpdates(scale: Scale): PlannedUpdate[] {
  return Array.from({ length: scale.updates }, (_, index) => planUpdate(scale, index));
}

function planUpdate(scale: Scale, index: number): PlannedUpdate {
  const { seed, members } = scale;
  const author = pick(members, seed, "author", index);
  const calendar = new Calendar(author);
  calendar.away = absence(author, scale);
  const working = ticks(scale).filter((at) => calendar.worksAt(at) && !calendar.isAway(at));
  const lastDay = Date.parse(`${addDays(scale.firstDay, scale.days - QUIET_DAYS)}T00:00:00Z`);
  const at = pick(
    working.filter((at) => at < lastDay),
    seed,
    "publish",
    index,
  );
  const expected = roll(seed, "expectation", index);
  const { acknowledge, readback } = habits;
  return {
    index,
    title: `Update ${index + 1} of ${author.name}`,
    author,
    at,
    changeAt: planChange(scale, index, at, working),
    expectation:
      expected < acknowledge
        ? "acknowledge"
        : expected < acknowledge + readback
          ? "readback"
          : "fyi",
    due: planDue(seed, index, at),
    audience: planAudience(scale, index, author),
  };
}

function planChange(
  { seed }: Scale,
  index: number,
  at: number,
  working: number[],
): number | undefined {
  if (roll(seed, "change", index) >= habits.change) return undefined;
  const earliest = at + (1 + 2 * roll(seed, "change after", index)) * 24 * 3_600_000;
  return working.find((tick) => tick > earliest);
}

function planDue(seed: number, index: number, at: number): PlannedUpdate["due"] {
  const kind = roll(seed, "due", index);
  if (kind < habits.dueNever) return null;
  if (kind >= habits.dueNever + habits.dueAtTime)
    return { working_days: 1 + Math.floor(2 * roll(seed, "due days", index)) };
  const hours = 8 + Math.floor(60 * roll(seed, "due hours", index));
  return new Date(at + hours * 3_600_000).toISOString();
}

function planAudience({ seed, members }: Scale, index: number, author: Member): string[] {
  const kind = roll(seed, "audience", index);
  if (kind < habits.everyone) return ["everyone"];
  const others = members.filter((member) => member !== author);
  const size = 3 + Math.floor(4 * roll(seed, "audience size", index));
  const people = shuffle(others, seed, "recipients", index).slice(0, size).map(email);
  return kind < habits.everyone + habits.group ? ["@core", ...people.slice(0, 1)] : people;
}

/**
 * Returns the email addresses of the group `core`, which consists of every fourth member of the
 * team.
 */
export function coreGroup({ members }: Scale): string[] {
  return members.filter((_, at) => at % 4 === 0).map(email);
}
