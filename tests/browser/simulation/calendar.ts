// Local time, working hours and absences, computed independently of the server.
import type { Hours, Member } from "./team.ts";

const DAY = 24 * 3_600_000;

type Local = { date: string; weekday: number; seconds: number };

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formats.set(zone, format);
  }
  return format;
}

/** Converts a time in milliseconds to a local date, an ISO weekday and the local clock time in seconds. */
function local(zone: string, at: number): Local {
  const parts = new Map(
    format(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
  const date = `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`;
  return {
    date,
    weekday: weekday(date),
    seconds: number("hour") * 3600 + number("minute") * 60 + number("second"),
  };
}

function weekday(date: string): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay() || 7;
}

/** Returns the date that is `days` days after `date`. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

/** Returns the time at which a date begins in a time zone, in milliseconds since the epoch. */
export function beginOfDay(zone: string, date: string): number {
  const utc = Date.parse(`${date}T00:00:00Z`);
  const quarters = Array.from({ length: 4 * 30 }, (_, at) => utc - 15 * 3_600_000 + at * 900_000);
  return quarters.find((at) => local(zone, at).date >= date)!;
}

function secondsOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 3600 + minutes * 60;
}

/** A person's time zone, working hours and absence. The time zone can change. */
export class Calendar {
  zone: string;
  readonly hours: Hours;
  /** The absence that the person has entered, in milliseconds since the epoch. */
  away?: { from: number; until: number };

  constructor({ zone, hours }: Member) {
    this.zone = zone;
    this.hours = hours;
  }

  /** Whether a time is within the weekly working hours, including the moment `to`. Ignores absences. */
  worksAt(at: number): boolean {
    const { weekday, seconds } = local(this.zone, at);
    const { days, from, to } = this.hours;
    return days.includes(weekday) && seconds >= secondsOf(from) && seconds <= secondsOf(to);
  }

  isAway(at: number): boolean {
    return this.away !== undefined && at >= this.away.from && at < this.away.until;
  }

  /**
   * Counts the working days after the day of `from` and before the day of `to`. Leaves out days
   * that begin during the absence.
   */
  workingDaysBetween(from: number, to: number): number {
    const last = local(this.zone, to).date;
    let days = 0;
    for (let date = addDays(local(this.zone, from).date, 1); date < last; date = addDays(date, 1)) {
      const works = this.hours.days.includes(weekday(date));
      if (works && !this.isAway(beginOfDay(this.zone, date))) days += 1;
    }
    return days;
  }
}
