// A Hearback server with the members' accounts, a test clock, and an SMTP server that receives its emails.
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { Hearback, person } from "../server.ts";
import { Api } from "./api.ts";
import { email } from "./plan.ts";
import { Sink } from "./sink.ts";
import type { Member } from "./team.ts";

const METRICS_TOKEN = "simulation";
/**
 * After this time, emails about an event are due. The server sends them just over ten seconds after
 * the event, when a publication can no longer be undone.
 */
const MAIL_DELAY_MS = 11_000;
const POLL_INTERVAL_MS = 5;
const SETTLE_TIMEOUT_MS = 60_000;

export class TeamServer {
  private constructor(
    private readonly server: Hearback,
    readonly sink: Sink,
  ) {}

  /** Starts a server whose clock stands at `time`. */
  static async start(time: number): Promise<TeamServer> {
    let now = () => time;
    const sink = await Sink.start(() => now());
    const address = `127.0.0.1:${await freePort()}`;
    const settings = {
      HEARBACK_LISTEN: address,
      HEARBACK_URL: `http://${address}`,
      HEARBACK_SMTP_URL: sink.url,
      HEARBACK_MAIL_FROM: "Hearback <hearback@example.org>",
      HEARBACK_METRICS_TOKEN: METRICS_TOKEN,
      HEARBACK_LOG: "warn",
    };
    const server = await Hearback.start("simulation", settings, new Date(time).toISOString());
    now = () => server.clock.now.getTime();
    return new TeamServer(server, sink);
  }

  get now(): number {
    return this.server.clock.now.getTime();
  }

  /** Adds an account for a member, and returns an API client for it. */
  async addMember(member: Member): Promise<Api> {
    const account = person(member.name, { email: email(member), admin: member.name === "Ada" });
    await this.server.addPeople(account);
    const args = ["token", "add", "--person", account.email, "--name", "simulation"];
    const api = new Api(this.server.url, await this.server.runCommand(args));
    const { zone, hours } = member;
    await api.send("PATCH", "/me", { time_zone: zone, working_hours: hours });
    return api;
  }

  /** Moves the clock and waits until the server has done everything that became due. */
  async moveTo(time: number): Promise<void> {
    await this.server.clock.moveTo(new Date(time));
    const deadline = Date.now() + SETTLE_TIMEOUT_MS;
    while (!(await this.isSettled())) {
      if (Date.now() > deadline) throw new Error("the server did not finish the due work in time");
      await pause(POLL_INTERVAL_MS);
    }
  }

  /**
   * Moves the clock until the emails about everything that has happened so far are due, and waits until they have
   * arrived.
   */
  async deliverMails(): Promise<void> {
    await this.moveTo(this.now + MAIL_DELAY_MS);
  }

  /**
   * Whether the server has done everything that is due: no job is due, and the check for overdue answers has run at the
   * current time of the clock. Versions before 0.2.0 report neither. For them, returns whether no job is left, because
   * all their jobs become due within MAIL_DELAY_MS.
   */
  private async isSettled(): Promise<boolean> {
    const text = await new Api(this.server.url, METRICS_TOKEN).get<string>("/metrics");
    const lines = text.split("\n");
    const sample = (name: string) => {
      const line = lines.find((line) => line.startsWith(`${name} `));
      return line === undefined ? undefined : Number(line.slice(name.length + 1));
    };
    if (sample('hearback_jobs{state="dead"}') !== 0)
      throw new Error("a job has failed permanently");
    const due = sample("hearback_jobs_due") ?? sample('hearback_jobs{state="waiting"}');
    const now = Math.floor(this.now / 1000);
    return due === 0 && (sample("hearback_overdue_check_timestamp_seconds") ?? now) === now;
  }

  async stop(): Promise<void> {
    await this.server.stop();
    this.sink.stop();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
