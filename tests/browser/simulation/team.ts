// The team, its habits and the seeds of the simulation. The figures of two versions are comparable only if this file is
// the same for both. Do not change it together with the product.

/** How a person reacts to requests for an answer. */
export type Behaviour =
  /** Opens every request soon, answers it, and reminds others about overdue answers. */
  | "prompt"
  /** Answers from the inbox, usually without opening the update. */
  | "skimmer"
  /** Rarely looks at the inbox, and forgets many requests until somebody sends a reminder. */
  | "forgetful"
  /** Opens requests and objects to many of them. */
  | "objector"
  /** Opens requests and asks questions about them. */
  | "questioner";

/** Weekly working hours, in the format of `PATCH /me`. Days are numbered from 1 (Monday) to 7 (Sunday). */
export type Hours = { days: number[]; from: string; to: string };

export type Member = {
  name: string;
  /** IANA time zone. */
  zone: string;
  hours: Hours;
  behaviour: Behaviour;
  /** An absence from the beginning of one day to the beginning of another. Day 0 is the first Monday. */
  away?: [number, number];
  /** A move to another time zone at the beginning of a day. */
  moves?: [number, string];
};

export type Scale = {
  seed: number;
  /** The first day of the simulation, a Monday. */
  firstDay: string;
  /** The number of calendar days. */
  days: number;
  members: Member[];
  /** The number of updates that the members publish. */
  updates: number;
};

const week = [1, 2, 3, 4, 5];
const office: Hours = { days: week, from: "09:00", to: "17:00" };
const early: Hours = { days: week, from: "07:30", to: "15:30" };
const late: Hours = { days: week, from: "11:00", to: "19:00" };
const mornings: Hours = { days: week, from: "09:00", to: "13:00" };
const fourDays: Hours = { days: [1, 2, 3, 4], from: "08:00", to: "17:00" };
const sundayToThursday: Hours = { days: [1, 2, 3, 4, 7], from: "09:00", to: "17:00" };

/**
 * The size of the team of the short simulation: the first twelve members, who work in six time
 * zones.
 */
const SHORT_TEAM = 12;

// prettier-ignore
const team: Member[] = [
  { name: "Ada", zone: "Europe/Berlin", hours: office, behaviour: "prompt" },
  { name: "Bob", zone: "America/New_York", hours: office, behaviour: "skimmer" },
  { name: "Chi", zone: "Asia/Tokyo", hours: office, behaviour: "questioner" },
  { name: "Dee", zone: "America/Los_Angeles", hours: late, behaviour: "forgetful" },
  { name: "Eli", zone: "Europe/Berlin", hours: mornings, behaviour: "objector", away: [3, 8] },
  { name: "Fay", zone: "Asia/Kolkata", hours: early, behaviour: "prompt" },
  { name: "Gus", zone: "Pacific/Auckland", hours: office, behaviour: "skimmer", away: [7, 10] },
  { name: "Hal", zone: "America/New_York", hours: fourDays, behaviour: "forgetful" },
  { name: "Ivy", zone: "Asia/Kolkata", hours: office, behaviour: "prompt", moves: [4, "Europe/Berlin"] },
  { name: "Jon", zone: "America/Los_Angeles", hours: office, behaviour: "questioner" },
  { name: "Kim", zone: "Pacific/Auckland", hours: early, behaviour: "forgetful", away: [1, 4] },
  { name: "Leo", zone: "Asia/Tokyo", hours: late, behaviour: "prompt" },

  { name: "Mia", zone: "Europe/London", hours: office, behaviour: "prompt" },
  { name: "Ned", zone: "Australia/Lord_Howe", hours: office, behaviour: "questioner" },
  { name: "Ola", zone: "Asia/Jerusalem", hours: sundayToThursday, behaviour: "prompt" },
  { name: "Pat", zone: "Europe/London", hours: mornings, behaviour: "skimmer" },
  { name: "Quy", zone: "Asia/Tokyo", hours: office, behaviour: "forgetful", away: [2, 9] },
  { name: "Roy", zone: "America/New_York", hours: early, behaviour: "objector" },
  { name: "Sue", zone: "Asia/Jerusalem", hours: sundayToThursday, behaviour: "forgetful" },
  { name: "Tom", zone: "Australia/Lord_Howe", hours: late, behaviour: "skimmer" },
  { name: "Uma", zone: "Asia/Kolkata", hours: office, behaviour: "questioner", away: [5, 7] },
  { name: "Vic", zone: "Europe/Berlin", hours: office, behaviour: "skimmer" },
  { name: "Wes", zone: "America/Los_Angeles", hours: early, behaviour: "prompt" },
  { name: "Xia", zone: "Asia/Tokyo", hours: mornings, behaviour: "prompt", moves: [3, "America/New_York"] },
  { name: "Yan", zone: "Europe/London", hours: fourDays, behaviour: "forgetful" },
  { name: "Zoe", zone: "Europe/Berlin", hours: late, behaviour: "questioner", away: [8, 14] },
  { name: "Abe", zone: "America/New_York", hours: office, behaviour: "prompt" },
  { name: "Bea", zone: "Pacific/Auckland", hours: office, behaviour: "prompt" },
  { name: "Cal", zone: "Australia/Lord_Howe", hours: mornings, behaviour: "forgetful" },
  { name: "Dot", zone: "Europe/London", hours: office, behaviour: "objector" },
  { name: "Eve", zone: "Asia/Jerusalem", hours: office, behaviour: "skimmer", away: [1, 5] },
  { name: "Flo", zone: "Europe/Berlin", hours: early, behaviour: "prompt" },
  { name: "Gil", zone: "America/Los_Angeles", hours: office, behaviour: "skimmer" },
  { name: "Hoa", zone: "Asia/Tokyo", hours: office, behaviour: "prompt" },
  { name: "Ian", zone: "Europe/London", hours: late, behaviour: "forgetful" },
  { name: "Jan", zone: "Europe/Berlin", hours: fourDays, behaviour: "questioner" },
  { name: "Kay", zone: "America/New_York", hours: mornings, behaviour: "forgetful", away: [6, 11] },
  { name: "Lou", zone: "Pacific/Auckland", hours: late, behaviour: "objector" },
  { name: "Max", zone: "Asia/Kolkata", hours: office, behaviour: "skimmer" },
  { name: "Nia", zone: "Europe/London", hours: early, behaviour: "prompt" },
  { name: "Obi", zone: "Europe/London", hours: office, behaviour: "questioner" },
  { name: "Pia", zone: "Europe/Berlin", hours: office, behaviour: "prompt", away: [4, 5] },
  { name: "Raj", zone: "Asia/Kolkata", hours: late, behaviour: "forgetful" },
  { name: "Sam", zone: "America/Los_Angeles", hours: fourDays, behaviour: "skimmer" },
  { name: "Tai", zone: "Pacific/Auckland", hours: early, behaviour: "prompt" },
  { name: "Ulf", zone: "Europe/Berlin", hours: mornings, behaviour: "forgetful" },
  { name: "Val", zone: "America/New_York", hours: late, behaviour: "questioner" },
  { name: "Wyn", zone: "Asia/Tokyo", hours: early, behaviour: "objector", away: [7, 9] },
  { name: "Yuki", zone: "Asia/Tokyo", hours: office, behaviour: "skimmer" },
  { name: "Zev", zone: "Asia/Jerusalem", hours: sundayToThursday, behaviour: "prompt", moves: [7, "Europe/London"] },
];

