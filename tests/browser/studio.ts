// A browser that records without a hand: its own tab is shared without asking, camera and microphone are made up.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  expect,
  type BrowserContext,
  type Page,
  type PlaywrightWorkerArgs,
} from "@playwright/test";
import { type Hearback, type Person, signIn } from "./test.ts";

const usual = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface Studio {
  context: BrowserContext;
  page: Page;
  close: () => Promise<void>;
}

export interface Set {
  /** What the microphone hears, in Hz; 0 is silence. */
  tone?: number;
  /** The tab that is shared, by its title, instead of the page's own. */
  tab?: string;
  /** Whether the screen is refused. */
  refuse?: boolean;
  /** Whether the browser may use camera and microphone. */
  permissions?: string[];
  /** Further flags. */
  args?: string[];
}

/** Opens one, with `who` signed in, on the page `at`. */
export async function studio(
  playwright: PlaywrightWorkerArgs["playwright"],
  server: Hearback,
  who: Person,
  set: Set = {},
  at = "/updates/new",
  base = server.url,
): Promise<Studio> {
  const folder = await mkdtemp(join(tmpdir(), "hearback-studio-"));
  const sound = join(folder, "sound.wav");
  await writeFile(sound, wave(set.tone ?? 440));
  const shared = set.tab
    ? `--auto-select-tab-capture-source-by-title=${set.tab}`
    : set.refuse
      ? "--auto-reject-this-tab-capture"
      : "--auto-accept-this-tab-capture";
  const browser = await playwright.chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    ignoreDefaultArgs: ["--mute-audio"],
    args: [
      ...usual,
      "--use-fake-device-for-media-stream",
      `--use-file-for-fake-audio-capture=${sound}`,
      shared,
      ...(set.args ?? []),
    ],
  });
  const context = await browser.newContext({
    baseURL: base,
    permissions: set.permissions ?? ["camera", "microphone", "clipboard-read", "clipboard-write"],
  });
  // Those flags answer for the page's own tab alone.
  if (!set.tab)
    await context.addInitScript(() => {
      const media = navigator.mediaDevices as MediaDevices | undefined;
      const real = media?.getDisplayMedia?.bind(media);
      if (media && real)
        media.getDisplayMedia = (options) =>
          real({ ...options, preferCurrentTab: true } as DisplayMediaStreamOptions);
    });
  const page = await context.newPage();
  await signIn(page, who, at);
  const close = async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { context, page, close };
}

/** Two seconds of a tone, as WAV with 16 bits and 48 kHz. */
export function wave(hertz: number): Buffer {
  const rate = 48_000;
  const samples = Buffer.alloc(2 * 2 * rate);
  for (let n = 0; n < 2 * rate; n += 1)
    samples.writeInt16LE(Math.round(12_000 * Math.sin((2 * Math.PI * hertz * n) / rate)), 2 * n);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(2 * rate, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

/** The recorder of the New page. */
export const recorder = (page: Page) => page.locator("screen-recorder");
/** How much is recorded, as it shows it. */
export const time = (page: Page) => page.locator('[data-part="time"]');
/** Waits until that many seconds are recorded, or more. */
export const recorded = (page: Page, seconds: number) =>
  expect
    .poll(async () => Number((await time(page).textContent())?.split(":")[1]), { timeout: 30_000 })
    .toBeGreaterThanOrEqual(seconds);

/** From the choice to a recording that runs. */
export async function record(page: Page, source = "Screen"): Promise<void> {
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("radio", { name: source, exact: true }).check();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await expect(recorder(page)).toHaveAttribute("data-state", "recording", { timeout: 30_000 });
}

/** The tracks that the page was given are in `made`, so that they can be unplugged. */
export async function handles(page: Page): Promise<(kind: string) => Promise<void>> {
  await page.evaluate(() => {
    const media = navigator.mediaDevices;
    const made: [string, MediaStreamTrack][] = [];
    Object.assign(window, { made });
    const [camera, screen] = [media.getUserMedia.bind(media), media.getDisplayMedia.bind(media)];
    media.getUserMedia = async (constraints) => {
      const stream = await camera(constraints);
      for (const track of stream.getTracks()) made.push([track.kind, track]);
      return stream;
    };
    media.getDisplayMedia = async (options) => {
      const stream = await screen(options);
      for (const track of stream.getVideoTracks()) made.push(["screen", track]);
      return stream;
    };
  });
  return (kind) =>
    page.evaluate((kind) => {
      for (const [what, track] of (window as unknown as { made: [string, MediaStreamTrack][] })
        .made) {
        if (what !== kind || track.readyState !== "live") continue;
        track.stop();
        track.dispatchEvent(new Event("ended"));
      }
    }, kind);
}
