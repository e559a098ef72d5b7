// Records with Chromium's fake devices and measures the sound and the video of the recordings. The fake microphone
// produces a tone.
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium, expect, type BrowserContext, type Page } from "@playwright/test";
import { chromiumArgs, executablePath } from "./playwright.config.ts";
import { toneWav } from "./studio.ts";
import { fixture, signIn, type Hearback, type Person } from "./test.ts";

const exec = promisify(execFile);
/** The frequency of the fake microphone's tone, in hertz. */
export const TONE_HZ = 440;

/**
 * A signed-in browser whose profile survives a crash. It collects every byte that the MediaRecorders of its pages
 * produce.
 */
export class RecordingBrowser {
  /** The chunks that MediaRecorder produced, in order. */
  chunks: Buffer[] = [];
  #startedAt: number | undefined;

  private constructor(
    readonly person: Person,
    readonly folder: string,
    readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  /** Launches the browser. A second launch with the same `folder` uses the same profile. */
  static async open(server: Hearback, person: Person, folder: string): Promise<RecordingBrowser> {
    const tone = join(folder, "tone.wav");
    await mkdir(folder, { recursive: true });
    await writeFile(tone, toneWav(TONE_HZ));
    const context = await chromium.launchPersistentContext(join(folder, "profile"), {
      executablePath,
      headless: true,
      baseURL: server.url,
      permissions: ["camera", "microphone", "clipboard-read", "clipboard-write"],
      ignoreDefaultArgs: ["--mute-audio"],
      args: [
        ...chromiumArgs,
        "--use-fake-device-for-media-stream",
        `--use-file-for-fake-audio-capture=${tone}`,
      ],
    });
    const studio = new RecordingBrowser(person, folder, context, context.pages()[0]!);
    await context.exposeBinding("chunkRecorded", (_source, base64: string) =>
      studio.chunks.push(Buffer.from(base64, "base64")),
    );
    await context.exposeBinding("recorderStarted", (_source, time: number) => {
      studio.#startedAt = time;
    });
    await context.addInitScript(() => {
      const start = MediaRecorder.prototype.start;
      MediaRecorder.prototype.start = function (...args) {
        const test = window as unknown as {
          chunkRecorded: (base64: string) => void;
          recorderStarted: (time: number) => void;
        };
        this.addEventListener("start", () => test.recorderStarted(Date.now()));
        let previous = Promise.resolve();
        this.addEventListener("dataavailable", ({ data }) => {
          previous = previous.then(async () => {
            const bytes = new Uint8Array(await data.arrayBuffer());
            let binary = "";
            for (let offset = 0; offset < bytes.length; offset += 8192)
              binary += String.fromCharCode(...bytes.subarray(offset, offset + 8192));
            test.chunkRecorded(btoa(binary));
          });
        });
        start.apply(this, args);
      };
    });
    await studio.ensureSignedIn(studio.page);
    return studio;
  }

  /** Signs in unless a session exists. A killed browser may have lost its cookies. */
  async ensureSignedIn(page: Page): Promise<void> {
    await page.goto("/inbox");
    if (new URL(page.url()).pathname === "/session") await signIn(page, this.person);
  }

  /**
   * Starts recording the camera and the microphone, and waits until `seconds` are safe on the
   * server. The recording continues.
   */
  async recordUntilSafe(seconds: number): Promise<void> {
    const { page } = this;
    await page.goto("/updates/new");
    await page.locator("[data-do=open]").click();
    await page.getByRole("radio", { name: "Camera", exact: true }).check();
    await page.locator("[data-do=record]").click();
    await this.waitUntilSafe(seconds);
  }

  /** Returns the seconds since the recorder started. */
  get recordedSeconds(): number {
    return this.#startedAt === undefined ? 0 : (Date.now() - this.#startedAt) / 1000;
  }

  /** Waits until the page says that `seconds` are safe on the server. */
  async waitUntilSafe(seconds: number): Promise<void> {
    await expect
      .poll(async () => parseSafeSeconds(await this.progressMessage.innerText()), {
        timeout: 30_000,
      })
      .toBeGreaterThanOrEqual(seconds);
  }

  /** The message that states how much of the recording is on the server and how much is only in the browser. */
  get progressMessage() {
    return this.page.locator("[data-part=safety]");
  }

  /**
   * Kills the whole browser, as the system does when memory runs out. Returns the seconds recorded until then.
   */
  async killBrowser(): Promise<number> {
    const closed = new Promise((resolve) => this.context.once("close", resolve));
    const browser = await findBrowserPid(this.profile);
    process.kill(browser, "SIGKILL");
    const { recordedSeconds } = this;
    await closed;
    return recordedSeconds;
  }

  /** Kills the processes of all tabs. Returns the seconds recorded until then. */
  async killTabs(): Promise<number> {
    const crashed = this.page.waitForEvent("crash");
    const tabs = await findTabPids(await findBrowserPid(this.profile));
    for (const tab of tabs) process.kill(tab, "SIGKILL");
    const { recordedSeconds } = this;
    await crashed;
    return recordedSeconds;
  }

  private get profile(): string {
    return join(this.folder, "profile");
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}

/** Returns the process id of the browser with this profile. */
async function findBrowserPid(profile: string): Promise<number> {
  const main = (await listProcesses()).find(
    ({ command }) =>
      command.includes(`--user-data-dir=${profile}\0`) && !command.includes("--type="),
  );
  if (!main) throw new Error(`no browser runs with ${profile}`);
  return main.pid;
}

/** Returns the process ids of the renderer processes of a browser. */
async function findTabPids(browser: number): Promise<number[]> {
  const all = await listProcesses();
  const isDescendant = (pid: number): boolean =>
    pid === browser || all.some((other) => other.pid === pid && isDescendant(other.parent));
  return all
    .filter(({ pid, command }) => command.includes("--type=renderer") && isDescendant(pid))
    .map(({ pid }) => pid);
}

async function listProcesses(): Promise<{ pid: number; parent: number; command: string }[]> {
  const all = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const [command, stat] = await Promise.all([
        readFile(`/proc/${pid}/cmdline`, "utf8"),
        readFile(`/proc/${pid}/stat`, "utf8"),
      ]);
      // The parent's id is the second field after the process name, which is in parentheses. The name itself may
      // contain parentheses, so look for the last closing parenthesis.
      all.push({
        pid: Number(pid),
        parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]),
        command,
      });
    } catch {
      // The process ended in the meantime.
    }
  }
  return all;
}

