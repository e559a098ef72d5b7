// A Hearback of one's own: on SQLite and a folder or, with HEARBACK_TEST=postgres, on PostgreSQL and S3. It knows nothing of browsers.
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pg from "pg";

/** This folder. */
export const here = fileURLToPath(new URL(".", import.meta.url));
const program = resolve(process.env.HEARBACK_BIN ?? join(here, "../../target/debug/hearback"));
const patience = 30_000; // ms, for the start and for the stop

export type Person = { name: string; email: string; password: string; admin?: boolean };

/** Someone to add or to sign in: `person('Ada')` is ada@example.org. */
export function person(name: string, more: Partial<Person> = {}): Person {
  const email = `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, ".")}@example.org`;
  return { name, email, password: "correct horse battery staple", ...more };
}

/** The domain's clock of one server: it stands still, and only this moves it. */
export class HeldClock {
  private constructor(
    /** What HEARBACK_TEST_CLOCK names. */
    readonly file: string,
    private time: Date,
  ) {}

  static async at(file: string, time: string): Promise<HeldClock> {
    const clock = new HeldClock(file, new Date(time));
    await clock.moveTo(time);
    return clock;
  }

  get now(): Date {
    return this.time;
  }

  /** Whatever is asked from here on happens then. */
  async moveTo(time: string | Date): Promise<void> {
    this.time = new Date(time);
    await writeFile(`${this.file}.new`, this.time.toISOString());
    await rename(`${this.file}.new`, this.file);
  }
}

export class Hearback {
  private constructor(
    /** Where it listens, without a slash at the end. */
    readonly url: string,
    /** The one-time address that makes the first account. */
    readonly setUpLink: string,
    private child: ChildProcess,
    private readonly settings: NodeJS.ProcessEnv,
    private readonly log: WriteStream,
    private readonly cleanUp: () => Promise<void>,
    private readonly held?: HeldClock,
  ) {}

  /** Starts one on a free port with an empty database; its clock stands still if it is told where. What it logs is kept as results/NAME-….log. */
  static async start(
    name = "hearback",
    settings: NodeJS.ProcessEnv = {},
    heldAt?: string,
  ): Promise<Hearback> {
    const parts = await freshParts();
    const clock =
      heldAt === undefined ? undefined : await HeldClock.at(join(parts.folder, "clock"), heldAt);
    const env = {
      ...inherited(),
      HEARBACK_LISTEN: "127.0.0.1:0",
      ...parts.settings,
      HEARBACK_TEST_CLOCK: clock?.file,
      ...settings,
    };
    const logs = join(here, "results/logs");
    await mkdir(logs, { recursive: true });
    const log = createWriteStream(join(logs, `${name}-${parts.id}.log`));
    const child = serve(env, log);
    try {
      const setUpLink = await printed(child, /(https?:\/\/\S+\/setup\?code=\S+)/);
      return new Hearback(
        new URL(setUpLink).origin,
        setUpLink,
        child,
        env,
        log,
        parts.remove,
        clock,
      );
    } catch (error) {
      child.kill("SIGKILL");
      await parts.remove();
      throw new Error(`the server does not start; see ${String(log.path)}`, { cause: error });
    }
  }

  /** Its clock, if it was started with one that is held. */
  get clock(): HeldClock {
    if (!this.held) throw new Error("this server was started with a clock that runs");
    return this.held;
  }

  /** Adds accounts, by name or in full, and returns them. */
  async people(...wanted: (string | Person)[]): Promise<Person[]> {
    const people = wanted.map((one) => (typeof one === "string" ? person(one) : one));
    for (const { name, email, password, admin } of people) {
      const args = [
        "person",
        "add",
        "--email",
        email,
        "--name",
        name,
        "--password-stdin",
        ...(admin ? ["--admin"] : []),
      ];
      await this.command(args, `${password}\n`);
    }
    return people;
  }

  /** Runs `hearback ARGS…` beside the server, with its settings, and returns what it printed. */
  async command(args: string[], input = ""): Promise<string> {
    const running = promisify(execFile)(program, args, { env: this.settings });
    running.child.stdin?.end(input);
    return (await running).stdout.trim();
  }

  /** Ends it at once, in the middle of whatever it does, as a power cut would. Its data stay. */
  async kill(): Promise<void> {
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
  }

  /** It stands still, with all its connections open, until it goes on. */
  stall(): void {
    this.child.kill("SIGSTOP");
  }

  /** It goes on with what it was doing, late. */
  goOn(): void {
    this.child.kill("SIGCONT");
  }

  /** Starts it again where it was, on what it left; with other settings, if some are given. */
  async again(settings: NodeJS.ProcessEnv = {}): Promise<void> {
    const { host } = new URL(this.url);
    this.child = serve({ ...this.settings, HEARBACK_LISTEN: host, ...settings }, this.log);
    await printed(this.child, /(listens on)/);
  }

  /** Asks it to end, as a system would, and throws its data away. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, "exit");
      this.child.kill("SIGTERM");
      const giveUp = setTimeout(() => this.child.kill("SIGKILL"), patience);
      await ended;
      clearTimeout(giveUp);
    }
    await this.cleanUp();
  }
}

function serve(env: NodeJS.ProcessEnv, log: WriteStream): ChildProcess {
  const child = spawn(program, ["serve"], { env, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  return child;
}

/** Our environment without the settings of someone's own Hearback. */
function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => name !== "DATABASE_URL" && !name.startsWith("HEARBACK_"),
    ),
  );
}

/** Storage and database for one server. */
async function freshParts() {
  const id = randomBytes(6).toString("hex");
  const folder = await mkdtemp(join(tmpdir(), "hearback-"));
  const settings: NodeJS.ProcessEnv = { HEARBACK_DATA: folder };
  let remove = () => rm(folder, { recursive: true, force: true });
  if (process.env.HEARBACK_TEST === "postgres") {
    const database = `hearback_browser_${id}`;
    const superuser = needed("HEARBACK_TEST_POSTGRES");
    await sql(superuser, `create database ${database}`);
    const url = new URL(superuser);
    url.pathname = `/${database}`;
    Object.assign(settings, {
      DATABASE_URL: url.href,
      HEARBACK_STORAGE: `s3://hearback-test/browser-${id}`,
      HEARBACK_S3_ENDPOINT: needed("HEARBACK_TEST_S3_ENDPOINT"),
      HEARBACK_S3_PATH_STYLE: "true",
    });
    const removeFolder = remove;
    remove = async () => {
      await sql(superuser, `drop database if exists ${database} with (force)`);
      await removeFolder();
    };
  }
  return { id, folder, settings, remove };
}

function needed(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(
      `${name} is not set: run bin/test, or eval "$(bin/test-servers start DIR)" first`,
    );
  return value;
}

async function sql(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** What a line of its output says; fails if it ends, cannot be started, or keeps silent about it. */
function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((found, failed) => {
    const giveUp = setTimeout(
      () => failed(new Error(`${program} did not print ${pattern} in ${patience} ms`)),
      patience,
    );
    const end = (why: string) => {
      clearTimeout(giveUp);
      failed(new Error(`${program} ${why} before it printed ${pattern}`));
    };
    child.once("error", (error) => end(`could not be started (${error.message})`));
    child.once("exit", (code, signal) => end(`ended (${signal ?? code})`));
    createInterface({ input: child.stdout! }).on("line", (line) => {
      const said = pattern.exec(line)?.[1];
      if (!said) return;
      clearTimeout(giveUp);
      found(said);
    });
  });
}
