// Recording for real, with Chromium's fake devices: a tone on the microphone, so that what is heard at the end can be measured.
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium, expect, type BrowserContext, type Page } from "@playwright/test";
import { chromium as flags, executablePath } from "./playwright.config.ts";
import { wave } from "./studio.ts";
import { fixture, signIn, type Hearback, type Person } from "./test.ts";

const run = promisify(execFile);
/** What the fake microphone hears, in hertz. */
export const TONE = 440;

/** A browser with a profile that outlives it, someone who is signed in, and every byte that its recorders handed out. */
export class RecordingBrowser {
  /** What the recorder of the page handed out, in order. */
  pieces: Buffer[] = [];
  #began: number | undefined;

  private constructor(
    readonly who: Person,
    readonly folder: string,
    readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  /** Opens it: the first time, or again on the profile that it left. */
  static async open(server: Hearback, who: Person, folder: string): Promise<RecordingBrowser> {
    const tone = join(folder, "tone.wav");
    await mkdir(folder, { recursive: true });
    await writeFile(tone, wave(TONE));
    const context = await chromium.launchPersistentContext(join(folder, "profile"), {
      executablePath,
      headless: true,
      baseURL: server.url,
      permissions: ["camera", "microphone", "clipboard-read", "clipboard-write"],
      ignoreDefaultArgs: ["--mute-audio"],
      args: [
        ...flags,
        "--use-fake-device-for-media-stream",
        `--use-file-for-fake-audio-capture=${tone}`,
      ],
    });
    const studio = new RecordingBrowser(who, folder, context, context.pages()[0]!);
    await context.exposeBinding("handedOut", (_source, bytes: string) =>
      studio.pieces.push(Buffer.from(bytes, "base64")),
    );
    await context.exposeBinding("recorderBegan", (_source, at: number) => {
      studio.#began = at;
    });
    await context.addInitScript(() => {
      const start = MediaRecorder.prototype.start;
      MediaRecorder.prototype.start = function (...slice) {
        const test = window as unknown as {
          handedOut: (text: string) => void;
          recorderBegan: (at: number) => void;
        };
        this.addEventListener("start", () => test.recorderBegan(Date.now()));
        let before = Promise.resolve();
        this.addEventListener("dataavailable", ({ data }) => {
          before = before.then(async () => {
            const bytes = new Uint8Array(await data.arrayBuffer());
            let text = "";
            for (let at = 0; at < bytes.length; at += 8192)
              text += String.fromCharCode(...bytes.subarray(at, at + 8192));
            test.handedOut(btoa(text));
          });
        });
        start.apply(this, slice);
      };
    });
    await studio.enter(studio.page);
    return studio;
  }

  /** Signs in where nobody is: a browser that was killed may have lost its cookies. */
  async enter(page: Page): Promise<void> {
    await page.goto("/inbox");
    if (new URL(page.url()).pathname === "/session") await signIn(page, this.who);
  }

  /** Records its camera and its microphone until `seconds` of it are safe on the server. */
  async record(seconds: number): Promise<void> {
    const { page } = this;
    await page.goto("/updates/new");
    await page.locator("[data-do=open]").click();
    await page.getByRole("radio", { name: "Camera", exact: true }).check();
    await page.locator("[data-do=record]").click();
    await this.safe(seconds);
  }

  /** Seconds since the recorder began. */
  get recorded(): number {
    return this.#began === undefined ? 0 : (Date.now() - this.#began) / 1000;
  }

  /** Waits until the page says that so many seconds are safe on the server. */
  async safe(seconds: number): Promise<void> {
    const words = this.page.locator("[data-part=safety]");
    await expect
      .poll(async () => safeUpTo(await words.innerText()), { timeout: 30_000 })
      .toBeGreaterThanOrEqual(seconds);
  }

  /** What the page says about where the recording is. */
  get words() {
    return this.page.locator("[data-part=safety]");
  }

  /** Ends the whole browser as the system does when it has no memory left, and answers how many seconds were recorded until then. */
  async kill(): Promise<number> {
    const closed = new Promise((resolve) => this.context.once("close", resolve));
    const browser = await browserOf(this.profile);
    process.kill(browser, "SIGKILL");
    const { recorded } = this;
    await closed;
    return recorded;
  }

  /** Ends the processes of its tabs, and answers how many seconds were recorded until then. */
  async killTabs(): Promise<number> {
    const crashed = this.page.waitForEvent("crash");
    const tabs = await tabsOf(await browserOf(this.profile));
    for (const tab of tabs) process.kill(tab, "SIGKILL");
    const { recorded } = this;
    await crashed;
    return recorded;
  }

  private get profile(): string {
    return join(this.folder, "profile");
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}

/** The process of a browser with this profile, which is no child of its own. */
async function browserOf(profile: string): Promise<number> {
  const own = (await processes()).find(
    ({ command }) =>
      command.includes(`--user-data-dir=${profile}\0`) && !command.includes("--type="),
  );
  if (!own) throw new Error(`no browser runs with ${profile}`);
  return own.pid;
}

/** The processes of a browser's tabs: its children's children. */
async function tabsOf(browser: number): Promise<number[]> {
  const all = await processes();
  const under = (pid: number): boolean =>
    pid === browser || all.some((one) => one.pid === pid && under(one.parent));
  return all
    .filter(({ pid, command }) => command.includes("--type=renderer") && under(pid))
    .map(({ pid }) => pid);
}

async function processes(): Promise<{ pid: number; parent: number; command: string }[]> {
  const all = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const [command, stat] = await Promise.all([
        readFile(`/proc/${pid}/cmdline`, "utf8"),
        readFile(`/proc/${pid}/stat`, "utf8"),
      ]);
      // Its name stands in brackets, and may hold anything.
      all.push({
        pid: Number(pid),
        parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]),
        command,
      });
    } catch {
      // It ended meanwhile.
    }
  }
  return all;
}