/**
 * Parses a message such as "Safe on the server up to 1:24" into seconds. Returns -1 for other
 * messages.
 */
export function parseSafeSeconds(message: string): number {
  const [, minutes, seconds] = /[Ss]afe on the server up to (\d+):(\d\d)/.exec(message) ?? [];
  return minutes === undefined ? -1 : Number(minutes) * 60 + Number(seconds);
}

/**
 * Fetches the first media item of an update and the bytes of its rendition `name`, with the session
 * of `page`. The original is available only if `page` is signed in as the author.
 */
export async function fetchStoredMedia(
  page: Page,
  update: string,
  name = "original",
): Promise<{ id: string; state: string; reason: string | null; bytes: Buffer }> {
  const headers = { accept: "application/json" };
  const { media } = (await (
    await page.request.get(new URL(`/updates/${update}`, page.url()).href, { headers })
  ).json()) as {
    media: {
      id: string;
      state: string;
      reason: string | null;
      renditions: { name: string; url: string }[];
    }[];
  };
  const first = media[0]!;
  const file = await page.request.get(
    new URL(first.renditions.find((rendition) => rendition.name === name)!.url, page.url()).href,
  );
  expect(file.ok()).toBe(true);
  return { id: first.id, state: first.state, reason: first.reason, bytes: await file.body() };
}