/** Ten working days without a change to or from daylight saving time. */
export const short: Scale = {
  seed: 13,
  firstDay: "2026-09-07",
  days: 12,
  members: team.slice(0, SHORT_TEAM),
  updates: 20,
};

/** Two weeks. In the middle, on 25 October 2026, daylight saving time ends in Europe and Israel. */
export const full: Scale = {
  seed: 1013,
  firstDay: "2026-10-19",
  days: 14,
  members: team,
  updates: 80,
};

/** The probabilities of people's actions, and the shares of the different kinds of updates. */
export const habits = {
  /**
   * The probability that a person looks at the inbox in a given half hour of their working time.
   */
  visit: {
    prompt: 0.25,
    skimmer: 0.2,
    forgetful: 0.06,
    objector: 0.15,
    questioner: 0.18,
  } satisfies Record<Behaviour, number>,
  /** The probability that a person who looks at the inbox handles a given request. */
  attend: {
    prompt: 0.9,
    skimmer: 0.8,
    forgetful: 0.4,
    objector: 0.7,
    questioner: 0.7,
  } satisfies Record<Behaviour, number>,
  /** The probability that a forgetful person ignores a request until somebody sends a reminder. */
  forget: 0.6,
  /** The probability that an objector objects to an update. */
  object: 0.4,
  /** The probability that a questioner asks a question about an update. */
  ask: 0.4,
  /** The probability that a person who opened an update misunderstands it. */
  misunderstand: 0.2,
  /**
   * The probability that a person who looks at the inbox rewrites an earlier readback (`rewrite`),
   * and the probability that the new readback is then wrong (`spoil`).
   */
  rewrite: 0.4,
  spoil: 0.5,
  /**
   * The probability that an author only loads the readbacks at one visit and judges them at a later
   * visit.
   */
  oldPage: 0.6,
  /**
   * The probability that an update gets a material change. The author makes it in the first working
   * time that follows a delay of one to three days.
   */
  change: 0.3,
  /** The share of updates that go to everyone, and the share that go to a group. */
  everyone: 0.15,
  group: 0.2,
  /**
   * The share of updates that expect an acknowledgement, and the share that expect a readback. The
   * remaining updates expect nothing.
   */
  acknowledge: 0.5,
  readback: 0.35,
  /**
   * Of the updates that expect an answer, the share without a due time (`dueNever`) and the share with a fixed due time
   * (`dueAtTime`). The remaining ones are due after a number of working days.
   */
  dueNever: 0.1,
  dueAtTime: 0.35,
};
