// Starts a Hearback server with its own database and storage: SQLite and a folder, or PostgreSQL
// and S3 if HEARBACK_TEST=postgres is set.
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

/** The path of tests/browser. */
export const here = fileURLToPath(new URL(".", import.meta.url));
const targetFolder = process.env.CARGO_TARGET_DIR ?? join(here, "../../target");
/** The path of the program. */
export const program = resolve(process.env.HEARBACK_BIN ?? join(targetFolder, "debug/hearback"));
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 30_000;

export type Person = { name: string; email: string; password: string; admin?: boolean };

/** Returns the data of an account. `person("Ada")` has the address ada@example.org. */
export function person(name: string, more: Partial<Person> = {}): Person {
  const email = `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, ".")}@example.org`;
  return { name, email, password: "correct horse battery staple", ...more };
}

/** A clock that replaces a server's clock. It stands still until `moveTo` is called. */
export class TestClock {
  private constructor(
    /** The path of the file that HEARBACK_TEST_CLOCK names. */
    readonly file: string,
    private time: Date,
  ) {}

  static async create(file: string, time: string): Promise<TestClock> {
    const clock = new TestClock(file, new Date(time));
    await clock.moveTo(time);
    return clock;
  }

  get now(): Date {
    return this.time;
  }

  /** Sets the time for every request that starts afterwards. */
  async moveTo(time: string | Date): Promise<void> {
    this.time = new Date(time);
    await writeFile(`${this.file}.new`, this.time.toISOString());
    await rename(`${this.file}.new`, this.file);
  }
}

export class Hearback {
  private constructor(
    /** The base address, without a trailing slash. */
    readonly url: string,
    /** The one-time address at which the first account is created. */
    readonly setUpLink: string,
    private child: ChildProcess,
    private readonly settings: NodeJS.ProcessEnv,
    private readonly log: WriteStream,
    private readonly removeResources: () => Promise<void>,
    private readonly testClock?: TestClock,
  ) {}

  /**
   * Starts a server on a free port with an empty database. If `time` is given, the server's clock stands still at that
   * time. The server writes its log to results/logs/NAME-….log.
   */
  static async start(
    name = "hearback",
    settings: NodeJS.ProcessEnv = {},
    time?: string,
  ): Promise<Hearback> {
    const parts = await createResources();
    const clock =
      time === undefined ? undefined : await TestClock.create(join(parts.folder, "clock"), time);
    const env = {
      ...inheritedEnvironment(),
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
      const setUpLink = await waitForOutput(child, /(https?:\/\/\S+\/setup\?code=\S+)/);
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

  /** The id of the server's process. */
  get pid(): number {
    return this.child.pid!;
  }

  /** The server's clock. Throws if the server was started without a `time`. */
  get clock(): TestClock {
    if (!this.testClock) throw new Error("this server was started without a test clock");
    return this.testClock;
  }

  /** Adds accounts and returns them. If only a name is given, `person` provides the other data. */
  async addPeople(...accounts: (string | Person)[]): Promise<Person[]> {
    const people = accounts.map((account) =>
      typeof account === "string" ? person(account) : account,
    );
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
      await this.runCommand(args, `${password}\n`);
    }
    return people;
  }

  /** Runs `hearback ARGS…` with the settings of the server, and returns its output. */
  async runCommand(args: string[], input = ""): Promise<string> {
    const running = promisify(execFile)(program, args, { env: this.settings });
    running.child.stdin?.end(input);
    return (await running).stdout.trim();
  }

  /**
   * Kills the process without warning, as the system does when memory runs out. Its data remains.
   */
  async kill(): Promise<void> {
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
  }

  /** Suspends the process until `resume` is called. Its connections stay open. */
  suspend(): void {
    this.child.kill("SIGSTOP");
  }

  /** Continues a suspended process. */
  resume(): void {
    this.child.kill("SIGCONT");
  }

  /** Starts the server again at the same address with the same data. `settings` override the original ones. */
  async restart(settings: NodeJS.ProcessEnv = {}): Promise<void> {
    const { host } = new URL(this.url);
    this.child = serve({ ...this.settings, HEARBACK_LISTEN: host, ...settings }, this.log);
    await waitForOutput(this.child, /(is listening on)/);
  }

  /** Terminates the server as a service manager would, and deletes its folder and its database. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, "exit");
      this.child.kill("SIGTERM");
      const timer = setTimeout(() => this.child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    }
    await this.removeResources();
  }
}

function serve(env: NodeJS.ProcessEnv, log: WriteStream): ChildProcess {
  const child = spawn(program, ["serve"], { env, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  return child;
}

/** Returns the environment variables of this process, without those that configure Hearback. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => name !== "DATABASE_URL" && !name.startsWith("HEARBACK_"),
    ),
  );
}

/**
 * Creates the folder of one server, and its PostgreSQL database if HEARBACK_TEST=postgres is set.
 */
async function createResources() {
  const id = randomBytes(6).toString("hex");
  const folder = await mkdtemp(join(tmpdir(), "hearback-"));
  const settings: NodeJS.ProcessEnv = { HEARBACK_DATA: folder };
  let remove = () => rm(folder, { recursive: true, force: true });
  if (process.env.HEARBACK_TEST === "postgres") {
    const database = `hearback_browser_${id}`;
    const superuser = requireEnv("HEARBACK_TEST_POSTGRES");
    await runSql(superuser, `create database ${database}`);
    const url = new URL(superuser);
    url.pathname = `/${database}`;
    Object.assign(settings, {
      DATABASE_URL: url.href,
      HEARBACK_STORAGE: `s3://hearback-test/browser-${id}`,
      HEARBACK_S3_ENDPOINT: requireEnv("HEARBACK_TEST_S3_ENDPOINT"),
      HEARBACK_S3_PATH_STYLE: "true",
    });
    const removeFolder = remove;
    remove = async () => {
      await runSql(superuser, `drop database if exists ${database} with (force)`);
      await removeFolder();
    };
  }
  return { id, folder, settings, remove };
}

function requireEnv(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(
      `${name} is not set: run bin/test, or eval "$(bin/test-servers start DIR)" first`,
    );
  return value;
}

async function runSql(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * Waits for a line of output that matches `pattern`, and returns the first capture group. Rejects
 * if the process ends, cannot be started or prints no matching line in time.
 */
function waitForOutput(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${program} did not print ${pattern} in ${START_TIMEOUT_MS} ms`)),
      START_TIMEOUT_MS,
    );
    const fail = (reason: string) => {
      clearTimeout(timer);
      reject(new Error(`${program} ${reason} before it printed ${pattern}`));
    };
    child.once("error", (error) => fail(`could not be started (${error.message})`));
    child.once("exit", (code, signal) => fail(`ended (${signal ?? code})`));
    createInterface({ input: child.stdout! }).on("line", (line) => {
      const match = pattern.exec(line)?.[1];
      if (!match) return;
      clearTimeout(timer);
      resolve(match);
    });
  });
}