/** "Safe on the server up to 1:24" in seconds; -1 where it says no such thing. */
export function safeUpTo(words: string): number {
  const [, minutes, seconds] = /[Ss]afe on the server up to (\d+):(\d\d)/.exec(words) ?? [];
  return minutes === undefined ? -1 : Number(minutes) * 60 + Number(seconds);
}

/** The first media of an update, as who is signed in on the page gets it, and the bytes of one of its files; the recording itself is its author's alone. */
export async function stored(
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

/** A recording as browsers make it, made `bytes` long by an element that players skip. */
export async function padded(bytes: number): Promise<Buffer> {
  const recorded = await readFile(fixture("rec-vp9-opus-10s.webm"));
  const size = bytes - recorded.length - 9;
  const head = Buffer.alloc(9);
  head.writeBigUInt64BE((1n << 56n) | BigInt(size), 1);
  head[0] = 0xec; // EBML Void, its length in eight bytes
  return Buffer.concat([recorded, head, randomBytes(size)]);
}

export const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** The length of the sound in a file, in seconds, and the part of its loudness that is the tone (Goertzel), both from what ffmpeg decodes. */
export async function heard(
  file: string,
  hertz = TONE,
): Promise<{ seconds: number; tone: number }> {
  const rate = 8000;
  const { stdout } = await run(
    "ffmpeg",
    ["-loglevel", "error", "-i", file, "-vn", "-ac", "1", "-ar", String(rate), "-f", "s16le", "-"],
    {
      encoding: "buffer",
      maxBuffer: 1 << 28,
    },
  );
  const samples = new Int16Array(stdout.buffer, stdout.byteOffset, stdout.byteLength >> 1);
  const turn = 2 * Math.cos((2 * Math.PI * hertz) / rate);
  let [power, energy] = [0, 0];
  for (let from = 0; from + 800 <= samples.length; from += 800) {
    let [a, b] = [0, 0];
    for (const sample of samples.subarray(from, from + 800)) {
      [a, b] = [sample + turn * a - b, a];
      energy += sample * sample;
    }
    power += (a * a + b * b - turn * a * b) / 400;
  }
  return { seconds: samples.length / rate, tone: energy === 0 ? 0 : power / energy };
}

/** The most that a colour takes of any picture of the first second of a file, 0–1. */
export async function begins(file: string, color: Color): Promise<number> {
  return Math.max(...(await shares(file, color, ["-t", "1"])));
}

type Color = readonly [red: number, green: number, blue: number];

/** What a colour takes of each picture of a file, 0–1, in order. */
export async function shares(
  file: string,
  [red, green, blue]: Color,
  limits: string[] = [],
): Promise<number[]> {
  const [width, height] = [160, 100];
  const { stdout } = await run(
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
  const all: number[] = [];
  for (let from = 0; from + size <= stdout.length; from += size) {
    let alike = 0;
    for (let at = from; at < from + size; at += 3)
      if (
        Math.abs(stdout[at]! - red) +
          Math.abs(stdout[at + 1]! - green) +
          Math.abs(stdout[at + 2]! - blue) <
        90
      )
        alike += 1;
    all.push(alike / (width * height));
  }
  return all;
}

/** The length of the picture in a file, in seconds: counted from its packets, not believed from its header. */
export async function seen(file: string): Promise<number> {
  const { stdout } = await run("ffprobe", [
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