/** Returns a browser's recording, padded to `bytes` bytes with an element of random data that players skip. */
export async function paddedRecording(bytes: number): Promise<Buffer> {
  const recording = await readFile(fixture("rec-vp9-opus-10s.webm"));
  const size = bytes - recording.length - 9;
  const header = Buffer.alloc(9);
  header.writeBigUInt64BE((1n << 56n) | BigInt(size), 1);
  header[0] = 0xec; // EBML Void with an eight-byte length
  return Buffer.concat([recording, header, randomBytes(size)]);
}

export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/**
 * Decodes the sound of a file. Returns its length in seconds, and the share of its energy at one frequency, from 0 to
 * 1. Uses the Goertzel algorithm.
 */
export async function measureTone(
  file: string,
  hertz = TONE_HZ,
): Promise<{ seconds: number; tone: number }> {
  const rate = 8000;
  const { stdout } = await exec(
    "ffmpeg",
    ["-loglevel", "error", "-i", file, "-vn", "-ac", "1", "-ar", String(rate), "-f", "s16le", "-"],
    {
      encoding: "buffer",
      maxBuffer: 1 << 28,
    },
  );
  const samples = new Int16Array(stdout.buffer, stdout.byteOffset, stdout.byteLength >> 1);
  const windowSize = 800;
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / rate);
  let [power, energy] = [0, 0];
  for (let start = 0; start + windowSize <= samples.length; start += windowSize) {
    let [a, b] = [0, 0];
    for (const sample of samples.subarray(start, start + windowSize)) {
      [a, b] = [sample + coefficient * a - b, a];
      energy += sample * sample;
    }
    power += (a * a + b * b - coefficient * a * b) / (windowSize / 2);
  }
  return { seconds: samples.length / rate, tone: energy === 0 ? 0 : power / energy };
}

/** Like `colorShares`, but returns only the largest share in the first second of the file. */
export async function maxColorShareAtStart(file: string, color: Color): Promise<number> {
  return Math.max(...(await colorShares(file, color, ["-t", "1"])));
}

type Color = readonly [red: number, green: number, blue: number];

/**
 * Returns the share of each frame's area that a color covers, from 0 to 1. `limits` are ffmpeg arguments that select a
 * part of the file.
 */
export async function colorShares(
  file: string,
  [red, green, blue]: Color,
  limits: string[] = [],
): Promise<number[]> {
  const [width, height] = [160, 100];
  const { stdout } = await exec(
    "ffmpeg",
    [
      "-loglevel",
      "error",
      "-i",
      file,
      ...limits,
      "-vf",
      `scale=${width}:${height}`,
      "-fps_mode",
      "passthrough",
      "-f",
      "rawvideo",
      "-pix_fmt",
      "rgb24",
      "-",
    ],
    { encoding: "buffer", maxBuffer: 1 << 28 },
  );
  const size = width * height * 3;
  expect(stdout.length).toBeGreaterThanOrEqual(size);
  const frames: number[] = [];
  for (let start = 0; start + size <= stdout.length; start += size) {
    let similar = 0;
    for (let pixel = start; pixel < start + size; pixel += 3)
      if (
        Math.abs(stdout[pixel]! - red) +
          Math.abs(stdout[pixel + 1]! - green) +
          Math.abs(stdout[pixel + 2]! - blue) <
        90
      )
        similar += 1;
    frames.push(similar / (width * height));
  }
  return frames;
}

/**
 * Returns the length of a file's video track in seconds, measured from its packets rather than read from its header.
 */
export async function measureVideoSeconds(file: string): Promise<number> {
  const { stdout } = await exec("ffprobe", [
    "-loglevel",
    "error",
    "-select_streams",
    "v",
    "-show_entries",
    "packet=pts_time",
    "-of",
    "csv=p=0",
    file,
  ]);
  const times = stdout
    .split("\n")
    .map((line) => Number.parseFloat(line))
    .filter((time) => Number.isFinite(time));
  return Math.max(...times);
}
